//! The link between a client and a server, mostly in tokio's paused time, which jumps to the next timer when nothing else is to be done.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test fails by panicking

mod bounds;
mod laws;
mod stream;

use std::time::Duration;

use tickwire_testkit::link::{Conditions, Link};
use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio::time::Instant;

/// The server's end, and the client's through a network.
fn pair(conditions: &str, seed: u64) -> (DuplexStream, Link<DuplexStream>) {
    let conditions: Conditions = conditions.parse().unwrap();
    let (server, client) = duplex(1 << 20);
    (server, Link::new(client, &conditions, seed))
}

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Everything until the end, with the time since `began` at which each piece came.
async fn read_all(stream: &mut (impl AsyncReadExt + Unpin), began: Instant) -> (Vec<u8>, Vec<Duration>) {
    let (mut bytes, mut times) = (Vec::new(), Vec::new());
    let mut piece = [0; 512];
    loop {
        let len = stream.read(&mut piece).await.expect("a link loses no connection");
        if len == 0 {
            return (bytes, times);
        }
        bytes.extend(&piece[..len]);
        times.push(began.elapsed());
    }
}

/// Bytes that show when one is missing or misplaced.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index * 7 + index / 251) as u8).collect()
}

//! From a connection to an encrypted stream.
//!
//! Invariants: a handshake that waits for its peer holds nobody up; of those that compute, only
//! `AT_ONCE` do so before everything else on their thread has had its turn.

use std::io;

use rustls::server::Acceptor;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::LazyConfigAcceptor;

use super::keeper::Keeper;
use super::stream::{Encrypted, Movable};

/// Handshakes that sign and agree on keys in one turn of their thread. One takes less than a
/// millisecond with an ECDSA key, so whoever waits behind a flood of them waits a few milliseconds
/// more a turn.
const AT_ONCE: usize = 4;

/// The line in which handshakes wait for their turn to compute, first come first served. As long
/// as there may be strangers.
#[derive(Debug)]
pub(super) struct Line(Semaphore);

impl Default for Line {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Line {
    async fn compute<T>(&self, work: impl FnOnce() -> T) -> T {
        let turn = self.0.acquire().await;
        let done = work();
        // The others' turn, before the next in line gets this one.
        tokio::task::yield_now().await;
        drop(turn);
        done
    }
}

/// Whether the peer speaks TLS. `false` if it begins like HTTP, which somebody means who forgot the
/// `s` of `https`. Takes nothing off the stream.
pub(crate) async fn is_spoken(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(!first[0].is_ascii_uppercase())
}

impl Keeper {
    /// Waits for the peer's handshake. Takes as long as the peer does: to be given a deadline.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<Encrypted> {
        let greeting = LazyConfigAcceptor::new(Acceptor::default(), Movable::from(stream)).await?;
        let answering = self.line().compute(|| {
            greeting.into_stream_with(self.config(), |connection| {
                // Whoever writes, writes one frame, or as much as HTTP has, and waits for it to leave.
                connection.set_buffer_limit(Some(UNSENT_BYTES_MAX));
            })
        });
        Ok(Encrypted::new(answering.await.await?))
    }
}

/// Plaintext that an HTTP connection encrypts before its kernel takes it.
const UNSENT_BYTES_MAX: usize = 16 * 1024;

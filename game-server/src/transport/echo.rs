//! Sends back what it hears, over the transports that matches use, on terms of its own: any length,
//! and text too. For conformance tests, which know no game. No server has it.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::Bytes;
use tickwire_protocol::Tick;
use tokio::net::TcpStream;

use super::frame::Terms;
use super::seam::{Broken, Heard, Taken, Transport};
use super::socket::{Link, Socket};
use crate::clock::Moment;
use crate::config::TransportKind;

/// What it hears, at most: more than the longest message of any conformance test.
pub const TERMS: Terms = Terms { message_bytes_max: 64 << 20, text: true };

/// How long it waits for something to hear or for room to answer: its ticks.
const PAUSE: Duration = Duration::from_millis(1);
/// Bytes of the kernel's send buffer: room for what conformance tests let pile up.
const SEND_BUFFER_BYTES: u32 = 1 << 20;

/// Echoes what comes over an upgraded connection until it ends. Inside a `LocalSet`.
pub async fn echo(kind: TransportKind, stream: TcpStream, already_read: Vec<u8>) -> io::Result<()> {
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut link = Socket::on(TERMS, kind, stream, already_read, peer, ()).await.into_link(SEND_BUFFER_BYTES)?;
    // However it ends: the peer is gone, or has broken the protocol.
    while let Ok(has_heard) = answer(&mut link).await {
        if !has_heard {
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// A tick, which takes in one message or ping. Says whether there was one.
async fn answer(link: &mut Link) -> Result<bool, Broken> {
    link.begin();
    let heard = link.advance(&Moment::now(Tick(0)));
    let message = matches!(heard, Ok(Some(Heard::Message(_)))).then(|| Bytes::copy_from_slice(link.message()));
    // Pings are answered here.
    link.end();
    if let Some(message) = message {
        while link.send(&message)? == Taken::Nothing {
            tokio::time::sleep(PAUSE).await;
        }
    }
    while !link.flush()? {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(heard?.is_some())
}

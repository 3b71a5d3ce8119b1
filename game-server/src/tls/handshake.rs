//! From a connection to an encrypted stream.
//!
//! Invariant: a handshake that waits for its peer holds nobody up; those that compute stand in
//! [`Line`](super::line::Line).

use std::io;

use rustls::server::Acceptor;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;

use super::keeper::Keeper;
use super::stream::{Encrypted, Movable};

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
                // Whoever writes, writes one frame, or as much as HTTP has, and waits for it to
                // leave.
                connection.set_buffer_limit(Some(UNSENT_BYTES_MAX));
            })
        });
        Ok(Encrypted::new(answering.await.await?))
    }
}

/// Plaintext that an HTTP connection encrypts before its kernel takes it.
const UNSENT_BYTES_MAX: usize = 16 * 1024;

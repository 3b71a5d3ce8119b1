//! The end of a connection: what the peer is told last, and that it is read until it has closed
//! too.
//!
//! Invariant: whoever goes on talking is read no faster than a player may talk in a burst. Matches
//! share the thread with those who leave them.

use std::io;
use std::time::Duration;

use tickwire_protocol::codec::encode_into;
use tickwire_protocol::messages::ServerMessageRef;
use tickwire_protocol::{CloseReason, WsUrl};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Read at once, and so kept on the stack.
const PIECE_BYTES: usize = 1024;
/// Pieces that are read before a pause: what a client in good faith had on its way.
const PIECES: usize = 8;
/// The pause. The kernel tells a peer meanwhile that there is no room.
const PAUSE: Duration = Duration::from_millis(20);

/// What a client is told last: why, and perhaps where it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Farewell {
    reason: CloseReason,
    moved_to: Option<WsUrl>,
}

impl Farewell {
    /// The match goes on on another server.
    pub const fn moved_to(ws_url: WsUrl) -> Self {
        Self { reason: CloseReason::Moved, moved_to: Some(ws_url) }
    }

    /// Why.
    pub const fn reason(&self) -> CloseReason {
        self.reason
    }

    /// As a payload.
    pub(super) fn payload(&self) -> Vec<u8> {
        let mut payload = Vec::new();
        if let Some(ws_url) = &self.moved_to {
            encode_into(&ServerMessageRef::Migrate { ws_url }, &mut payload);
        }
        encode_into(&ServerMessageRef::Closing(self.reason), &mut payload);
        payload
    }
}

impl From<CloseReason> for Farewell {
    fn from(reason: CloseReason) -> Self {
        Self { reason, moved_to: None }
    }
}

/// Reads until `stream` ends, and ignores what comes.
pub(super) async fn hear_out(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut ignored = [0; PIECE_BYTES];
    loop {
        for _ in 0..PIECES {
            if stream.read(&mut ignored).await? == 0 {
                return Ok(());
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::io::ReadBuf;
    use tokio::time::Instant;

    use super::*;

    /// A peer that never stops, and how much was read of it.
    struct Endless(usize);

    impl AsyncRead for Endless {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            self.0 += into.remaining();
            into.initialize_unfilled();
            into.advance(into.remaining());
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn whoever_goes_on_talking_is_read_slowly() {
        let (mut peer, began) = (Endless(0), Instant::now());
        let heard = tokio::time::timeout(5 * PAUSE, hear_out(&mut peer)).await;
        assert!(heard.is_err(), "it never ends");
        // However long that took here: a pause is never shorter than it is.
        let turns = began.elapsed().as_millis() / PAUSE.as_millis() + 1;
        assert!(peer.0 <= turns as usize * PIECES * PIECE_BYTES, "{} bytes in {turns} turns", peer.0);
    }

    #[tokio::test]
    async fn who_closes_is_heard_to_the_end() {
        let said = vec![7; 3 * PIECES * PIECE_BYTES];
        let mut peer = said.as_slice();
        hear_out(&mut peer).await.expect("an end");
        assert!(peer.is_empty());
    }
}

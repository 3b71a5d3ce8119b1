//! A client's messages on their way out: at most one frame per tick, and reliable messages in
//! order.
//!
//! Each tick the session calls [`Outbox::flush`]. What it answers decides about the tick's frame:
//!
//! ```text
//!                    flush: nothing is left          flush: something is left
//!  the connection    ----------------------          -------------------------
//!                    make the frame, and `send` it   make no frame; `hold` the tick's events
//!                    with what waited in front       |
//!                                                    +-> took nothing for `patience.blocked` ticks,
//!                                                        or too many bytes wait: close, TooSlow
//! ```
//!
//! So a snapshot never waits: the frame after a stall is made then, from the newest state. Events
//! and other reliable messages do wait, because each counts.
//!
//! Invariants: a frame is made only when the connection takes it, so a slow client costs its
//! reliable bytes and no more; while the connection takes nothing, reliable messages wait, bounded
//! in bytes, and go out in front of the next frame.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use tickwire_protocol::{CloseReason, Tick};

use super::seam::{Ended, Taken, Transport};

/// One client's sending side.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Reliable messages that wait, the oldest first.
    waiting: VecDeque<Bytes>,
    /// Bytes in `waiting`.
    waiting_bytes: usize,
    /// Since when the connection has taken not one byte; `None` if it takes all.
    blocked_since: Option<Tick>,
    /// Bytes that the connection had taken in all, when it was last looked at.
    written: u64,
}

/// How slow a client may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// The connection may take nothing for so many ticks.
    pub(super) blocked: i32,
    /// So many reliable bytes may wait.
    pub(super) waiting_bytes: usize,
}

impl Outbox {
    /// Sends a frame, with what waited in front. Only when [`Outbox::flush`] left nothing.
    pub(super) fn send(&mut self, link: &mut impl Transport, frame: &Bytes, tick: Tick) -> Result<usize, Ended> {
        if self.waiting.is_empty() {
            return self.write(link, frame, tick);
        }
        let payload = self.with_waiting(frame);
        self.write(link, &payload, tick)
    }

    /// Keeps reliable bytes for when the connection takes something again. Fails if that takes too
    /// long.
    pub(super) fn hold(&mut self, bytes: Bytes, tick: Tick, patience: Patience) -> Result<(), Ended> {
        self.wait(bytes);
        let too_long = self.blocked_since.is_some_and(|since| tick.since(since) > patience.blocked);
        if too_long || self.waiting_bytes > patience.waiting_bytes {
            return Err(Ended::Closed(CloseReason::TooSlow));
        }
        Ok(())
    }

    /// Puts an answer in front of the next frame, unless the connection is full: it would be
    /// worthless later. A client has a few of them in a tick, since its messages are metered.
    pub(super) fn answer(&mut self, link: &impl Transport, answer: Bytes) {
        if link.is_clear() {
            self.wait(answer);
        }
    }

    /// Pushes what the connection did not take before, and says whether nothing is left of it.
    /// Whoever takes a part of it is slow, and not stuck.
    pub(super) fn flush(&mut self, link: &mut impl Transport, tick: Tick) -> Result<bool, Ended> {
        let flushed = link.flush();
        if link.bytes_written() > self.written {
            self.blocked_since = None;
        }
        let is_clear = flushed?;
        self.note(link, is_clear, tick);
        Ok(is_clear)
    }

    /// Bytes that wait.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    fn wait(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.waiting_bytes += bytes.len();
            self.waiting.push_back(bytes);
        }
    }

    fn with_waiting(&mut self, frame: &[u8]) -> Bytes {
        let mut payload = BytesMut::with_capacity(self.waiting_bytes + frame.len());
        self.waiting.drain(..).for_each(|bytes| payload.extend_from_slice(&bytes));
        self.waiting_bytes = 0;
        payload.extend_from_slice(frame);
        payload.freeze()
    }

    fn write(&mut self, link: &mut impl Transport, payload: &Bytes, tick: Tick) -> Result<usize, Ended> {
        let taken = link.send(payload)?;
        debug_assert_ne!(taken, Taken::Nothing, "a frame within a frame");
        self.note(link, taken == Taken::Whole, tick);
        Ok(payload.len())
    }

    /// Notes since when the connection takes no more.
    fn note(&mut self, link: &impl Transport, is_clear: bool, tick: Tick) {
        self.written = link.bytes_written();
        if is_clear {
            self.blocked_since = None;
        } else {
            self.blocked_since.get_or_insert(tick);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Socket;

    const PATIENCE: Patience = Patience { blocked: 10, waiting_bytes: 8 };

    fn bytes(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn what_waits_goes_out_in_front_of_the_next_frame_and_answers_do_not_wait() {
        let (peer, socket) = Socket::in_memory();
        let mut link = socket.into_link(0).expect("a link");
        let mut outbox = Outbox::default();
        peer.stall(true);
        assert_eq!(outbox.flush(&mut link, Tick(1)), Ok(false));
        outbox.answer(&link, bytes("pong"));
        assert_eq!(outbox.hold(bytes("event"), Tick(1), PATIENCE), Ok(()));
        peer.stall(false);
        assert_eq!(outbox.flush(&mut link, Tick(2)), Ok(true));
        outbox.answer(&link, bytes("pong,"));
        assert_eq!(outbox.send(&mut link, &bytes("frame"), Tick(2)), Ok(15));
        assert_eq!(peer.take_received(), ["eventpong,frame"]);
    }

    #[test]
    fn who_takes_nothing_for_too_long_or_lets_too_much_wait_is_too_slow() {
        let too_slow = Err(Ended::Closed(CloseReason::TooSlow));
        let (peer, socket) = Socket::in_memory();
        let mut link = socket.into_link(0).expect("a link");
        peer.stall(true);
        let mut outbox = Outbox::default();
        for (tick, held) in [(1, Ok(())), (11, Ok(())), (12, too_slow)] {
            assert_eq!(outbox.flush(&mut link, Tick(tick)), Ok(false));
            assert_eq!(outbox.hold(Bytes::new(), Tick(tick), PATIENCE), held);
        }
        let mut outbox = Outbox::default();
        assert_eq!(outbox.hold(bytes("12345678"), Tick(1), PATIENCE), Ok(()));
        assert_eq!(outbox.hold(bytes("9"), Tick(1), PATIENCE), too_slow);
    }
}

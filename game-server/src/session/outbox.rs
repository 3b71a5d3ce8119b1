//! A client's bytes on their way out: at most one frame per tick, and reliable messages in order.
//!
//! Invariants: a frame is made only when the socket takes it, so a slow client costs its reliable bytes and no more; while
//! the socket takes nothing, reliable messages wait, bounded in bytes, and go out in front of the next frame.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use tickwire_protocol::codec::encode;
use tickwire_protocol::{CloseReason, ServerMessage, Tick};

use super::frame::{self, Opcode};
use super::link::{Link, Sent};

/// One client's sending side.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
    blocked_since: Option<Tick>,
}

/// Why nothing more can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The connection is gone.
    Disconnected,
    /// The client reads too slowly.
    TooSlow,
}

/// How slow a client may be.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The socket may take nothing for so many ticks.
    pub blocked: i32,
    /// So many reliable bytes may wait.
    pub waiting_bytes: usize,
}

impl Outbox {
    /// Sends a frame, with what waited in front.
    pub fn send(&mut self, link: &mut Link, frame: &Bytes, tick: Tick) -> Result<usize, Failure> {
        if self.waiting.is_empty() {
            return self.write(link, Opcode::Binary, frame, tick);
        }
        let payload = self.with_waiting(frame);
        self.write(link, Opcode::Binary, &payload, tick)
    }

    /// Keeps reliable bytes for when the socket takes something again. Fails if that takes too long.
    pub fn hold(&mut self, bytes: Bytes, tick: Tick, patience: Patience) -> Result<(), Failure> {
        if !bytes.is_empty() {
            self.waiting_bytes += bytes.len();
            self.waiting.push_back(bytes);
        }
        let too_long = self.blocked_since.is_some_and(|since| tick.since(since) > patience.blocked);
        if too_long || self.waiting_bytes > patience.waiting_bytes { Err(Failure::TooSlow) } else { Ok(()) }
    }

    /// Puts an answer in front of the next frame, unless the socket is full: it would be worthless later. A client has a few of them in a
    /// tick, since its messages are metered.
    pub fn answer(&mut self, link: &Link, answer: Bytes) {
        if link.unsent_bytes() == 0 {
            self.waiting_bytes += answer.len();
            self.waiting.push_back(answer);
        }
    }

    /// Sends a control frame at once; skips it if the socket is full. It may overtake what waits for the next frame.
    pub fn send_now_or_never(&mut self, link: &mut Link, opcode: Opcode, payload: &[u8], tick: Tick) -> Result<(), Failure> {
        if self.flush(link, tick)? == Sent::Whole {
            self.write(link, opcode, payload, tick)?;
        }
        Ok(())
    }

    /// Pushes what the socket did not take before. Whoever takes a part of it is slow, and not stuck.
    pub fn flush(&mut self, link: &mut Link, tick: Tick) -> Result<Sent, Failure> {
        let unsent = link.unsent_bytes();
        let flushed = link.flush();
        if link.unsent_bytes() < unsent {
            self.blocked_since = None;
        }
        self.note(flushed, tick)
    }

    fn with_waiting(&mut self, frame: &[u8]) -> Bytes {
        let mut payload = BytesMut::with_capacity(self.waiting_bytes + frame.len());
        self.waiting.drain(..).for_each(|bytes| payload.extend_from_slice(&bytes));
        self.waiting_bytes = 0;
        payload.extend_from_slice(frame);
        payload.freeze()
    }

    /// Hands a frame to the socket, which has nothing unsent: it takes it whole, and the kernel as much as it can.
    fn write(&mut self, link: &mut Link, opcode: Opcode, payload: &[u8], tick: Tick) -> Result<usize, Failure> {
        let written = link.write(opcode, payload);
        self.note(written, tick)?;
        Ok(payload.len())
    }

    /// Notes since when the kernel takes no more.
    fn note(&mut self, written: std::io::Result<Sent>, tick: Tick) -> Result<Sent, Failure> {
        let sent = written.map_err(|_| Failure::Disconnected)?;
        match sent {
            Sent::Whole => self.blocked_since = None,
            Sent::Part => {
                self.blocked_since.get_or_insert(tick);
            }
        }
        Ok(sent)
    }
}

/// The last message and the close frame that tell `reason`, as they go over the wire.
pub fn farewell(reason: CloseReason) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::write(&mut bytes, Opcode::Binary, &encode(&ServerMessage::Closing(reason)));
    frame::write(&mut bytes, Opcode::Close, &frame::close_payload(reason.websocket_code(), reason.name()));
    bytes
}

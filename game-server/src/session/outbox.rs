//! What a client is told: at most one snapshot frame per tick, and reliable messages in order.
//!
//! Invariants: nothing is queued that a newer snapshot replaces, so a slow client costs its reliable bytes and no more;
//! while the socket takes nothing, reliable messages wait, bounded in bytes; the newest snapshot goes out when it drains.

use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tickwire_protocol::codec::encode;
use tickwire_protocol::{CloseReason, ServerMessage, Tick};
use tokio::time::Instant;

use super::frame::{self, Opcode};
use super::socket::Ws;
use crate::replication::{Frame, History};

/// One client's sending side.
#[derive(Debug, Default)]
pub struct Outbox {
    /// The snapshot the client has: the baseline of its next delta.
    baseline: Option<Tick>,
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
    blocked_since: Option<Instant>,
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
    /// The socket may take nothing for so long.
    pub blocked: Duration,
    /// So many reliable bytes may wait.
    pub waiting_bytes: usize,
}

impl Outbox {
    /// The snapshot the client has.
    pub fn baseline(&self) -> Option<Tick> {
        self.baseline
    }

    /// Sends the tick's frame, or holds its events back while the socket takes nothing. Returns the payload bytes sent.
    pub fn send_frame(
        &mut self,
        ws: &mut Ws,
        context: &mut Context<'_>,
        frame: &Frame,
        history: &mut History,
        now: Instant,
        patience: Patience,
    ) -> Result<usize, Failure> {
        if self.flush(ws, context, now)?.is_pending() {
            self.hold(frame.events.clone());
            let too_long = self.blocked_since.is_some_and(|since| now.duration_since(since) > patience.blocked);
            return if too_long || self.waiting_bytes > patience.waiting_bytes { Err(Failure::TooSlow) } else { Ok(0) };
        }
        let kept_up = self.waiting.is_empty() && self.baseline.is_some() && self.baseline == frame.previous;
        let payload = if kept_up { frame.shared.clone() } else { self.catch_up(frame, history) };
        self.baseline = Some(frame.tick);
        self.write(ws, context, &payload, now)
    }

    /// Sends `welcome` and the newest snapshot as a keyframe: how a session starts.
    pub fn send_welcome(
        &mut self,
        ws: &mut Ws,
        context: &mut Context<'_>,
        welcome: &[u8],
        history: &mut History,
        now: Instant,
    ) -> Result<usize, Failure> {
        self.baseline = history.newest().map(|snapshot| snapshot.tick);
        let payload = [welcome, &history.snapshot_from(None)].concat();
        if self.flush(ws, context, now)?.is_pending() {
            self.hold(payload.into());
            return Ok(0);
        }
        self.write(ws, context, &payload, now)
    }

    /// Sends a message that only this client gets and that is worthless later, such as a pong; skips it if the socket is full.
    pub fn send_now_or_never(
        &mut self,
        ws: &mut Ws,
        context: &mut Context<'_>,
        opcode: Opcode,
        payload: &[u8],
        now: Instant,
    ) -> Result<usize, Failure> {
        if self.flush(ws, context, now)?.is_pending() || !self.waiting.is_empty() {
            return Ok(0);
        }
        self.write_frame(ws, context, opcode, payload, now)
    }

    /// Pushes what the socket did not take before.
    pub fn flush(&mut self, ws: &mut Ws, context: &mut Context<'_>, now: Instant) -> Result<Poll<()>, Failure> {
        let flushed = ws.poll_flush(context);
        self.note(&flushed, now)?;
        Ok(flushed.map(drop))
    }

    fn hold(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.waiting_bytes += bytes.len();
            self.waiting.push_back(bytes);
        }
    }

    /// What waited, this tick's events, and the way from the client's baseline to the newest snapshot, in one message.
    fn catch_up(&mut self, frame: &Frame, history: &mut History) -> Bytes {
        let snapshot = history.snapshot_from(self.baseline);
        let mut payload = BytesMut::with_capacity(self.waiting_bytes + frame.events.len() + snapshot.len());
        self.waiting.drain(..).for_each(|bytes| payload.extend_from_slice(&bytes));
        self.waiting_bytes = 0;
        payload.extend_from_slice(&frame.events);
        payload.extend_from_slice(&snapshot);
        payload.freeze()
    }

    fn write(&mut self, ws: &mut Ws, context: &mut Context<'_>, payload: &[u8], now: Instant) -> Result<usize, Failure> {
        self.write_frame(ws, context, Opcode::Binary, payload, now)
    }

    /// Hands a frame to the socket, which has nothing unsent: it takes it whole, and the kernel as much as it can.
    fn write_frame(
        &mut self,
        ws: &mut Ws,
        context: &mut Context<'_>,
        opcode: Opcode,
        payload: &[u8],
        now: Instant,
    ) -> Result<usize, Failure> {
        let written = ws.poll_write(context, opcode, payload);
        self.note(&written, now)?;
        Ok(payload.len())
    }

    /// Notes since when the kernel takes no more.
    fn note(&mut self, written: &Poll<std::io::Result<()>>, now: Instant) -> Result<(), Failure> {
        match written {
            Poll::Ready(Ok(())) => self.blocked_since = None,
            Poll::Ready(Err(_)) => return Err(Failure::Disconnected),
            Poll::Pending => {
                self.blocked_since.get_or_insert(now);
            }
        }
        Ok(())
    }
}

/// The last message and the close frame that tell `reason`, as they go over the wire.
pub fn farewell(reason: CloseReason) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::write(&mut bytes, Opcode::Binary, &encode(&ServerMessage::Closing(reason)));
    frame::write(&mut bytes, Opcode::Close, &frame::close_payload(reason.websocket_code(), reason.name()));
    bytes
}

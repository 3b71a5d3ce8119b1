//! One socket's life, from Welcome to the close frame.
//!
//! [`socket`] is the socket and its bounds, [`frame`] its bytes, [`meter`] what a client may send, [`outbox`] what it is told, [`readiness`] how
//! a match that owns many sockets learns which of them to look at. [`Session`] ties them together.

pub mod frame;
pub mod meter;
pub mod outbox;
pub mod readiness;
pub mod socket;

use std::borrow::Cow;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use tickwire_protocol::{CloseReason, PlayerId};
use tokio::time::Instant;

use crate::config::{SessionConfig, ms};
use crate::replication::{Replication, View};
use frame::{Incoming, Opcode};
use meter::{Meter, Verdict};
use outbox::{Failure, Outbox, Patience};
use readiness::{Readiness, SlotWaker};
pub use socket::Socket;
use socket::{Broken, Intake};

/// Reads of a socket in a row.
const READS_MAX: usize = 4;

/// A player's or spectator's connection inside a match.
pub struct Session {
    socket: Socket,
    /// The seat it plays from; `None` for a spectator.
    player: Option<PlayerId>,
    /// What the client has of the match.
    view: View,
    outbox: Outbox,
    meter: Meter,
    slot: Arc<SlotWaker>,
    waker: Waker,
    last_heard: Instant,
    pinged: bool,
}

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The connection is gone: nobody to tell.
    Disconnected,
    /// The client is told why.
    Closed(CloseReason),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Disconnected => Self::Disconnected,
            Failure::TooSlow => Self::Closed(CloseReason::TooSlow),
        }
    }
}

/// A peer that broke the protocol or a limit is told so, a broken connection is nobody's fault.
impl From<Broken> for Ended {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Lost => Self::Disconnected,
            Broken::Violated(_) => Self::Closed(CloseReason::Malformed),
        }
    }
}

/// The deadlines of a match's sessions.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    ping_after: Duration,
    silence: Duration,
    patience: Patience,
}

impl Deadlines {
    /// As the operator set them.
    pub fn new(config: &SessionConfig) -> Self {
        let patience = Patience { blocked: ms(config.slow_ms), waiting_bytes: config.reliable_bytes_max };
        Self { ping_after: ms(config.ping_after_ms), silence: ms(config.silence_ms), patience }
    }
}

impl Session {
    /// Takes over a socket on this thread's runtime, in `slot` of the match.
    pub fn new(
        mut socket: Socket,
        player: Option<PlayerId>,
        slot: usize,
        readiness: &Arc<Readiness>,
        config: &SessionConfig,
        now: Instant,
    ) -> std::io::Result<Self> {
        socket.adopt()?;
        socket.tune(config.send_buffer_bytes)?;
        let slot = readiness.slot(slot);
        let waker = slot.waker();
        // It may have something to read already, and the new runtime has not looked yet.
        waker.wake_by_ref();
        let view = View::new(player);
        let meter = Meter::new(config, now);
        Ok(Self { socket, player, view, outbox: Outbox::default(), meter, slot, waker, last_heard: now, pinged: false })
    }

    /// The seat it plays from; `None` for a spectator.
    pub fn player(&self) -> Option<PlayerId> {
        self.player
    }

    /// Reads what has come in, handing each message within budget to `handle`, and pushes what could not be sent before.
    pub fn poll(&mut self, now: Instant, mut handle: impl FnMut(&[u8]) -> Result<Option<Bytes>, CloseReason>) -> Result<(), Ended> {
        self.slot.rearm();
        let waker = self.waker.clone();
        let mut context = Context::from_waker(&waker);
        let _ = self.outbox.flush(&mut self.socket.ws, &mut context, now)?;
        let mut intake = self.socket.ws.begin_reading();
        let read = self.read(&mut intake, &mut context, now, &mut handle);
        self.socket.ws.end_reading(intake);
        read
    }

    /// Stops after [`READS_MAX`] reads, to be called again soon: whoever sends without end keeps nobody waiting.
    fn read(
        &mut self,
        intake: &mut Intake,
        context: &mut Context<'_>,
        now: Instant,
        handle: &mut impl FnMut(&[u8]) -> Result<Option<Bytes>, CloseReason>,
    ) -> Result<(), Ended> {
        let mut reads = 0;
        loop {
            while let Some(incoming) = self.socket.ws.next(intake).map_err(Broken::Violated)? {
                self.last_heard = now;
                self.pinged = false;
                match self.meter.message(self.socket.ws.bytes_read(), now) {
                    Verdict::Keep => {}
                    Verdict::Drop => continue,
                    Verdict::Close => return Err(Ended::Closed(CloseReason::RateLimited)),
                }
                let (opcode, reply) = match incoming {
                    Incoming::Binary(bytes) => match handle(&bytes).map_err(Ended::Closed)? {
                        Some(reply) => (Opcode::Binary, Cow::Owned(reply.into())),
                        None => continue,
                    },
                    Incoming::Ping(bytes) => (Opcode::Pong, Cow::Borrowed(bytes)),
                    Incoming::Pong => continue,
                    Incoming::Close(code) => return Err(self.acknowledge_close(context, code, now)),
                };
                self.outbox.send_now_or_never(&mut self.socket.ws, context, opcode, &reply, now)?;
            }
            if reads == READS_MAX {
                self.waker.wake_by_ref();
                return self.judge_bytes(now);
            }
            match self.socket.ws.poll_read(context, intake) {
                Poll::Pending => return self.judge_bytes(now),
                Poll::Ready(read) => read?,
            }
            reads += 1;
        }
    }

    /// Answers a close frame with its own code, if that can be sent at once.
    fn acknowledge_close(&mut self, context: &mut Context<'_>, code: Option<u16>, now: Instant) -> Ended {
        let payload = code.map_or_else(Vec::new, |code| frame::close_payload(code, ""));
        let sent = self.outbox.send_now_or_never(&mut self.socket.ws, context, Opcode::Close, &payload, now);
        sent.map_or_else(Ended::from, |_| Ended::Disconnected)
    }

    /// Bytes that complete no message count too.
    fn judge_bytes(&mut self, now: Instant) -> Result<(), Ended> {
        match self.meter.bytes(self.socket.ws.bytes_read(), now) {
            Verdict::Keep | Verdict::Drop => Ok(()),
            Verdict::Close => Err(Ended::Closed(CloseReason::RateLimited)),
        }
    }

    /// Sends Welcome and what there is to see. Returns the payload bytes sent.
    pub fn welcome(&mut self, welcome: &[u8], replication: &mut Replication, now: Instant, deadlines: &Deadlines) -> Result<usize, Ended> {
        let payload = Bytes::from([welcome, &replication.first_frame(&mut self.view)].concat());
        let mut context = Context::from_waker(&self.waker);
        if self.outbox.flush(&mut self.socket.ws, &mut context, now)?.is_pending() {
            self.outbox.hold(payload, now, deadlines.patience)?;
            return Ok(0);
        }
        Ok(self.outbox.send(&mut self.socket.ws, &mut context, &payload, now)?)
    }

    /// Sends the tick's frame. Returns the payload bytes sent: 0 if the socket takes nothing; then the tick's events wait.
    pub fn send_frame(&mut self, replication: &mut Replication, now: Instant, deadlines: &Deadlines) -> Result<usize, Ended> {
        let mut context = Context::from_waker(&self.waker);
        if self.outbox.flush(&mut self.socket.ws, &mut context, now)?.is_pending() {
            replication.skip(&self.view);
            self.outbox.hold(replication.events().clone(), now, deadlines.patience)?;
            return Ok(0);
        }
        let frame = replication.frame(&mut self.view);
        Ok(self.outbox.send(&mut self.socket.ws, &mut context, &frame, now)?)
    }

    /// Pings a client that has been silent for a while, and gives up on one silent for too long.
    pub fn check_silence(&mut self, now: Instant, deadlines: &Deadlines) -> Result<(), Ended> {
        let silent = now.duration_since(self.last_heard);
        if silent > deadlines.silence {
            return Err(Ended::Closed(CloseReason::Silent));
        }
        if silent > deadlines.ping_after && !self.pinged {
            self.pinged = true;
            let mut context = Context::from_waker(&self.waker);
            self.outbox.send_now_or_never(&mut self.socket.ws, &mut context, Opcode::Ping, &[], now)?;
        }
        Ok(())
    }

    /// The socket, to close it.
    pub fn into_socket(self) -> Socket {
        self.socket
    }
}

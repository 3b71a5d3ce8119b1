//! What a session asks of a transport, and is told by it.

use std::io;

use bytes::Bytes;
use tickwire_handover::Handover;
use tickwire_protocol::{CloseReason, Tick};
use tokio::time::Instant;

use crate::clock::Moment;

/// Messages of a connection that are taken in in a tick; the others wait for the next one. A burst
/// that a silence has earned delays no tick.
pub(super) const MESSAGES_MAX: usize = 64;
/// Bytes that a match takes from a connection in a tick, at most. Whoever sends without end keeps
/// nobody waiting.
pub(super) const READ_BYTES_MAX: usize = 64 * 1024;
/// The kernel takes no frame while so many bytes wait there to be sent: more than a tick's pong and
/// events, less than a few snapshots.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) const UNSENT_BYTES: u32 = 256;

/// A connection inside a match.
///
/// A tick reads like this: [`begin`](Self::begin), then [`advance`](Self::advance) until it has
/// nothing more, with [`message`](Self::message) in between, then [`end`](Self::end).
pub trait Transport {
    /// A tick begins to read. It may take so much again.
    fn begin(&mut self);

    /// Goes on to the next message or sign of life that is complete. `None`: nothing more in this
    /// tick.
    fn advance(&mut self, moment: &Moment) -> Result<Option<Heard>, Broken>;

    /// The message that [`advance`](Self::advance) came to last.
    fn message(&self) -> &[u8];

    /// The tick has read what it wanted. The rest stays for the next one.
    fn end(&mut self);

    /// Whether a message or frame has begun and not ended, once a tick has read.
    fn is_unfinished(&self) -> bool;

    /// Bytes read since the connection was upgraded, parsed or not.
    fn bytes_read(&self) -> u64;

    /// Sends a binary message, unless an earlier one is still on its way out.
    fn send(&mut self, message: &Bytes) -> Result<Taken, Broken>;

    /// Sends what was not taken before. Says whether nothing is left of it.
    fn flush(&mut self) -> Result<bool, Broken>;

    /// Whether nothing was left when something was last sent.
    fn is_clear(&self) -> bool;

    /// Bytes of a message that the connection has not taken, about.
    fn unsent_bytes(&self) -> usize;

    /// Bytes that were taken since the connection was upgraded.
    fn bytes_written(&self) -> u64;

    /// Asks for a sign of life, unless an earlier message is still on its way out.
    fn ping(&mut self) -> Result<(), Broken>;

    /// Has the connection outlive the process, if that is possible. The client has everything up to
    /// `tick`.
    fn hand_over(&mut self, _handover: &Handover, _note: &[u8], _tick: Tick) {}

    /// From now on the connection stays open when it is dropped, if it is handed over. Says whether
    /// it is.
    fn leave(&mut self) -> bool {
        false
    }

    /// What was read is in the journal, or may be lost: the next process need not have read it.
    fn note_read(&mut self) {}

    /// What is sent from now on is of `tick`. A client that has it has all that came before.
    fn begin_frame(&mut self, _tick: Tick) {}
}

/// What a peer said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A whole binary message.
    Message(Arrival),
    /// It is there: it has answered a ping, or sent one, which the transport answers.
    Alive,
}

/// When a message came.
///
/// What is read at once has one stamp: when the last of it came. When the messages before the last
/// came nobody knows, only that it was not later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// It had come by then.
    pub by: Instant,
    /// It came then, not some time before.
    pub is_exact: bool,
}

impl Arrival {
    /// When it came, if that is known.
    pub fn exact(self) -> Option<Instant> {
        self.is_exact.then_some(self.by)
    }
}

/// How much of a message the connection took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// All of it.
    Whole,
    /// It did not take all, but it will: the transport keeps the rest.
    Part,
    /// Nothing: it is still busy with an earlier one.
    Nothing,
}

/// Why nothing more can be read or sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The connection is gone, or the peer has closed it.
    Lost,
    /// The peer does not speak the protocol.
    Violated,
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Lost
    }
}

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The connection is gone: nobody to tell.
    Disconnected,
    /// The client is told why.
    Closed(CloseReason),
}

/// A peer that broke the protocol is told so, a broken connection is nobody's fault.
impl From<Broken> for Ended {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Lost => Self::Disconnected,
            Broken::Violated => Self::Closed(CloseReason::Malformed),
        }
    }
}

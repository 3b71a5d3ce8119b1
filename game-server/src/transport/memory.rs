//! A connection within the process: what a test says and hears without sockets.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tickwire_protocol::CloseReason;
use tokio::time::Instant;

use super::farewell::Farewell;
use super::seam::{Arrival, Broken, Ended, Heard, Taken, Transport};
use crate::clock::Moment;

/// The test's end of a connection. When it is dropped the connection is lost.
pub struct Peer(Arc<Mutex<Wire>>);

/// A connection: the test's end, and the one that goes into a match.
pub(super) fn pair() -> (Peer, Socket) {
    let wire = Arc::new(Mutex::new(Wire::default()));
    (Peer(Arc::clone(&wire)), Socket(wire))
}

/// What is on its way. As long as a test makes it.
#[derive(Default)]
struct Wire {
    to_match: VecDeque<Said>,
    to_peer: VecDeque<Bytes>,
    bytes_read: u64,
    bytes_written: u64,
    pings: usize,
    /// The peer takes nothing more.
    is_full: bool,
    /// Whether what is sent is lost on its way.
    is_dropping: Option<Box<dyn Fn() -> bool + Send>>,
    is_lost: bool,
    closed: Option<Farewell>,
}

struct Said {
    /// `None` is a sign of life.
    message: Option<Bytes>,
    arrival: Arrival,
}

impl Peer {
    /// Says something, now.
    pub fn send(&self, message: impl Into<Bytes>) {
        self.send_at(message, Arrival { by: Instant::now(), is_exact: true });
    }

    /// Says something that comes when the test says.
    pub fn send_at(&self, message: impl Into<Bytes>, arrival: Arrival) {
        let said = Said { message: Some(message.into()), arrival };
        lock(&self.0).to_match.push_back(said);
    }

    /// Gives a sign of life, as the answer to a ping is.
    pub fn show_life(&self) {
        let arrival = Arrival { by: Instant::now(), is_exact: true };
        lock(&self.0).to_match.push_back(Said { message: None, arrival });
    }

    /// What was sent to it since it last asked.
    pub fn take_received(&self) -> Vec<Bytes> {
        lock(&self.0).to_peer.drain(..).collect()
    }

    /// Pings that it got.
    pub fn pings(&self) -> usize {
        lock(&self.0).pings
    }

    /// Takes nothing more from now on, or takes something again.
    pub fn stall(&self, is_full: bool) {
        lock(&self.0).is_full = is_full;
    }

    /// What is sent while `is_dropping` says so never comes, and the match does not notice.
    pub fn lose_while(&self, is_dropping: impl Fn() -> bool + Send + 'static) {
        lock(&self.0).is_dropping = Some(Box::new(is_dropping));
    }

    /// Why it was closed.
    pub fn closed(&self) -> Option<CloseReason> {
        lock(&self.0).closed.as_ref().map(Farewell::reason)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        lock(&self.0).is_lost = true;
    }
}

/// Outside a match.
pub(super) struct Socket(Arc<Mutex<Wire>>);

impl Socket {
    /// Nothing wakes who waits: it must have been said before.
    pub(super) fn first_message(&mut self) -> impl Future<Output = Result<Vec<u8>, Ended>> {
        let said = lock(&self.0).to_match.pop_front().and_then(|said| said.message);
        std::future::ready(said.map(|bytes| bytes.to_vec()).ok_or(Ended::Disconnected))
    }

    pub(super) fn into_link(self) -> Link {
        Link { wire: self.0, message: Bytes::new() }
    }

    pub(super) fn close(self, farewell: &Farewell) {
        lock(&self.0).closed = Some(farewell.clone());
    }
}

/// Inside a match.
pub(super) struct Link {
    wire: Arc<Mutex<Wire>>,
    message: Bytes,
}

impl Link {
    pub(super) fn into_socket(self) -> Socket {
        Socket(self.wire)
    }
}

impl Transport for Link {
    fn begin(&mut self) {}

    fn advance(&mut self, _: &Moment) -> Result<Option<Heard>, Broken> {
        let mut wire = lock(&self.wire);
        match wire.to_match.pop_front() {
            None if wire.is_lost => Err(Broken::Lost),
            None => Ok(None),
            Some(Said { message: None, .. }) => Ok(Some(Heard::Alive)),
            Some(Said { message: Some(message), arrival }) => {
                wire.bytes_read += message.len() as u64;
                self.message = message;
                Ok(Some(Heard::Message(arrival)))
            }
        }
    }

    fn message(&self) -> &[u8] {
        &self.message
    }

    fn end(&mut self) {}

    /// Messages come whole.
    fn is_unfinished(&self) -> bool {
        false
    }

    fn bytes_read(&self) -> u64 {
        lock(&self.wire).bytes_read
    }

    fn send(&mut self, message: &Bytes) -> Result<Taken, Broken> {
        let mut wire = lock(&self.wire);
        if wire.is_lost {
            return Err(Broken::Lost);
        }
        if wire.is_full {
            return Ok(Taken::Nothing);
        }
        wire.bytes_written += message.len() as u64;
        if !wire.is_dropping.as_ref().is_some_and(|is_dropping| is_dropping()) {
            wire.to_peer.push_back(message.clone());
        }
        Ok(Taken::Whole)
    }

    fn flush(&mut self) -> Result<bool, Broken> {
        Ok(self.is_clear())
    }

    fn is_clear(&self) -> bool {
        !lock(&self.wire).is_full
    }

    fn unsent_bytes(&self) -> usize {
        0
    }

    fn bytes_written(&self) -> u64 {
        lock(&self.wire).bytes_written
    }

    fn ping(&mut self) -> Result<(), Broken> {
        let mut wire = lock(&self.wire);
        wire.pings += usize::from(!wire.is_full);
        Ok(())
    }
}

fn lock(wire: &Mutex<Wire>) -> MutexGuard<'_, Wire> {
    wire.lock().unwrap_or_else(PoisonError::into_inner)
}

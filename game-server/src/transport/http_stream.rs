//! Messages over HTTP, for where no WebSocket gets through: what a match says waits here for a
//! response to carry it, and what requests bring waits for the match.
//!
//! The match has one end, the gateway the other ([`HttpEnd`]); they are on different threads and
//! share a lock that neither holds for longer than it takes to move a message.
//!
//! A message is handed out when its reader is ready for it, and not before: a response when all
//! that it was given before has gone to the kernel, a poll while it waits. So no snapshot grows old
//! here, and a match notices a reader that takes nothing, as it does with a socket.
//!
//! Bounded: `MESSAGES_MAX` messages on their way in, one on its way out, and of a client that
//! polls the last answer, to be repeated if it is lost.

pub mod framing;
mod wire;

use std::future::poll_fn;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::farewell::Farewell;
use super::seam::{Arrival, Broken, Ended, Heard, Taken, Transport};
use crate::clock::Moment;
pub use wire::Refused;
use wire::{Took, Wire};

/// The gateway's end of a connection.
#[derive(Clone)]
pub struct HttpEnd(Arc<Shared>);

struct Shared {
    wire: Mutex<Wire>,
    /// There is room again for messages.
    room: Notify,
}

impl Shared {
    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection, and its two ends. Its first message, Hello, was heard already; it had
/// `bytes_read` bytes.
pub(super) fn pair(bytes_read: u64) -> (HttpEnd, Socket) {
    let shared = Arc::new(Shared { wire: Mutex::new(Wire::new(bytes_read)), room: Notify::new() });
    (HttpEnd(Arc::clone(&shared)), Socket(MatchEnd(shared)))
}

impl HttpEnd {
    /// Takes a batch in, all of it, once. Waits while there is no room. One that was taken in
    /// before is no mistake: its answer was lost.
    pub async fn deliver(&self, number: u32, body: &[u8], messages: &[Range<usize>]) -> Result<(), Refused> {
        let by = Instant::now();
        loop {
            let room = self.0.room.notified();
            let took = self.0.wire().deliver(number, body, messages, by)?;
            match took {
                Took::It => return Ok(()),
                Took::NoRoom => room.await,
            }
        }
    }

    /// The client broke the protocol: the match closes the connection.
    pub fn violate(&self) {
        self.0.wire().violate();
    }

    /// All that the match says from now on, for one response. There is never a second one: what the
    /// first had taken would be missing from it.
    pub fn respond(&self) -> Result<Response, Refused> {
        self.0.wire().respond()?;
        Ok(Response(Arc::clone(&self.0)))
    }

    /// The client has gone.
    pub fn leave(&self) {
        self.0.wire().lose();
        self.0.room.notify_waiters();
    }

    /// The response has given everything to the kernel.
    pub fn flushed(&self) {
        self.0.wire().want_next();
    }

    /// Waits for the answer with this number, counted from 0. The last one can be had again.
    pub async fn poll(&self, number: u32) -> Result<Bytes, Refused> {
        let asked = self.0.wire().ask(number)?;
        match asked {
            wire::Asked::Again(answer) => Ok(answer),
            wire::Asked::Turn(turn) => poll_fn(|context| self.0.wire().poll_answer(turn, context)).await,
        }
    }
}

/// The body of a response that lasts as long as the connection. When it is dropped, the connection
/// is lost.
pub struct Response(Arc<Shared>);

impl Stream for Response {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.wire().poll_next(context).map(|message| message.map(Ok))
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        self.0.wire().lose();
        self.0.room.notify_waiters();
    }
}

/// The match's end. When it is dropped, the connection is over.
struct MatchEnd(Arc<Shared>);

impl Drop for MatchEnd {
    fn drop(&mut self) {
        self.0.wire().end();
        self.0.room.notify_waiters();
    }
}

/// Outside a match.
pub(super) struct Socket(MatchEnd);

impl Socket {
    /// Hello was heard before there was a connection: nothing else is to be heard outside.
    pub(super) fn first_message() -> std::future::Ready<Result<Vec<u8>, Ended>> {
        std::future::ready(Err(Ended::Disconnected))
    }

    pub(super) fn into_link(self) -> Link {
        Link { end: self.0, message: Bytes::new() }
    }

    /// Says `farewell`, and waits until the client has been told.
    pub(super) async fn close(self, farewell: &Farewell) {
        let shared = &self.0.0;
        shared.wire().close(farewell.clone());
        shared.room.notify_waiters();
        poll_fn(|context| shared.wire().poll_told(context)).await;
    }
}

/// Inside a match.
pub(super) struct Link {
    end: MatchEnd,
    /// The message that was taken last.
    message: Bytes,
}

impl Link {
    pub(super) fn into_socket(self) -> Socket {
        Socket(self.end)
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.end.0.wire()
    }
}

impl Transport for Link {
    fn begin(&mut self) {}

    fn advance(&mut self, _: &Moment) -> Result<Option<Heard>, Broken> {
        let heard = self.wire().take_heard()?;
        Ok(heard.map(|(message, by)| match message {
            None => Heard::Alive,
            Some(message) => {
                self.message = message;
                // A request is handed over when its last byte has come: so have all its messages.
                Heard::Message(Arrival { by, is_exact: true })
            }
        }))
    }

    fn message(&self) -> &[u8] {
        &self.message
    }

    fn end(&mut self) {
        self.message = Bytes::new();
        if self.wire().is_awaited() {
            self.end.0.room.notify_waiters();
        }
    }

    /// A request's body has its own deadline.
    fn is_unfinished(&self) -> bool {
        false
    }

    fn bytes_read(&self) -> u64 {
        self.wire().bytes_read()
    }

    fn send(&mut self, message: &Bytes) -> Result<Taken, Broken> {
        self.wire().offer(message)
    }

    fn flush(&mut self) -> Result<bool, Broken> {
        Ok(self.is_clear())
    }

    fn is_clear(&self) -> bool {
        self.wire().is_clear()
    }

    /// One message at most, which its reader has not come for.
    fn unsent_bytes(&self) -> usize {
        0
    }

    fn bytes_written(&self) -> u64 {
        self.wire().bytes_written()
    }

    fn ping(&mut self) -> Result<(), Broken> {
        self.wire().offer(&Bytes::new()).map(drop)
    }
}

#[cfg(test)]
mod tests;

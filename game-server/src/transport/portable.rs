//! WebSockets by `tokio-tungstenite`, over any stream and on any system.
//!
//! Inside a match a small task on the match's own thread reads the connection as soon as something
//! comes, notes when, and puts it into a queue that the tick empties. A stream that was read at the
//! tick only could not say when something came: every input would seem to have come with no time to
//! spare, and clients would run a tick further ahead than they need. The worker wakes every few
//! milliseconds, so the note is late by as much, and never by more than the tick.
//!
//! Invariants: no lock and no other thread; bytes are counted, and limited, before tungstenite sees
//! them; the queue holds no more than a tick takes, and then the stream is not read.

mod carrier;
mod inbound;
mod metered;
mod progress;

use std::cell::{RefCell, RefMut};
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tickwire_protocol::CloseReason;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

use super::farewell::{self, Farewell};
use super::frame::Terms;
use super::seam::{Broken, Ended, Heard, READ_BYTES_MAX, Taken, Transport};
use crate::clock::Moment;
pub use carrier::Carrier;
use inbound::{Inbound, Said};
use metered::{Metered, WebSocket, blame};

/// Read buffer of a connection, bytes: some inputs.
const READ_BUFFER_BYTES: usize = 1024;

/// Outside a match.
pub(super) struct Socket {
    ws: WebSocket,
    terms: Terms,
}

/// Inside a match.
pub(super) struct Link {
    shared: Rc<RefCell<Inbound>>,
    reader: JoinHandle<()>,
    /// The message that was taken last.
    message: Bytes,
    is_clear: bool,
    /// Bytes of the last message sent.
    last_sent: usize,
    /// Whether the last message was text: then so are those that are sent.
    is_text: bool,
}

/// Sizes are refused at the frame's header; each message is written at once, as far as the stream
/// takes it. What it does not take is bounded by who sends: one frame, one pong, the farewell.
pub(super) fn config(terms: Terms) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(Some(terms.message_bytes_max))
        .max_frame_size(Some(terms.message_bytes_max))
        .accept_unmasked_frames(false)
}

impl Socket {
    pub(super) async fn on(terms: Terms, carrier: Box<dyn Carrier>, already_read: Vec<u8>) -> Self {
        let stream = Metered::new(carrier, &already_read);
        let role = Role::Server;
        let ws = WebSocket::from_partially_read(stream, already_read, role, Some(config(terms))).await;
        Self { ws, terms }
    }

    pub(super) async fn first_message(&mut self, bytes_max: u64) -> Result<Vec<u8>, Ended> {
        self.ws.get_mut().allow_up_to(bytes_max + 1);
        let first = poll_fn(|context| match self.ws.poll_next_unpin(context) {
            Poll::Pending if self.ws.get_ref().bytes_read() > bytes_max => Poll::Ready(Err(Ended::Closed(CloseReason::RateLimited))),
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(Message::Binary(bytes)))) => Poll::Ready(Ok(bytes.to_vec())),
            Poll::Ready(None | Some(Ok(Message::Close(_)))) => Poll::Ready(Err(Ended::Disconnected)),
            Poll::Ready(Some(Ok(_))) => Poll::Ready(Err(Ended::Closed(CloseReason::Malformed))),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Err(blame(&error).into())),
        });
        first.await
    }

    pub(super) fn into_link(mut self, send_buffer_bytes: u32) -> io::Result<Link> {
        self.ws.get_mut().enter(send_buffer_bytes)?;
        let shared = Rc::new(RefCell::new(Inbound::new(self.ws, self.terms)));
        let for_reader = Rc::clone(&shared);
        let reading = poll_fn(move |context| for_reader.borrow_mut().poll_read(context));
        let reader = tokio::task::spawn_local(reading);
        Ok(Link { shared, reader, message: Bytes::new(), is_clear: true, last_sent: 0, is_text: false })
    }

    /// Says `reason`, and waits for the peer to close. What it still says is not heard.
    pub(super) async fn close(mut self, farewell: &Farewell) -> io::Result<()> {
        self.ws.get_mut().leave()?;
        let last = Message::Binary(farewell.payload().into());
        let reason = farewell.reason();
        let code = reason.websocket_code().into();
        let close = Message::Close(Some(CloseFrame { code, reason: reason.name().into() }));
        self.ws.feed(last).await.map_err(io::Error::other)?;
        self.ws.send(close).await.map_err(io::Error::other)?;
        let stream = self.ws.get_mut();
        stream.shutdown().await?;
        stream.allow_up_to(u64::MAX);
        farewell::hear_out(stream).await
    }
}

impl Link {
    /// Inside the runtime that has read it all the time.
    pub(super) fn into_socket(self) -> io::Result<Socket> {
        let mut inbound = self.shared.borrow_mut();
        let terms = inbound.terms;
        let ws = inbound.ws.take();
        ws.map(|ws| Socket { ws, terms }).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Nobody waits for room: it is looked for again when the next tick sends.
    fn poll_flush(&mut self, ws: &mut WebSocket) -> Result<bool, Broken> {
        let mut context = Context::from_waker(Waker::noop());
        self.is_clear = match ws.poll_flush_unpin(&mut context) {
            Poll::Ready(flushed) => flushed.map(|()| true).map_err(|_| Broken::Lost)?,
            Poll::Pending => false,
        };
        Ok(self.is_clear)
    }

    fn with_ws<T>(&mut self, act: impl FnOnce(&mut Self, &mut WebSocket) -> Result<T, Broken>) -> Result<T, Broken> {
        let shared = Rc::clone(&self.shared);
        let mut inbound: RefMut<'_, Inbound> = shared.borrow_mut();
        inbound.ws.as_mut().ok_or(Broken::Lost).and_then(|ws| act(self, ws))
    }

    fn write(&mut self, message: Message) -> Result<Taken, Broken> {
        self.with_ws(|link, ws| {
            if !link.poll_flush(ws)? {
                return Ok(Taken::Nothing);
            }
            link.last_sent = message.len();
            ws.start_send_unpin(message).map_err(|_| Broken::Lost)?;
            Ok(if link.poll_flush(ws)? { Taken::Whole } else { Taken::Part })
        })
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.reader.abort();
        // The task may live on for a moment; the connection does not.
        if let Ok(mut inbound) = self.shared.try_borrow_mut() {
            inbound.ws = None;
        }
    }
}

impl Transport for Link {
    fn begin(&mut self) {
        self.shared.borrow_mut().begin(READ_BYTES_MAX as u64);
    }

    fn advance(&mut self, _: &Moment) -> Result<Option<Heard>, Broken> {
        match self.shared.borrow_mut().next()? {
            None => Ok(None),
            Some(Said::Alive) => Ok(Some(Heard::Alive)),
            Some(Said::Message(bytes, arrival, is_text)) => {
                (self.message, self.is_text) = (bytes, is_text);
                Ok(Some(Heard::Message(arrival)))
            }
        }
    }

    fn message(&self) -> &[u8] {
        &self.message
    }

    fn end(&mut self) {
        self.message = Bytes::new();
        self.shared.borrow_mut().end();
    }

    fn is_unfinished(&self) -> bool {
        self.shared.borrow().ws.as_ref().is_some_and(|ws| ws.get_ref().is_within_message())
    }

    fn bytes_read(&self) -> u64 {
        self.shared.borrow().ws.as_ref().map_or(0, |ws| ws.get_ref().bytes_read())
    }

    fn send(&mut self, message: &Bytes) -> Result<Taken, Broken> {
        // What a peer was told in text it said itself.
        let text = self.is_text.then(|| message.clone().try_into().ok()).flatten();
        self.write(text.map_or_else(|| Message::Binary(message.clone()), Message::Text))
    }

    fn flush(&mut self) -> Result<bool, Broken> {
        self.with_ws(Self::poll_flush)
    }

    fn is_clear(&self) -> bool {
        self.is_clear
    }

    fn unsent_bytes(&self) -> usize {
        if self.is_clear { 0 } else { self.last_sent }
    }

    fn bytes_written(&self) -> u64 {
        self.shared.borrow().ws.as_ref().map_or(0, |ws| ws.get_ref().bytes_written())
    }

    fn ping(&mut self) -> Result<(), Broken> {
        self.write(Message::Ping(Bytes::new())).map(drop)
    }
}

//! What a task has read of a connection and its match has not taken yet.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::metered::{WebSocket, blame};
use crate::transport::frame::Terms;
use crate::transport::seam::{Arrival, Broken, MESSAGES_MAX};

/// A connection, and what came in over it.
pub(super) struct Inbound {
    /// `None` once the match has let go of it.
    pub(super) ws: Option<WebSocket>,
    /// What the peer may say.
    pub(super) terms: Terms,
    /// At most [`MESSAGES_MAX`].
    queue: VecDeque<Said>,
    /// Nothing more will come.
    broken: Option<Broken>,
    /// The task that reads. The tick reads in its name, so that the stream goes on waking it.
    reader: Waker,
    /// More may have come than was read.
    is_held: bool,
    /// The tick has not looked at the stream itself yet.
    may_look: bool,
}

/// Something that came.
pub(super) enum Said {
    /// A message, and whether it is text, where there may be such.
    Message(Bytes, Arrival, bool),
    /// A ping, which tungstenite answers, or the answer to one.
    Alive,
}

impl Inbound {
    pub(super) fn new(ws: WebSocket, terms: Terms) -> Self {
        Self { ws: Some(ws), terms, queue: VecDeque::new(), broken: None, reader: Waker::noop().clone(), is_held: false, may_look: false }
    }

    /// A tick begins: so many more bytes may come until the next one.
    pub(super) fn begin(&mut self, bytes_max: u64) {
        self.may_look = true;
        if let Some(ws) = &mut self.ws {
            let stream = ws.get_mut();
            stream.allow_up_to(stream.bytes_read().saturating_add(bytes_max));
        }
    }

    /// The next thing that came, also what the task has not come to read.
    pub(super) fn next(&mut self) -> Result<Option<Said>, Broken> {
        if self.queue.is_empty() && std::mem::take(&mut self.may_look) {
            let reader = self.reader.clone();
            let _ = self.poll_read(&mut Context::from_waker(&reader));
        }
        match (self.queue.pop_front(), self.broken) {
            (None, Some(broken)) => Err(broken),
            (said, _) => Ok(said),
        }
    }

    /// The tick has read what it wanted.
    pub(super) fn end(&mut self) {
        self.may_look = false;
        if self.is_held {
            self.reader.wake_by_ref();
        }
    }

    /// Reads what has come, as far as there is room. Ready when nothing more will come.
    pub(super) fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.reader.clone_from(context.waker());
        self.is_held = false;
        let Some(ws) = &mut self.ws else { return Poll::Ready(()) };
        let by = Instant::now();
        let mut has_come = false;
        while self.broken.is_none_or(|broken| broken == Broken::Lost) {
            if self.queue.len() >= MESSAGES_MAX {
                self.is_held = true;
                return Poll::Pending;
            }
            let said = match ws.poll_next_unpin(context) {
                Poll::Pending => {
                    self.is_held = ws.get_ref().is_exhausted();
                    if let Some(Said::Message(_, last, _)) = self.queue.back_mut() {
                        last.is_exact |= has_come && !self.is_held;
                    }
                    return Poll::Pending;
                }
                Poll::Ready(Some(Ok(Message::Binary(bytes)))) => Said::Message(bytes, Arrival { by, is_exact: false }, false),
                Poll::Ready(Some(Ok(Message::Text(text)))) if self.terms.text => {
                    Said::Message(text.into(), Arrival { by, is_exact: false }, true)
                }
                Poll::Ready(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => Said::Alive,
                // Once more, so that it is answered.
                Poll::Ready(Some(Ok(Message::Close(_)))) => {
                    self.broken = Some(Broken::Lost);
                    continue;
                }
                Poll::Ready(Some(Ok(Message::Text(_) | Message::Frame(_)))) => {
                    self.broken = Some(Broken::Violated);
                    break;
                }
                Poll::Ready(Some(Err(error))) => {
                    self.broken.get_or_insert(blame(&error));
                    break;
                }
                Poll::Ready(None) => {
                    self.broken.get_or_insert(Broken::Lost);
                    break;
                }
            };
            has_come = true;
            self.queue.push_back(said);
        }
        Poll::Ready(())
    }
}

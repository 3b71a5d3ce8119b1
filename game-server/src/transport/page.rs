//! The WebSocket of a page whose messages come from elsewhere: what it says is heard as it comes,
//! what it is to be told is waited for. Never in a match: there, sockets do not wait.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::frame::Terms;
use super::portable;
use crate::tls::Stream;

/// A page's connection.
pub(crate) struct PageSocket(WebSocketStream<Stream>);

impl PageSocket {
    /// Takes over an upgraded connection. `already_read` are bytes that came with the request.
    pub(crate) async fn on(stream: Stream, already_read: Vec<u8>) -> Self {
        let config = portable::config(Terms::default());
        Self(WebSocketStream::from_partially_read(stream, already_read, Role::Server, Some(config)).await)
    }

    /// The next message. `None` if the page has gone, or says what is none.
    pub(crate) async fn hear(&mut self) -> Option<Bytes> {
        loop {
            match self.0.next().await? {
                Ok(Message::Binary(bytes)) => return Some(bytes),
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(_) | Err(_) => return None,
            }
        }
    }

    /// Tells it something, for `patience` at most.
    pub(crate) async fn tell(&mut self, message: Bytes, patience: Duration) -> io::Result<()> {
        let sent = tokio::time::timeout(patience, self.0.send(Message::Binary(message)));
        sent.await.map_err(|_| io::ErrorKind::TimedOut)?.map_err(io::Error::other)
    }

    /// Closes it.
    pub(crate) async fn close(mut self, patience: Duration) {
        // It may be gone.
        let _ = tokio::time::timeout(patience, self.0.close(None)).await;
    }
}

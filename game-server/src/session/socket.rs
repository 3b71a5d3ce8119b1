//! A client's WebSocket with every buffer and size bounded, and the byte meter below it.
//!
//! Invariants: tungstenite's own buffers are set explicitly (its defaults are 128 KiB a connection and 64 MiB a message);
//! what a peer sends is metered before it is parsed, so that frames that never complete a message count too.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tickwire_protocol::CloseReason;
use tickwire_protocol::limits::{CLIENT_MESSAGE_BYTES_MAX, SERVER_MESSAGE_BYTES_MAX};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::outbox::farewell;

/// Read buffer of a connection, bytes. tungstenite zero-fills all of it on every read, so small is also fast.
const READ_BUFFER_BYTES: usize = 1024;

/// How long a closing handshake may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// The settings of every player's and spectator's WebSocket.
pub fn websocket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(2 * SERVER_MESSAGE_BYTES_MAX)
        .max_message_size(Some(CLIENT_MESSAGE_BYTES_MAX))
        .max_frame_size(Some(CLIENT_MESSAGE_BYTES_MAX))
        .accept_unmasked_frames(false)
}

/// What is counted against the server's caps while a connection lives, released when dropped.
pub trait Permit: Send {}
impl<T: Send> Permit for T {}

/// The WebSocket of a client.
pub type Ws = WebSocketStream<MeteredStream>;

/// A connected client: its WebSocket, where it comes from, and its place under the caps.
pub struct Socket {
    /// Frames in and out.
    pub ws: Ws,
    /// Where it comes from.
    pub peer: IpAddr,
    /// Released when the socket is dropped.
    _permit: Box<dyn Permit>,
}

impl Socket {
    /// Wraps an upgraded connection. `already_read` are bytes that came with the request.
    pub async fn new(stream: TcpStream, already_read: Vec<u8>, peer: IpAddr, permit: impl Permit + 'static) -> Self {
        let stream = MeteredStream { stream: Some(stream), bytes_read: already_read.len() as u64 };
        let ws = WebSocketStream::from_partially_read(stream, already_read, Role::Server, Some(websocket_config())).await;
        Self { ws, peer, _permit: Box::new(permit) }
    }

    /// Moves the socket's readiness to the runtime of the calling thread. What is buffered stays.
    ///
    /// Must be called inside the new runtime before the socket is used there.
    pub fn adopt(&mut self) -> io::Result<()> {
        let metered = self.ws.get_mut();
        let stream = metered.stream.take().ok_or(io::ErrorKind::NotConnected)?;
        metered.stream = Some(TcpStream::from_std(stream.into_std()?)?);
        Ok(())
    }

    /// Sets what the kernel keeps for this socket: no Nagle delay, and a send buffer of `send_buffer_bytes`.
    pub fn tune(&self, send_buffer_bytes: u32) -> io::Result<()> {
        let Some(stream) = &self.ws.get_ref().stream else { return Ok(()) };
        stream.set_nodelay(true)?;
        socket2::SockRef::from(stream).set_send_buffer_size(send_buffer_bytes as usize)
    }

    /// Tells the client why and closes.
    ///
    /// Then reads until the client has closed too: a socket closed with unread bytes is reset, and the reset can overtake
    /// the reason. Gives up after two seconds.
    pub async fn refuse(mut self, reason: CloseReason) {
        let farewell = async {
            let (message, frame) = farewell(reason);
            self.ws.send(message).await?;
            self.ws.close(Some(frame)).await?;
            while self.ws.next().await.is_some_and(|message| message.is_ok()) {}
            Ok::<_, tokio_tungstenite::tungstenite::Error>(())
        };
        // The peer may be gone already: then there is nobody to tell.
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }
}

/// A TCP stream that counts what it reads.
#[derive(Debug)]
pub struct MeteredStream {
    /// `None` only for the moment of [`Socket::adopt`].
    stream: Option<TcpStream>,
    bytes_read: u64,
}

impl MeteredStream {
    /// Bytes read since the connection was upgraded.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    fn stream(self: Pin<&mut Self>) -> io::Result<Pin<&mut TcpStream>> {
        self.get_mut().stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl AsyncRead for MeteredStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = self.as_mut().stream()?.poll_read(context, buffer);
        self.bytes_read += (buffer.filled().len() - before) as u64;
        polled
    }
}

impl AsyncWrite for MeteredStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }
}

//! A client's WebSocket with every buffer bounded: frames are read and written here, without a layer or a copy in between.
//!
//! Invariants: a connection keeps bytes only while a frame is incomplete, on its way in or out; everything else goes through buffers
//! that its thread's connections share; what a peer sends is counted before it is parsed, so that frames that never complete count
//! too.

use std::cell::Cell;
use std::io;
use std::net::IpAddr;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tickwire_protocol::CloseReason;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use super::frame::{self, Incoming, Opcode, Parser, Violation};
use super::outbox::farewell;

/// Read buffer of a thread, bytes: more than a request's head and the longest frame together, so there is always room to read on.
const READ_BUFFER_BYTES: usize = 16 * 1024;
/// A thread's write buffer that grew larger than this is given back.
const WRITE_BUFFER_BYTES_KEPT: usize = 64 * 1024;
/// The kernel takes no frame while so many bytes wait there to be sent: more than a tick's pong and events, less than a few snapshots.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 256;
/// How long a closing handshake may take.
const FAREWELL: Duration = Duration::from_secs(2);

thread_local! {
    static READ_BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static WRITE_BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What is counted against the server's caps while a connection lives, released when dropped.
pub trait Permit: Send {}
impl<T: Send> Permit for T {}

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
    pub fn new(stream: TcpStream, already_read: Vec<u8>, peer: IpAddr, permit: impl Permit + 'static) -> Self {
        let bytes_read = already_read.len() as u64;
        let ws = Ws { stream: Some(stream), bytes_read, unparsed: already_read, parser: Parser::default(), unsent: Bytes::new() };
        Self { ws, peer, _permit: Box::new(permit) }
    }

    /// Moves the socket's readiness to the runtime of the calling thread. What is buffered stays.
    ///
    /// Must be called inside the new runtime before the socket is used there.
    pub fn adopt(&mut self) -> io::Result<()> {
        let stream = self.ws.stream.take().ok_or(io::ErrorKind::NotConnected)?;
        self.ws.stream = Some(TcpStream::from_std(stream.into_std()?)?);
        Ok(())
    }

    /// Sets what the kernel keeps for this socket: no Nagle delay, a send buffer of `send_buffer_bytes`, and next to nothing that is
    /// not on its way: what waits there is stale when it leaves.
    pub fn tune(&self, send_buffer_bytes: u32) -> io::Result<()> {
        let Some(stream) = &self.ws.stream else { return Ok(()) };
        stream.set_nodelay(true)?;
        let socket = socket2::SockRef::from(stream);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
        socket.set_send_buffer_size(send_buffer_bytes as usize)
    }

    /// Tells the client why and closes.
    ///
    /// Then reads until the client has closed too: a socket closed with unread bytes is reset, and the reset can overtake
    /// the reason. Gives up after two seconds; the kernel then keeps the reason for a client that reads nothing now, as long as the
    /// system keeps such sockets.
    pub async fn refuse(mut self, reason: CloseReason) {
        // The peer may be gone already: then there is nobody to tell.
        let _ = tokio::time::timeout(FAREWELL, self.ws.close(reason)).await;
    }
}

/// The WebSocket of a client.
pub struct Ws {
    /// `None` only for the moment of [`Socket::adopt`].
    stream: Option<TcpStream>,
    bytes_read: u64,
    /// Read and not parsed: part of a frame, and mostly nothing.
    unparsed: Vec<u8>,
    parser: Parser,
    /// What the kernel did not take of the last frame written.
    unsent: Bytes,
}

/// Why nothing more can be read.
#[derive(Debug)]
pub enum Broken {
    /// The connection is gone.
    Lost,
    /// The peer does not speak the protocol.
    Violated(Violation),
}

impl From<Violation> for Broken {
    fn from(violation: Violation) -> Self {
        Self::Violated(violation)
    }
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Lost
    }
}

/// The thread's read buffer, lent to the one connection that is being read.
#[derive(Debug)]
pub struct Intake {
    buffer: Vec<u8>,
    /// What was read and not parsed.
    filled: Range<usize>,
}

impl Intake {
    /// Where the bytes of the next read go.
    fn free(&mut self) -> &mut [u8] {
        if self.filled.start > 0 {
            self.buffer.copy_within(self.filled.clone(), 0);
            self.filled = 0..self.filled.len();
        }
        self.buffer.get_mut(self.filled.end..).unwrap_or_default()
    }
}

impl Ws {
    /// Bytes read since the connection was upgraded.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Lends the thread's read buffer, with what this connection has not parsed yet in it.
    pub fn begin_reading(&mut self) -> Intake {
        let mut buffer = READ_BUFFER.take();
        buffer.resize(READ_BUFFER_BYTES.max(2 * self.unparsed.len()), 0);
        let filled = 0..self.unparsed.len();
        if let Some(front) = buffer.get_mut(filled.clone()) {
            front.copy_from_slice(&std::mem::take(&mut self.unparsed));
        }
        Intake { buffer, filled }
    }

    /// The next message that is complete, if any.
    pub fn next<'a>(&mut self, intake: &'a mut Intake) -> Result<Option<Incoming<'a>>, Violation> {
        let mut bytes = intake.buffer.get_mut(intake.filled.clone()).unwrap_or_default();
        let incoming = self.parser.next(&mut bytes)?;
        intake.filled.start = intake.filled.end - bytes.len();
        Ok(incoming)
    }

    /// Reads what there is into `intake`, of which all messages were taken.
    pub fn poll_read(&mut self, context: &mut Context<'_>, intake: &mut Intake) -> Poll<Result<(), Broken>> {
        let mut free = ReadBuf::new(intake.free());
        ready!(self.stream()?.poll_read(context, &mut free))?;
        let count = free.filled().len();
        self.bytes_read += count as u64;
        intake.filled.end += count;
        Poll::Ready(if count == 0 { Err(Broken::Lost) } else { Ok(()) })
    }

    /// Gives the thread's read buffer back and keeps what was not parsed.
    pub fn end_reading(&mut self, intake: Intake) {
        self.unparsed = intake.buffer.get(intake.filled).unwrap_or_default().to_vec();
        READ_BUFFER.set(intake.buffer);
    }

    /// Reads until `act` has made something of a message or control frame. The rest stays for whoever reads next.
    pub fn poll_next<T>(&mut self, context: &mut Context<'_>, act: impl FnOnce(Incoming<'_>) -> T) -> Poll<Result<T, Broken>> {
        let mut intake = self.begin_reading();
        let polled = loop {
            match self.next(&mut intake) {
                Ok(Some(incoming)) => break Poll::Ready(Ok(act(incoming))),
                Ok(None) => {}
                Err(violation) => break Poll::Ready(Err(violation.into())),
            }
            match self.poll_read(context, &mut intake) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(broken)) => break Poll::Ready(Err(broken)),
                Poll::Pending => break Poll::Pending,
            }
        };
        self.end_reading(intake);
        polled
    }

    /// Writes a frame as far as the kernel takes it and keeps the rest. Only when [`Ws::poll_flush`] has nothing left to write.
    pub fn poll_write(&mut self, context: &mut Context<'_>, opcode: Opcode, payload: &[u8]) -> Poll<io::Result<()>> {
        debug_assert!(self.unsent.is_empty(), "a frame within a frame");
        let mut buffer = WRITE_BUFFER.take();
        buffer.clear();
        frame::write(&mut buffer, opcode, payload);
        let mut rest = buffer.as_slice();
        let polled = poll_write_all(self.stream()?, context, &mut rest);
        if !rest.is_empty() {
            self.unsent = Bytes::copy_from_slice(rest);
        }
        if buffer.capacity() <= WRITE_BUFFER_BYTES_KEPT {
            WRITE_BUFFER.set(buffer);
        }
        polled
    }

    /// What the kernel did not take of the last frame, bytes.
    pub fn unsent_bytes(&self) -> usize {
        self.unsent.len()
    }

    /// Writes what the kernel did not take before.
    pub fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unsent.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let mut unsent = std::mem::take(&mut self.unsent);
        let polled = poll_write_all(self.stream()?, context, &mut unsent);
        self.unsent = unsent;
        polled
    }

    /// Says `reason`, and waits for the peer to close. What it still says is not heard.
    async fn close(&mut self, reason: CloseReason) -> io::Result<()> {
        let unsent = std::mem::take(&mut self.unsent);
        let mut stream = self.stream()?;
        // Nothing newer will come: what waits there from now on is not stale.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        socket2::SockRef::from(&*stream).set_tcp_notsent_lowat(i32::MAX as u32)?;
        stream.write_all(&unsent).await?;
        stream.write_all(&farewell(reason)).await?;
        stream.shutdown().await?;
        let mut ignored = [0; 256];
        while stream.read(&mut ignored).await? > 0 {}
        Ok(())
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

/// Writes until nothing is left of `bytes` or the kernel takes no more; then `context` is woken when it does.
fn poll_write_all(mut stream: Pin<&mut TcpStream>, context: &mut Context<'_>, bytes: &mut impl Buf) -> Poll<io::Result<()>> {
    while bytes.has_remaining() {
        match ready!(stream.as_mut().poll_write(context, bytes.chunk()))? {
            0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            count => bytes.advance(count),
        }
    }
    Poll::Ready(Ok(()))
}

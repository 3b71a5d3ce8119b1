//! A client's WebSocket outside a match: on its way in, and while it is told why it may not stay.
//!
//! Whoever waits for such a client waits for its socket, with tokio. Inside a match nobody waits: there it is a [`super::link::Link`].

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tickwire_protocol::CloseReason;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use super::frame::{Incoming, Violation};
use super::inbox::{Inbox, Intake};
use super::link::Link;
use super::outbox::farewell;

/// How long a closing handshake may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// What is counted against the server's caps while a connection lives, released when dropped.
pub trait Permit: Send {}
impl<T: Send> Permit for T {}

/// A connected client's WebSocket, and a runtime that wakes whoever waits for it.
pub struct Socket {
    stream: TcpStream,
    client: Client,
}

/// What is known of a connection beside its stream, and goes with it into a match and out again.
pub(super) struct Client {
    /// Where it comes from.
    pub peer: IpAddr,
    pub inbox: Inbox,
    /// What the kernel did not take of the last frame written.
    pub unsent: Bytes,
    /// Its place under the caps.
    _permit: Box<dyn Permit>,
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

impl Socket {
    /// Wraps an upgraded connection. `already_read` are bytes that came with the request.
    pub fn new(stream: TcpStream, already_read: Vec<u8>, peer: IpAddr, permit: impl Permit + 'static) -> Self {
        let client = Client { peer, inbox: Inbox::new(already_read), unsent: Bytes::new(), _permit: Box::new(permit) };
        Self { stream, client }
    }

    /// Where it comes from.
    pub fn peer(&self) -> IpAddr {
        self.client.peer
    }

    /// Bytes read since the connection was upgraded.
    pub fn bytes_read(&self) -> u64 {
        self.client.inbox.bytes_read()
    }

    /// Takes the socket out of its runtime, for a match to look at when it wants to. What is buffered stays. The kernel keeps up to
    /// `send_buffer_bytes` for it.
    pub fn into_link(self, send_buffer_bytes: u32) -> io::Result<Link> {
        Link::new(self.stream.into_std()?, self.client, send_buffer_bytes)
    }

    /// The other way round. Must be called inside the runtime that is to wait for it.
    pub(super) fn from_link(stream: std::net::TcpStream, client: Client) -> io::Result<Self> {
        Ok(Self { stream: TcpStream::from_std(stream)?, client })
    }

    /// Reads until `act` has made something of a message or control frame. The rest stays for whoever reads next.
    pub fn poll_next<T>(&mut self, context: &mut Context<'_>, act: impl FnOnce(Incoming<'_>) -> T) -> Poll<Result<T, Broken>> {
        let mut intake = self.client.inbox.begin();
        let polled = loop {
            match self.client.inbox.next(&mut intake) {
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
        self.client.inbox.end(intake);
        polled
    }

    fn poll_read(&mut self, context: &mut Context<'_>, intake: &mut Intake) -> Poll<Result<(), Broken>> {
        let mut free = ReadBuf::new(intake.free());
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut free))?;
        let count = free.filled().len();
        self.client.inbox.took(intake, count);
        Poll::Ready(if count == 0 { Err(Broken::Lost) } else { Ok(()) })
    }

    /// Tells the client why and closes.
    ///
    /// Then reads until the client has closed too: a socket closed with unread bytes is reset, and the reset can overtake
    /// the reason. Gives up after two seconds; the kernel then keeps the reason for a client that reads nothing now, as long as the
    /// system keeps such sockets.
    pub async fn refuse(mut self, reason: CloseReason) {
        // The peer may be gone already: then there is nobody to tell.
        let _ = tokio::time::timeout(FAREWELL, self.close(reason)).await;
    }

    /// Says `reason`, and waits for the peer to close. What it still says is not heard.
    async fn close(&mut self, reason: CloseReason) -> io::Result<()> {
        // Nothing newer will come: what waits there from now on is not stale.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        socket2::SockRef::from(&self.stream).set_tcp_notsent_lowat(i32::MAX as u32)?;
        self.stream.write_all(&self.client.unsent).await?;
        self.stream.write_all(&farewell(reason)).await?;
        self.stream.shutdown().await?;
        let mut ignored = [0; 256];
        while self.stream.read(&mut ignored).await? > 0 {}
        Ok(())
    }
}

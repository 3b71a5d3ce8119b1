//! A connection, whichever transport carries it: outside a match a [`Socket`], inside a [`Link`].

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tickwire_handover::{Handover, Kept};
use tickwire_protocol::{CloseReason, Tick};
use tokio::net::TcpStream;

use super::farewell::Farewell;
use super::frame::Terms;
#[cfg(any(target_os = "linux", target_os = "android"))]
use super::raw;
use super::seam::{Broken, Ended, Heard, Taken, Transport};
use super::{http_stream, memory, portable};
use crate::clock::Moment;
use crate::config::TransportKind;
use crate::http::caps::ConnectionPermit;
use crate::tls::{Encrypted, Stream};

/// How long a closing handshake may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// What is counted against the server's caps while a connection lives, released when dropped.
pub trait Permit: Send {
    /// The connection is closed, and its client is told why.
    fn closes(&self, _reason: CloseReason) {}
}

impl Permit for () {}

impl Permit for Arc<ConnectionPermit> {
    fn closes(&self, reason: CloseReason) {
        ConnectionPermit::closes(self, reason);
    }
}

/// Whose connection it is. Goes with it into a match and out again.
struct Owner {
    /// Where it comes from.
    peer: IpAddr,
    /// Its place under the caps.
    permit: Box<dyn Permit>,
}

/// A connection outside a match, after the upgrade.
pub struct Socket {
    owner: Owner,
    wire: Outside,
}

enum Outside {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Raw(Box<raw::Socket>),
    Portable(Box<portable::Socket>),
    Http(http_stream::Socket),
    Memory(memory::Socket),
}

impl Outside {
    async fn over_tcp(terms: Terms, kind: TransportKind, stream: TcpStream, already_read: Vec<u8>) -> Self {
        match kind {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            TransportKind::Raw => Self::Raw(Box::new(raw::Socket::on(terms, stream, already_read))),
            TransportKind::Portable => Self::portable(terms, Box::new(stream), already_read).await,
        }
    }

    async fn over_tls(terms: Terms, kind: TransportKind, stream: Box<Encrypted>, already_read: Vec<u8>) -> io::Result<Self> {
        match kind {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            TransportKind::Raw => Ok(Self::Raw(Box::new(raw::Socket::over_tls(terms, *stream, already_read)?))),
            TransportKind::Portable => Ok(Self::portable(terms, stream, already_read).await),
        }
    }

    async fn portable(terms: Terms, stream: Box<dyn portable::Carrier>, already_read: Vec<u8>) -> Self {
        Self::Portable(Box::new(portable::Socket::on(terms, stream, already_read).await))
    }
}

impl Socket {
    /// Takes over an upgraded connection. `already_read` are bytes that came with the request.
    pub async fn over_tcp(
        kind: TransportKind,
        stream: TcpStream,
        already_read: Vec<u8>,
        peer: IpAddr,
        permit: impl Permit + 'static,
    ) -> Self {
        Self::on(Terms::default(), kind, stream, already_read, peer, permit).await
    }

    /// As [`Socket::over_tcp`], over whichever stream a listener gave.
    pub(crate) async fn over_stream(
        kind: TransportKind,
        stream: Stream,
        already_read: Vec<u8>,
        peer: IpAddr,
        permit: impl Permit + 'static,
    ) -> io::Result<Self> {
        let owner = Owner { peer, permit: Box::new(permit) };
        let terms = Terms::default();
        let wire = match stream {
            Stream::Plain(stream) => Outside::over_tcp(terms, kind, stream, already_read).await,
            Stream::Encrypted(stream) => Outside::over_tls(terms, kind, stream, already_read).await?,
        };
        Ok(Self { owner, wire })
    }

    /// Takes over TCP where a client may say other things than the game's protocol has.
    pub(super) async fn on(
        terms: Terms,
        kind: TransportKind,
        stream: TcpStream,
        already_read: Vec<u8>,
        peer: IpAddr,
        permit: impl Permit + 'static,
    ) -> Self {
        let owner = Owner { peer, permit: Box::new(permit) };
        Self { owner, wire: Outside::over_tcp(terms, kind, stream, already_read).await }
    }

    /// Takes over an upgraded connection over whatever stream.
    #[cfg(test)]
    pub(super) async fn over(
        stream: Box<dyn portable::Carrier>,
        already_read: Vec<u8>,
        peer: IpAddr,
        permit: impl Permit + 'static,
    ) -> Self {
        let owner = Owner { peer, permit: Box::new(permit) };
        Self { owner, wire: Outside::portable(Terms::default(), stream, already_read).await }
    }

    /// A connection whose messages go over HTTP, and the end of it that requests deal with. Hello
    /// was heard: it had `bytes_read` bytes.
    pub fn over_http(bytes_read: u64, peer: IpAddr, permit: impl Permit + 'static) -> (http_stream::HttpEnd, Self) {
        let (end, socket) = http_stream::pair(bytes_read);
        (end, Self { owner: Owner { peer, permit: Box::new(permit) }, wire: Outside::Http(socket) })
    }

    /// A connection that the process before had, on the runtime that is to wait for it.
    pub(crate) fn kept(connection: Kept, peer: IpAddr, permit: impl Permit + 'static) -> io::Result<Self> {
        let Kept { stream, mark, .. } = connection;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        return Ok(Self {
            owner: Owner { peer, permit: Box::new(permit) },
            wire: Outside::Raw(Box::new(raw::Socket::kept(stream, mark)?)),
        });
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        {
            let _ = (stream, mark, peer, permit);
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    /// A connection within the process, and a test's end of it.
    pub fn in_memory() -> (memory::Peer, Self) {
        let (peer, socket) = memory::pair();
        let owner = Owner { peer: IpAddr::V4(Ipv4Addr::LOCALHOST), permit: Box::new(()) };
        (peer, Self { owner, wire: Outside::Memory(socket) })
    }

    /// Where it comes from.
    pub fn peer(&self) -> IpAddr {
        self.owner.peer
    }

    /// Waits for the first message, which must be complete before more than `bytes_max` bytes have
    /// come. The rest stays for the match.
    pub async fn first_message(&mut self, bytes_max: u64) -> Result<Vec<u8>, Ended> {
        match &mut self.wire {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Outside::Raw(socket) => socket.first_message(bytes_max).await,
            Outside::Portable(socket) => socket.first_message(bytes_max).await,
            Outside::Http(_) => http_stream::Socket::first_message().await,
            Outside::Memory(socket) => socket.first_message().await,
        }
    }

    /// Takes the connection into a match on the calling thread. What was read and not heard stays.
    /// The kernel keeps up to `send_buffer_bytes` for it.
    pub(super) fn into_link(self, send_buffer_bytes: u32) -> io::Result<Link> {
        let wire = match self.wire {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Outside::Raw(socket) => Inside::Raw(socket.into_link(send_buffer_bytes)?),
            Outside::Portable(socket) => Inside::Portable(socket.into_link(send_buffer_bytes)?),
            Outside::Http(socket) => Inside::Http(socket.into_link()),
            Outside::Memory(socket) => Inside::Memory(socket.into_link()),
        };
        Ok(Link { owner: self.owner, wire })
    }

    /// Tells the client why, and perhaps where it goes on, and closes.
    ///
    /// Then reads until the client has closed too: a socket closed with unread bytes is reset, and
    /// the reset can overtake the reason. Gives up after two seconds; the kernel then keeps the
    /// reason for a client that reads nothing now, as long as the system keeps such sockets.
    pub async fn refuse(self, farewell: impl Into<Farewell>) {
        let farewell = farewell.into();
        self.owner.permit.closes(farewell.reason());
        let said = async {
            match self.wire {
                #[cfg(any(target_os = "linux", target_os = "android"))]
                Outside::Raw(socket) => socket.close(&farewell).await,
                Outside::Portable(socket) => socket.close(&farewell).await,
                Outside::Http(socket) => {
                    socket.close(&farewell).await;
                    Ok(())
                }
                Outside::Memory(socket) => {
                    socket.close(&farewell);
                    Ok(())
                }
            }
        };
        // The peer may be gone already: then there is nobody to tell.
        let _ = tokio::time::timeout(FAREWELL, said).await;
    }
}

/// A connection inside a match.
pub(super) struct Link {
    owner: Owner,
    wire: Inside,
}

enum Inside {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Raw(raw::Link),
    Portable(portable::Link),
    Http(http_stream::Link),
    Memory(memory::Link),
}

impl Link {
    /// Where it comes from.
    pub(super) fn peer(&self) -> IpAddr {
        self.owner.peer
    }

    /// Back to whoever waits for it, inside the calling runtime.
    pub(super) fn into_socket(self) -> io::Result<Socket> {
        let wire = match self.wire {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Inside::Raw(link) => Outside::Raw(Box::new(link.into_socket()?)),
            Inside::Portable(link) => Outside::Portable(Box::new(link.into_socket()?)),
            Inside::Http(link) => Outside::Http(link.into_socket()),
            Inside::Memory(link) => Outside::Memory(link.into_socket()),
        };
        Ok(Socket { owner: self.owner, wire })
    }
}

/// Does the same with whichever it is: a jump, and no pointer to a function.
macro_rules! each {
    ($wire:expr, $link:ident => $act:expr) => {
        match $wire {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Inside::Raw($link) => $act,
            Inside::Portable($link) => $act,
            Inside::Http($link) => $act,
            Inside::Memory($link) => $act,
        }
    };
}

impl Transport for Link {
    fn begin(&mut self) {
        each!(&mut self.wire, link => link.begin());
    }

    fn advance(&mut self, moment: &Moment) -> Result<Option<Heard>, Broken> {
        each!(&mut self.wire, link => link.advance(moment))
    }

    fn message(&self) -> &[u8] {
        each!(&self.wire, link => link.message())
    }

    fn end(&mut self) {
        each!(&mut self.wire, link => link.end());
    }

    fn is_unfinished(&self) -> bool {
        each!(&self.wire, link => link.is_unfinished())
    }

    fn bytes_read(&self) -> u64 {
        each!(&self.wire, link => link.bytes_read())
    }

    fn send(&mut self, message: &Bytes) -> Result<Taken, Broken> {
        each!(&mut self.wire, link => link.send(message))
    }

    fn flush(&mut self) -> Result<bool, Broken> {
        each!(&mut self.wire, link => link.flush())
    }

    fn is_clear(&self) -> bool {
        each!(&self.wire, link => link.is_clear())
    }

    fn unsent_bytes(&self) -> usize {
        each!(&self.wire, link => link.unsent_bytes())
    }

    fn bytes_written(&self) -> u64 {
        each!(&self.wire, link => link.bytes_written())
    }

    fn ping(&mut self) -> Result<(), Broken> {
        each!(&mut self.wire, link => link.ping())
    }

    fn hand_over(&mut self, handover: &Handover, note: &[u8], tick: Tick) {
        each!(&mut self.wire, link => link.hand_over(handover, note, tick));
    }

    fn leave(&mut self) -> bool {
        each!(&mut self.wire, link => link.leave())
    }

    fn note_read(&mut self) {
        each!(&mut self.wire, link => link.note_read());
    }

    fn begin_frame(&mut self, tick: Tick) {
        each!(&mut self.wire, link => link.begin_frame(tick));
    }
}

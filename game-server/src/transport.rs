//! Bytes to messages and back: one seam, and whatever carries a WebSocket behind it.
//!
//! A [`Socket`] is a connection outside a match. A runtime waits for it: first for Hello, at last
//! for the end of the closing handshake. A [`Link`] is the same connection inside a match. Nobody
//! waits for it: the match takes what has come when a tick begins, and sends when it ends.
//!
//! | transport | reads | where |
//! |---|---|---|
//! | [`raw`] | straight from the kernel at the tick, which stamps what came | TCP on Linux |
//! | [`portable`] | a small task, through `tokio-tungstenite`, which stamps what came | any stream |
//! | [`memory`] | what a test has put there | tests |
//!
//! [`Transport`] is what the three have in common. [`session`] meters what a transport brings
//! ([`meter`]) and bounds what waits for it ([`outbox`]).
//!
//! Invariants: WebSocket opcodes stay in here; bytes are counted before they are parsed; a message
//! that is too long is refused at its frame's header; no call of a [`Link`] blocks.

pub mod frame;
pub mod memory;
pub mod meter;
pub mod outbox;
pub mod portable;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub mod raw;
pub mod session;

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use tickwire_protocol::CloseReason;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::clock::Moment;

/// Bytes that a match takes from a connection in a tick, at most. Whoever sends without end keeps
/// nobody waiting.
const READ_BYTES_MAX: usize = 64 * 1024;
/// How long a closing handshake may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// The kernel takes no frame while so many bytes wait there to be sent: more than a tick's pong and
/// events, less than a few snapshots.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 256;

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

    /// Bytes read since the connection was upgraded, parsed or not.
    fn bytes_read(&self) -> u64;

    /// Sends a binary message, unless an earlier one is still on its way out.
    fn send(&mut self, message: &Bytes) -> Result<Taken, Broken>;

    /// Sends what was not taken before. Says whether nothing is left of it.
    fn flush(&mut self) -> Result<bool, Broken>;

    /// Whether nothing was left when something was last sent.
    fn is_clear(&self) -> bool;

    /// Bytes that were taken since the connection was upgraded.
    fn bytes_written(&self) -> u64;

    /// Asks for a sign of life, unless an earlier message is still on its way out.
    fn ping(&mut self) -> Result<(), Broken>;
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

/// What carries the connections of players and spectators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`raw`].
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Raw,
    /// [`portable`].
    Portable,
}

impl Kind {
    /// The fastest on this system.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub const BEST: Self = Self::Raw;
    /// The fastest on this system.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub const BEST: Self = Self::Portable;

    /// As it is called in settings, the log and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Self::Raw => "raw",
            Self::Portable => "portable",
        }
    }
}

/// What is counted against the server's caps while a connection lives, released when dropped.
pub trait Permit: Send {}
impl<T: Send> Permit for T {}

/// Whose connection it is. Goes with it into a match and out again.
struct Owner {
    /// Where it comes from.
    peer: IpAddr,
    /// Its place under the caps.
    _permit: Box<dyn Permit>,
}

/// A connection outside a match, after the upgrade.
pub struct Socket {
    owner: Owner,
    wire: Outside,
}

enum Outside {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Raw(raw::Socket),
    Portable(Box<portable::Socket>),
    Memory(memory::Socket),
}

impl Socket {
    /// Takes over an upgraded connection. `already_read` are bytes that came with the request.
    pub async fn over_tcp(kind: Kind, stream: TcpStream, already_read: Vec<u8>, peer: IpAddr, permit: impl Permit + 'static) -> Self {
        let wire = match kind {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Kind::Raw => Outside::Raw(raw::Socket::new(stream, already_read)),
            Kind::Portable => {
                let socket = portable::Socket::new(Box::new(stream), already_read).await;
                Outside::Portable(Box::new(socket))
            }
        };
        Self { owner: Owner { peer, _permit: Box::new(permit) }, wire }
    }

    /// Takes over an upgraded connection over whatever stream.
    pub async fn over(stream: Box<dyn portable::Carrier>, already_read: Vec<u8>, peer: IpAddr, permit: impl Permit + 'static) -> Self {
        let socket = portable::Socket::new(stream, already_read).await;
        let owner = Owner { peer, _permit: Box::new(permit) };
        Self { owner, wire: Outside::Portable(Box::new(socket)) }
    }

    fn in_memory(socket: memory::Socket) -> Self {
        let peer = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
        Self { owner: Owner { peer, _permit: Box::new(()) }, wire: Outside::Memory(socket) }
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
            Outside::Memory(socket) => socket.first_message().await,
        }
    }

    /// Takes the connection into a match on the calling thread. What was read and not heard stays.
    /// The kernel keeps up to `send_buffer_bytes` for it.
    fn into_link(self, send_buffer_bytes: u32) -> io::Result<Link> {
        let wire = match self.wire {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Outside::Raw(socket) => Inside::Raw(socket.into_link(send_buffer_bytes)?),
            Outside::Portable(socket) => Inside::Portable(socket.into_link(send_buffer_bytes)?),
            Outside::Memory(socket) => Inside::Memory(socket.into_link()),
        };
        Ok(Link { owner: self.owner, wire })
    }

    /// Tells the client why and closes.
    ///
    /// Then reads until the client has closed too: a socket closed with unread bytes is reset, and
    /// the reset can overtake the reason. Gives up after two seconds; the kernel then keeps the
    /// reason for a client that reads nothing now, as long as the system keeps such sockets.
    pub async fn refuse(self, reason: CloseReason) {
        let farewell = async {
            match self.wire {
                #[cfg(any(target_os = "linux", target_os = "android"))]
                Outside::Raw(socket) => socket.close(reason).await,
                Outside::Portable(socket) => socket.close(reason).await,
                Outside::Memory(socket) => {
                    socket.close(reason);
                    Ok(())
                }
            }
        };
        // The peer may be gone already: then there is nobody to tell.
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }
}

/// A connection inside a match.
struct Link {
    owner: Owner,
    wire: Inside,
}

enum Inside {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Raw(raw::Link),
    Portable(portable::Link),
    Memory(memory::Link),
}

impl Link {
    /// Back to whoever waits for it, inside the calling runtime.
    fn into_socket(self) -> io::Result<Socket> {
        let wire = match self.wire {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Inside::Raw(link) => Outside::Raw(link.into_socket()?),
            Inside::Portable(link) => Outside::Portable(Box::new(link.into_socket()?)),
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

    fn bytes_written(&self) -> u64 {
        each!(&self.wire, link => link.bytes_written())
    }

    fn ping(&mut self) -> Result<(), Broken> {
        each!(&mut self.wire, link => link.ping())
    }
}

#[cfg(test)]
mod tests;

//! A client's WebSocket inside a match: nobody waits for it. The match reads and writes it when a tick begins, straight from the kernel.
//!
//! What came in waits in the kernel, which notes when it came: so a message read at the tick is told from when it arrived, and reading once
//! a tick costs no precision.
//!
//! Invariants: no call blocks; a connection keeps bytes only while a frame is incomplete, on its way in or out; everything else goes through
//! buffers that its thread's connections share.

use std::cell::Cell;
use std::io::{self, Write};
use std::net::{IpAddr, TcpStream};
use std::time::SystemTime;

use bytes::{Buf, Bytes};

use super::frame::{self, Incoming, Opcode, Violation};
use super::inbox::Intake;
use super::socket::{Broken, Client, Socket};

/// A thread's write buffer that grew larger than this is given back.
const WRITE_BUFFER_BYTES_KEPT: usize = 64 * 1024;
/// The kernel takes no frame while so many bytes wait there to be sent: more than a tick's pong and events, less than a few snapshots.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 256;

thread_local! {
    static WRITE_BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A client's connection while a match owns it.
pub struct Link {
    stream: TcpStream,
    client: Client,
}

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// Nothing has come.
    Nothing,
    /// Bytes.
    Bytes {
        /// When the kernel had the last of them; `None` if it does not tell.
        at: Option<SystemTime>,
        /// Whether more may be there.
        more: bool,
    },
}

/// Whether the kernel took everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It did.
    Whole,
    /// Something is left, and kept.
    Part,
}

impl Link {
    /// Sets what the kernel keeps for this socket: no Nagle delay, a send buffer of `send_buffer_bytes`, when bytes came in, and next to
    /// nothing that is not on its way: what waits there is stale when it leaves.
    pub(super) fn new(stream: TcpStream, client: Client, send_buffer_bytes: u32) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let socket = socket2::SockRef::from(&stream);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
        socket.set_send_buffer_size(send_buffer_bytes as usize)?;
        stamped::ask_for(&stream);
        Ok(Self { stream, client })
    }

    /// Where it comes from.
    pub fn peer(&self) -> IpAddr {
        self.client.peer
    }

    /// Back to whoever waits for it, inside the calling runtime.
    pub fn into_socket(self) -> io::Result<Socket> {
        Socket::from_link(self.stream, self.client)
    }

    /// Bytes read since the connection was upgraded.
    pub fn bytes_read(&self) -> u64 {
        self.client.inbox.bytes_read()
    }

    /// Lends the thread's read buffer, with what this connection has not parsed yet in it.
    pub fn begin_reading(&mut self) -> Intake {
        self.client.inbox.begin()
    }

    /// The next message that is complete, if any.
    pub fn next<'a>(&mut self, intake: &'a mut Intake) -> Result<Option<Incoming<'a>>, Violation> {
        self.client.inbox.next(intake)
    }

    /// Reads once into `intake`, of which all messages were taken.
    pub fn read(&mut self, intake: &mut Intake) -> Result<Arrived, Broken> {
        let free = intake.free();
        let room = free.len();
        match stamped::read(&self.stream, free) {
            Ok((0, _)) => Err(Broken::Lost),
            Ok((count, at)) => {
                self.client.inbox.took(intake, count);
                Ok(Arrived::Bytes { at, more: count == room })
            }
            Err(error) if is_for_later(&error) => Ok(Arrived::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives the thread's read buffer back and keeps what was not parsed.
    pub fn end_reading(&mut self, intake: Intake) {
        self.client.inbox.end(intake);
    }

    /// Writes a frame as far as the kernel takes it and keeps the rest. Only when [`Link::flush`] has nothing left to write.
    pub fn write(&mut self, opcode: Opcode, payload: &[u8]) -> io::Result<Sent> {
        debug_assert!(self.client.unsent.is_empty(), "a frame within a frame");
        let mut buffer = WRITE_BUFFER.take();
        buffer.clear();
        frame::write(&mut buffer, opcode, payload);
        let mut rest = buffer.as_slice();
        let sent = write_all(&self.stream, &mut rest);
        if !rest.is_empty() {
            self.client.unsent = Bytes::copy_from_slice(rest);
        }
        if buffer.capacity() <= WRITE_BUFFER_BYTES_KEPT {
            WRITE_BUFFER.set(buffer);
        }
        sent
    }

    /// What the kernel did not take of the last frame, bytes.
    pub fn unsent_bytes(&self) -> usize {
        self.client.unsent.len()
    }

    /// Writes what the kernel did not take before.
    pub fn flush(&mut self) -> io::Result<Sent> {
        if self.client.unsent.is_empty() {
            return Ok(Sent::Whole);
        }
        write_all(&self.stream, &mut self.client.unsent)
    }
}

/// Writes until nothing is left of `bytes` or the kernel takes no more.
fn write_all(mut stream: &TcpStream, bytes: &mut impl Buf) -> io::Result<Sent> {
    while bytes.has_remaining() {
        match stream.write(bytes.chunk()) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes.advance(count),
            Err(error) if is_for_later(&error) => return Ok(Sent::Part),
            Err(error) => return Err(error),
        }
    }
    Ok(Sent::Whole)
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Reading with the kernel's note of when the bytes came.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod stamped {
    use std::cell::RefCell;
    use std::io::{self, IoSliceMut};
    use std::net::TcpStream;
    use std::os::fd::AsRawFd;
    use std::time::{Duration, SystemTime};

    use nix::sys::socket::sockopt::ReceiveTimestampns;
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt};
    use nix::sys::time::TimeSpec;

    thread_local! {
        static NOTE: RefCell<Vec<u8>> = RefCell::new(nix::cmsg_space!(TimeSpec));
    }

    pub(super) fn ask_for(stream: &TcpStream) {
        if let Err(error) = setsockopt(stream, ReceiveTimestampns, &true) {
            tracing::debug!(%error, "inputs are told to have come when they are read");
        }
    }

    pub(super) fn read(stream: &TcpStream, into: &mut [u8]) -> io::Result<(usize, Option<SystemTime>)> {
        NOTE.with_borrow_mut(|note| {
            let mut into = [IoSliceMut::new(into)];
            let message = recvmsg::<()>(stream.as_raw_fd(), &mut into, Some(note), MsgFlags::empty())?;
            let at = message.cmsgs()?.find_map(|note| match note {
                ControlMessageOwned::ScmTimestampns(at) => Some(SystemTime::UNIX_EPOCH + Duration::from(at)),
                _ => None,
            });
            Ok((message.bytes, at))
        })
    }
}

/// Reading where the kernel does not tell when the bytes came.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod stamped {
    use std::io::{self, Read};
    use std::net::TcpStream;
    use std::time::SystemTime;

    pub(super) fn ask_for(_: &TcpStream) {}

    pub(super) fn read(mut stream: &TcpStream, into: &mut [u8]) -> io::Result<(usize, Option<SystemTime>)> {
        stream.read(into).map(|count| (count, None))
    }
}

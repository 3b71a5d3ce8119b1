//! A client's bytes on their way in: read into a buffer that its thread's connections share, and
//! parsed there.
//!
//! Invariants: a connection keeps bytes only while a frame is incomplete, or more has come than a
//! tick takes; what a peer sends is counted before it is parsed, so that frames that never complete
//! count too.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io::{self, IoSliceMut};
use std::net::TcpStream;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::time::{Duration, SystemTime};

use nix::sys::socket::sockopt::ReceiveTimestampns;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt};
use nix::sys::time::TimeSpec;

use crate::transport::frame::{Incoming, Parser, Terms, Violation};

/// Read buffer of a thread, bytes: more than a request's head and the longest frame together, so
/// there is always room to read on.
pub(super) const READ_BUFFER_BYTES: usize = 16 * 1024;

thread_local! {
    static READ_BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static NOTE: RefCell<Vec<u8>> = RefCell::new(nix::cmsg_space!(TimeSpec));
}

/// One connection's incoming side.
#[derive(Debug)]
pub(super) struct Inbox {
    bytes_read: u64,
    /// While it is read: the thread's buffer. Else what is not parsed, which is mostly nothing.
    buffer: Vec<u8>,
    is_read: bool,
    /// What of the buffer was read and not parsed.
    unparsed: Range<usize>,
    /// The message that was found last, in the buffer.
    message: Range<usize>,
    /// That message, if it came in fragments.
    joined: Vec<u8>,
    parser: Parser,
}

/// What was found next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A message; [`Inbox::message`] has it.
    Message,
    /// A text message, where there may be such; [`Inbox::message`] has it.
    Text,
    /// A ping, with what its answer must repeat.
    Ping(Box<[u8]>),
    /// The answer to a ping.
    Pong,
    /// The client closes; with the code it gave.
    Close(Option<u16>),
}

/// What a read brought.
pub(super) struct Read {
    /// Bytes; none at the end of the stream.
    pub(super) count: usize,
    /// When the kernel had the last of them; `None` if it does not tell.
    pub(super) at: Option<SystemTime>,
    /// Whether more may be there.
    pub(super) more: bool,
}

/// From now on the kernel notes when bytes come.
pub(super) fn ask_for_stamps(stream: &TcpStream) {
    if let Err(error) = setsockopt(stream, ReceiveTimestampns, &true) {
        tracing::debug!(%error, "inputs are told to have come when they are read");
    }
}

/// Whether the kernel only has nothing at the moment, or no room.
pub(super) fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Reads once from the kernel. Returns how much, and when the kernel had the last of it.
pub(super) fn receive(stream: &TcpStream, into: &mut [u8]) -> io::Result<(usize, Option<SystemTime>)> {
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

impl Inbox {
    /// Of a connection that was upgraded; `already_read` came with the request.
    pub(super) fn new(already_read: Vec<u8>, terms: Terms) -> Self {
        Self {
            bytes_read: already_read.len() as u64,
            unparsed: 0..already_read.len(),
            buffer: already_read,
            is_read: false,
            message: 0..0,
            joined: Vec::new(),
            parser: Parser::on(terms),
        }
    }

    /// Bytes read since the connection was upgraded.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Whether something has begun that is not complete.
    pub(super) fn is_unfinished(&self) -> bool {
        !self.is_empty() || self.parser.is_within_message()
    }

    /// Whether every byte that was read is parsed.
    pub(super) fn is_empty(&self) -> bool {
        self.unparsed.is_empty()
    }

    /// Borrows the thread's read buffer, and moves what is not parsed yet into it.
    pub(super) fn begin(&mut self) {
        let mut buffer = READ_BUFFER.take();
        let kept = std::mem::take(&mut self.buffer);
        let unparsed = kept.get(self.unparsed.clone()).unwrap_or_default();
        buffer.resize(READ_BUFFER_BYTES.max(2 * unparsed.len()), 0);
        if let Some(front) = buffer.get_mut(..unparsed.len()) {
            front.copy_from_slice(unparsed);
        }
        self.unparsed = 0..unparsed.len();
        self.buffer = buffer;
        self.is_read = true;
    }

    /// Where the bytes of the next read go.
    pub(super) fn free(&mut self) -> &mut [u8] {
        if self.unparsed.start > 0 {
            self.buffer.copy_within(self.unparsed.clone(), 0);
            self.unparsed = 0..self.unparsed.len();
        }
        // Never on the game's terms: a frame is shorter than the buffer.
        if self.unparsed.end == self.buffer.len() {
            self.buffer.resize(2 * self.buffer.len(), 0);
        }
        self.buffer.get_mut(self.unparsed.end..).unwrap_or_default()
    }

    /// Reads once, straight from the kernel.
    pub(super) fn read(&mut self, stream: &TcpStream) -> io::Result<Read> {
        let free = self.free();
        let room = free.len();
        let (count, at) = receive(stream, free)?;
        self.took(count);
        Ok(Read { count, at, more: count == room })
    }

    /// So many bytes were read into [`Inbox::free`].
    pub(super) fn took(&mut self, count: usize) {
        self.count(count);
        self.found(count);
    }

    /// As [`Inbox::free`], so many bytes: what was decrypted has to go somewhere.
    pub(super) fn room(&mut self, count: usize) -> &mut [u8] {
        if self.free().len() < count {
            self.buffer.resize(self.unparsed.end + count, 0);
        }
        self.free().get_mut(..count).unwrap_or_default()
    }

    /// So many bytes were read, and are not here yet.
    pub(super) fn count(&mut self, count: usize) {
        self.bytes_read += count as u64;
    }

    /// So many bytes that were read before are in [`Inbox::free`] now.
    pub(super) fn found(&mut self, count: usize) {
        self.unparsed.end += count;
    }

    /// Goes on to the next message or control frame that is complete.
    pub(super) fn next(&mut self) -> Result<Option<Found>, Violation> {
        let mut rest = self.buffer.get_mut(self.unparsed.clone()).unwrap_or_default();
        let incoming = self.parser.next(&mut rest)?;
        let start = self.unparsed.end - rest.len();
        self.unparsed.start = start;
        let mut keep = |message| match message {
            // A frame ends with its payload.
            Cow::Borrowed(payload) => {
                self.joined.clear();
                self.message = start - <[u8]>::len(payload)..start;
            }
            Cow::Owned(message) => {
                self.joined = message;
                self.message = 0..0;
            }
        };
        Ok(incoming.map(|incoming| match incoming {
            Incoming::Binary(message) => {
                keep(message);
                Found::Message
            }
            Incoming::Text(message) => {
                keep(message);
                Found::Text
            }
            Incoming::Ping(payload) => Found::Ping(payload.into()),
            Incoming::Pong => Found::Pong,
            Incoming::Close(code) => Found::Close(code),
        }))
    }

    /// The message that was found last.
    pub(super) fn message(&self) -> &[u8] {
        if self.joined.is_empty() { self.buffer.get(self.message.clone()).unwrap_or_default() } else { &self.joined }
    }

    /// Gives the thread's read buffer back and keeps what was not parsed.
    pub(super) fn end(&mut self) {
        if !std::mem::take(&mut self.is_read) {
            return;
        }
        let kept = self.buffer.get(self.unparsed.clone()).unwrap_or_default().to_vec();
        self.unparsed = 0..kept.len();
        self.message = 0..0;
        READ_BUFFER.set(std::mem::replace(&mut self.buffer, kept));
    }
}

/// A session may end while it is read.
impl Drop for Inbox {
    fn drop(&mut self) {
        self.end();
    }
}

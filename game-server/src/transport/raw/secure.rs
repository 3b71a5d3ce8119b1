//! TLS between a match and its kernel socket, without a runtime: what the kernel has is decrypted
//! when a tick reads, and what a tick sends is encrypted on its way to the kernel.
//!
//! Invariants: no call blocks; plaintext goes to the inbox at once and none stays here; what the
//! kernel did not take stays here, encrypted, and is no more than one frame and what TLS itself
//! has to say, which rustls bounds.

use std::cell::Cell;
use std::io::{self, Read as _, Write};
use std::net::TcpStream;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls::ServerConnection;
use tokio::io::{AsyncRead, ReadBuf};

use super::inbox::{Inbox, READ_BUFFER_BYTES, Read, is_for_later, receive};
use crate::tls::Records;

thread_local! {
    /// What a thread's connections read before it is decrypted.
    static SEALED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// One connection's encryption, after the handshake.
pub(super) struct Secure {
    connection: ServerConnection,
    /// Where records end in what was read.
    records: Records,
    /// Of the frame that the kernel has not taken, before it was encrypted.
    unsent_bytes: usize,
    /// The peer will say nothing more.
    is_over: bool,
}

impl Secure {
    /// After the handshake. Appends to `plaintext` what came with it.
    pub(super) fn new(mut connection: ServerConnection, records: Records, plaintext: &mut Vec<u8>) -> io::Result<Self> {
        // A session makes no frame before the one before it has left.
        connection.set_buffer_limit(None);
        let state = connection.process_new_packets().map_err(violated)?;
        let before = plaintext.len();
        plaintext.resize(before + state.plaintext_bytes_to_read(), 0);
        if let Some(free) = plaintext.get_mut(before..) {
            connection.reader().read_exact(free)?;
        }
        let is_over = state.peer_has_closed();
        Ok(Self { connection, records, unsent_bytes: 0, is_over })
    }

    /// Whether all that was read is decrypted: no record has begun and not ended.
    pub(super) fn is_whole(&self) -> bool {
        self.records.is_between()
    }

    /// Reads once from the kernel, and decrypts. The count is what was read, and there may be no
    /// plaintext in it.
    pub(super) fn read(&mut self, stream: &TcpStream, inbox: &mut Inbox) -> io::Result<Read> {
        if self.is_over {
            return Ok(Read { count: 0, at: None, more: false });
        }
        let mut sealed = borrowed();
        let read = receive(stream, &mut sealed).and_then(|(count, at)| {
            self.open(sealed.get(..count).unwrap_or_default(), inbox)?;
            Ok(Read { count, at, more: count == sealed.len() || self.is_over })
        });
        SEALED.set(sealed);
        read
    }

    /// As [`Secure::read`], outside a match, where a runtime waits.
    pub(super) fn poll_read(
        &mut self,
        stream: Pin<&mut tokio::net::TcpStream>,
        context: &mut Context<'_>,
        inbox: &mut Inbox,
    ) -> Poll<io::Result<usize>> {
        if self.is_over {
            return Poll::Ready(Ok(0));
        }
        let mut sealed = borrowed();
        let mut free = ReadBuf::new(&mut sealed);
        let polled = stream.poll_read(context, &mut free).map_ok(|()| free.filled().len());
        let opened = match polled {
            Poll::Ready(Ok(count)) => self.open(sealed.get(..count).unwrap_or_default(), inbox).map(|()| count),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => {
                SEALED.set(sealed);
                return Poll::Pending;
            }
        };
        SEALED.set(sealed);
        Poll::Ready(opened)
    }

    /// Decrypts into the inbox.
    fn open(&mut self, mut sealed: &[u8], inbox: &mut Inbox) -> io::Result<()> {
        self.records.pass(sealed);
        inbox.count(sealed.len());
        while !sealed.is_empty() && !self.is_over {
            self.connection.read_tls(&mut sealed)?;
            let state = self.connection.process_new_packets().map_err(violated)?;
            let plaintext = state.plaintext_bytes_to_read();
            if plaintext > 0 {
                self.connection.reader().read_exact(inbox.room(plaintext))?;
                inbox.found(plaintext);
            }
            self.is_over = state.peer_has_closed();
        }
        Ok(())
    }

    /// Encrypts `frame` and writes it as far as the kernel takes it. Only when nothing is left of
    /// the one before.
    pub(super) fn write(&mut self, frame: &[u8], stream: &TcpStream, written: &mut u64) -> io::Result<bool> {
        self.connection.writer().write_all(frame)?;
        self.unsent_bytes = frame.len();
        self.flush(stream, written)
    }

    /// Writes what is left, as far as the kernel takes it. Says whether nothing is left.
    pub(super) fn flush(&mut self, mut stream: &TcpStream, written: &mut u64) -> io::Result<bool> {
        while self.connection.wants_write() {
            match self.connection.write_tls(&mut stream) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => *written += count as u64,
                Err(error) if is_for_later(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        self.unsent_bytes = 0;
        Ok(true)
    }

    /// Whether nothing is left.
    pub(super) fn is_clear(&self) -> bool {
        !self.connection.wants_write()
    }

    /// Bytes of the last frame, unless nothing is left of it.
    pub(super) fn unsent_bytes(&self) -> usize {
        self.unsent_bytes
    }

    /// What is left, `farewell`, and that nothing comes after it, encrypted.
    pub(super) fn seal_last(&mut self, farewell: &[u8]) -> io::Result<Vec<u8>> {
        self.connection.writer().write_all(farewell)?;
        self.connection.send_close_notify();
        let mut sealed = Vec::new();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut sealed)?;
        }
        Ok(sealed)
    }
}

/// The thread's buffer.
fn borrowed() -> Vec<u8> {
    let mut sealed = SEALED.take();
    sealed.resize(READ_BUFFER_BYTES, 0);
    sealed
}

/// What a peer sent is no TLS of its connection.
fn violated(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

//! A stream that counts what passes, and lets in no more than it was told.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;

use super::carrier::Carrier;
use super::progress::Progress;
use crate::transport::seam::Broken;

/// A WebSocket over a stream whose bytes are counted.
pub(super) type WebSocket = WebSocketStream<Metered>;

/// A connection's stream, beneath the WebSocket.
pub(super) struct Metered {
    /// `None` only while it moves from one thread's runtime to another's, and if that failed.
    carrier: Option<Box<dyn Carrier>>,
    bytes_read: u64,
    bytes_written: u64,
    /// Reading stops when so many bytes were read.
    allowed: u64,
    progress: Progress,
}

impl Metered {
    /// `already_read` came before.
    pub(super) fn new(carrier: Box<dyn Carrier>, already_read: &[u8]) -> Self {
        let (bytes_read, mut progress) = (already_read.len() as u64, Progress::default());
        progress.follow(already_read);
        Self { carrier: Some(carrier), bytes_read, bytes_written: 0, allowed: bytes_read, progress }
    }

    /// Whether what was read ends within a message or a frame.
    pub(super) fn is_within_message(&self) -> bool {
        self.progress.is_unfinished()
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    pub(super) fn bytes_written(&self) -> u64 {
        self.bytes_written
    }

    /// From now on reading stops when `bytes` were read since the beginning.
    pub(super) fn allow_up_to(&mut self, bytes: u64) {
        self.allowed = bytes;
    }

    /// Whether nothing more may be read.
    pub(super) fn is_exhausted(&self) -> bool {
        self.bytes_read >= self.allowed
    }

    /// A match on the calling thread takes the stream over.
    pub(super) fn enter(&mut self, send_buffer_bytes: u32) -> io::Result<()> {
        let carrier = self.carrier.take().ok_or_else(gone)?;
        self.carrier = Some(carrier.enter(send_buffer_bytes)?);
        Ok(())
    }

    /// The match lets go of it: nothing newer will come than what is written from now on.
    pub(super) fn leave(&self) -> io::Result<()> {
        self.carrier.as_ref().ok_or_else(gone)?.leave()
    }

    fn carrier(&mut self) -> io::Result<Pin<&mut (dyn Carrier + 'static)>> {
        self.carrier.as_deref_mut().map(Pin::new).ok_or_else(gone)
    }
}

fn gone() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

impl AsyncRead for Metered {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let left = self.allowed.saturating_sub(self.bytes_read);
        if left == 0 {
            // Whoever allows more looks again.
            return Poll::Pending;
        }
        let mut part = out.take(usize::try_from(left).unwrap_or(usize::MAX));
        let mut carrier = self.carrier()?;
        let before = carrier.wire_bytes();
        let polled = carrier.as_mut().poll_read(context, &mut part);
        // Records without a byte in them count too.
        let passed = carrier.wire_bytes() - before;
        let count = part.filled().len();
        self.bytes_read += passed.max(count as u64);
        self.progress.follow(part.filled());
        ready!(polled)?;
        out.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(self.carrier()?.poll_write(context, bytes))?;
        self.bytes_written += count as u64;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.carrier()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.carrier()?.poll_shutdown(context)
    }
}

/// Who is to blame: a connection that ends is nobody's fault.
pub(super) fn blame(error: &Error) -> Broken {
    match error {
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing)
        | Error::Io(_)
        | Error::ConnectionClosed
        | Error::AlreadyClosed => Broken::Lost,
        _ => Broken::Violated,
    }
}

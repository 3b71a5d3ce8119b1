//! What a connection's bytes come over: TCP, with TLS between or without.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::ServerConnection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::records::Records;

/// A connection's stream.
#[derive(Debug)]
pub(crate) enum Stream {
    /// As it is.
    Plain(TcpStream),
    /// After a handshake.
    Encrypted(Box<Encrypted>),
}

impl Stream {
    /// The TCP stream beneath.
    pub(crate) fn tcp(&self) -> io::Result<&TcpStream> {
        match self {
            Self::Plain(stream) => Ok(stream),
            Self::Encrypted(stream) => stream.tcp(),
        }
    }
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self::Plain(stream)
    }
}

/// TLS over TCP.
#[derive(Debug)]
pub(crate) struct Encrypted(TlsStream<Movable>);

impl Encrypted {
    /// After its handshake.
    pub(super) fn new(stream: TlsStream<Movable>) -> Self {
        Self(stream)
    }

    /// The TCP stream, the state of its encryption, in which plaintext may wait, and where records
    /// have ended.
    pub(crate) fn into_parts(self) -> io::Result<(TcpStream, ServerConnection, Records)> {
        let (movable, connection) = self.0.into_inner();
        Ok((movable.stream.ok_or_else(gone)?, connection, movable.records))
    }

    /// The TCP stream beneath.
    pub(crate) fn tcp(&self) -> io::Result<&TcpStream> {
        self.0.get_ref().0.stream.as_ref().ok_or_else(gone)
    }

    /// Bytes that the kernel gave, encrypted.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.0.get_ref().0.bytes_read
    }

    /// From now on the runtime of the calling thread waits for it.
    pub(crate) fn move_here(&mut self) -> io::Result<()> {
        let place = &mut self.0.get_mut().0.stream;
        let stream = place.take().ok_or_else(gone)?;
        *place = Some(TcpStream::from_std(stream.into_std()?)?);
        Ok(())
    }
}

/// A TCP stream that can be taken to another thread's runtime from beneath the TLS.
#[derive(Debug)]
pub(super) struct Movable {
    stream: Option<TcpStream>,
    records: Records,
    bytes_read: u64,
}

impl From<TcpStream> for Movable {
    fn from(stream: TcpStream) -> Self {
        Self { stream: Some(stream), records: Records::default(), bytes_read: 0 }
    }
}

impl Movable {
    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(gone)
    }
}

fn gone() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

impl AsyncRead for Movable {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(self.stream()?.poll_read(context, into))?;
        let read = into.filled().get(before..).unwrap_or_default();
        self.records.pass(read);
        self.bytes_read += read.len() as u64;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Movable {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// Does the same with whichever it is.
macro_rules! each {
    ($stream:expr, $inner:ident => $act:expr) => {
        match $stream {
            Stream::Plain($inner) => $act,
            Stream::Encrypted($inner) => $act,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_read(context, into))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_write_vectored(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_write_vectored(context, bytes))
    }

    fn is_write_vectored(&self) -> bool {
        each!(self, stream => stream.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_shutdown(context))
    }
}

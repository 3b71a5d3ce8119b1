//! What a portable WebSocket can go over.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::tls::Encrypted;

/// A stream that can carry a WebSocket into a match and out again.
pub trait Carrier: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// A match takes it over: from now on the runtime of the calling thread waits for it. It should
    /// keep no more than `send_buffer_bytes` of what is on its way, and next to nothing that is
    /// not: what waits there is stale when it leaves.
    fn enter(self: Box<Self>, send_buffer_bytes: u32) -> io::Result<Box<dyn Carrier>>;

    /// The match lets go of it: what is written from now on is the last, and not stale.
    fn leave(&self) -> io::Result<()>;

    /// Bytes that came over the wire so far, where that is more than what is read from it.
    fn wire_bytes(&self) -> u64 {
        0
    }
}

impl Carrier for TcpStream {
    fn enter(self: Box<Self>, send_buffer_bytes: u32) -> io::Result<Box<dyn Carrier>> {
        let stream = Self::from_std(self.into_std()?)?;
        keep_little(&stream, send_buffer_bytes)?;
        Ok(Box::new(stream))
    }

    fn leave(&self) -> io::Result<()> {
        keep_all(self)
    }
}

impl Carrier for Encrypted {
    fn enter(mut self: Box<Self>, send_buffer_bytes: u32) -> io::Result<Box<dyn Carrier>> {
        self.move_here()?;
        keep_little(self.tcp()?, send_buffer_bytes)?;
        Ok(self)
    }

    fn leave(&self) -> io::Result<()> {
        keep_all(self.tcp()?)
    }

    fn wire_bytes(&self) -> u64 {
        self.bytes_read()
    }
}

fn keep_little(stream: &TcpStream, send_buffer_bytes: u32) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = socket2::SockRef::from(stream);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_notsent_lowat(crate::transport::seam::UNSENT_BYTES)?;
    socket.set_send_buffer_size(send_buffer_bytes as usize)
}

#[cfg_attr(not(any(target_os = "linux", target_os = "android")), allow(unused_variables, clippy::unnecessary_wraps))]
fn keep_all(stream: &TcpStream) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(i32::MAX as u32)?;
    Ok(())
}

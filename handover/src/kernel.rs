//! How far the kernel is with a TCP stream. No library asks for these.

use std::io;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, RawFd};

/// Where the kernel's `tcp_info` has the bytes that the peer has acknowledged, and those that came.
/// The structure only ever grows at its end.
const ACKED_AT: usize = 120;
const RECEIVED_AT: usize = 128;
/// Up to the end of those two.
const INFO_BYTES: usize = 136;
/// The two questions have to fall between two segments: a busy stream is asked again.
const TRIES: usize = 64;

/// Bytes of a stream since it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// That were read by whoever had the socket.
    pub(crate) read: u64,
    /// That the kernel has taken to be sent.
    pub(crate) written: u64,
}

/// How far `stream` is.
///
/// # Errors
/// If the kernel does not say, or the peer sends so much that no two answers go together.
pub(crate) fn progress(stream: &TcpStream) -> io::Result<Progress> {
    let socket = stream.as_raw_fd();
    for _ in 0..TRIES {
        let before = info(socket)?;
        let (unacknowledged, unread) = (queued(socket, libc::TIOCOUTQ)?, queued(socket, libc::FIONREAD)?);
        if info(socket)? == before {
            let (acknowledged, received) = before;
            return Ok(Progress { read: received.saturating_sub(unread), written: acknowledged + unacknowledged });
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// Bytes acknowledged by the peer, and received from it.
#[allow(unsafe_code)]
fn info(socket: RawFd) -> io::Result<(u64, u64)> {
    let mut info = [0_u8; INFO_BYTES];
    let mut length = INFO_BYTES as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes to `info`, which has as many, and then how
    // many it wrote to `length`. Both live until the call returns.
    let answer = unsafe { libc::getsockopt(socket, libc::IPPROTO_TCP, libc::TCP_INFO, info.as_mut_ptr().cast(), &raw mut length) };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    if (length as usize) < INFO_BYTES {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let number = |at: usize| info.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_ne_bytes);
    Ok((number(ACKED_AT), number(RECEIVED_AT)))
}

/// Bytes in one of the kernel's queues of a socket.
#[allow(unsafe_code)]
fn queued(socket: RawFd, which: libc::Ioctl) -> io::Result<u64> {
    let mut count: libc::c_int = 0;
    // SAFETY: both questions that are asked here write one `int` to where the pointer leads.
    let answer = unsafe { libc::ioctl(socket, which, &raw mut count) };
    if answer == 0 { Ok(u64::from(count.unsigned_abs())) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn bytes_are_counted_from_the_first_on_both_ways() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let mut client = TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
        let (mut server, _) = listener.accept().expect("accepted");
        let now = || progress(&server).expect("known");
        assert_eq!(now(), Progress { read: 0, written: 0 });
        client.write_all(&[7; 1000]).expect("sent");
        while server.peek(&mut [0; 1000]).expect("open") < 1000 {}
        assert_eq!(now().read, 0, "it waits in the kernel");
        server.read_exact(&mut [0; 300]).expect("there");
        server.write_all(&[8; 5000]).expect("taken");
        assert_eq!(progress(&server).expect("known"), Progress { read: 300, written: 5000 });
        client.read_exact(&mut [0; 5000]).expect("there");
        assert_eq!(progress(&server).expect("known"), Progress { read: 300, written: 5000 }, "acknowledged or not");
    }

    #[test]
    fn what_is_no_tcp_socket_has_no_progress() {
        let (ours, _theirs) = std::os::unix::net::UnixStream::pair().expect("a pair");
        assert!(progress(&TcpStream::from(std::os::fd::OwnedFd::from(ours))).is_err());
    }
}

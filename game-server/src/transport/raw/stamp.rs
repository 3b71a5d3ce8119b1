//! Reading with the kernel's note of when the last byte came.

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

/// From now on the kernel notes when bytes come.
pub(super) fn ask_for(stream: &TcpStream) {
    if let Err(error) = setsockopt(stream, ReceiveTimestampns, &true) {
        tracing::debug!(%error, "inputs are told to have come when they are read");
    }
}

/// Reads once. Returns how many bytes, and when the last of them came; `None` if the kernel does
/// not tell.
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

//! What a supervisor and a server tell each other: short messages over a Unix socket, some with a
//! descriptor.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::cmsg_space;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags,
    SocketType, recvmsg, sendmsg, socketpair,
};

use crate::NOTE_BYTES_MAX;

/// A message's kind and its slot.
const HEAD_BYTES: usize = 1 + 4;

/// One end of a connected pair. Calls block. When one end is gone, the other hears its end.
#[derive(Debug)]
pub(crate) struct Line(OwnedFd);

/// What supervisor and server say to each other, each message with at most one descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// With the board, from the supervisor: the first message.
    Board,
    /// With a connection: it is in this slot, and that is what it is.
    Keep {
        /// Its slot on the board.
        slot: u32,
        /// For whoever takes the connection.
        note: Vec<u8>,
    },
    /// The connection in this slot is over.
    Forget {
        /// Its slot on the board.
        slot: u32,
    },
    /// From the supervisor: those were all connections.
    All,
}

impl Message {
    fn write(&self) -> Vec<u8> {
        let (kind, slot, note) = match self {
            Self::Board => (0, 0, &[][..]),
            Self::Keep { slot, note } => (1, *slot, note.as_slice()),
            Self::Forget { slot } => (2, *slot, &[][..]),
            Self::All => (3, 0, &[][..]),
        };
        let mut bytes = Vec::with_capacity(HEAD_BYTES + note.len());
        bytes.push(kind);
        bytes.extend(slot.to_le_bytes());
        bytes.extend(note);
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let ((kind, slot), note) = (bytes.split_first_chunk::<HEAD_BYTES>().map(|([kind, slot @ ..], note)| ((*kind, *slot), note)))?;
        let slot = u32::from_le_bytes(slot);
        Some(match kind {
            0 => Self::Board,
            1 => Self::Keep { slot, note: note.to_vec() },
            2 => Self::Forget { slot },
            3 => Self::All,
            _ => return None,
        })
    }
}

impl Line {
    /// Both ends.
    pub(crate) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self(ours), theirs))
    }

    /// The end that was handed over.
    pub(crate) fn of(end: OwnedFd) -> Self {
        Self(end)
    }

    /// Says something, with a descriptor perhaps.
    pub(crate) fn send(&self, message: &Message, with: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let with: Vec<_> = with.into_iter().collect();
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !with.is_empty() {
            ancillary.push(SendAncillaryMessage::ScmRights(&with));
        }
        let bytes = message.write();
        loop {
            match sendmsg(&self.0, &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL) {
                Err(rustix::io::Errno::INTR) => {}
                sent => return Ok(sent.map(drop)?),
            }
        }
    }

    /// The next message. `None` when the other end is gone.
    ///
    /// # Errors
    /// If the socket fails, or what came is no message.
    pub(crate) fn receive(&self) -> io::Result<Option<(Message, Option<OwnedFd>)>> {
        let mut bytes = [0; HEAD_BYTES + NOTE_BYTES_MAX];
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let count = loop {
            match recvmsg(&self.0, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
                Err(rustix::io::Errno::INTR) => {}
                received => break received?.bytes,
            }
        };
        let mut with = None;
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                with = with.or(descriptors.into_iter().next());
            }
        }
        if count == 0 {
            return Ok(None);
        }
        let message = bytes.get(..count).and_then(Message::read).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Some((message, with)))
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Seek, Write};

    use super::*;

    #[test]
    fn messages_and_descriptors_arrive_in_order_and_then_an_end() {
        let (ours, theirs) = Line::pair().expect("a pair");
        let theirs = Line::of(theirs);
        let mut file = tempfile();
        file.write_all(b"hello").expect("written");
        let keep = Message::Keep { slot: 70_000, note: vec![9; NOTE_BYTES_MAX] };
        ours.send(&Message::Board, Some(file.as_fd())).expect("sent");
        ours.send(&keep, None).expect("sent");
        ours.send(&Message::Forget { slot: 3 }, None).expect("sent");
        ours.send(&Message::All, None).expect("sent");
        drop(ours);
        let (first, with) = theirs.receive().expect("received").expect("a message");
        assert_eq!(first, Message::Board);
        let mut copy = File::from(with.expect("a descriptor"));
        copy.rewind().expect("a file");
        let mut text = String::new();
        copy.read_to_string(&mut text).expect("text");
        assert_eq!(text, "hello");
        for expected in [keep, Message::Forget { slot: 3 }, Message::All] {
            let (message, with) = theirs.receive().expect("received").expect("a message");
            assert_eq!((message, with.is_none()), (expected, true));
        }
        assert!(theirs.receive().expect("no error").is_none());
    }

    #[test]
    fn what_is_no_message_is_an_error() {
        assert_eq!([&[][..], &[1, 0, 0, 0], &[4, 0, 0, 0, 0]].map(Message::read), [None, None, None]);
    }

    fn tempfile() -> File {
        File::from(rustix::fs::memfd_create("test", rustix::fs::MemfdFlags::CLOEXEC).expect("memory"))
    }
}

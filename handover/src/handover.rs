//! The server's part: which connections outlive it.

use std::collections::HashSet;
use std::io;
use std::net::TcpStream;
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use crate::NOTE_BYTES_MAX;
use crate::board::Board;
use crate::kernel::{self, Progress};
use crate::line::{Line, Message};

/// Has connections kept by the supervisor. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handover(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    board: Arc<Board>,
    /// Slots nobody has.
    free: Mutex<Vec<u32>>,
    /// To the thread that tells the supervisor: workers do not wait for it. Holds no more than what
    /// the slots there are give and take.
    told: Sender<(Message, Option<OwnedFd>)>,
}

/// A connection that the server before had.
#[derive(Debug)]
pub struct Kept {
    /// The connection.
    pub stream: TcpStream,
    /// What that server said it is.
    pub note: Vec<u8>,
    /// The tick up to which its client has everything.
    pub tick: u32,
    /// Goes on being kept until this is dropped.
    pub mark: Mark,
}

/// A kept connection's place on the board. When it is dropped, the supervisor forgets the
/// connection.
#[derive(Debug)]
pub struct Mark {
    shared: Arc<Shared>,
    slot: u32,
    /// Where the kernel was when its holder had read and written nothing.
    base: Progress,
    /// The tick of the frames that are sent now.
    tick: u32,
    is_left: bool,
}

impl Handover {
    /// Takes what the supervisor has, by the number of the descriptor it said. Those of its
    /// connections whose streams do not stand between two frames are closed.
    ///
    /// To be called once, before there are threads: the descriptor must be nobody else's.
    ///
    /// # Errors
    /// If that is not what a supervisor hands over.
    pub fn take(descriptor: RawFd) -> io::Result<(Self, Vec<Kept>)> {
        if descriptor < 3 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        #[allow(unsafe_code)]
        // SAFETY: the supervisor has put it there for this process, which has opened nothing else
        // under a number that it was told; the caller asks once.
        let end = unsafe { OwnedFd::from_raw_fd(descriptor) };
        rustix::io::fcntl_setfd(&end, rustix::io::FdFlags::CLOEXEC)?;
        Self::over(Line::of(end))
    }

    fn over(line: Line) -> io::Result<(Self, Vec<Kept>)> {
        let Some((Message::Board, Some(board))) = line.receive()? else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let board = Board::map(board)?;
        let mut handed = Vec::new();
        loop {
            match line.receive()? {
                Some((Message::Keep { slot, note }, Some(connection))) => handed.push((slot, note, TcpStream::from(connection))),
                Some((Message::All, _)) => break,
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        let taken: HashSet<u32> = handed.iter().map(|(slot, ..)| *slot).collect();
        let free = (0..board.slots()).rev().filter(|slot| !taken.contains(slot)).collect();
        let (told, messages) = channel();
        std::thread::Builder::new().name("handover".to_owned()).spawn(move || tell(&line, &messages))?;
        let shared = Arc::new(Shared { board, free: Mutex::new(free), told });
        let kept = handed.into_iter().filter_map(|(slot, note, stream)| {
            let nowhere = Progress { read: 0, written: 0 };
            let mut mark = Mark { shared: Arc::clone(&shared), slot, base: nowhere, tick: 0, is_left: false };
            let at = kernel::progress(&stream).ok()?;
            let tick = shared.board.tick_at(slot, at)?;
            (mark.base, mark.tick) = (at, tick);
            shared.board.begin(slot, at, tick);
            Some(Kept { stream, note, tick, mark })
        });
        let kept = kept.collect();
        Ok((Self(shared), kept))
    }

    /// Has `stream` kept. Of it, `read` and `written` bytes have gone through its holder's hands by
    /// now; its client has everything up to `tick`. `None` if it cannot be kept: it is as it was.
    pub fn keep(&self, stream: &TcpStream, note: &[u8], read: u64, written: u64, tick: u32) -> Option<Mark> {
        if note.len() > NOTE_BYTES_MAX {
            return None;
        }
        let at = kernel::progress(stream).ok()?;
        let base = Progress { read: at.read.checked_sub(read)?, written: at.written.checked_sub(written)? };
        let duplicate = stream.as_fd().try_clone_to_owned().ok()?;
        let Shared { board, free, told } = &*self.0;
        let slot = free.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        let mark = Mark { shared: Arc::clone(&self.0), slot, base, tick, is_left: false };
        board.begin(slot, at, tick);
        // If the thread is gone, so is the supervisor.
        let _ = told.send((Message::Keep { slot, note: note.to_vec() }, Some(duplicate)));
        Some(mark)
    }
}

impl Mark {
    /// Of the stream, so many bytes were read, the last message is whole, and what they said is
    /// written down, or may be lost.
    pub fn read(&self, bytes: u64) {
        self.shared.board.read(self.slot, self.base.read + bytes);
    }

    /// Frames are of this tick from now on, and with the next one the client has all before it.
    pub fn tick(&mut self, tick: u32) {
        self.tick = tick;
    }

    /// The kernel is about to be asked to take a frame, after which `bytes` were written.
    pub fn sending(&self, bytes: u64) {
        self.shared.board.sending(self.slot, self.base.written + bytes, self.tick);
    }

    /// It has taken all of it.
    pub fn sent(&self) {
        self.shared.board.sent(self.slot);
    }

    /// The connection is left to the next server.
    pub fn leave(mut self) {
        self.is_left = true;
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        if self.is_left {
            return;
        }
        let Shared { free, told, .. } = &*self.shared;
        // In this order: whoever gets the slot next is told of after this.
        let _ = told.send((Message::Forget { slot: self.slot }, None));
        free.lock().unwrap_or_else(PoisonError::into_inner).push(self.slot);
    }
}

fn tell(line: &Line, messages: &Receiver<(Message, Option<OwnedFd>)>) {
    for (message, with) in messages {
        if line.send(&message, with.as_ref().map(AsFd::as_fd)).is_err() {
            return;
        }
    }
}

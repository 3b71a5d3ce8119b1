//! One stream that is written from other threads than a worker's: what the gateway has to remember.
//!
//! A thread of its own writes it, so that nobody else waits for the disk who does not want to.
//! What waits for that thread is bounded: where there is more, all is written anew.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tickwire_journal::StreamKey;
use tickwire_protocol::MatchId;
use tokio::sync::oneshot;

use super::lane::{Lane, Opening};

/// The stream. No match has this id.
pub(super) const NOTES: StreamKey = StreamKey([0xff; 16]);
/// The lane of what belongs to no worker.
const LANE: u16 = u16::MAX;
/// Notes that may wait to be written. With more, what is known is written whole instead.
const WAITING_MAX: usize = 4_096;
/// How often the lane is tidied.
const TIDY: Duration = Duration::from_millis(250);
/// All is written anew when the notes since have more bytes than this, and than it had.
const GROWTH_MIN: usize = 256 << 10;
/// All is written anew after so long, if there are notes since: what has expired is not kept for
/// ever.
const WHOLE_EVERY: Duration = Duration::from_mins(10);

/// Takes notes, and has them written. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Notes {
    sender: SyncSender<Message>,
    /// A note found no room.
    is_behind: Arc<AtomicBool>,
}

/// Writes notes until it is dropped.
#[derive(Debug)]
pub struct NoteKeeper {
    sender: SyncSender<Message>,
    thread: Option<JoinHandle<()>>,
}

enum Message {
    Note(Vec<u8>),
    /// All notes before are written when this is answered.
    Flush(oneshot::Sender<()>),
    Stop,
}

impl Notes {
    /// Begins the stream in this process with what `whole` says, which is asked again whenever all
    /// is to be written; `None` ends that. The streams of `ended` are over.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub fn begin(
        opening: &Opening,
        ended: Vec<MatchId>,
        whole: impl Fn() -> Option<Vec<u8>> + Send + 'static,
    ) -> io::Result<(Self, NoteKeeper)> {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let (begun, waiting) = sync_channel(1);
        let is_behind = Arc::<AtomicBool>::default();
        let (opening, behind) = (opening.clone(), Arc::clone(&is_behind));
        let thread = std::thread::Builder::new().name("notes".to_owned()).spawn(move || {
            let lane = Lane::open(&opening, LANE);
            lane.end_all(&ended);
            let mut writer = Writer { lane, whole, whole_bytes: 0, bytes: 0, written: Instant::now() };
            writer.write_whole();
            // Whoever began it waits.
            let _ = begun.send(());
            writer.run(&receiver, &behind);
        })?;
        // A thread that has panicked writes nothing: what it was to keep is forgotten.
        let _ = waiting.recv();
        let keeper = NoteKeeper { sender: sender.clone(), thread: Some(thread) };
        Ok((Self { sender, is_behind }, keeper))
    }

    /// This is written soon.
    pub fn note(&self, note: Vec<u8>) {
        if self.sender.try_send(Message::Note(note)).is_err() {
            self.is_behind.store(true, Relaxed);
        }
    }

    /// Returns when what was noted before is written, as far as the disk works.
    pub async fn flush(&self) {
        let (sender, written) = oneshot::channel();
        if self.sender.try_send(Message::Flush(sender)).is_ok() {
            // An error means that the server stops.
            let _ = written.await;
        }
    }
}

impl Drop for NoteKeeper {
    fn drop(&mut self) {
        // An error means that the thread has ended.
        let _ = self.sender.send(Message::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes notes had panicked");
        }
    }
}

struct Writer<W> {
    lane: Lane,
    whole: W,
    /// What it had when it was written last.
    whole_bytes: usize,
    /// Of the notes since.
    bytes: usize,
    written: Instant,
}

impl<W: Fn() -> Option<Vec<u8>>> Writer<W> {
    fn run(&mut self, messages: &Receiver<Message>, is_behind: &AtomicBool) {
        let mut tidied = Instant::now();
        loop {
            let mut message = messages.recv_timeout(TIDY);
            let mut flushed = Vec::new();
            // What has come meanwhile is written at once.
            while let Ok(next) = message {
                match next {
                    Message::Note(note) => {
                        self.bytes += note.len();
                        self.lane.note(|journal| journal.append(NOTES, &note));
                    }
                    Message::Flush(waiting) => flushed.push(waiting),
                    Message::Stop => return self.lane.write(|_| ()),
                }
                message = messages.try_recv().map_err(|_| RecvTimeoutError::Timeout);
            }
            let is_long = self.bytes > GROWTH_MIN.max(self.whole_bytes) || self.bytes > 0 && self.written.elapsed() >= WHOLE_EVERY;
            if is_behind.swap(false, Relaxed) || is_long || self.lane.note(|journal| journal.wants_checkpoint(NOTES)) {
                self.write_whole();
            }
            if tidied.elapsed() >= TIDY {
                self.lane.tidy();
                tidied = Instant::now();
            }
            self.lane.write(|_| ());
            for waiting in flushed {
                // Whoever waited may have gone.
                let _ = waiting.send(());
            }
        }
    }

    fn write_whole(&mut self) {
        let Some(whole) = (self.whole)() else { return };
        self.lane.write(|journal| journal.checkpoint(NOTES, &whole));
        (self.whole_bytes, self.bytes, self.written) = (whole.len(), 0, Instant::now());
    }
}

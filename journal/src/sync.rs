//! Syncing, by the writer itself or beside it.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::epoch::Lane;
use crate::files::{File as _, Files};

/// What a writer and its syncer both know. The lock is never held while the disk is waited for.
pub(crate) struct Shared<F: Files> {
    files: F,
    dir: PathBuf,
    /// How often the writer has written or removed something.
    written: AtomicU64,
    /// What `written` was when the newest successful sync began.
    synced: AtomicU64,
    unsynced: Mutex<Unsynced<F::File>>,
    /// Held by whoever syncs: of two, one would count what the other still waits for. The files
    /// that are synced are in it.
    turn: Mutex<Vec<Arc<F::File>>>,
    /// As [`Lane`] has them.
    is_durable: AtomicBool,
    failures: AtomicU64,
}

struct Unsynced<File> {
    current: Option<Arc<File>>,
    /// Files that the writer has left.
    left: Vec<Arc<File>>,
    /// Whether files were created or removed.
    dir: bool,
    /// Why a sync failed, for the writer.
    error: Option<io::Error>,
}

impl<F: Files> Shared<F> {
    pub(crate) fn new(files: F, dir: PathBuf) -> Self {
        let unsynced = Unsynced { current: None, left: Vec::new(), dir: false, error: None };
        Self {
            files,
            dir,
            written: AtomicU64::new(0),
            synced: AtomicU64::new(0),
            unsynced: Mutex::new(unsynced),
            turn: Mutex::default(),
            is_durable: AtomicBool::new(true),
            failures: AtomicU64::new(0),
        }
    }

    /// The writer goes on in another file, or in none.
    pub(crate) fn go_on_in(&self, file: Option<Arc<F::File>>) {
        let mut unsynced = self.unsynced();
        let left = std::mem::replace(&mut unsynced.current, file);
        unsynced.left.extend(left);
        unsynced.dir = true;
    }

    /// How many files wait for a sync that the writer has left.
    pub(crate) fn left(&self) -> usize {
        self.unsynced().left.len()
    }

    /// The writer has written something.
    pub(crate) fn wrote(&self) {
        self.written.fetch_add(1, Ordering::AcqRel);
    }

    /// The writer has removed a file.
    pub(crate) fn removed(&self) {
        self.unsynced().dir = true;
        self.wrote();
    }

    /// All that was written so far is safe.
    pub(crate) fn all_is_synced(&self) {
        self.synced.store(self.written(), Ordering::Release);
    }

    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    pub(crate) fn synced(&self) -> u64 {
        self.synced.load(Ordering::Acquire)
    }

    /// The writer begins anew: what was written is not to be relied on.
    pub(crate) fn has_failed(&self) {
        self.failures.fetch_add(1, Ordering::AcqRel);
        self.is_durable.store(false, Ordering::Release);
    }

    /// The writer has written all there is.
    pub(crate) fn is_mended(&self) {
        self.is_durable.store(true, Ordering::Release);
    }

    pub(crate) fn take_error(&self) -> Option<io::Error> {
        self.unsynced().error.take()
    }

    /// Waits until all that was written before is safe from a power loss; says whether there was
    /// anything to do. After an error it does nothing until the writer has heard of it.
    pub(crate) fn sync(&self) -> io::Result<bool> {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the files are looked at: what is counted here is in one of them.
        let written = self.written();
        if written == self.synced() {
            return Ok(false);
        }
        let dir = {
            let mut unsynced = self.unsynced();
            if let Some(error) = &unsynced.error {
                return Err(copy(error));
            }
            turn.append(&mut unsynced.left);
            turn.extend(unsynced.current.clone());
            std::mem::take(&mut unsynced.dir)
        };
        let synced = turn.iter().try_for_each(|file| file.sync());
        turn.clear();
        // Files first: an entry that outlives a power loss leads to a file that does.
        let synced = synced.and_then(|()| if dir { self.files.sync_dir(&self.dir) } else { Ok(()) });
        match synced {
            Ok(()) => {
                self.synced.fetch_max(written, Ordering::AcqRel);
                Ok(true)
            }
            // What could not be synced once may seem to be the next time and is lost all the same.
            // So nothing is tried again: the writer begins a new segment.
            Err(error) => {
                let mut unsynced = self.unsynced();
                unsynced.dir |= dir;
                unsynced.error = Some(copy(&error));
                Err(error)
            }
        }
    }

    fn unsynced(&self) -> MutexGuard<'_, Unsynced<F::File>> {
        // Nothing that holds it can leave it half changed.
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Files> Lane for Shared<F> {
    fn sync(&self) -> io::Result<bool> {
        self.sync()
    }

    fn is_durable(&self) -> bool {
        self.is_durable.load(Ordering::Acquire)
    }

    fn failures(&self) -> u64 {
        self.failures.load(Ordering::Acquire)
    }
}

fn copy(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

/// Syncs what one journal has written, on another thread than the journal's.
pub struct Syncer<F: Files>(pub(crate) Arc<Shared<F>>);

impl<F: Files> Syncer<F> {
    /// Waits until all that was committed before is safe from a power loss; says whether there was
    /// anything to do. The writer goes on meanwhile. It hears of an error at its next commit, and
    /// until its journal is [`Durable`](crate::Health::Durable) again, what it said before is not
    /// all safe.
    pub fn sync(&self) -> io::Result<bool> {
        self.0.sync()
    }
}

impl<F: Files> Clone for Syncer<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F: Files> std::fmt::Debug for Syncer<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Syncer").field(&self.0.dir).finish()
    }
}

/// A thread that syncs, until this is dropped. It then syncs a last time.
#[derive(Debug)]
pub struct Background {
    /// Dropped first, which ends the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Syncs for all `syncers`, once in each `interval`.
    pub fn start<F: Files>(syncers: Vec<Syncer<F>>, interval: Duration) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let run = move || {
            loop {
                let is_last = stopped.recv_timeout(interval) != Err(RecvTimeoutError::Timeout);
                for syncer in &syncers {
                    // The writer hears of an error and is the one to tell it.
                    let _ = syncer.sync();
                }
                if is_last {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().name("journal-sync".to_owned()).spawn(run)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It panicked if this fails, and there is nothing to be done about that here.
            let _ = thread.join();
        }
    }
}

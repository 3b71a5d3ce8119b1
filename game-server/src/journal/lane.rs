//! One thread's log: a worker's, with all its matches in it.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc::Sender;

use tickwire_journal::{Commit, Disk, Epoch, Files, Health, Journal, Options, StreamKey, Syncer};
use tickwire_protocol::MatchId;

use super::attempt::{self, Attempt};
use crate::metrics;

/// So many checkpoints of matches that sleep are carried on in one go, so that older files can be
/// deleted.
const CARRIED_MAX: usize = 16;

/// How lanes are opened, for the threads that do it.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Of every lane.
    pub options: Options,
    /// Of this process's life.
    pub epoch: Epoch,
    /// Milliseconds from one checkpoint of a match to the next.
    pub checkpoint_ms: u64,
    /// Takes what syncs a lane on another thread, from each lane that is opened.
    pub syncers: Sender<Syncer<Disk>>,
}

/// One thread's log. Cheap to clone; stays on its thread.
#[derive(Clone)]
pub struct Lane {
    writer: Rc<RefCell<Writer>>,
    checkpoint_ms: u64,
    /// Says which match is being brought back.
    attempt: Rc<Path>,
}

struct Writer {
    journal: Box<dyn Log>,
    is_degraded: bool,
}

/// A [`Journal`], wherever its files are.
pub trait Log {
    /// [`Journal::append`].
    fn append(&mut self, key: StreamKey, record: &[u8]);
    /// [`Journal::checkpoint`].
    fn checkpoint(&mut self, key: StreamKey, state: &[u8]);
    /// [`Journal::end`].
    fn end(&mut self, key: StreamKey);
    /// [`Journal::commit`].
    fn commit(&mut self) -> Commit;
    /// [`Journal::tidy`].
    fn tidy(&mut self, carried_max: usize);
    /// [`Journal::wants_checkpoint`].
    fn wants_checkpoint(&self, key: StreamKey) -> bool;
    /// [`Journal::health`].
    fn health(&self) -> Health<'_>;
}

impl<F: Files> Log for Journal<F> {
    fn append(&mut self, key: StreamKey, record: &[u8]) {
        self.append(key, record);
    }

    fn checkpoint(&mut self, key: StreamKey, state: &[u8]) {
        self.checkpoint(key, state);
    }

    fn end(&mut self, key: StreamKey) {
        self.end(key);
    }

    fn commit(&mut self) -> Commit {
        self.commit()
    }

    fn tidy(&mut self, carried_max: usize) {
        self.tidy(carried_max);
    }

    fn wants_checkpoint(&self, key: StreamKey) -> bool {
        self.wants_checkpoint(key)
    }

    fn health(&self) -> Health<'_> {
        self.health()
    }
}

impl Lane {
    /// The log of lane `number`. A disk that cannot be written costs durability.
    pub fn open(opening: &Opening, number: u16) -> Self {
        let journal = Journal::open(Disk, opening.options.clone(), opening.epoch.clone(), number);
        // Nobody takes it where nothing is synced in time.
        let _ = opening.syncers.send(journal.syncer());
        let attempt = attempt::file(&opening.options.dir, number);
        Self::over(journal, opening.checkpoint_ms, &attempt)
    }

    /// A log that writes to `journal`, a checkpoint of each match every `checkpoint_ms`
    /// milliseconds. Which match is being brought back is written to the file `attempt`.
    pub fn over(journal: impl Log + 'static, checkpoint_ms: u64, attempt: &Path) -> Self {
        let writer = Writer { journal: Box::new(journal), is_degraded: false };
        Self { writer: Rc::new(RefCell::new(writer)), checkpoint_ms, attempt: attempt.into() }
    }

    /// Milliseconds from one checkpoint of a match to the next.
    pub(super) fn checkpoint_ms(&self) -> u64 {
        self.checkpoint_ms
    }

    /// Match `id` is being brought back, the `nth` time in a row, until this is dropped. Where that
    /// ends the process, the next one knows.
    pub fn attempt(&self, id: MatchId, nth: u8) -> Attempt {
        Attempt::begin(&self.attempt, id, nth)
    }

    /// These matches are over.
    pub fn end_all(&self, ids: &[MatchId]) {
        self.write(|journal| ids.iter().for_each(|id| journal.end(StreamKey(id.0))));
    }

    /// Carries on what sleeps and deletes files that nobody needs. To be called now and then.
    pub fn tidy(&self) {
        let mut writer = self.writer.borrow_mut();
        writer.journal.tidy(CARRIED_MAX);
        writer.commit();
    }

    /// Does something with the journal, which is written after that.
    pub(super) fn write<T>(&self, work: impl FnOnce(&mut dyn Log) -> T) -> T {
        let mut writer = self.writer.borrow_mut();
        let done = work(&mut *writer.journal);
        writer.commit();
        done
    }

    /// Does something with the journal, which is written with the next thing that is.
    pub(super) fn note<T>(&self, work: impl FnOnce(&mut dyn Log) -> T) -> T {
        work(&mut *self.writer.borrow_mut().journal)
    }
}

impl Writer {
    fn commit(&mut self) {
        self.journal.commit();
        match self.journal.health() {
            Health::Durable if self.is_degraded => {
                self.is_degraded = false;
                metrics::journal_recovered();
                tracing::info!("the journal is written again: matches outlive the process");
            }
            Health::Degraded { error, .. } if !self.is_degraded => {
                self.is_degraded = true;
                metrics::journal_degraded();
                tracing::error!(%error, "the journal cannot be written: play goes on, but matches would end with the process. Is the disk full?");
            }
            _ => {}
        }
    }
}

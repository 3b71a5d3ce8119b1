//! One thread's log: a worker's, with all its matches in it.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc::Sender;

use tickwire_journal::{Disk, Epoch, Health, Journal, Options, StreamKey, Syncer};
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
    journal: Journal<Disk>,
    is_degraded: bool,
}

impl Lane {
    /// The log of lane `number`. A disk that cannot be written costs durability.
    pub fn open(opening: &Opening, number: u16) -> Self {
        let journal = Journal::open(Disk, opening.options.clone(), opening.epoch.clone(), number);
        // Nobody takes it where nothing is synced in time.
        let _ = opening.syncers.send(journal.syncer());
        Self {
            writer: Rc::new(RefCell::new(Writer { journal, is_degraded: false })),
            checkpoint_ms: opening.checkpoint_ms,
            attempt: attempt::file(&opening.options.dir, number).into(),
        }
    }

    /// Milliseconds from one checkpoint of a match to the next.
    pub(super) fn checkpoint_ms(&self) -> u64 {
        self.checkpoint_ms
    }

    /// Match `id` is being brought back, the `nth` time in a row, until this is dropped. Where that ends the process, the next
    /// one knows.
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
    pub(super) fn write<T>(&self, work: impl FnOnce(&mut Journal<Disk>) -> T) -> T {
        let mut writer = self.writer.borrow_mut();
        let done = work(&mut writer.journal);
        writer.commit();
        done
    }

    /// Does something with the journal, which is written with the next thing that is.
    pub(super) fn note<T>(&self, work: impl FnOnce(&mut Journal<Disk>) -> T) -> T {
        work(&mut self.writer.borrow_mut().journal)
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

//! What a process finds when it starts, and what becomes of it.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tickwire_journal::{self as journal, Background, Disk, Lock, LockError, NotRetired, Options, Recovered, Stream, Syncer};
use tickwire_protocol::MatchId;
use tickwire_protocol::hash::Fnv;

use super::attempt::{self, ATTEMPTS_MAX};
use super::lane::Opening;
use super::notes::{NOTES, NoteKeeper};
use super::record::{self, Identity};
use crate::clock;
use crate::config::{Durability, JournalConfig};

/// How often the disk is waited for where a second may be lost.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// When it is tried again to delete what former processes wrote.
const RETIRE_AGAIN: Duration = Duration::from_secs(5);

/// The folder's matches, before they go on.
pub struct Recovery {
    /// How lanes are opened.
    pub opening: Opening,
    /// What was kept, not yet replayed.
    pub matches: Vec<Revival>,
    /// What the gateway has noted, in order.
    pub notes: Vec<Vec<u8>>,
    /// Those that nobody tries to bring back, and why.
    pub lost: Vec<(MatchId, Loss)>,
    /// What goes on beside the lanes.
    pub upkeep: Upkeep,
    /// What former processes wrote.
    pub remains: Remains,
}

/// What goes on while the process lives: the folder is this server's, and is synced once a second
/// if that is what the operator wants.
#[derive(Debug)]
pub struct Upkeep {
    /// Writes until it is dropped.
    notes: Option<NoteKeeper>,
    /// Tries until it is dropped.
    retiring: Option<Retiring>,
    /// Before the folder is given free: it syncs a last time.
    syncs: Option<Background>,
    _lock: Lock,
    syncers: Option<Receiver<Syncer<Disk>>>,
}

impl Upkeep {
    /// Keeps this, too.
    pub fn keep(&mut self, notes: NoteKeeper) {
        self.notes = Some(notes);
    }

    /// So many lanes have been opened, or will be at once: syncs them from now on.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub fn begin(&mut self, lanes: usize) -> io::Result<()> {
        if let Some(syncers) = self.syncers.take() {
            self.syncs = Some(Background::start(syncers.iter().take(lanes).collect(), SYNC_EVERY)?);
        }
        Ok(())
    }
}

/// What former processes wrote, which is needed until every match goes on in this one.
pub struct Remains {
    options: Options,
    recovered: Recovered,
}

/// A match that is to go on.
#[derive(Clone, Debug)]
pub struct Revival {
    /// The match.
    pub id: MatchId,
    /// What it is.
    pub identity: Identity,
    /// Its core at the newest checkpoint.
    pub core: Bytes,
    /// What happened since, in order.
    pub records: Vec<Vec<u8>>,
    /// The how-manieth attempt in a row this is, from 1: the others ended with their process.
    pub attempt: u8,
}

impl Revival {
    /// Takes what match `id` needs to go on out of its `stream`. So many `attempts` in a row have
    /// ended with their process.
    ///
    /// # Errors
    /// If another version wrote it, or if there were too many attempts.
    pub fn read(id: MatchId, stream: &mut Stream, attempts: u8) -> Result<Self, Hopeless> {
        if attempts >= ATTEMPTS_MAX {
            return Err(Hopeless::Poisonous(attempts));
        }
        let checkpoint = Bytes::from(std::mem::take(&mut stream.checkpoint));
        let records = std::mem::take(&mut stream.records);
        let (identity, core) = record::read_checkpoint(&checkpoint)?;
        Ok(Self { id, identity, core: checkpoint.slice_ref(core), records, attempt: attempts + 1 })
    }

    /// How long ago the match was created.
    pub fn age(&self) -> Duration {
        clock::unix().saturating_sub(Duration::from_secs(self.identity.created))
    }
}

/// Why a match was not brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// This build cannot go on with it.
    Changed,
    /// Bringing it back failed, or was not tried again.
    Failed,
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// It is another process's, or cannot be created.
    #[error("matches cannot be kept: {0}. --state-dir names another folder, --no-journal does without")]
    Locked(#[from] LockError),
    /// What is in it cannot be read.
    #[error("what is kept of matches in {} cannot be read: {error}. --state-dir names another folder, --no-journal does without", dir.display())]
    Unreadable {
        /// The folder.
        dir: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl Recovery {
    /// Reads what is kept. `None` if nothing is to be.
    ///
    /// # Errors
    /// If the folder cannot be read, or another server uses it.
    pub fn read(config: &JournalConfig) -> Result<Option<Self>, RecoveryError> {
        if config.is_on() { Self::of_dir(config).map(Some) } else { Ok(None) }
    }

    fn of_dir(config: &JournalConfig) -> Result<Self, RecoveryError> {
        let lock = journal::lock(&config.dir)?;
        let unreadable = |error| RecoveryError::Unreadable { dir: config.dir.clone(), error };
        let mut recovered = journal::recover(&Disk, &config.dir).map_err(unreadable)?;
        for problem in &recovered.problems {
            tracing::warn!(%problem, "a file of the journal is damaged or cut short: what came before that counts");
        }
        let durability = match config.durability {
            Durability::Process => journal::Durability::Process,
            Durability::Second => journal::Durability::Second,
            Durability::Tick => journal::Durability::Tick,
        };
        let options = Options { dir: config.dir.clone(), durability, segment_bytes: config.segment_bytes, build: build() };
        let (sender, syncers) = mpsc::channel();
        let syncers = (durability == journal::Durability::Second).then_some(syncers);
        let upkeep = Upkeep { notes: None, retiring: None, syncs: None, _lock: lock, syncers };
        let (epoch, checkpoint_ms) = (recovered.epoch.clone(), config.checkpoint_ms);
        let opening = Opening { options, epoch, checkpoint_ms, syncers: sender };
        let attempts = attempt::take_all(&config.dir);
        let mut matches = Vec::new();
        let mut lost = Vec::new();
        let mut notes = Vec::new();
        let (mut others, build) = (0, opening.options.build);
        for (key, stream) in &mut recovered.streams {
            if *key == NOTES {
                notes.push(std::mem::take(&mut stream.checkpoint));
                notes.append(&mut stream.records);
                continue;
            }
            others += usize::from(stream.checkpoint_build != build);
            let id = MatchId(key.0);
            match Revival::read(id, stream, attempts.get(&id).copied().unwrap_or_default()) {
                Ok(revival) => matches.push(revival),
                Err(error) => {
                    tracing::error!(match_id = %id, %error, "a match cannot go on");
                    lost.push((id, error.loss()));
                }
            }
        }
        if others > 0 {
            tracing::info!(matches = others, "another build wrote these: they go on as far as this one comes to the same");
        }
        let remains = Remains { options: opening.options.clone(), recovered };
        Ok(Self { opening, matches, notes, lost, upkeep, remains })
    }
}

impl Remains {
    /// Every match goes on in this process, or was given up: deletes what former ones wrote. Where
    /// that does not work now it is tried again.
    pub fn retire(self, upkeep: &mut Upkeep) {
        let Err(error) = self.try_retire() else { return };
        tracing::warn!(%error, "files of the former process stay for now: they take room and do no harm");
        upkeep.retiring = Retiring::begin(self);
    }

    fn try_retire(&self) -> Result<(), NotRetired> {
        journal::retire(&Disk, &self.options, &self.recovered)
    }
}

/// Tries to delete what former processes wrote until it is gone, or this is dropped.
#[derive(Debug)]
struct Retiring {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Retiring {
    fn begin(remains: Remains) -> Option<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new().name("retire".to_owned()).spawn(move || {
            while stopped.recv_timeout(RETIRE_AGAIN) == Err(RecvTimeoutError::Timeout) {
                if remains.try_retire().is_ok() {
                    tracing::info!("files of the former process are deleted");
                    return;
                }
            }
        });
        // Without a thread the next process deletes them.
        thread.ok().map(|thread| Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Retiring {
    fn drop(&mut self) {
        drop(self.stop.take());
        // It has nothing to say.
        self.thread.take().map(JoinHandle::join);
    }
}

/// Why nobody tries to bring a match back.
#[derive(Debug, thiserror::Error)]
pub enum Hopeless {
    /// It was written in another way.
    #[error(transparent)]
    Unreadable(#[from] record::Unreadable),
    /// Bringing it back has ended so many processes.
    #[error("{0} processes in a row have ended while they brought it back. Please report it")]
    Poisonous(u8),
}

impl Hopeless {
    fn loss(&self) -> Loss {
        match self {
            Self::Unreadable(_) => Loss::Changed,
            Self::Poisonous(_) => Loss::Failed,
        }
    }
}

/// Tells builds apart, for the log: by the version, and by the size and time of the program's file.
/// To read all of it would take longer than to bring matches back. 0 if it cannot be looked at.
fn build() -> u64 {
    let program = std::env::current_exe().and_then(std::fs::metadata);
    let Ok((length, changed)) = program.and_then(|program| Ok((program.len(), program.modified()?))) else { return 0 };
    let changed = changed.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut hash = Fnv::new();
    hash.text(env!("CARGO_PKG_VERSION"));
    for number in [length, changed.as_secs(), u64::from(changed.subsec_nanos())] {
        hash.word(number as u32);
        hash.word((number >> 32) as u32);
    }
    hash.finish()
}

//! What a process finds when it starts, and what becomes of it.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use tickwire_journal::{self as journal, Background, Disk, Lock, LockError, Options, Recovered, Stream, Syncer};
use tickwire_protocol::MatchId;
use tickwire_protocol::schema::Fnv;

use super::attempt::{self, ATTEMPTS_MAX};
use super::lane::Opening;
use super::record::{self, Identity};
use crate::clock;
use crate::config::{Durability, JournalConfig};

/// How often the disk is waited for where a second may be lost.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// The folder's matches, before they go on.
pub struct Recovery {
    /// How lanes are opened.
    pub opening: Opening,
    /// What was kept, not yet replayed.
    pub matches: Vec<Revival>,
    /// Those that nobody tries to bring back.
    pub lost: Vec<MatchId>,
    /// What goes on beside the lanes.
    pub upkeep: Upkeep,
    /// What former processes wrote.
    pub remains: Remains,
}

/// What goes on while the process lives: the folder is this server's, and is synced once a second
/// if that is what the operator wants.
#[derive(Debug)]
pub struct Upkeep {
    /// Before the folder is given free: it syncs a last time.
    syncs: Option<Background>,
    _lock: Lock,
    syncers: Option<Receiver<Syncer<Disk>>>,
}

impl Upkeep {
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
    pub core: Vec<u8>,
    /// What happened since, in order.
    pub records: Vec<Vec<u8>>,
    /// The how-manieth attempt in a row this is, from 1: the others ended with their process.
    pub attempt: u8,
}

impl Revival {
    /// How long ago the match was created.
    pub fn age(&self) -> Duration {
        clock::unix().saturating_sub(Duration::from_secs(self.identity.created))
    }
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
        let upkeep = Upkeep { syncs: None, _lock: lock, syncers };
        let (epoch, checkpoint_ms) = (recovered.epoch.clone(), config.checkpoint_ms);
        let opening = Opening { options, epoch, checkpoint_ms, syncers: sender };
        let attempts = attempt::take_all(&config.dir);
        let mut matches = Vec::new();
        let mut lost = Vec::new();
        for (key, stream) in &mut recovered.streams {
            let id = MatchId(key.0);
            match revival(id, stream, attempts.get(&id).copied().unwrap_or_default()) {
                Ok(revival) => matches.push(revival),
                Err(error) => {
                    tracing::error!(match_id = %id, %error, "a match cannot go on");
                    lost.push(id);
                }
            }
        }
        let remains = Remains { options: opening.options.clone(), recovered };
        Ok(Self { opening, matches, lost, upkeep, remains })
    }
}

impl Remains {
    /// Every match goes on in this process, or was given up: deletes what former ones wrote.
    pub fn retire(&self) {
        if let Err(error) = journal::retire(&Disk, &self.options, &self.recovered) {
            tracing::warn!(%error, "files of the former process stay: they take room and do no harm");
        }
    }
}

/// Takes out of `stream` what a match needs to go on.
fn revival(id: MatchId, stream: &mut Stream, attempts: u8) -> Result<Revival, Hopeless> {
    if attempts >= ATTEMPTS_MAX {
        return Err(Hopeless::Poisonous(attempts));
    }
    let checkpoint = std::mem::take(&mut stream.checkpoint);
    let records = std::mem::take(&mut stream.records);
    let (identity, core) = record::read_checkpoint(&checkpoint)?;
    Ok(Revival { id, identity, core: core.to_vec(), records, attempt: attempts + 1 })
}

/// Why nobody tries to bring a match back.
#[derive(Debug, thiserror::Error)]
enum Hopeless {
    #[error(transparent)]
    Unreadable(#[from] record::Unreadable),
    #[error("{0} processes in a row have ended while they brought it back. Please report it")]
    Poisonous(u8),
}

/// Tells builds apart, for the log: a match goes on under another build if it comes to the same
/// hashes.
fn build() -> u64 {
    let mut hash = Fnv::new();
    hash.text(env!("CARGO_PKG_VERSION"));
    hash.finish()
}

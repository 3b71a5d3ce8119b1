//! What is kept of matches on disk, so that they outlive the process.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::{ConfigError, demand};

/// What is kept of matches on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JournalConfig {
    /// Whether anything is kept, if there is a folder.
    pub enabled: bool,
    /// The folder, of this server alone. `tickwire` chooses one if none is given; a library keeps
    /// nothing then.
    pub dir: PathBuf,
    /// What survives when the machine loses power. When only the process dies, every tick does.
    pub durability: Durability,
    /// Milliseconds from one checkpoint of a match to the next.
    pub checkpoint_ms: u64,
    /// Bytes of a journal file, after which the next one is begun.
    pub segment_bytes: u64,
}

/// When what is written reaches the disk itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// When the operating system sees fit: a match outlives its process, not its machine.
    Process,
    /// Every second.
    Second,
    /// Before anybody sees the tick.
    Tick,
}

impl Durability {
    /// As it is written in the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Second => "second",
            Self::Tick => "tick",
        }
    }
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self { enabled: true, dir: PathBuf::new(), durability: Durability::Process, checkpoint_ms: 1_000, segment_bytes: 16 << 20 }
    }
}

impl JournalConfig {
    /// Whether matches are kept.
    pub fn is_on(&self) -> bool {
        self.enabled && !self.dir.as_os_str().is_empty()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let (checkpoints, segments) = (100..=60_000, 1 << 20..=1 << 30);
        demand(checkpoints.contains(&self.checkpoint_ms), "journal.checkpoint_ms", "must be 100 to 60000")?;
        demand(segments.contains(&self.segment_bytes), "journal.segment_bytes", "must be 1 MiB to 1 GiB")
    }
}

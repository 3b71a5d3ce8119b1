//! What the operator chooses.

use std::path::PathBuf;

/// What a commit outlives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process, however it comes. After a power loss there may be nothing.
    #[default]
    Process,
    /// Also a power loss, from the next sync on: a thread of its own syncs once a second.
    Second,
    /// Also a power loss, at once: each commit waits for the disk.
    Tick,
}

/// How a process keeps its journals.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the segments are. One process at a time may use it: see [`lock`](crate::lock()).
    pub dir: PathBuf,
    /// What a commit outlives.
    pub durability: Durability,
    /// A segment that has at least this many bytes is followed by the next.
    pub segment_bytes: u64,
    /// Which build writes. Recovery hands it back with every checkpoint.
    pub build: u64,
}

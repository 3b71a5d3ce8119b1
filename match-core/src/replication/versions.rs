//! What one stream of snapshots keeps: the newest, and the older ones that clients are based on.
//!
//! Invariants: versions are ordered by tick; one that no client was found to be based on is
//! forgotten at the end of a tick; the tick of a kept snapshot is the last one at which it was
//! true.

use tickwire_protocol::limits::BASELINE_AGE_MAX;
use tickwire_protocol::{Snapshot, Tick};

/// Most older versions. Clients with one that was forgotten get a keyframe.
pub(super) const OLDER_MAX: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Versions {
    newest: Option<Version>,
    older: Vec<Version>,
}

#[derive(Debug)]
struct Version {
    /// The first tick at which it was true. Names the version.
    since: Tick,
    snapshot: Snapshot,
    /// The tick at which some client was last found to be based on it.
    kept: Option<Tick>,
}

impl Versions {
    pub(super) fn newest(&self) -> Option<&Snapshot> {
        self.newest.as_ref().map(|version| &version.snapshot)
    }

    /// Names the newest version.
    pub(super) fn since(&self) -> Option<Tick> {
        self.newest.as_ref().map(|version| version.since)
    }

    /// The newest version is still true at `tick`.
    pub(super) fn confirm(&mut self, tick: Tick) {
        if let Some(newest) = &mut self.newest {
            newest.snapshot.tick = tick;
        }
    }

    /// `snapshot` is the newest version from its tick on.
    pub(super) fn push(&mut self, snapshot: Snapshot) {
        let since = snapshot.tick;
        self.older.extend(self.newest.replace(Version { since, snapshot, kept: None }));
    }

    /// What a delta from the version of `since` starts from; `None` if it must be a keyframe.
    pub(super) fn base(&self, since: Tick) -> Option<&Snapshot> {
        let newest = self.newest()?.tick;
        let base = self.older.get(self.place_of(since)?).map(|version| &version.snapshot)?;
        (1..=BASELINE_AGE_MAX as i32).contains(&newest.since(base.tick)).then_some(base)
    }

    /// Some client is based on the version of `since` at `now`.
    pub(super) fn keep(&mut self, since: Tick, now: Tick) {
        if let Some(version) = self.place_of(since).and_then(|place| self.older.get_mut(place)) {
            version.kept = Some(now);
        }
    }

    /// Where the older version of `since` is.
    fn place_of(&self, since: Tick) -> Option<usize> {
        let place = self.older.partition_point(|version| version.since.since(since) < 0);
        self.older.get(place).filter(|version| version.since == since).map(|_| place)
    }

    /// Forgets what nobody was found to be based on at `now`; `recycle` gets the buffers.
    pub(super) fn sweep(&mut self, now: Tick, recycle: impl FnMut(Snapshot)) {
        let surplus = self.older.len().saturating_sub(OLDER_MAX);
        let mut place = 0;
        let forgotten = self.older.extract_if(.., |version| {
            place += 1;
            place <= surplus || version.kept != Some(now)
        });
        forgotten.map(|version| version.snapshot).for_each(recycle);
    }

    /// Forgets everything; `recycle` gets the buffers.
    pub(super) fn clear(&mut self, recycle: impl FnMut(Snapshot)) {
        self.newest.take().into_iter().chain(self.older.drain(..)).map(|version| version.snapshot).for_each(recycle);
    }

    #[cfg(test)]
    pub(super) fn older_count(&self) -> usize {
        self.older.len()
    }
}

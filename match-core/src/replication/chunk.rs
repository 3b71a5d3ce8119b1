//! The rows of one cell and group: their versions, and the newest one's encodings, shared by all
//! who see it.

use std::ops::Range;

use tickwire_protocol::messages::chunks::put_news;
use tickwire_protocol::{Snapshot, Tick};

use super::encoder::Encoder;
use super::versions::Versions;

/// Cleared snapshots, to be used again.
pub(super) struct SnapshotPool {
    empty: Snapshot,
    spare: Vec<Snapshot>,
}

impl SnapshotPool {
    pub(super) fn new(empty: Snapshot) -> Self {
        Self { empty, spare: Vec::new() }
    }

    fn take(&mut self) -> Snapshot {
        self.spare.pop().unwrap_or_else(|| self.empty.clone())
    }

    pub(super) fn put(&mut self, mut snapshot: Snapshot) {
        snapshot.clear();
        self.spare.push(snapshot);
    }

    /// Gives up what is beyond `count`.
    pub(super) fn limit(&mut self, count: usize) {
        self.spare.truncate(count);
    }
}

#[derive(Default)]
pub(super) struct Chunk {
    /// None while there are no rows.
    versions: Versions,
    /// The rows of the tick being captured.
    next: Option<Snapshot>,
    /// What the newest version is in this tick's bytes, by the version it is a delta from.
    encoded: Vec<(Option<Tick>, Range<usize>)>,
    /// Of the newest version.
    hash: Option<u64>,
}

impl Chunk {
    /// Adds row `row` of table `table` of `view`, whose ids rise from call to call.
    pub(super) fn gather(&mut self, view: &Snapshot, table: usize, row: usize, pool: &mut SnapshotPool) {
        let next = self.next.get_or_insert_with(|| pool.take());
        if let (Some(mine), Some(source)) = (next.table_mut(table), view.table(table)) {
            mine.push_from(source, row);
        }
    }

    /// The rows gathered are those of `tick`.
    pub(super) fn advance(&mut self, tick: Tick, pool: &mut SnapshotPool) {
        self.encoded.clear();
        let Some(mut next) = self.next.take() else { return self.clear(pool) };
        if self.versions.newest().is_some_and(|newest| newest.has_rows_of(&next)) {
            self.versions.confirm(tick);
            pool.put(next);
            return;
        }
        next.tick = tick;
        self.versions.push(next);
        self.hash = None;
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self, pool: &mut SnapshotPool) {
        self.versions.clear(|snapshot| pool.put(snapshot));
        if let Some(next) = self.next.take() {
            pool.put(next);
        }
        self.encoded.clear();
        self.hash = None;
    }

    /// Names the newest version; `None` if there are no rows.
    pub(super) fn since(&self) -> Option<Tick> {
        self.versions.since()
    }

    /// Hash of the newest version.
    pub(super) fn hash(&mut self) -> u64 {
        *self.hash.get_or_insert_with(|| self.versions.newest().map_or(0, Snapshot::rows_hash))
    }

    /// Where in `bytes` the newest version stands, for those who have the version of `since`.
    /// Encodes it if it is the first time this tick.
    pub(super) fn news(&mut self, since: Option<Tick>, encoder: &mut Encoder, bytes: &mut Vec<u8>) -> Range<usize> {
        let known = |key: Option<Tick>| self.encoded.iter().find(|(from, _)| *from == key).map(|(_, range)| range.clone());
        if let Some(range) = known(since) {
            return range;
        }
        let base = since.and_then(|since| self.versions.base(since));
        let key = since.filter(|_| base.is_some());
        if key.is_none()
            && let Some(range) = known(None)
        {
            return range;
        }
        let start = bytes.len();
        if let Some(newest) = self.versions.newest() {
            let advance = base.map(|base| newest.tick.since(base.tick) as u8);
            if let Some(body) = encoder.encode(base, newest) {
                put_news(advance, body, bytes);
            }
        }
        self.encoded.push((key, start..bytes.len()));
        start..bytes.len()
    }

    /// Some client has the version of `since` at `now`.
    pub(super) fn keep(&mut self, since: Tick, now: Tick) {
        self.versions.keep(since, now);
    }

    /// Forgets the versions that nobody was found to have at `now`.
    pub(super) fn sweep(&mut self, now: Tick, pool: &mut SnapshotPool) {
        self.versions.sweep(now, |snapshot| pool.put(snapshot));
    }
}

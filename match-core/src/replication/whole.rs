//! A stream of whole snapshots: every tick has one, and all who have kept up get the same bytes.
//!
//! Invariant: a delta is encoded once per baseline and tick, when the first client needs it.

use bytes::Bytes;
use tickwire_protocol::codec::encode_into;
use tickwire_protocol::messages::ServerMessageRef;
use tickwire_protocol::{Schema, Snapshot, Tick};

use super::encoder::Encoder;
use super::pool::Pool;
use super::versions::Versions;

/// Cleared snapshots kept for their buffers.
const SPARE_MAX: usize = 2;

pub(super) struct Whole {
    versions: Versions,
    spare: Vec<Snapshot>,
    /// Messages of the newest snapshot by baseline; a keyframe has none.
    encoded: Vec<(Option<Tick>, Bytes)>,
    /// What a message is written into, and what it is shared from.
    out: Vec<u8>,
    shared: Pool,
    empty: Snapshot,
    /// Every so many ticks a snapshot carries its hash; 0 for never.
    hash_every: u32,
}

impl Whole {
    pub(super) fn new(schema: &Schema, hash_every: u32) -> Self {
        Self {
            versions: Versions::default(),
            spare: Vec::new(),
            encoded: Vec::new(),
            out: Vec::new(),
            shared: Pool::default(),
            empty: Snapshot::empty(schema),
            hash_every,
        }
    }

    pub(super) fn newest(&self) -> Option<&Snapshot> {
        self.versions.newest()
    }

    /// The tick of the newest snapshot.
    pub(super) fn tick(&self) -> Option<Tick> {
        self.newest().map(|snapshot| snapshot.tick)
    }

    /// Makes the snapshot of `tick` with `fill`, which replaces all rows.
    pub(super) fn advance(&mut self, tick: Tick, fill: impl FnOnce(&mut Snapshot)) {
        let mut next = self.spare.pop().unwrap_or_else(|| self.empty.clone());
        next.tick = tick;
        fill(&mut next);
        debug_assert_eq!(next.tick, tick, "a snapshot is of the tick it was made for");
        self.versions.push(next);
        self.encoded.clear();
    }

    /// The newest snapshot as a message: a delta from `baseline`, or a keyframe if there is none or
    /// it was forgotten.
    pub(super) fn message(&mut self, baseline: Option<Tick>, encoder: &mut Encoder) -> Bytes {
        let Some(newest) = self.versions.newest() else { return Bytes::new() };
        let base = baseline.and_then(|baseline| self.versions.base(baseline));
        let key = base.map(|base| base.tick);
        if let Some((_, bytes)) = self.encoded.iter().find(|(from, _)| *from == key) {
            return bytes.clone();
        }
        let out = &mut self.out;
        out.clear();
        if let Some(body) = encoder.encode(base, newest) {
            let message = match base {
                Some(base) => ServerMessageRef::Delta { advance: newest.tick.since(base.tick) as u8, body },
                None => ServerMessageRef::Keyframe { tick: newest.tick, body },
            };
            encode_into(&message, out);
            if self.hash_every > 0 && newest.tick.0.is_multiple_of(self.hash_every) {
                encode_into(&ServerMessageRef::Check { tables: &newest.table_hashes() }, out);
            }
        }
        let bytes = self.shared.concat(&[out]);
        self.encoded.push((key, bytes.clone()));
        bytes
    }

    /// Some client has the snapshot of `baseline`.
    pub(super) fn keep(&mut self, baseline: Tick) {
        if let Some(now) = self.tick() {
            self.versions.keep(baseline, now);
        }
    }

    /// Forgets the snapshots that nobody was found to have this tick.
    pub(super) fn sweep(&mut self) {
        if let Some(now) = self.tick() {
            self.versions.sweep(now, |snapshot| self.spare.push(snapshot));
            self.spare.truncate(SPARE_MAX);
        }
    }

    #[cfg(test)]
    pub(super) fn older_count(&self) -> usize {
        self.versions.older_count()
    }
}

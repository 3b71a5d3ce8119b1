//! World to bytes: the snapshots that clients have as baselines, and the frames made from them.
//!
//! Invariants: a delta is encoded once per baseline and tick; every client that has kept up gets the same [`Bytes`]; a
//! snapshot is kept only while some client has it as its baseline.

use bytes::Bytes;
use tickwire_protocol::codec::encode_into;
use tickwire_protocol::delta::{self, Scratch};
use tickwire_protocol::limits::BASELINE_AGE_MAX;
use tickwire_protocol::messages::Body;
use tickwire_protocol::{Schema, ServerMessage, Snapshot, Tick};

/// Most snapshots kept for clients that have fallen behind. Those with an older one get a keyframe.
const OLDER_MAX: usize = 32;
/// Cleared snapshots kept for their buffers.
const SPARE_MAX: usize = 2;

/// The newest snapshot of one match, those that clients are still based on, and the newest one's frames.
pub struct History {
    empty: Snapshot,
    newest: Option<Snapshot>,
    /// Baselines of clients that have fallen behind, and during a tick the one before; ticks rise.
    older: Vec<Snapshot>,
    spare: Vec<Snapshot>,
    /// Snapshot messages of the newest tick by baseline; a keyframe has none.
    encoded: Vec<(Option<Tick>, Bytes)>,
    hash_every: u32,
    scratch: Scratch,
    body: Vec<u8>,
    /// A snapshot was too large for the wire: clients cannot follow this match any further.
    overflowed: bool,
}

/// What one tick sends to a client that has kept up, and its parts for one that has not.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The tick.
    pub tick: Tick,
    /// The tick before: the baseline of `shared`.
    pub previous: Option<Tick>,
    /// The tick's events, encoded; often empty.
    pub events: Bytes,
    /// Events and delta in one WebSocket message.
    pub shared: Bytes,
}

impl History {
    /// Empty. Every `hash_every`th snapshot carries its tables' hashes; 0 for never.
    pub fn new(schema: &Schema, hash_every: u32) -> Self {
        Self {
            empty: Snapshot::empty(schema),
            newest: None,
            older: Vec::new(),
            spare: Vec::new(),
            encoded: Vec::new(),
            hash_every,
            scratch: Scratch::default(),
            body: Vec::new(),
            overflowed: false,
        }
    }

    /// The newest snapshot.
    pub fn newest(&self) -> Option<&Snapshot> {
        self.newest.as_ref()
    }

    /// Whether a snapshot was too large for the wire: clients cannot follow the match any further.
    pub fn has_overflowed(&self) -> bool {
        self.overflowed
    }

    /// Makes the next snapshot with `fill`, which must set `tick`, and its frame.
    pub fn advance(&mut self, tick: Tick, events: Bytes, fill: impl FnOnce(&mut Snapshot)) -> Frame {
        let mut next = self.spare.pop().unwrap_or_else(|| self.empty.clone());
        fill(&mut next);
        debug_assert_eq!(next.tick, tick, "a snapshot is of the tick it was made for");
        let previous = self.newest.as_ref().map(|snapshot| snapshot.tick);
        self.older.extend(self.newest.replace(next));
        self.encoded.clear();
        let snapshot = self.snapshot_from(previous);
        let shared = if events.is_empty() { snapshot } else { [events.as_ref(), &snapshot].concat().into() };
        Frame { tick, previous, events, shared }
    }

    /// Forgets the snapshots that are no longer anybody's baseline. `in_use` are the baselines of all clients.
    pub fn keep_only(&mut self, in_use: &[Tick]) {
        let surplus = self.older.len().saturating_sub(OLDER_MAX);
        let forgotten = self.older.extract_if(.., |snapshot| !in_use.contains(&snapshot.tick));
        self.spare.extend(forgotten);
        self.older.drain(..surplus.min(self.older.len()));
        self.spare.truncate(SPARE_MAX);
    }

    /// The newest snapshot as a message: a delta from `baseline`, or a keyframe if there is none or it was forgotten.
    pub fn snapshot_from(&mut self, baseline: Option<Tick>) -> Bytes {
        let Some(newest) = self.newest.as_ref().map(|snapshot| snapshot.tick) else { return Bytes::new() };
        let baseline = baseline.filter(|baseline| {
            let age = newest.since(*baseline);
            (1..=BASELINE_AGE_MAX as i32).contains(&age) && self.older.iter().any(|snapshot| snapshot.tick == *baseline)
        });
        if let Some((_, bytes)) = self.encoded.iter().find(|(from, _)| *from == baseline) {
            return bytes.clone();
        }
        let bytes = self.encode(baseline);
        self.encoded.push((baseline, bytes.clone()));
        bytes
    }

    fn encode(&mut self, baseline: Option<Tick>) -> Bytes {
        let Some(next) = &self.newest else { return Bytes::new() };
        let newest = next.tick;
        let base = self.older.iter().find(|snapshot| Some(snapshot.tick) == baseline).unwrap_or(&self.empty);
        self.body.clear();
        delta::encode(base, next, &mut self.scratch, &mut self.body);
        let Some(body) = Body::new(std::mem::take(&mut self.body)) else {
            tracing::error!(tick = newest.0, "snapshot is too large for the wire: the game has too many entities");
            self.overflowed = true;
            return Bytes::new();
        };
        let message = match baseline {
            Some(baseline) => ServerMessage::Delta { advance: newest.since(baseline) as u8, body },
            None => ServerMessage::Keyframe { tick: newest, body },
        };
        let mut out = Vec::new();
        encode_into(&message, &mut out);
        if self.hash_every > 0 && newest.0.is_multiple_of(self.hash_every) {
            encode_into(&ServerMessage::Check { tables: next.table_hashes() }, &mut out);
        }
        if let ServerMessage::Delta { body, .. } | ServerMessage::Keyframe { body, .. } = message {
            self.body = body.into_inner();
        }
        out.into()
    }
}

#[cfg(test)]
mod tests {
    use tickwire_protocol::schema::{Columns, MatchState};
    use tickwire_protocol::{NetId, Replica};

    use super::*;

    const SCHEMA: Schema = Schema::new(&[MatchState::TABLE]);

    fn advance(history: &mut History, tick: u32) -> Frame {
        history.advance(Tick(tick), Bytes::new(), |snapshot| {
            snapshot.tick = Tick(tick);
            if let Some(table) = snapshot.table_mut(0) {
                table.clear();
                table.push(NetId(0), &[2, tick as i32]);
            }
        })
    }

    fn feed(replica: &mut Replica, mut bytes: &[u8]) -> Option<Tick> {
        while let Some(message) = ServerMessage::decode_next(&mut bytes) {
            replica.apply(&message.expect("well formed")).expect("applies");
        }
        replica.snapshot().map(|snapshot| snapshot.tick)
    }

    #[test]
    fn one_who_kept_up_one_who_fell_behind_and_one_who_was_forgotten_all_see_the_newest() {
        let mut history = History::new(&SCHEMA, 1);
        let [mut steady, mut slow, mut lost] = std::array::from_fn(|_| Replica::new(&SCHEMA));
        let first = advance(&mut history, 100).shared;
        for replica in [&mut steady, &mut slow, &mut lost] {
            feed(replica, &first);
        }
        for tick in 101..=180 {
            let frame = advance(&mut history, tick);
            assert_eq!(feed(&mut steady, &frame.shared), Some(Tick(tick)));
            if tick % 20 == 0 {
                let behind = slow.snapshot().map(|snapshot| snapshot.tick);
                let bytes = history.snapshot_from(behind);
                assert!(matches!(ServerMessage::decode_next(&mut &bytes[..]), Some(Ok(ServerMessage::Delta { advance: 20, .. }))));
                assert_eq!(feed(&mut slow, &bytes), Some(Tick(tick)));
            }
            let in_use: Vec<Tick> =
                [&steady, &slow].iter().filter_map(|replica| replica.snapshot()).map(|snapshot| snapshot.tick).collect();
            history.keep_only(&in_use);
            assert!(history.older.len() <= 1, "only the slow client's baseline is kept");
        }
        let bytes = history.snapshot_from(Some(Tick(100)));
        assert!(matches!(ServerMessage::decode_next(&mut &bytes[..]), Some(Ok(ServerMessage::Keyframe { .. }))));
        feed(&mut lost, &bytes);
        assert_eq!([&slow, &lost].map(|replica| replica.snapshot()), [steady.snapshot(); 2]);
    }

    #[test]
    fn what_is_kept_for_clients_that_fall_behind_is_bounded() {
        let mut history = History::new(&SCHEMA, 0);
        let all: Vec<Tick> = (1..200).map(Tick).collect();
        for tick in &all {
            advance(&mut history, tick.0);
            history.keep_only(&all);
        }
        assert_eq!(history.older.len(), OLDER_MAX);
    }

    #[test]
    fn a_baseline_is_encoded_once_per_tick() {
        let mut history = History::new(&SCHEMA, 0);
        advance(&mut history, 1);
        let frame = advance(&mut history, 2);
        assert_eq!(history.snapshot_from(Some(Tick(1))).as_ptr(), frame.shared.as_ptr(), "the same bytes, not equal ones");
    }
}

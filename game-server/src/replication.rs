//! World to bytes: the ring of recent snapshots, and the frames made from them.
//!
//! Invariant: a delta is encoded once per baseline and tick; every client that has kept up gets the same [`Bytes`].

use bytes::Bytes;
use tickwire_protocol::codec::encode_into;
use tickwire_protocol::delta::{self, Scratch};
use tickwire_protocol::limits::BASELINE_AGE_MAX;
use tickwire_protocol::messages::Body;
use tickwire_protocol::{Schema, ServerMessage, Snapshot, Tick};

/// Ticks a client may fall behind and still get a delta: about a second. Beyond that it gets a keyframe.
const RING_TICKS: u32 = 32;
const _: () = assert!(RING_TICKS <= BASELINE_AGE_MAX);

/// Recent snapshots of one match, and the frames of the newest.
pub struct History {
    empty: Snapshot,
    /// Snapshot of tick `t` at `t % RING_TICKS`.
    ring: Vec<Snapshot>,
    newest: Option<Tick>,
    oldest: Tick,
    /// Snapshot messages of the newest tick by baseline; a keyframe has none.
    encoded: Vec<(Option<Tick>, Bytes)>,
    hash_every: u32,
    scratch: Scratch,
    body: Vec<u8>,
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
    /// Empty. Every `hash_every`th snapshot carries its hash; 0 for never.
    pub fn new(schema: &Schema, hash_every: u32) -> Self {
        let empty = Snapshot::empty(schema);
        let ring = vec![empty.clone(); RING_TICKS as usize];
        Self { ring, empty, newest: None, oldest: Tick(0), encoded: Vec::new(), hash_every, scratch: Scratch::default(), body: Vec::new() }
    }

    /// The newest snapshot.
    pub fn newest(&self) -> Option<&Snapshot> {
        self.newest.and_then(|tick| self.slot(tick))
    }

    /// Makes the next snapshot with `fill`, which must set the tick after the newest, and its frame.
    pub fn advance(&mut self, tick: Tick, events: Bytes, fill: impl FnOnce(&mut Snapshot)) -> Frame {
        let previous = self.newest;
        if let Some(slot) = self.ring.get_mut((tick.0 % RING_TICKS) as usize) {
            fill(slot);
            debug_assert_eq!(slot.tick, tick, "a snapshot is of the tick it was made for");
        }
        match previous {
            None => self.oldest = tick,
            Some(_) if tick.since(self.oldest) >= RING_TICKS as i32 => self.oldest = self.oldest.next(),
            Some(_) => {}
        }
        self.newest = Some(tick);
        self.encoded.clear();
        let snapshot = self.snapshot_from(previous);
        let shared = if events.is_empty() { snapshot } else { [events.as_ref(), &snapshot].concat().into() };
        Frame { tick, previous, events, shared }
    }

    /// The newest snapshot as a message: a delta from `baseline`, or a keyframe if there is none or it has left the ring.
    pub fn snapshot_from(&mut self, baseline: Option<Tick>) -> Bytes {
        let Some(newest) = self.newest else { return Bytes::new() };
        let baseline = baseline.filter(|baseline| baseline.since(self.oldest) >= 0 && newest.since(*baseline) > 0);
        if let Some((_, bytes)) = self.encoded.iter().find(|(from, _)| *from == baseline) {
            return bytes.clone();
        }
        let bytes = self.encode(newest, baseline);
        self.encoded.push((baseline, bytes.clone()));
        bytes
    }

    fn encode(&mut self, newest: Tick, baseline: Option<Tick>) -> Bytes {
        let index = |tick: Tick| (tick.0 % RING_TICKS) as usize;
        let base = baseline.and_then(|tick| self.ring.get(index(tick))).unwrap_or(&self.empty);
        let Some(next) = self.ring.get(index(newest)) else { return Bytes::new() };
        self.body.clear();
        delta::encode(base, next, &mut self.scratch, &mut self.body);
        let Some(body) = Body::new(std::mem::take(&mut self.body)) else {
            tracing::error!(tick = newest.0, "snapshot is too large to send");
            return Bytes::new();
        };
        let message = match baseline {
            Some(baseline) => ServerMessage::Delta { advance: newest.since(baseline) as u8, body },
            None => ServerMessage::Keyframe { tick: newest, body },
        };
        let mut out = Vec::new();
        encode_into(&message, &mut out);
        if self.hash_every > 0 && newest.0.is_multiple_of(self.hash_every) {
            encode_into(&ServerMessage::Check { hash: next.hash() }, &mut out);
        }
        if let ServerMessage::Delta { body, .. } | ServerMessage::Keyframe { body, .. } = message {
            self.body = body.into_inner();
        }
        out.into()
    }

    fn slot(&self, tick: Tick) -> Option<&Snapshot> {
        self.ring.get((tick.0 % RING_TICKS) as usize)
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
    fn one_who_kept_up_one_who_fell_behind_and_one_who_left_the_ring_all_see_the_newest() {
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
        }
        let bytes = history.snapshot_from(Some(Tick(100)));
        assert!(matches!(ServerMessage::decode_next(&mut &bytes[..]), Some(Ok(ServerMessage::Keyframe { .. }))));
        feed(&mut lost, &bytes);
        assert_eq!([&slow, &lost].map(|replica| replica.snapshot()), [steady.snapshot(); 2]);
    }

    #[test]
    fn a_baseline_is_encoded_once_per_tick() {
        let mut history = History::new(&SCHEMA, 0);
        advance(&mut history, 1);
        let frame = advance(&mut history, 2);
        assert_eq!(history.snapshot_from(Some(Tick(1))).as_ptr(), frame.shared.as_ptr(), "the same bytes, not equal ones");
    }
}

//! One match's part of a node, for the thread that runs the match.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tickwire_protocol::MatchId;
use tokio::sync::watch;
use tokio::time::Instant;

use super::lane::{Lane, Standing};
use super::shared::{Parting, Shared};
use crate::store::Epoch;

/// One match's part of a node, owned by the thread that runs the match. Cheap; never waits for the
/// store.
///
/// Dropped without [`MatchLane::end`] or [`MatchLane::leave`], as by a panic, the match is over
/// too.
#[derive(Debug)]
pub struct MatchLane {
    shared: Arc<Shared>,
    lane: Arc<Lane>,
    /// What becomes of the match when this is dropped.
    is_over: bool,
}

impl MatchLane {
    pub(super) fn new(shared: Arc<Shared>, lane: Arc<Lane>) -> Self {
        Self { shared, lane, is_over: true }
    }

    /// The match.
    pub fn id(&self) -> MatchId {
        self.lane.id
    }

    /// The how-manieth owner this node is.
    pub fn epoch(&self) -> Epoch {
        self.lane.epoch
    }

    /// Whether the match is consistent: its players see a tick only after the store has its record.
    pub fn is_consistent(&self) -> bool {
        self.lane.is_consistent.load(Ordering::Relaxed)
    }

    /// Something happened to the match: returns its number. A consistent match is written at once,
    /// an available one with the next flush.
    pub fn record(&mut self, bytes: &[u8]) -> u64 {
        let number = self.lane.pending().record(bytes);
        self.wake();
        number
    }

    /// The whole match, which what was recorded before is not needed for any more.
    pub fn checkpoint(&mut self, bytes: &[u8]) {
        self.lane.pending().checkpoint(bytes);
        self.wake();
    }

    /// What lists and joins are told of the match. The same again costs nothing.
    pub fn card(&mut self, bytes: &[u8]) {
        self.lane.pending().card(bytes);
    }

    /// The store lacks something that only a checkpoint can give it.
    pub fn wants_checkpoint(&self) -> bool {
        self.lane.pending().wants_checkpoint()
    }

    /// Records below this number are in the store, and stay there: whoever runs the match next has
    /// them.
    pub fn acked(&self) -> u64 {
        self.lane.acked()
    }

    /// Says when [`MatchLane::acked`] rises. It also wakes when the match was fenced.
    pub fn acks(&self) -> watch::Receiver<u64> {
        self.lane.watch_acked()
    }

    /// What is known of the lease at this moment.
    pub fn standing(&self) -> Standing {
        self.lane.standing(self.shared.since_start(Instant::now()))
    }

    /// The match is over.
    pub fn end(self) {}

    /// The match is not over, and this node runs it no longer: nothing more is written, and the
    /// lease ends by itself, if it was not given up.
    pub fn leave(mut self) {
        self.is_over = false;
    }

    fn wake(&self) {
        if self.is_consistent() {
            self.shared.flush_now.notify_one();
        }
    }
}

impl Drop for MatchLane {
    fn drop(&mut self) {
        // Whoever was fenced, or has given up its lease, has no say in what becomes of the match.
        let has_say = self.lane.is_open();
        self.lane.close();
        self.shared.forget(&self.lane);
        if self.is_over && has_say {
            self.shared.part(self.lane.id, self.lane.epoch, Parting::End);
        }
    }
}

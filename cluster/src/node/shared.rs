//! What the parts of a node share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tickwire_protocol::MatchId;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::contact::Contact;
use super::lane::Lane;
use super::lock::lock;
use super::notes::Notes;
use super::options::Options;
use super::tide::Tide;
use crate::store::{Epoch, NodeCard, Store};

/// Most matches whose end the store has not heard of. Of a further one it never does: somebody else
/// runs it on, and it ends there, as nobody comes.
pub const PARTINGS_MAX: usize = 65_536;
/// What the parts of a node share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) store: Arc<dyn Store>,
    /// Its clock starts there.
    pub(super) started: Instant,
    pub(super) contact: Contact,
    pub(super) tide: Tide,
    /// Those that it runs, and those it was granted.
    pub(super) lanes: Mutex<BTreeMap<MatchId, Arc<Lane>>>,
    pub(super) partings: Mutex<BTreeMap<(MatchId, Epoch), Parting>>,
    pub(super) claims: Mutex<Notes>,
    pub(super) nodes: watch::Sender<Arc<[NodeCard]>>,
    /// Rises when the store turns out to have lost something.
    pub(super) losses: watch::Sender<u64>,
    pub(super) flush_now: Notify,
    pub(super) part_now: Notify,
    pub(super) claim_now: Notify,
    /// One at a time: what gives leases up is not overtaken by what renews them.
    pub(super) writing: tokio::sync::Mutex<()>,
    pub(super) is_leaving: watch::Sender<bool>,
}

impl Shared {
    /// The node's clock.
    pub(super) fn since_start(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }

    /// Until when a lease lasts for sure that was renewed by a call that began at `began`: clocks
    /// differ by less than a part in sixteen.
    pub(super) fn lease_from(&self, began: Instant) -> Duration {
        self.since_start(began) + self.options.lease * 15 / 16
    }

    pub(super) fn lane(&self, id: MatchId) -> Option<Arc<Lane>> {
        lock(&self.lanes).get(&id).cloned()
    }

    /// All lanes, as they are now.
    pub(super) fn all_lanes(&self) -> Vec<Arc<Lane>> {
        lock(&self.lanes).values().cloned().collect()
    }

    /// This lane is no more. A newer one of the same match stays.
    pub(super) fn forget(&self, lane: &Arc<Lane>) {
        let mut lanes = lock(&self.lanes);
        if lanes.get(&lane.id).is_some_and(|there| Arc::ptr_eq(there, lane)) {
            lanes.remove(&lane.id);
        }
    }

    /// The store has lost something: it is told all again, and owners have time to do so before
    /// anybody claims.
    pub(super) fn lost(&self, why: &'static str) {
        tracing::warn!(why, "the store has lost something: everything is written to it again");
        self.contact.hold_claims(Instant::now() + self.options.lease);
        self.losses.send_modify(|losses| *losses += 1);
        for lane in self.all_lanes() {
            lane.pending().store_lost();
        }
    }
}

/// How a node parts with a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parting {
    /// It is over.
    End,
    /// Others may run it.
    GiveUp,
}

impl Shared {
    /// The store is to be told.
    pub(super) fn part(&self, id: MatchId, epoch: Epoch, how: Parting) {
        let mut partings = lock(&self.partings);
        if partings.len() < PARTINGS_MAX {
            partings.insert((id, epoch), how);
        }
        drop(partings);
        self.part_now.notify_one();
    }
}

impl Shared {
    /// The store was told.
    pub(super) fn parted(&self, which: &[(MatchId, Epoch)]) -> bool {
        let mut partings = lock(&self.partings);
        partings.retain(|there, _| !which.contains(there));
        true
    }
}

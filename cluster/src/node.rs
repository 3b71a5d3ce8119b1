//! The life of a node: it beats, writes what its matches have to say, keeps their leases, and runs
//! on what others have left.
//!
//! [`start`] gives a [`Node`], what happens to it, and one future that does the work: `beats` says
//! that the node lives and looks who else does, `flush` writes, `claims` looks for matches whose owner
//! is gone, `partings` ends and gives up. They wait for nothing of each other's, and every call
//! of the store has a deadline, so one that hangs delays nothing else. `lane` is one match's part,
//! `pending` what the store has not confirmed, `contact` whether there is a store, `tide` whether it
//! has forgotten something.
//!
//! Invariants: a record is acknowledged only after a write of this node's epoch succeeded with it;
//! whoever is told that it is fenced writes nothing more; a node claims nothing while it has
//! reason to believe that the store has not yet heard from the owners.

mod beats;
mod claims;
mod contact;
mod flush;
mod lane;
mod partings;
mod pending;
mod random;
mod tide;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tickwire_protocol::MatchId;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

pub use self::claims::{CLAIMS_AT_ONCE_MAX, REFUSED_MAX, WANTED_MAX};
pub use self::lane::{Consistency, MatchLane, Standing};
pub use self::partings::PARTINGS_MAX;
pub use self::pending::{PENDING_BYTES_MAX, PENDING_RECORDS_MAX};

use self::contact::Contact;
use self::lane::Lane;
use self::partings::Parting;
use self::tide::Tide;
use crate::store::{Epoch, Kept, NodeCard, NodeId, Owner, Store};

/// Most events that wait for a node's server. While they do, it claims nothing.
pub const EVENTS_MAX: usize = 64;

/// How often it is looked whether the store has heard all.
const SETTLE_LOOK: Duration = Duration::from_millis(10);

/// How a node lives.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its name.
    pub id: NodeId,
    /// Random with each start of the process.
    pub incarnation: u64,
    /// Where players reach it: an `http` or `https` URL that ends with a slash.
    pub address: String,
    /// How long a match stays its own after a write. It is renewed four times in that.
    pub lease: Duration,
    /// What available matches have recorded is written so often.
    pub flush: Duration,
    /// Of its randomness.
    pub seed: u64,
}

/// What happens to a node, for its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A match whose owner is gone is ours: run it on, and [`Node::open`] or [`Node::refuse`] it. Its
    /// lease is kept meanwhile.
    Granted {
        /// The match.
        id: MatchId,
        /// The how-manieth owner this node is.
        epoch: Epoch,
        /// What the last one left.
        kept: Kept,
    },
    /// Somebody else runs this match by now: stop it and send its players there.
    Fenced {
        /// The match.
        id: MatchId,
        /// Who runs it. `None`: it has ended.
        owner: Option<Owner>,
    },
}

/// What its server tells a node of itself, asked at every beat and before it claims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Of its measured headroom, used: 0 to 1,000.
    pub permille: u16,
    /// Matches it runs.
    pub matches: u32,
    /// It takes in nothing new.
    pub is_draining: bool,
    /// It may claim.
    pub has_room: bool,
}

/// One of many nodes, for its server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Node {
    shared: Arc<Shared>,
}

/// What the parts of a node share.
#[derive(Debug)]
struct Shared {
    options: Options,
    store: Arc<dyn Store>,
    /// Its clock starts there.
    started: Instant,
    contact: Contact,
    tide: Tide,
    /// Those that it runs, and those it was granted.
    lanes: Mutex<BTreeMap<MatchId, Arc<Lane>>>,
    partings: Mutex<BTreeMap<(MatchId, Epoch), Parting>>,
    claims: Mutex<claims::Notes>,
    nodes: watch::Sender<Arc<[NodeCard]>>,
    /// Rises when the store turns out to have lost something.
    losses: watch::Sender<u64>,
    flush_now: Notify,
    part_now: Notify,
    claim_now: Notify,
    /// One at a time: what gives leases up is not overtaken by what renews them.
    writing: tokio::sync::Mutex<()>,
    is_leaving: watch::Sender<bool>,
}

/// A node that shares `store` with others. It lives as long as the future runs, which ends after
/// [`Node::leave`], or when nobody receives its events any more.
pub fn start(
    store: Arc<dyn Store>,
    options: Options,
    load: impl Fn() -> Load + Send + 'static,
) -> (Node, mpsc::Receiver<Event>, impl Future<Output = ()> + Send) {
    let (events, receiver) = mpsc::channel(EVENTS_MAX);
    let started = Instant::now();
    let shared = Arc::new(Shared {
        contact: Contact::new(&options, started),
        tide: Tide::new(&options),
        started,
        store,
        lanes: Mutex::default(),
        partings: Mutex::default(),
        claims: Mutex::default(),
        nodes: watch::Sender::new(Arc::from([])),
        losses: watch::Sender::new(0),
        flush_now: Notify::new(),
        part_now: Notify::new(),
        claim_now: Notify::new(),
        writing: tokio::sync::Mutex::new(()),
        is_leaving: watch::Sender::new(false),
        options,
    });
    let node = Node { shared: Arc::clone(&shared) };
    (node, receiver, drive(shared, load, events))
}

async fn drive(shared: Arc<Shared>, load: impl Fn() -> Load + Send, events: mpsc::Sender<Event>) {
    let load = Mutex::new(load);
    let load = || lock(&load)();
    let mut leaving = shared.is_leaving.subscribe();
    tokio::select! {
        biased;
        () = beats::run(&shared, &load) => {}
        () = flush::run(&shared, &events) => {}
        () = claims::run(&shared, &load, &events) => {}
        () = partings::run(&shared) => {}
        () = events.closed() => {}
        _ = leaving.wait_for(|is_leaving| *is_leaving) => {}
    }
}

impl Node {
    /// Its name.
    pub fn id(&self) -> &NodeId {
        &self.shared.options.id
    }

    /// What it shares with the others.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.shared.store
    }

    /// A new match (`Epoch(1)`) or a granted one is run here from now on. A new one's first record
    /// has number 0, a granted one's goes on from what was kept.
    pub fn open(&self, id: MatchId, epoch: Epoch, consistency: Consistency) -> MatchLane {
        let lane = {
            let mut lanes = lock(&self.shared.lanes);
            let granted = lanes.get(&id).filter(|lane| lane.epoch == epoch).cloned();
            granted.unwrap_or_else(|| {
                let lane = Arc::new(Lane::new(id, epoch, 0, false));
                lanes.insert(id, Arc::clone(&lane));
                lane
            })
        };
        lane.is_consistent.store(consistency == Consistency::Consistent, std::sync::atomic::Ordering::Relaxed);
        self.shared.flush_now.notify_one();
        MatchLane::new(Arc::clone(&self.shared), lane)
    }

    /// A granted match cannot run here: its lease is given up, and this node does not claim it again
    /// for a while.
    pub fn refuse(&self, id: MatchId, epoch: Epoch) {
        let lane = lock(&self.shared.lanes).get(&id).filter(|lane| lane.epoch == epoch).cloned();
        if let Some(lane) = lane {
            lane.close();
            self.shared.forget(&lane);
        }
        lock(&self.shared.claims).refuse(id, Instant::now());
        self.shared.part(id, epoch, Parting::GiveUp);
    }

    /// Somebody hands this match over to this node, and has given its lease up: it is claimed at
    /// once, if there is room.
    pub fn claim(&self, id: MatchId) {
        lock(&self.shared.claims).want(id);
        self.shared.claim_now.notify_one();
    }

    /// The nodes that live, as of the last beat.
    pub fn nodes(&self) -> Arc<[NodeCard]> {
        Arc::clone(&self.shared.nodes.borrow())
    }

    /// Whether the store has not answered for a while.
    pub fn is_store_away(&self) -> bool {
        self.shared.contact.is_away()
    }

    /// Rises when the store turns out to have lost something: whatever this node has put there, other
    /// than of its matches, is to be put there again.
    pub fn losses(&self) -> watch::Receiver<u64> {
        self.shared.losses.subscribe()
    }

    /// Waits until everything that these lanes have written is in the store, or `patience` is over,
    /// and gives up the leases of those that are complete. Returns these: nothing more is written
    /// of them from here, and their lanes can be dropped. The others stay as they are.
    ///
    /// Whoever calls this has stopped the matches.
    pub async fn hand_over(&self, ids: &[MatchId], patience: Duration) -> Vec<MatchId> {
        partings::hand_over(&self.shared, ids, patience).await
    }

    /// Waits until the store has heard of all matches that have ended here, or `patience` is over.
    pub async fn settle(&self, patience: Duration) {
        let settled = async {
            while !lock(&self.shared.partings).is_empty() {
                tokio::time::sleep(SETTLE_LOOK).await;
            }
        };
        // What it has not heard of, somebody else ends: nobody comes there.
        let _ = tokio::time::timeout(patience, settled).await;
    }

    /// The node is gone: others see that at once. Its matches stay whose they are.
    pub async fn leave(&self) {
        self.shared.is_leaving.send_replace(true);
        let Options { id, incarnation, .. } = &self.shared.options;
        let _ = self.shared.contact.ask(self.shared.store.leave(id, *incarnation)).await;
    }
}

impl Shared {
    /// The node's clock.
    fn since_start(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }

    /// Until when a lease lasts for sure that was renewed by a call that began at `began`: clocks
    /// differ by less than a part in sixteen.
    fn lease_from(&self, began: Instant) -> Duration {
        self.since_start(began) + self.options.lease * 15 / 16
    }

    fn lane(&self, id: MatchId) -> Option<Arc<Lane>> {
        lock(&self.lanes).get(&id).cloned()
    }

    /// All lanes, as they are now.
    fn all_lanes(&self) -> Vec<Arc<Lane>> {
        lock(&self.lanes).values().cloned().collect()
    }

    /// This lane is no more. A newer one of the same match stays.
    fn forget(&self, lane: &Arc<Lane>) {
        let mut lanes = lock(&self.lanes);
        if lanes.get(&lane.id).is_some_and(|there| Arc::ptr_eq(there, lane)) {
            lanes.remove(&lane.id);
        }
    }

    /// The store has lost something: it is told all again, and owners have time to do so before
    /// anybody claims.
    fn lost(&self, why: &'static str) {
        tracing::warn!(why, "the store has lost something: everything is written to it again");
        self.contact.hold_claims(Instant::now() + self.options.lease);
        self.losses.send_modify(|losses| *losses += 1);
        for lane in self.all_lanes() {
            lane.pending().store_lost();
        }
    }
}

/// Nobody panics while they hold one; if somebody did, what they left would still be whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

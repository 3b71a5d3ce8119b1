//! The life of a node: it beats, writes what its matches have to say, keeps their leases, and runs
//! on what others have left.
//!
//! [`start`] gives a [`Node`], what happens to it, and one future that does the work: `beats` says
//! that the node lives and looks who else does, `flush` writes, `claims` looks for matches whose
//! owner is gone, `partings` ends and gives up. They wait for nothing of each other's, and every
//! call of the store has a deadline, so one that hangs delays nothing else. `lane` is one match's
//! part, `pending` what the store has not confirmed, `contact` whether there is a store, `tide`
//! whether it has forgotten something.
//!
//! Invariants: a record is acknowledged only after a write of this node's epoch succeeded with it;
//! a lane that was fenced writes nothing more; a node claims nothing while owners that live may not
//! have written to the store again.

mod beats;
mod claims;
mod contact;
mod flush;
mod lane;
mod lock;
mod match_lane;
mod notes;
mod options;
mod partings;
mod pending;
mod random;
mod shared;
mod tide;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tickwire_protocol::MatchId;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

pub use self::claims::CLAIMS_AT_ONCE_MAX;
pub use self::lane::{Consistency, Standing};
pub use self::match_lane::MatchLane;
pub use self::notes::{REFUSED_MAX, WANTED_MAX};
pub use self::options::{EVENTS_MAX, Event, Load, Options};
pub use self::pending::{PENDING_BYTES_MAX, PENDING_RECORDS_MAX};
pub use self::shared::PARTINGS_MAX;

use self::contact::Contact;
use self::lane::Lane;
use self::lock::lock;
use self::shared::{Parting, Shared};
use self::tide::Tide;
use crate::store::{Epoch, NodeCard, NodeId, Store};

/// How often it is looked whether the store has heard all.
const SETTLE_LOOK: Duration = Duration::from_millis(10);

/// One of many nodes, for its server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Node {
    shared: Arc<Shared>,
}

/// A node that shares `store` with others. It lives as long as the future runs, which ends after
/// [`Node::leave`], or when nobody receives its events any more.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use tickwire_cluster::{Consistency, Embedded, Epoch, Load, NodeId, Options, start};
/// use tickwire_protocol::MatchId;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let options = Options {
///     id: NodeId::new("a")?,
///     incarnation: 1,
///     address: "http://a/".to_owned(),
///     lease: Duration::from_millis(1_200),
///     flush: Duration::from_millis(50),
///     seed: 1,
/// };
/// let load = || Load { has_room: true, ..Load::default() };
/// let (node, _events, life) = start(Arc::new(Embedded::new()), options, load);
/// let life = tokio::spawn(life);
///
/// // A consistent match tells nobody what came of a step before the store has it.
/// let mut lane = node.open(MatchId([7; 16]), Epoch(1), Consistency::Consistent);
/// lane.checkpoint(b"state");
/// let number = lane.record(b"step");
/// lane.acks().wait_for(|acked| *acked > number).await?;
/// node.leave().await;
/// life.await?;
/// # Ok(())
/// # }
/// ```
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
    /// The node's name.
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

    /// A granted match cannot run here: its lease is given up, and this node does not claim it
    /// again for a while.
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

    /// Whether it takes matches over: not in the first lease after it started, nor before the store
    /// has answered.
    pub fn has_settled(&self) -> bool {
        self.shared.contact.has_settled()
    }

    /// Rises when the store turns out to have lost something: whatever this node has put there,
    /// other than of its matches, is to be put there again.
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

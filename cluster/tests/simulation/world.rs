//! Everything that a seed decides, and what is true: who was told what, what the store has, and
//! which promises were broken.

mod truth;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tickwire_cluster::embedded::{Embedded, Snapshot};
use tickwire_cluster::{Epoch, NodeId, Store};
use tickwire_game::Rng;
use tickwire_protocol::{MatchId, PlayerId};
use tokio::time::Instant;

use crate::figures::Figures;
use crate::machine::{LEASE, Slot, node_id, short};
use crate::plant::Plant;

pub(crate) struct World {
    pub(crate) store: Embedded,
    pub(crate) plant: Option<Plant>,
    pub(crate) nodes: Vec<Slot>,
    rng: Mutex<Rng>,
    truth: Mutex<Truth>,
    counter: AtomicU64,
    /// The store does not answer; or it refuses at once.
    pub(crate) is_away: AtomicBool,
    pub(crate) refuses: AtomicBool,
    pub(crate) is_slow: AtomicBool,
    /// Faults that have begun and not ended.
    pub(crate) ongoing: AtomicU64,
    began: Instant,
}

/// What is true of everything.
#[derive(Default)]
pub(crate) struct Truth {
    pub(crate) matches: BTreeMap<MatchId, Match>,
    pub(crate) broken: Vec<String>,
    /// What the store must have: the number after the last record of each match.
    durable: BTreeMap<MatchId, u64>,
    snapshots: Vec<(Instant, Snapshot, BTreeMap<MatchId, u64>)>,
    /// When each node last had a fault of its own.
    hurt: Vec<Option<Instant>>,
    lost_at: Option<Instant>,
    /// When a node last asked for orphans.
    pub(crate) looked: BTreeMap<usize, Instant>,
    /// When the store gave a match to a node.
    pub(crate) claimed: BTreeMap<(MatchId, Epoch, usize), Instant>,
    /// Processes that are no more.
    dead: BTreeSet<(usize, u64)>,
    pub(crate) faults: u64,
    pub(crate) figures: Figures,
    crashed: BTreeMap<MatchId, Instant>,
    /// For plants: what they remember.
    pub(crate) delisted: BTreeSet<MatchId>,
    pub(crate) checkpoints: BTreeMap<MatchId, bytes::Bytes>,
    pub(crate) tide: BTreeMap<Vec<u8>, bytes::Bytes>,
}

/// What is true of a match.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // each is true of a match by itself
pub(crate) struct Match {
    pub(crate) is_consistent: bool,
    owners: BTreeMap<Epoch, (usize, u64, Instant)>,
    /// Where the newest owner began.
    begins: u32,
    /// Its newest owner has been told that it is another's, and has let go of it.
    is_let_go: bool,
    /// It has ended, at its newest owner at the time.
    is_over: bool,
    /// The store went back behind a claim whose owner may come again.
    is_forked: bool,
    /// Earlier owners were set back by the store, and are told so.
    rewound: Option<Epoch>,
    /// Who has ever wanted a seat.
    pub(crate) players: usize,
    /// Records below this are acknowledged: told a client, or said to be in the store.
    told: u64,
    hashes: BTreeMap<u32, u64>,
    /// The store has lost what was acknowledged below this, and its owner has not written it again.
    exposed: Option<(u64, Instant)>,
    /// Something was lost with the store and the owner.
    pub(crate) rewinds: u32,
    /// The seat of each owner, in a consistent match for ever.
    seats: BTreeMap<u32, PlayerId>,
}

impl World {
    pub(crate) fn new(seed: u64, nodes: usize, plant: Option<Plant>) -> Arc<Self> {
        let mut rng = Rng::new(seed);
        let slots = (0..nodes).map(|number| Slot {
            id: node_id(number),
            process: Mutex::default(),
            wire: Mutex::default(),
            skew: if plant == Some(Plant::SlowClock) && number == 0 { 400 } else { rng.between(-30, 30) },
        });
        Arc::new(Self {
            store: Embedded::new(),
            plant,
            nodes: slots.collect(),
            truth: Mutex::new(Truth { hurt: vec![None; nodes], ..Truth::default() }),
            rng: Mutex::new(rng),
            counter: AtomicU64::new(1),
            is_away: AtomicBool::new(false),
            refuses: AtomicBool::new(false),
            is_slow: AtomicBool::new(false),
            ongoing: AtomicU64::new(0),
            began: Instant::now(),
        })
    }

    pub(crate) fn is(&self, plant: Plant) -> bool {
        self.plant == Some(plant)
    }

    pub(crate) fn below(&self, bound: u32) -> u32 {
        self.rng.lock().unwrap().below(bound)
    }

    pub(crate) fn seed(&self) -> u64 {
        self.rng.lock().unwrap().next_u64()
    }

    pub(crate) fn ms(&self, low: u32, high: u32) -> Duration {
        Duration::from_millis(u64::from(low + self.below(high - low + 1)))
    }

    /// A number that nobody else gets.
    pub(crate) fn unique(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn truth(&self) -> MutexGuard<'_, Truth> {
        self.truth.lock().unwrap()
    }

    pub(crate) fn broken(&self, what: &str) {
        let at = self.began.elapsed().as_millis();
        self.note(&format!("BROKEN: {what}"));
        self.truth().broken.push(format!("at {at} ms: {what}"));
    }

    /// For who looks for the reason.
    pub(crate) fn note(&self, what: &str) {
        if env::var_os("TICKWIRE_SEED").is_some() {
            println!("{:>6} ms  {what}", self.began.elapsed().as_millis());
        }
    }

    pub(crate) fn by_name(&self, id: &NodeId) -> Option<usize> {
        self.nodes.iter().position(|slot| slot.id == *id)
    }

    /// A fault begins.
    pub(crate) fn fault(&self, what: &str) {
        self.note(what);
        let mut truth = self.truth();
        truth.faults += 1;
        truth.figures.faults += 1;
        // What is measured is one crash, and nothing else.
        truth.crashed.clear();
    }

    /// For so long from now on something is wrong with a node: what it owns may be taken from it.
    pub(crate) fn hurt(&self, node: usize, time: Duration) {
        let until = Instant::now() + time;
        let mut truth = self.truth();
        truth.hurt[node] = truth.hurt[node].max(Some(until));
    }

    /// A process is gone.
    pub(crate) fn died(&self, node: usize, incarnation: u64) {
        self.truth().dead.insert((node, incarnation));
    }

    /// A node lets go of a match, as it is told to.
    pub(crate) fn lets_go(&self, id: MatchId, epoch: Epoch) {
        if let Some(one) = self.truth().matches.get_mut(&id) {
            one.is_let_go |= one.owners.keys().next_back() == Some(&epoch);
        }
    }

    /// These matches' node has just crashed, and nothing else is wrong.
    pub(crate) fn crashed(&self, ids: Vec<(MatchId, Epoch)>) {
        let mut truth = self.truth();
        truth.figures.crashes += 1;
        truth.crashed = ids.into_iter().map(|(id, _)| (id, Instant::now())).collect();
    }

    // What the store knows.

    /// The store has these records of a match from now on.
    pub(crate) fn durable(&self, id: MatchId, next: u64) {
        let mut truth = self.truth();
        truth.durable.insert(id, next);
        if let Some(one) = truth.matches.get_mut(&id)
            && one.exposed.is_some_and(|(told, _)| next >= told)
        {
            one.exposed = None;
        }
    }

    pub(crate) fn take_snapshot(&self) {
        let snapshot = self.store.snapshot();
        let mut truth = self.truth();
        let durable = truth.durable.clone();
        truth.snapshots.push((Instant::now(), snapshot, durable));
        // Nothing goes back further than twelve seconds.
        let surplus = truth.snapshots.len().saturating_sub(120);
        truth.snapshots.drain(..surplus);
    }

    /// The store goes back by `time`; to nothing, if it is younger.
    pub(crate) fn roll_back(&self, time: Duration) {
        let mut truth = self.truth();
        let until = Instant::now() - time;
        truth.snapshots.retain(|(at, ..)| *at <= until);
        let durable = if let Some((_, snapshot, durable)) = truth.snapshots.last() {
            self.store.roll_back(snapshot);
            durable.clone()
        } else {
            self.store.wipe();
            BTreeMap::new()
        };
        truth.store_lost(durable, !self.is(Plant::FailoverTakesTenSecondsBack));
    }

    pub(crate) fn wipe(&self) {
        self.store.wipe();
        let mut truth = self.truth();
        truth.snapshots.clear();
        truth.store_lost(BTreeMap::new(), true);
    }

    // What nodes do with matches.

    /// A match is over: nobody misses it. If the store forgets that, it comes again, and ends
    /// again.
    pub(crate) fn over(&self, id: MatchId, epoch: Epoch) {
        let mut truth = self.truth();
        let Some(one) = truth.matches.get_mut(&id) else { return };
        if one.owners.keys().next_back().is_none_or(|newest| *newest <= epoch) {
            (one.told, one.exposed, one.is_over) = (0, None, true);
            one.hashes.clear();
        }
    }

    /// A node runs a match on, or begins it, from record `next` on.
    pub(crate) fn owns(&self, id: MatchId, epoch: Epoch, node: usize, incarnation: u64, next: u64, tick: u32) {
        let now = Instant::now();
        let mut broken = Vec::new();
        {
            let mut truth = self.truth();
            let lost_at = truth.lost_at;
            let Some(one) = truth.matches.get(&id) else { return };
            // Who stood still hears of it late: it may be another's by now, or the store has
            // forgotten it and given it again.
            let claimed = truth.claimed.get(&(id, epoch, node)).copied().unwrap_or(now);
            let is_overtaken = one.owners.iter().any(|(other, (.., at))| {
                *at > claimed && (*other > epoch || (*other == epoch && lost_at.is_some_and(|lost| lost > claimed)))
            });
            if is_overtaken {
                return;
            }
            let is_lost = truth.is_owner_lost(one) || truth.had_decided(node);
            if let Some(well) = truth.well_owner(one).filter(|_| !truth.had_decided(node)) {
                broken.push(format!("match {} is taken from node {well}, with which nothing is wrong", short(id)));
            }
            let Some(one) = truth.matches.get_mut(&id) else { return };
            one.is_let_go = false;
            let newest = one.owners.keys().next_back().copied();
            if newest.is_some_and(|newest| newest > epoch) {
                // The store has forgotten a claim, and gives its epoch again: two lines of one
                // match.
                one.is_forked = true;
                one.owners.retain(|owner, _| *owner < epoch);
                if lost_at.is_none() {
                    broken.push(format!("{epoch:?} of match {} is given after {newest:?}", short(id)));
                }
            }
            one.begins = tick;
            let since = one.exposed.map(|(_, since)| since);
            if let Some((other, its, at)) = one.owners.insert(epoch, (node, incarnation, now))
                && (other, its) != (node, incarnation)
                && lost_at.is_none_or(|lost| lost < at)
            {
                broken.push(format!("{epoch:?} of match {} has two owners: {other} and {node}", short(id)));
            }
            if next < one.told {
                let lost = format!("records {next} to {} of match {} are acknowledged, and gone", one.told, short(id));
                match since {
                    // What the store has lost was in its owner's memory only.
                    _ if one.is_forked || (since.is_some() && is_lost) => {
                        one.told = next;
                        one.exposed = None;
                        one.rewinds += 1;
                        one.hashes.clear();
                        one.rewound = Some(epoch);
                        truth.figures.excused += 1;
                    }
                    Some(_) => broken.push(format!("{lost}, with the store, but its owner lives")),
                    None => broken.push(lost),
                }
            }
            if epoch > Epoch(1) {
                truth.figures.takeovers += 1;
            }
            if let Some(crashed) = truth.crashed.remove(&id) {
                truth.figures.back_ms.push(crashed.elapsed().as_millis() as u64);
            }
        }
        broken.iter().for_each(|what| self.broken(what));
    }

    /// A node believes that its lease lasts.
    pub(crate) async fn holds(&self, id: MatchId, epoch: Epoch, node: usize) {
        let entry = self.store.find(id).await.unwrap();
        let is_so =
            entry.as_ref().is_some_and(|entry| entry.is_held && entry.owner.epoch == epoch && entry.owner.node == self.nodes[node].id);
        let truth = self.truth();
        // The store has lost it, and its owner is about to be told; or it had lost a later owner,
        // who has just come forward.
        let later = entry.as_ref().filter(|entry| entry.owner.epoch > epoch);
        let one = truth.matches.get(&id);
        let was_later_lost = later.zip(one).is_some_and(|(entry, one)| {
            let since = one.owners.get(&entry.owner.epoch).map(|(_, _, since)| *since);
            one.is_forked || one.rewinds > 0 || since.is_some_and(|since| truth.lost_at.is_some_and(|lost| lost >= since))
        });
        let excused = was_later_lost || truth.lost_at.is_some_and(|lost| lost.elapsed() <= LEASE);
        drop(truth);
        if !is_so && !excused {
            self.broken(&format!("node {node} takes its lease of match {} in {epoch:?} for held, and the store has {entry:?}", short(id)));
        }
    }

    /// The store has everything below `number`, says a node to its match.
    pub(crate) fn acked(&self, id: MatchId, epoch: Epoch, node: usize, number: u64) {
        let mut truth = self.truth();
        let Some(one) = truth.matches.get_mut(&id) else { return };
        // A store that went back may have given the same epoch to another.
        let newest = one.owners.iter().next_back();
        if newest.is_some_and(|(newest, (owner, ..))| *newest == epoch && *owner == node) {
            one.told = one.told.max(number);
        }
    }

    /// Clients of a consistent match are told this tick: it has this hash, and stays.
    pub(crate) fn told(&self, id: MatchId, epoch: Epoch, node: usize, tick: u32, hash: u64) {
        let mut broken = None;
        {
            let mut truth = self.truth();
            truth.figures.ticks += 1;
            let is_lost = truth.matches.get(&id).is_some_and(|one| truth.is_owner_lost(one));
            let Some(one) = truth.matches.get_mut(&id).filter(|one| one.is_consistent) else { return };
            let newest = one.owners.keys().next_back().copied();
            if one.owners.get(&epoch).is_some_and(|(owner, ..)| *owner != node) {
                // The store went back, and gave the same epoch to another.
                return;
            }
            if one.is_forked || one.rewound.is_some_and(|rewound| epoch < rewound) {
                // An owner that was lost with the store tells late what was written once.
                return;
            }
            if one.exposed.is_some() && newest.is_some_and(|newest| newest > epoch) && is_lost {
                // The store has forgotten the newest owner, and that one cannot come forward.
                one.owners.retain(|owner, _| *owner <= epoch);
                one.hashes.clear();
                one.rewinds += 1;
                one.is_forked = true;
                one.exposed = None;
                one.told = 0;
                truth.figures.excused += 1;
                return;
            }
            match one.hashes.get(&tick) {
                Some(there) if *there != hash => {
                    broken = Some(format!("tick {tick} of match {} was told twice, and differs", short(id)));
                }
                // What is in the log may be told late.
                None if newest.is_some_and(|newest| newest > epoch) && tick > one.begins => {
                    broken = Some(format!("match {} is {newest:?}, and {epoch:?} tells tick {tick}", short(id)));
                }
                _ => {}
            }
            one.hashes.insert(tick, hash);
        }
        broken.iter().for_each(|what| self.broken(what));
    }

    /// A restored match of which this tick was told must be the same.
    pub(crate) fn restored(&self, id: MatchId, tick: u32, hash: u64) {
        let there = self.truth().matches.get(&id).and_then(|one| one.hashes.get(&tick).copied());
        if there.is_some_and(|there| there != hash) {
            self.broken(&format!("match {} at tick {tick} is restored with another hash", short(id)));
        }
    }

    /// So many people have a seat.
    pub(crate) fn held(&self, id: MatchId, held: usize) {
        let players = self.truth().matches.get(&id).map_or(0, |one| one.players);
        if held > players {
            self.broken(&format!("match {} has {held} people, and {players} have ever come", short(id)));
        }
    }

    /// Which of these matches the store has not got back although their owner lives.
    pub(crate) fn check_healed(&self, runs: &[(usize, MatchId, Epoch)]) {
        let truth = self.truth();
        let exposed: Vec<_> = runs.iter().filter(|run| truth.is_exposed(run)).collect();
        drop(truth);
        for (node, id, epoch) in exposed {
            self.broken(&format!("the store has lost match {}, and node {node} has not written it again in {epoch:?}", short(*id)));
        }
    }

    /// A client is told its seat.
    pub(crate) fn seated(&self, id: MatchId, client: u32, player: PlayerId, seen_rewinds: u32) {
        let mut broken = None;
        {
            let mut truth = self.truth();
            let Some(one) = truth.matches.get_mut(&id) else { return };
            let former = one.seats.insert(client, player);
            if one.is_consistent && !one.is_forked && one.rewinds == seen_rewinds && former.is_some_and(|former| former != player) {
                broken = Some(format!("client {client} of match {} had seat {former:?}, and is given {player:?}", short(id)));
            }
        }
        broken.iter().for_each(|what| self.broken(what));
    }

    /// The store went back behind a claim whose owner may come again: two lines of one match.
    pub(crate) fn is_forked(&self, id: MatchId) -> bool {
        self.truth().matches.get(&id).is_some_and(|one| one.is_forked)
    }

    pub(crate) fn rewinds(&self, id: MatchId) -> u32 {
        self.truth().matches.get(&id).map_or(0, |one| one.rewinds)
    }

    /// The store has lost it, and its owner too: nobody can have it.
    pub(crate) fn is_lost(&self, id: MatchId) -> bool {
        self.truth().matches.get(&id).is_some_and(|one| one.exposed.is_some())
    }

    pub(crate) fn is_consistent(&self, id: MatchId) -> bool {
        self.truth().matches.get(&id).is_some_and(|one| one.is_consistent)
    }
}

impl Match {
    pub(crate) fn new(is_consistent: bool) -> Self {
        Self { is_consistent, ..Self::default() }
    }
}

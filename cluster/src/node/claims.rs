//! Looks for matches whose owner is gone, and claims them, a few at a time.
//!
//! Each orphan has a node that is to claim it, which follows from the names of those that live; the
//! others wait for one more look, so two do not both try. A node whose server has not yet taken
//! what it was granted claims nothing more.

use std::time::Duration;

use futures_util::future::join_all;
use tickwire_protocol::MatchId;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::lane::Lane;
use super::lock::lock;
use super::notes::WANTED_MAX;
use super::options::{Event, Load};
use super::random::{Random, mix};
use super::shared::{Parting, Shared};
use crate::store::{Claim, NodeId};

/// Most claims at a time.
pub const CLAIMS_AT_ONCE_MAX: usize = 8;
/// How often it looks.
const LOOK: Duration = Duration::from_millis(100);
/// So many orphans it looks at.
const ORPHANS: usize = 64;
/// More matches than anybody has.
const EVERY: usize = 1 << 20;

pub(super) async fn run(shared: &Shared, load: &(impl Fn() -> Load + Sync), events: &mpsc::Sender<Event>) {
    let mut random = Random::new(shared.options.seed, 4);
    while !give_up_former_life(shared).await {
        sleep(random.about(LOOK)).await;
    }
    loop {
        while look(shared, load(), events, &mut random).await {}
        tokio::select! {
            biased;
            () = sleep(random.about(LOOK)) => {}
            () = shared.claim_now.notified() => {}
        }
    }
}

/// What another process of this name ran cannot be run by it any more: its leases are given up.
async fn give_up_former_life(shared: &Shared) -> bool {
    let Ok(entries) = shared.contact.ask(shared.store.list(EVERY)).await else { return false };
    for entry in entries.into_iter().filter(|entry| entry.is_held && entry.owner.node == shared.options.id) {
        if shared.lane(entry.id).is_none_or(|lane| lane.epoch != entry.owner.epoch) {
            shared.part(entry.id, entry.owner.epoch, Parting::GiveUp);
        }
    }
    true
}

/// Claims a few. Says whether there may be more at once.
async fn look(shared: &Shared, load: Load, events: &mpsc::Sender<Event>, random: &mut Random) -> bool {
    if !load.has_room || load.is_draining || !shared.contact.may_claim(Instant::now()) || events.capacity() == 0 {
        return false;
    }
    let Ok(orphans) = shared.contact.ask(shared.store.orphans(ORPHANS)).await else { return false };
    let chosen = choose(shared, orphans, random);
    if chosen.is_empty() || !is_kept(shared).await {
        return false;
    }
    let claims = chosen.iter().map_while(|id| Some(claim(shared, *id, events.try_reserve().ok()?)));
    let granted = join_all(claims).await.into_iter().filter(|granted| *granted).count();
    granted > 0
}

/// Orphans that have just come back with an old state of the store have owners that live.
async fn is_kept(shared: &Shared) -> bool {
    let is_kept = shared.tide.is_kept(shared.store.as_ref(), &shared.contact).await;
    if is_kept == Ok(false) {
        shared.tide.forget();
        shared.lost("a number of this node's is gone");
    }
    is_kept == Ok(true) && shared.contact.may_claim(Instant::now())
}

/// Of the orphans, those that this node claims now.
fn choose(shared: &Shared, orphans: Vec<MatchId>, random: &mut Random) -> Vec<MatchId> {
    let nodes = shared.nodes.borrow().clone();
    let others: Vec<&NodeId> = nodes.iter().filter(|node| !node.is_draining).map(|node| &node.id).collect();
    let own = &shared.options.id;
    let now = Instant::now();
    let mut notes = lock(&shared.claims);
    let wanted = std::mem::take(&mut notes.wanted);
    let seen = std::mem::take(&mut notes.seen);
    let mut chosen = Vec::new();
    for id in orphans {
        if wanted.contains(&id) || shared.lane(id).is_some() || !notes.may_claim(id, now) {
            continue;
        }
        let is_ours = others.iter().all(|other| *other == own || rank(id, other) < rank(id, own));
        if is_ours || seen.contains(&id) {
            chosen.push((random.next(), id));
        } else {
            notes.seen.insert(id);
        }
    }
    chosen.sort_unstable();
    let wanted = wanted.into_iter().filter(|id| shared.lane(*id).is_none());
    wanted.chain(chosen.into_iter().map(|(_, id)| id)).take(CLAIMS_AT_ONCE_MAX).collect()
}

/// The node with the highest is to claim the match.
fn rank(id: MatchId, node: &NodeId) -> u64 {
    let bytes = id.0.iter().chain(node.as_str().as_bytes());
    bytes.fold(0, |hash, byte| mix(hash ^ u64::from(*byte)).wrapping_add(1))
}

async fn claim(shared: &Shared, id: MatchId, place: mpsc::Permit<'_, Event>) -> bool {
    let began = Instant::now();
    let options = &shared.options;
    match shared.contact.ask(shared.store.claim(id, &options.id, options.lease)).await {
        Ok(Claim::Granted { epoch, kept }) => {
            let lane = Lane::new(id, epoch, kept.first + kept.records.len() as u64, true);
            lane.renewed(shared.lease_from(began));
            lock(&shared.claims).was_lost(id);
            lock(&shared.lanes).insert(id, lane.into());
            tracing::info!(match_id = %id, epoch = epoch.0, records = kept.records.len(), "a match whose owner is gone goes on here");
            place.send(Event::Granted { id, epoch, kept });
            true
        }
        Ok(Claim::Held(owner)) => {
            if owner.node == options.id && lock(&shared.claims).was_lost(id) && shared.lane(id).is_none() {
                shared.part(id, owner.epoch, Parting::GiveUp);
            }
            false
        }
        Ok(Claim::Unknown) => false,
        Err(_) => {
            let mut notes = lock(&shared.claims);
            if notes.lost.len() < WANTED_MAX {
                notes.lost.insert(id);
            }
            false
        }
    }
}

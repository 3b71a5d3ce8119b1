//! Matches that end, and leases that are given up.

use std::time::Duration;

use tickwire_protocol::MatchId;
use tokio::time::{Instant, sleep, timeout_at};

use super::lock::lock;
use super::random::Random;
use super::shared::{Parting, Shared};
use crate::store::Epoch;

/// So many at a time.
const AT_ONCE: usize = 256;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn run(shared: &Shared) {
    let mut random = Random::new(shared.options.seed, 3);
    loop {
        let (mut ends, mut given_up) = (Vec::new(), Vec::new());
        for (which, how) in lock(&shared.partings).iter().take(AT_ONCE) {
            match how {
                Parting::End => ends.push(*which),
                Parting::GiveUp => given_up.push(*which),
            }
        }
        if ends.is_empty() && given_up.is_empty() {
            shared.part_now.notified().await;
            continue;
        }
        let (node, store) = (&shared.options.id, &shared.store);
        let mut done = true;
        if !ends.is_empty() {
            done &= shared.contact.ask(store.end(node, &ends)).await.is_ok_and(|()| shared.parted(&ends));
        }
        if !given_up.is_empty() {
            done &= give_up(shared, &given_up).await && shared.parted(&given_up);
        }
        if !done {
            sleep(random.about(PAUSE)).await;
        }
    }
}

/// Ends leases, when no write that renews them is on its way.
async fn give_up(shared: &Shared, which: &[(MatchId, Epoch)]) -> bool {
    let _turn = shared.writing.lock().await;
    shared.contact.ask(shared.store.give_up(&shared.options.id, which)).await.is_ok()
}

/// See `Node::hand_over`.
pub(super) async fn hand_over(shared: &Shared, ids: &[MatchId], patience: Duration) -> Vec<MatchId> {
    let until = Instant::now() + patience;
    let lanes: Vec<_> = ids.iter().filter_map(|id| shared.lane(*id)).collect();
    shared.flush_now.notify_one();
    let mut complete = Vec::new();
    for lane in lanes {
        let mut acks = lane.watch_acked();
        let is_settled = timeout_at(until, async {
            while lane.is_open() && !lane.pending().is_settled() {
                if acks.changed().await.is_err() {
                    return;
                }
            }
        });
        // Whatever has come meanwhile, patience or not: only what is complete is handed over.
        let _ = is_settled.await;
        if lane.is_open() && lane.pending().is_settled() {
            lane.close();
            complete.push((lane.id, lane.epoch));
        }
    }
    for which in complete.chunks(AT_ONCE) {
        if !give_up(shared, which).await {
            // Their leases end by themselves, if this is not heard of either.
            which.iter().for_each(|(id, epoch)| shared.part(*id, *epoch, Parting::GiveUp));
        }
    }
    complete.into_iter().map(|(id, _)| id).collect()
}

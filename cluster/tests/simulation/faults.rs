//! What goes wrong, as a seed has it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tickwire_cluster::Store;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::host::{self, Request, code};
use crate::link::listed;
use crate::machine::short;
use crate::plant::Plant;
use crate::world::World;

/// Lets things go wrong for `time`, and makes all well again.
pub(crate) async fn rage(world: &Arc<World>, time: Duration) {
    let until = Instant::now() + time;
    let mut faults = JoinSet::new();
    while Instant::now() < until {
        faults.spawn(one(Arc::clone(world)));
        // Now and then there is time to heal.
        let pause = if world.below(4) == 0 { world.ms(2_500, 3_500) } else { world.ms(100, 1_200) };
        sleep(pause).await;
    }
    while let Some(fault) = faults.join_next().await {
        fault.unwrap();
    }
    for number in 0..world.nodes.len() {
        if world.nodes[number].process.lock().unwrap().is_none() {
            host::start(world, number);
        }
    }
}

async fn one(world: Arc<World>) {
    let node = world.below(world.nodes.len() as u32) as usize;
    let kind = world.below(16);
    // Or it would take long until it shows.
    let kind = if world.is(Plant::TideLies) && kind.is_multiple_of(2) { 13 } else { kind };
    match kind {
        0..=3 => crash(&world, node).await,
        4 | 5 => stand_still(&world, node).await,
        6 | 7 => cut(&world, node).await,
        8 | 9 => lossy(&world, node).await,
        10 => away(&world, None).await,
        11 => slow(&world).await,
        12 => wipe(&world),
        13 => {
            let time = world.ms(100, 10_000);
            let fault = Fault::begin(&world, &format!("the store goes back by {time:?}"));
            world.roll_back(time);
            drop(fault);
            listed_again(&world);
        }
        14 => {
            // What a replica had not yet heard of is lost.
            let time = if world.below(4) == 0 { Duration::from_secs(10) } else { world.ms(0, 1_000) };
            away(&world, Some(time)).await;
        }
        _ => hand_over(&world, node),
    }
}

/// As long as it lives, something is wrong.
struct Fault(Arc<World>);

impl Fault {
    fn begin(world: &Arc<World>, what: &str) -> Self {
        world.fault(what);
        world.ongoing.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(world))
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        self.0.ongoing.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn crash(world: &Arc<World>, node: usize) {
    let Some(process) = host::process(world, node) else { return };
    let time = if world.below(2) == 0 { world.ms(100, 800) } else { world.ms(800, 4_000) };
    let is_alone = world.ongoing.load(Ordering::Relaxed) == 0;
    let fault = Fault::begin(world, &format!("node {node} crashes for {time:?}"));
    world.hurt(node, Duration::ZERO);
    if is_alone {
        world.crashed(process.host.runs());
    }
    process.end();
    drop(process);
    sleep(time).await;
    drop(fault);
    world.note(&format!("node {node} starts"));
    host::start(world, node);
}

async fn stand_still(world: &Arc<World>, node: usize) {
    let gate = host::process(world, node).map(|process| Arc::clone(&process.gate));
    let Some(gate) = gate else { return };
    let time = world.ms(200, 4_000);
    let _fault = Fault::begin(world, &format!("node {node} stands still for {time:?}"));
    world.hurt(node, time);
    gate.shut();
    sleep(time).await;
    gate.open();
}

async fn cut(world: &Arc<World>, node: usize) {
    let time = world.ms(200, 4_000);
    let _fault = Fault::begin(world, &format!("node {node} is cut off for {time:?}"));
    world.hurt(node, time);
    world.nodes[node].wire.lock().unwrap().is_cut = true;
    sleep(time).await;
    world.nodes[node].wire.lock().unwrap().is_cut = false;
}

async fn lossy(world: &Arc<World>, node: usize) {
    let time = world.ms(500, 4_000);
    let (loss, twice) = (world.below(300), world.below(500));
    let _fault = Fault::begin(world, &format!("node {node} loses {loss} and repeats {twice} of 1,000 calls for {time:?}"));
    world.hurt(node, time);
    (world.nodes[node].wire.lock().unwrap().loss, world.nodes[node].wire.lock().unwrap().twice) = (loss, twice);
    sleep(time).await;
    (world.nodes[node].wire.lock().unwrap().loss, world.nodes[node].wire.lock().unwrap().twice) = (0, 0);
}

/// The store is away; as it comes back, it may have lost its last moments.
async fn away(world: &Arc<World>, lost: Option<Duration>) {
    if world.is_away.swap(true, Ordering::Relaxed) {
        return;
    }
    let time = if lost.is_some() { world.ms(200, 1_500) } else { world.ms(200, 3_000) };
    let fault = Fault::begin(world, &format!("the store is away for {time:?}, and loses {lost:?}"));
    world.refuses.store(world.below(2) == 0, Ordering::Relaxed);
    sleep(time).await;
    if let Some(lost) = lost {
        world.roll_back(lost + time);
    }
    world.store.close_mailboxes();
    world.is_away.store(false, Ordering::Relaxed);
    world.note("the store is back");
    drop(fault);
    listed_again(world);
}

async fn slow(world: &Arc<World>) {
    let time = world.ms(500, 3_000);
    let _fault = Fault::begin(world, &format!("the store is slow for {time:?}"));
    // Too slow to be told of a loss in time.
    (0..world.nodes.len()).for_each(|node| world.hurt(node, time));
    world.is_slow.store(true, Ordering::Relaxed);
    sleep(time).await;
    world.is_slow.store(false, Ordering::Relaxed);
}

fn wipe(world: &Arc<World>) {
    let fault = Fault::begin(world, "the store is wiped");
    world.wipe();
    drop(fault);
    listed_again(world);
}

fn hand_over(world: &Arc<World>, node: usize) {
    let to = (node + 1 + world.below(world.nodes.len() as u32 - 1) as usize) % world.nodes.len();
    let Some(process) = host::process(world, node) else { return };
    for (id, _) in process.host.runs() {
        let _ = process.door.send(Request::HandOver { id, to });
    }
}

/// Two seconds from now everything that runs is listed, if nothing else goes wrong until then.
fn listed_again(world: &Arc<World>) {
    let world = Arc::clone(world);
    tokio::spawn(async move {
        let faults = world.truth().faults;
        let is_alone = world.ongoing.load(Ordering::Relaxed) == 0;
        let running = running(&world);
        let goes_on = || is_alone && world.truth().faults == faults;
        sleep(Duration::from_millis(700)).await;
        if !goes_on() {
            return;
        }
        let now = self::running(&world);
        let both: Vec<_> = running.iter().filter(|run| now.contains(run)).copied().collect();
        world.check_healed(&both);
        sleep(Duration::from_millis(1_300)).await;
        if !goes_on() {
            return;
        }
        check_listed(&world, &running).await;
    });
}

pub(crate) type Runs = Vec<(usize, tickwire_protocol::MatchId, tickwire_cluster::Epoch)>;

pub(crate) fn running(world: &World) -> Runs {
    let nodes = 0..world.nodes.len();
    nodes
        .flat_map(|number| {
            let runs = host::process(world, number).map(|process| process.host.runs()).unwrap_or_default();
            runs.into_iter().map(move |(id, epoch)| (number, id, epoch))
        })
        .collect()
}

/// What ran then and runs still is listed, with its card and its code.
pub(crate) async fn check_listed(world: &Arc<World>, then: &Runs) {
    let now = running(world);
    let entries = listed(world).await;
    for (node, id, epoch) in then.iter().filter(|run| now.contains(run)) {
        let entry = entries.iter().find(|entry| entry.id == *id);
        let is_right = entry.is_some_and(|entry| {
            entry.is_held && entry.owner.epoch == *epoch && entry.owner.node == world.nodes[*node].id && !entry.card.is_empty()
        });
        if !is_right {
            world.broken(&format!("match {} runs at node {node} in {epoch:?}, and the list has {entry:?}", short(*id)));
        }
        if world.store.find_code(&code(*id)).await.unwrap() != Some(*id) {
            world.broken(&format!("match {} runs, and its code leads nowhere", short(*id)));
        }
    }
}

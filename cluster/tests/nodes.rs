//! Nodes that share a store: matches go on with another node when theirs is gone or gives them up.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

use std::sync::Arc;
use std::time::Duration;

use tickwire_cluster::{Claim, Consistency, Embedded, Epoch, Event, Load, MatchLane, Node, NodeId, Options, Standing, Store};
use tickwire_protocol::MatchId;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const MATCH: MatchId = MatchId([7; 16]);
const LEASE: Duration = Duration::from_millis(1_200);

struct Running {
    node: Node,
    events: mpsc::Receiver<Event>,
    driver: JoinHandle<()>,
}

fn start(store: &Embedded, name: &str) -> Running {
    let options = Options {
        id: NodeId::new(name).unwrap(),
        incarnation: 1,
        address: format!("http://{name}/"),
        lease: LEASE,
        flush: Duration::from_millis(50),
        seed: 1,
    };
    let load = || Load { permille: 1, matches: 1, is_draining: false, has_room: true };
    let (node, events, driver) = tickwire_cluster::start(Arc::new(store.clone()), options, load);
    Running { node, events, driver: tokio::spawn(driver) }
}

async fn next(running: &mut Running) -> Event {
    timeout(Duration::from_secs(10), running.events.recv()).await.expect("in time").expect("it lives")
}

async fn acked(lane: &MatchLane, number: u64) {
    let mut acks = lane.acks();
    timeout(Duration::from_secs(10), acks.wait_for(|acked| *acked >= number)).await.expect("in time").expect("it lives");
}

/// A new match, of which the store knows.
async fn open(running: &Running, consistency: Consistency) -> MatchLane {
    let mut lane = running.node.open(MATCH, Epoch(1), consistency);
    lane.checkpoint(b"start");
    lane.record(b"one");
    acked(&lane, 1).await;
    // Nodes that have just started claim nothing.
    tokio::time::sleep(LEASE).await;
    lane
}

#[tokio::test(start_paused = true)]
async fn a_match_goes_on_with_another_node_when_its_own_is_gone() {
    let store = Embedded::new();
    let (first, mut second) = (start(&store, "a"), start(&store, "b"));
    let lane = open(&first, Consistency::Consistent).await;
    assert_eq!(lane.standing(), Standing::Held);
    first.driver.abort();
    let Event::Granted { id, epoch, kept } = next(&mut second).await else { panic!("it is granted") };
    assert_eq!((id, epoch, &kept.checkpoint[..], kept.records.len()), (MATCH, Epoch(2), &b"start"[..], 1));
    assert_eq!(lane.standing(), Standing::Doubtful);
    let mut lane = second.node.open(MATCH, epoch, Consistency::Consistent);
    assert_eq!((lane.record(b"two"), lane.standing()), (1, Standing::Held));
    acked(&lane, 2).await;
}

#[tokio::test(start_paused = true)]
async fn who_writes_a_match_that_is_another_nodes_is_told_whose_it_is() {
    let store = Embedded::new();
    let mut first = start(&store, "a");
    let lane = open(&first, Consistency::Available).await;
    let second = NodeId::new("b").unwrap();
    // Behind its back.
    store.give_up(first.node.id(), &[(MATCH, Epoch(1))]).await.unwrap();
    let claim = store.claim(MATCH, &second, LEASE).await.unwrap();
    assert!(matches!(claim, Claim::Granted { epoch: Epoch(2), .. }), "{claim:?}");
    let Event::Fenced { id, owner } = next(&mut first).await else { panic!("it is fenced") };
    assert_eq!((id, owner.map(|owner| owner.node)), (MATCH, Some(second)));
    assert_eq!(lane.standing(), Standing::Fenced);
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_over_is_complete_and_claimed_at_once() {
    let store = Embedded::new();
    let (first, mut second) = (start(&store, "a"), start(&store, "b"));
    let mut lane = open(&first, Consistency::Available).await;
    lane.record(b"two");
    assert_eq!(first.node.hand_over(&[MATCH], Duration::from_secs(1)).await, [MATCH]);
    drop(lane);
    second.node.claim(MATCH);
    let before = tokio::time::Instant::now();
    let Event::Granted { kept, .. } = next(&mut second).await else { panic!("it is granted") };
    assert_eq!(kept.records.len(), 2);
    assert_eq!(before.elapsed(), Duration::ZERO, "nobody waits for a lease to end, or for the next look");
}

#[tokio::test(start_paused = true)]
async fn a_match_that_cannot_run_here_runs_elsewhere() {
    let store = Embedded::new();
    let (first, mut second, mut third) = (start(&store, "a"), start(&store, "b"), start(&store, "c"));
    let lane = open(&first, Consistency::Available).await;
    first.driver.abort();
    lane.leave();
    let (running, id, epoch) = tokio::select! {
        Some(Event::Granted { id, epoch, .. }) = second.events.recv() => (&second, id, epoch),
        Some(Event::Granted { id, epoch, .. }) = third.events.recv() => (&third, id, epoch),
    };
    running.node.refuse(id, epoch);
    let refused_by = running.node.id().clone();
    let granted = tokio::select! {
        Some(Event::Granted { epoch: Epoch(3), .. }) = second.events.recv() => second.node.id(),
        Some(Event::Granted { epoch: Epoch(3), .. }) = third.events.recv() => third.node.id(),
    };
    assert_ne!(*granted, refused_by);
}

#[tokio::test(start_paused = true)]
async fn a_match_that_has_ended_is_gone_whether_it_said_so_or_panicked() {
    let store = Embedded::new();
    let first = start(&store, "a");
    for lives in [true, false] {
        let lane = first.node.open(MatchId([u8::from(lives); 16]), Epoch(1), Consistency::Available);
        let mut acks = lane.acks();
        acks.changed().await.unwrap();
        assert!(store.find(lane.id()).await.unwrap().is_some());
        if lives {
            lane.end();
        } else {
            drop(lane);
        }
    }
    tokio::time::timeout(LEASE, async {
        while !store.list(9).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("the store is told at once");
}

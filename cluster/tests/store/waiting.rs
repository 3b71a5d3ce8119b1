//! Laws of matchmaking: nobody plays twice, and nothing that a dead node leaves behind stays.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tickwire_cluster::queue::{Group, Queue, QueuePlace, Rules, TicketId};
use tickwire_protocol::MatchId;
use tokio::time::Instant;

use super::house::House;

/// Longer than a reservation counts.
const LATER: Duration = Duration::from_secs(5);

fn queue(house: &impl House) -> Queue {
    let rules = Rules { seats: 2, seats_min: 2, patience: Duration::from_mins(1), spread: 100, widening_per_second: 10 };
    Queue::new(house.store(), "duel", rules)
}

async fn enter(queue: &Queue, now: Instant, id: u8, rating: i32) -> QueuePlace {
    queue.enter(now, TicketId([id; 16]), 1, rating).await.unwrap()
}

fn ids(groups: &[Group]) -> Vec<Vec<u8>> {
    groups.iter().map(|group| group.tickets.iter().map(|ticket| ticket.id.0[0]).collect()).collect()
}

pub(crate) async fn those_who_wait_get_one_match(house: &impl House) {
    let (ours, theirs, now) = (queue(house), queue(house), Instant::now());
    let (mut one, mut two) = (enter(&ours, now, 1, 0).await, enter(&theirs, now, 2, 50).await);
    let mut far = enter(&ours, now, 3, 1_000).await;
    assert_eq!(ours.look(now, &mut one).await, Ok(None));
    let groups = theirs.reserve(|| MatchId([7; 16])).await.unwrap();
    assert_eq!(ids(&groups), [[1, 2]]);
    assert_eq!(ours.reserve(|| MatchId([8; 16])).await, Ok(vec![]), "they are reserved");
    assert_eq!(ours.look(now, &mut one).await, Ok(None), "there is no match yet");
    assert_eq!(theirs.seat(&groups[0]).await, Ok(true));
    assert_eq!(ours.look(now, &mut one).await, Ok(Some(MatchId([7; 16]))));
    assert_eq!(theirs.look(now, &mut two).await, Ok(Some(MatchId([7; 16]))));
    assert_eq!(ours.look(now, &mut far).await, Ok(None));
    for place in [one, two, far] {
        ours.leave(place).await.unwrap();
    }
    assert!(ours.enter(now, TicketId([4; 16]), 3, 0).await.is_err(), "a party of three has no room in a duel");
}

pub(crate) async fn of_many_who_group_each_party_plays_once(house: &impl House) {
    let now = Instant::now();
    let nodes: Vec<_> = (0..4).map(|_| Arc::new(queue(house))).collect();
    let mut places = Vec::new();
    for id in 0..40 {
        places.push(enter(&nodes[0], now, id, 0).await);
    }
    let tasks: Vec<_> = (0..)
        .zip(&nodes)
        .map(|(node, queue)| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let mut count = 0;
                let new_id = || {
                    count += 1;
                    MatchId([node, count, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
                };
                for group in queue.reserve(new_id).await.unwrap() {
                    assert!(queue.seat(&group).await.unwrap());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let mut players = BTreeMap::new();
    for place in &mut places {
        let id = nodes[0].look(now, place).await.unwrap().expect("everybody plays");
        *players.entry(id).or_insert(0) += 1;
    }
    assert!(players.len() == 20 && players.values().all(|count| *count == 2), "{players:?}");
}

pub(crate) async fn a_reservation_of_a_dead_node_comes_to_nothing(house: &impl House) {
    let (ours, theirs, now) = (queue(house), queue(house), Instant::now());
    let (mut one, mut two) = (enter(&ours, now, 1, 0).await, enter(&ours, now, 2, 0).await);
    let of_the_dead = theirs.reserve(|| MatchId([7; 16])).await.unwrap();
    for at in [now, now + LATER] {
        assert_eq!(ours.look(at, &mut one).await, Ok(None));
        assert_eq!(ours.look(at, &mut two).await, Ok(None));
    }
    let again = ours.reserve(|| MatchId([8; 16])).await.unwrap();
    assert_eq!(ids(&again), [[1, 2]]);
    assert!(again[0].tickets.iter().all(|ticket| ticket.waited == LATER), "they have waited all the while");
    assert_eq!(theirs.seat(&of_the_dead[0]).await, Ok(false), "who comes back to life is too late");
    assert_eq!(ours.seat(&again[0]).await, Ok(true));
    assert_eq!(ours.look(now + LATER, &mut one).await, Ok(Some(MatchId([8; 16]))));
}

pub(crate) async fn who_leaves_sends_the_others_back(house: &impl House) {
    let (queue, now) = (queue(house), Instant::now());
    let (one, mut two) = (enter(&queue, now, 1, 0).await, enter(&queue, now, 2, 0).await);
    let groups = queue.reserve(|| MatchId([7; 16])).await.unwrap();
    queue.leave(one).await.unwrap();
    assert_eq!(queue.seat(&groups[0]).await, Ok(false));
    assert_eq!(queue.look(now, &mut two).await, Ok(None));
    enter(&queue, now, 3, 0).await;
    assert_eq!(ids(&queue.reserve(|| MatchId([8; 16])).await.unwrap()), [[2, 3]], "at once");
}

pub(crate) async fn those_whom_the_store_lost_wait_on(house: &impl House) {
    let (queue, now) = (queue(house), Instant::now());
    let (mut one, mut two) = (enter(&queue, now, 1, 0).await, enter(&queue, now, 2, 0).await);
    let lost = queue.reserve(|| MatchId([7; 16])).await.unwrap();
    house.wipe().await;
    assert_eq!(queue.seat(&lost[0]).await, Ok(false));
    assert_eq!(queue.look(now + LATER, &mut one).await, Ok(None));
    assert_eq!(queue.look(now + LATER, &mut two).await, Ok(None));
    let again = queue.reserve(|| MatchId([8; 16])).await.unwrap();
    assert_eq!(again[0].tickets.iter().map(|ticket| ticket.waited).collect::<Vec<_>>(), [LATER, LATER]);
}

pub(crate) async fn waiting_widens_as_nodes_say(house: &impl House) {
    let (queue, now) = (queue(house), Instant::now());
    let (mut one, mut two) = (enter(&queue, now, 1, 0).await, enter(&queue, now, 2, 140).await);
    assert_eq!(queue.reserve(|| MatchId([7; 16])).await, Ok(vec![]));
    for place in [&mut one, &mut two] {
        assert_eq!(queue.look(now + LATER, place).await, Ok(None));
    }
    assert_eq!(ids(&queue.reserve(|| MatchId([7; 16])).await.unwrap()), [[1, 2]]);
}

pub(crate) async fn a_party_whose_node_is_gone_waits_on_at_another(house: &impl House) {
    let (ours, theirs, now) = (queue(house), queue(house), Instant::now());
    let mut one = enter(&ours, now, 1, 0).await;
    assert_eq!(ours.look(now + LATER, &mut one).await, Ok(None));
    let mut one = theirs.take_up(now + LATER, TicketId([1; 16]), 1, 0).await.unwrap();
    assert_eq!(one.waited(now + LATER + LATER), LATER + LATER, "it has waited all the while");
    assert_eq!(theirs.look(now + LATER, &mut one).await, Ok(None));
    let mut two = theirs.take_up(now, TicketId([2; 16]), 1, 0).await.unwrap();
    let groups = ours.reserve(|| MatchId([7; 16])).await.unwrap();
    assert_eq!(ids(&groups), [[1, 2]], "who was not known has entered");
    assert_eq!(ours.seat(&groups[0]).await, Ok(true));
    for place in [&mut one, &mut two] {
        assert_eq!(theirs.look(now + LATER, place).await, Ok(Some(MatchId([7; 16]))));
    }
    theirs.withdraw(TicketId([1; 16])).await.unwrap();
    assert_eq!((theirs.reserve(|| MatchId([8; 16])).await.unwrap(), theirs.waiting()), (vec![], 0));
}

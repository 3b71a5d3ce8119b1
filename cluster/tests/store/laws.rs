//! Laws of matches: claims, epochs, writes, ends, and a store that forgets.

use bytes::Bytes;
use tickwire_cluster::store::RECORDS_MAX;
use tickwire_cluster::{Claim, Epoch, Kept, Owner, Store, Writes, Written};
use tickwire_protocol::MatchId;

use super::house::{House, LONG, SHORT, node};

pub(crate) const M: MatchId = MatchId([7; 16]);
const N: MatchId = MatchId([8; 16]);

fn checkpoint(first: u64) -> Writes {
    Writes { checkpoint: Some((first, format!("before {first}").into())), ..Writes::default() }
}

fn records(numbers: impl IntoIterator<Item = u64>) -> Writes {
    Writes { records: numbers.into_iter().map(|number| (number, record(number))).collect(), ..Writes::default() }
}

fn record(number: u64) -> Bytes {
    format!("record {number}").into()
}

fn card(text: &str) -> Writes {
    Writes { card: Some(text.to_owned().into()), ..Writes::default() }
}

fn owner(name: &str, epoch: u64) -> Owner {
    Owner { node: node(name), epoch: Epoch(epoch) }
}

fn fenced_by(name: &str, epoch: u64) -> Written {
    Written::Fenced(Some(owner(name, epoch)))
}

fn kept(first: u64, numbers: impl IntoIterator<Item = u64>) -> Kept {
    Kept { checkpoint: format!("before {first}").into(), first, records: numbers.into_iter().map(record).collect() }
}

async fn write(store: &dyn Store, by: &str, epoch: u64, writes: Writes) -> Written {
    store.write(&node(by), LONG, &[(M, Epoch(epoch), writes)]).await.unwrap().remove(0)
}

/// The match goes from its owner to the next.
async fn hand_over(store: &dyn Store, from: &str, epoch: u64, to: &str) -> Kept {
    store.give_up(&node(from), &[(M, Epoch(epoch))]).await.unwrap();
    match store.claim(M, &node(to), LONG).await.unwrap() {
        Claim::Granted { epoch: next, kept } if next == Epoch(epoch + 1) => kept,
        other => panic!("{from} gave it up in {epoch}, and {to} gets {other:?}"),
    }
}

pub(crate) async fn what_nobody_wrote_is_unknown(house: &impl House) {
    let store = house.store();
    assert_eq!(store.find(M).await, Ok(None));
    assert_eq!(store.claim(M, &node("a"), LONG).await, Ok(Claim::Unknown));
    assert_eq!(store.list(9).await, Ok(vec![]));
    assert_eq!(store.list(0).await, Ok(vec![]));
    assert_eq!(store.orphans(9).await, Ok(vec![]));
    assert_eq!(store.write(&node("a"), LONG, &[]).await, Ok(vec![]));
}

pub(crate) async fn the_first_write_makes_a_match(house: &impl House) {
    let store = house.store();
    assert_eq!(write(&*store, "a", 1, Writes { card: Some("one".into()), ..checkpoint(0) }).await, Written::Adopted);
    assert_eq!(write(&*store, "a", 1, records([0])).await, Written::Done);
    let entry = house.store().find(M).await.unwrap().expect("another process finds it");
    assert_eq!((entry.id, entry.owner, entry.is_held, &entry.card[..]), (M, owner("a", 1), true, &b"one"[..]));
    assert_eq!(write(&*store, "a", 1, card("two")).await, Written::Done);
    let listed = house.store().list(9).await.unwrap();
    assert_eq!(listed.iter().map(|entry| &entry.card[..]).collect::<Vec<_>>(), [b"two"]);
}

pub(crate) async fn a_match_without_a_checkpoint_is_not_handed_out(house: &impl House) {
    let store = house.store();
    assert_eq!(write(&*store, "a", 1, card("waits")).await, Written::Adopted);
    assert_eq!(write(&*store, "a", 1, records([0])).await, Written::Adopted, "nothing can follow from nothing");
    assert_eq!(store.list(9).await.unwrap().len(), 1, "somebody runs it");
    store.give_up(&node("a"), &[(M, Epoch(1))]).await.unwrap();
    assert_eq!(store.claim(M, &node("b"), LONG).await, Ok(Claim::Unknown));
    assert_eq!(store.orphans(9).await, Ok(vec![]));
    assert_eq!(store.list(9).await, Ok(vec![]));
    assert_eq!(store.find(M).await, Ok(None), "it has no future");
    assert_eq!(write(&*store, "a", 1, checkpoint(0)).await, Written::Done, "its owner goes on");
    assert_eq!(store.list(9).await.unwrap().len(), 1);
}

pub(crate) async fn a_match_that_is_held_is_not_handed_out(house: &impl House) {
    let store = house.store();
    write(&*store, "a", 1, checkpoint(0)).await;
    for claimer in ["a", "b"] {
        assert_eq!(store.claim(M, &node(claimer), LONG).await, Ok(Claim::Held(owner("a", 1))));
    }
    assert_eq!(store.orphans(9).await, Ok(vec![]));
}

pub(crate) async fn whoever_claims_gets_what_the_last_owner_left(house: &impl House) {
    let (a, b) = (house.store(), house.store());
    write(&*a, "a", 1, checkpoint(10)).await;
    write(&*a, "a", 1, records(10..13)).await;
    assert_eq!(hand_over(&*a, "a", 1, "b").await, kept(10, 10..13));
    assert_eq!(b.find(M).await.unwrap().map(|entry| (entry.owner, entry.is_held)), Some((owner("b", 2), true)));
    assert_eq!(write(&*b, "b", 2, records([13])).await, Written::Done, "the next owner numbers on");
    assert_eq!(hand_over(&*b, "b", 2, "a").await, kept(10, 10..14));
    assert_eq!(write(&*a, "a", 3, checkpoint(14)).await, Written::Done);
    assert_eq!(hand_over(&*a, "a", 3, "a").await, kept(14, []));
}

pub(crate) async fn of_many_who_claim_at_once_one_gets_it(house: &impl House) {
    let store = house.store();
    write(&*store, "a", 1, checkpoint(0)).await;
    store.give_up(&node("a"), &[(M, Epoch(1))]).await.unwrap();
    let claims: Vec<_> = (0..8)
        .map(|number| {
            let store = house.store();
            tokio::spawn(async move { store.claim(M, &node(&format!("n{number}")), LONG).await.unwrap() })
        })
        .collect();
    let mut granted = 0;
    for claim in claims {
        match claim.await.unwrap() {
            Claim::Granted { epoch, .. } => {
                assert_eq!(epoch, Epoch(2));
                granted += 1;
            }
            Claim::Held(owner) => assert_eq!(owner.epoch, Epoch(2)),
            Claim::Unknown => panic!("it is known"),
        }
    }
    assert_eq!(granted, 1);
}

pub(crate) async fn an_older_epoch_changes_nothing(house: &impl House) {
    let store = house.store();
    write(&*store, "a", 1, Writes { card: Some("a's".into()), ..checkpoint(0) }).await;
    hand_over(&*store, "a", 1, "b").await;
    let everything =
        Writes { card: Some("zombie's".into()), checkpoint: Some((9, "zombie's".into())), records: vec![(9, "zombie's".into())] };
    assert_eq!(write(&*store, "a", 1, everything).await, fenced_by("b", 2));
    assert_eq!(store.find(M).await.unwrap().map(|entry| (entry.owner, entry.card)), Some((owner("b", 2), "a's".into())));
    assert_eq!(hand_over(&*store, "b", 2, "c").await, kept(0, []));
    assert_eq!(write(&*store, "b", 2, records([0])).await, fenced_by("c", 3));
    assert_eq!(write(&*store, "a", 1, records([0])).await, fenced_by("c", 3));
}

pub(crate) async fn another_node_in_the_same_epoch_changes_nothing(house: &impl House) {
    let store = house.store();
    write(&*store, "a", 1, checkpoint(0)).await;
    assert_eq!(write(&*store, "b", 1, checkpoint(5)).await, fenced_by("a", 1));
    store.give_up(&node("a"), &[(M, Epoch(1))]).await.unwrap();
    assert_eq!(write(&*store, "b", 1, checkpoint(5)).await, fenced_by("a", 1), "a lease that is over gives nobody an epoch");
    assert_eq!(write(&*store, "a", 1, records([0])).await, Written::Done, "nor takes it away");
    assert_eq!(store.claim(M, &node("b"), LONG).await, Ok(Claim::Held(owner("a", 1))), "it is renewed");
}

pub(crate) async fn a_gap_asks_for_a_checkpoint(house: &impl House) {
    let store = house.store();
    write(&*store, "a", 1, checkpoint(0)).await;
    assert_eq!(write(&*store, "a", 1, records([0, 2])).await, Written::Adopted);
    assert_eq!(write(&*store, "a", 1, records([3])).await, Written::Adopted);
    assert_eq!(write(&*store, "a", 1, Writes { records: vec![(4, record(4))], ..checkpoint(4) }).await, Written::Done);
    assert_eq!(hand_over(&*store, "a", 1, "b").await, kept(4, [4]));
    assert_eq!(write(&*store, "b", 2, records([6])).await, Written::Adopted);
    assert_eq!(hand_over(&*store, "b", 2, "c").await, kept(4, [4]), "what is kept has no gap");
}

pub(crate) async fn a_write_can_be_repeated(house: &impl House) {
    let store = house.store();
    write(&*store, "a", 1, checkpoint(0)).await;
    for _ in 0..2 {
        assert_eq!(write(&*store, "a", 1, records(0..3)).await, Written::Done);
    }
    assert_eq!(write(&*store, "a", 1, records(2..5)).await, Written::Done);
    for _ in 0..2 {
        assert_eq!(write(&*store, "a", 1, checkpoint(4)).await, Written::Done);
    }
    assert_eq!(hand_over(&*store, "a", 1, "b").await, kept(4, [4]));
}

pub(crate) async fn a_write_that_comes_late_takes_nothing_back(house: &impl House) {
    let store = house.store();
    write(&*store, "a", 1, checkpoint(0)).await;
    write(&*store, "a", 1, records([0])).await;
    write(&*store, "a", 1, checkpoint(1)).await;
    write(&*store, "a", 1, records([1])).await;
    assert_eq!(write(&*store, "a", 1, checkpoint(0)).await, Written::Done);
    assert_eq!(write(&*store, "a", 1, records([0])).await, Written::Done);
    assert_eq!(hand_over(&*store, "a", 1, "b").await, kept(1, [1]));
}

pub(crate) async fn a_checkpoint_forgets_what_came_before_it(house: &impl House) {
    let store = house.store();
    write(&*store, "a", 1, checkpoint(0)).await;
    write(&*store, "a", 1, records(0..6)).await;
    assert_eq!(write(&*store, "a", 1, checkpoint(4)).await, Written::Done);
    assert_eq!(write(&*store, "a", 1, records([6])).await, Written::Done);
    assert_eq!(hand_over(&*store, "a", 1, "b").await, kept(4, 4..7), "those after it stay");
    assert_eq!(write(&*store, "b", 2, checkpoint(7)).await, Written::Done);
    assert_eq!(write(&*store, "b", 2, records([7])).await, Written::Done);
    assert_eq!(write(&*store, "b", 2, checkpoint(100)).await, Written::Done, "nothing in between is missed");
    assert_eq!(write(&*store, "b", 2, records([100])).await, Written::Done);
    assert_eq!(hand_over(&*store, "b", 2, "c").await, kept(100, [100]));
}

pub(crate) async fn records_after_a_checkpoint_have_a_bound(house: &impl House) {
    let store = house.store();
    let most = RECORDS_MAX as u64;
    write(&*store, "a", 1, checkpoint(0)).await;
    for first in (0..most).step_by(1_024) {
        assert_eq!(write(&*store, "a", 1, records(first..first + 1_024)).await, Written::Done);
    }
    assert_eq!(write(&*store, "a", 1, records([most])).await, Written::Adopted);
    assert_eq!(write(&*store, "a", 1, checkpoint(most)).await, Written::Done);
    assert_eq!(write(&*store, "a", 1, records([most])).await, Written::Done);
}

pub(crate) async fn an_end_is_for_good(house: &impl House) {
    let store = house.store();
    write(&*store, "a", 1, checkpoint(0)).await;
    hand_over(&*store, "a", 1, "b").await;
    store.end(&node("b"), &[(M, Epoch(2)), (N, Epoch(5))]).await.unwrap();
    assert_eq!(store.find(M).await, Ok(None));
    assert_eq!(store.list(9).await, Ok(vec![]));
    assert_eq!(store.orphans(9).await, Ok(vec![]));
    assert_eq!(store.claim(M, &node("c"), LONG).await, Ok(Claim::Unknown));
    assert_eq!(write(&*store, "a", 1, checkpoint(0)).await, Written::Fenced(None));
    assert_eq!(write(&*store, "b", 2, checkpoint(0)).await, Written::Fenced(None));
    let of_n = store.write(&node("a"), LONG, &[(N, Epoch(5), checkpoint(0))]).await;
    assert_eq!(of_n, Ok(vec![Written::Fenced(None)]), "also if the store had never heard of it");
    assert_eq!(write(&*store, "c", 3, checkpoint(0)).await, Written::Adopted, "who was given a later epoch knows more than the store");
    assert_eq!(write(&*store, "b", 2, checkpoint(0)).await, fenced_by("c", 3));
}

pub(crate) async fn only_its_owner_ends_a_match_or_gives_it_up(house: &impl House) {
    let store = house.store();
    write(&*store, "a", 1, checkpoint(0)).await;
    hand_over(&*store, "a", 1, "b").await;
    for (name, epoch) in [("a", 1), ("a", 2), ("b", 1)] {
        store.give_up(&node(name), &[(M, Epoch(epoch))]).await.unwrap();
        store.end(&node(name), &[(M, Epoch(epoch))]).await.unwrap();
        assert_eq!(store.claim(M, &node("c"), LONG).await, Ok(Claim::Held(owner("b", 2))), "{name} in {epoch}");
    }
    store.give_up(&node("b"), &[(M, Epoch(3))]).await.unwrap();
    assert_eq!(store.claim(M, &node("c"), LONG).await, Ok(Claim::Held(owner("b", 2))));
}

pub(crate) async fn each_match_of_a_write_has_its_own_answer(house: &impl House) {
    let store = house.store();
    write(&*store, "a", 1, checkpoint(0)).await;
    hand_over(&*store, "a", 1, "b").await;
    let ended = MatchId([9; 16]);
    store.end(&node("a"), &[(ended, Epoch(1))]).await.unwrap();
    let writes = [(M, Epoch(1), records([0])), (N, Epoch(1), checkpoint(0)), (ended, Epoch(1), Writes::default())];
    let answers = store.write(&node("a"), LONG, &writes).await;
    assert_eq!(answers, Ok(vec![fenced_by("b", 2), Written::Adopted, Written::Fenced(None)]));
    let listed: Vec<_> = store.list(9).await.unwrap().into_iter().map(|entry| entry.id).collect();
    assert_eq!(listed.len(), 2);
    assert!(listed.contains(&M) && listed.contains(&N));
    assert_eq!(store.list(1).await.unwrap().len(), 1);
}

pub(crate) async fn orphans_come_by_age_and_no_more_than_asked_for(house: &impl House) {
    let store = house.store();
    let ids = [3, 1, 2].map(|byte| MatchId([byte; 16]));
    for (count, id) in ids.iter().enumerate() {
        store.write(&node("a"), SHORT, &[(*id, Epoch(1), checkpoint(0))]).await.unwrap();
        house.until(async || store.orphans(9).await.unwrap().len() == count + 1).await;
    }
    assert_eq!(store.orphans(9).await, Ok(ids.to_vec()));
    assert_eq!(store.orphans(2).await, Ok(ids[..2].to_vec()));
    assert_eq!(store.orphans(0).await, Ok(vec![]));
    assert!(matches!(store.claim(ids[0], &node("b"), LONG).await, Ok(Claim::Granted { .. })));
    assert_eq!(store.orphans(9).await, Ok(ids[1..].to_vec()));
    assert!(store.list(9).await.unwrap().iter().all(|entry| entry.is_held == (entry.id == ids[0])));
}

pub(crate) async fn a_lease_is_over_when_nobody_renews_it(house: &impl House) {
    let store = house.store();
    store.write(&node("a"), SHORT, &[(M, Epoch(1), checkpoint(0))]).await.unwrap();
    house.until(async || !store.find(M).await.unwrap().unwrap().is_held).await;
    store.write(&node("a"), LONG, &[(M, Epoch(1), Writes::default())]).await.unwrap();
    assert_eq!(store.orphans(9).await, Ok(vec![]), "a write with nothing in it renews");
    store.write(&node("a"), SHORT, &[(M, Epoch(1), Writes::default())]).await.unwrap();
    house.until(async || matches!(store.claim(M, &node("b"), SHORT).await.unwrap(), Claim::Granted { .. })).await;
    house.until(async || store.orphans(9).await.unwrap() == [M]).await;
}

pub(crate) async fn a_wiped_store_heals_by_writes(house: &impl House) {
    let store = house.store();
    write(&*store, "a", 1, checkpoint(0)).await;
    hand_over(&*store, "a", 1, "b").await;
    write(&*store, "b", 2, records([0])).await;
    house.wipe().await;
    assert_eq!(store.list(9).await, Ok(vec![]));
    assert_eq!(write(&*store, "b", 2, records([1])).await, Written::Adopted);
    assert_eq!(store.list(9).await.unwrap().len(), 1, "it is listed again at once");
    assert_eq!(write(&*store, "a", 1, checkpoint(0)).await, fenced_by("b", 2), "and a zombie stays one");
    assert_eq!(write(&*store, "b", 2, checkpoint(2)).await, Written::Done);
    assert_eq!(hand_over(&*store, "b", 2, "c").await, kept(2, []));
}

pub(crate) async fn a_store_without_its_last_seconds_heals_by_a_checkpoint(house: &impl House) {
    let store = house.store();
    write(&*store, "a", 1, checkpoint(0)).await;
    write(&*store, "a", 1, records(0..3)).await;
    house.keep().await;
    write(&*store, "a", 1, checkpoint(3)).await;
    write(&*store, "a", 1, records(3..9)).await;
    house.roll_back().await;
    assert_eq!(write(&*store, "a", 1, records([9])).await, Written::Adopted);
    assert_eq!(write(&*store, "a", 1, checkpoint(10)).await, Written::Done);
    assert_eq!(hand_over(&*store, "a", 1, "b").await, kept(10, []));
}

pub(crate) async fn a_store_without_its_last_seconds_does_not_mix_two_owners_records(house: &impl House) {
    let store = house.store();
    write(&*store, "a", 1, checkpoint(0)).await;
    write(&*store, "a", 1, records([0])).await;
    house.keep().await;
    hand_over(&*store, "a", 1, "b").await;
    write(&*store, "b", 2, records([1])).await;
    house.roll_back().await;
    let of_b = Writes { records: vec![(1, "b's".into())], ..Writes::default() };
    assert_eq!(write(&*store, "b", 2, of_b).await, Written::Adopted, "the takeover is news to it, so nothing is known to follow");
    assert_eq!(write(&*store, "a", 1, records([1])).await, fenced_by("b", 2));
    assert_eq!(hand_over(&*store, "b", 2, "c").await, kept(0, [0]), "an older whole is better than none");
    assert_eq!(write(&*store, "c", 3, records([1])).await, Written::Done);
}

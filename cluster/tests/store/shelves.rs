//! Laws of what is kept for a time: nodes, codes, values.

use bytes::Bytes;
use tickwire_cluster::store::EXCHANGE_MAX;
use tickwire_cluster::{Exchange, NodeCard, StoreError};
use tickwire_protocol::MatchId;

use super::house::{House, LONG, SHORT, node};

const M: MatchId = MatchId([7; 16]);
const N: MatchId = MatchId([8; 16]);

fn card(name: &str, incarnation: u64) -> NodeCard {
    NodeCard {
        id: node(name),
        incarnation,
        address: format!("http://{name}.example/"),
        load_permille: 1_000,
        matches: 3,
        is_draining: incarnation == 9,
    }
}

pub(crate) async fn nodes_are_there_while_they_beat(house: &impl House) {
    let store = house.store();
    assert_eq!(store.nodes().await, Ok(vec![]));
    store.beat(&card("b", 1), LONG).await.unwrap();
    store.beat(&card("a", u64::MAX), LONG).await.unwrap();
    assert_eq!(house.store().nodes().await, Ok(vec![card("a", u64::MAX), card("b", 1)]));
    store.beat(&card("b", 9), LONG).await.unwrap();
    store.leave(&node("b"), 1).await.unwrap();
    assert_eq!(store.nodes().await.unwrap().len(), 2, "who left is not who beats");
    store.leave(&node("b"), 9).await.unwrap();
    store.leave(&node("c"), 9).await.unwrap();
    assert_eq!(store.nodes().await, Ok(vec![card("a", u64::MAX)]));
    store.beat(&card("a", u64::MAX), SHORT).await.unwrap();
    house.until(async || store.nodes().await.unwrap().is_empty()).await;
    store.beat(&card("a", u64::MAX), LONG).await.unwrap();
    house.wipe().await;
    store.beat(&card("a", u64::MAX), LONG).await.unwrap();
    assert_eq!(store.nodes().await.unwrap().len(), 1);
}

pub(crate) async fn a_code_leads_to_one_match_until_its_time_is_up(house: &impl House) {
    let store = house.store();
    assert_eq!(store.find_code("ABCD").await, Ok(None));
    assert_eq!(store.hold_code("ABCD", M, LONG).await, Ok(true));
    assert_eq!(store.hold_code("ABCD", N, LONG).await, Ok(false));
    assert_eq!(house.store().find_code("ABCD").await, Ok(Some(M)));
    assert_eq!(store.hold_code("EFGH", N, LONG).await, Ok(true));
    assert_eq!(store.hold_code("ABCD", M, SHORT).await, Ok(true), "it is renewed");
    house.until(async || store.find_code("ABCD").await.unwrap().is_none()).await;
    assert_eq!(store.hold_code("ABCD", N, LONG).await, Ok(true));
    assert_eq!(store.find_code("ABCD").await, Ok(Some(N)));
    assert_eq!(store.find_code("EFGH").await, Ok(Some(N)));
}

pub(crate) async fn values_are_kept_for_their_time(house: &impl House) {
    let store = house.store();
    let key = [0, 255, b'\n', b'}'];
    let value = Bytes::from_static(&[1, 0, 255]);
    assert_eq!(store.get("s", &key, None).await, Ok(None));
    store.put("s", &key, value.clone(), LONG).await.unwrap();
    assert_eq!(house.store().get("s", &key, None).await, Ok(Some(value)));
    assert_eq!(store.get("t", &key, None).await, Ok(None), "another shelf is another shelf");
    store.put("s", &key, Bytes::new(), LONG).await.unwrap();
    assert_eq!(store.get("s", &key, None).await, Ok(Some(Bytes::new())));
    store.remove("s", &key).await.unwrap();
    store.remove("s", &key).await.unwrap();
    assert_eq!(store.get("s", &key, None).await, Ok(None));
    store.put("s", b"long", Bytes::new(), LONG).await.unwrap();
    store.put("s", b"short", Bytes::new(), SHORT).await.unwrap();
    house.until(async || store.get("s", b"short", None).await.unwrap().is_none()).await;
    assert_eq!(store.all("s", 9).await, Ok(vec![("long".into(), Bytes::new())]));
}

pub(crate) async fn asking_for_a_value_can_renew_it(house: &impl House) {
    let store = house.store();
    store.put("s", b"shorter", Bytes::new(), LONG).await.unwrap();
    assert_eq!(store.get("s", b"shorter", Some(SHORT)).await, Ok(Some(Bytes::new())));
    house.until(async || store.get("s", b"shorter", None).await.unwrap().is_none()).await;
    assert_eq!(store.get("s", b"shorter", Some(LONG)).await, Ok(None), "what is over stays so");

    // Long enough for the two steps to be in time, on any machine.
    let soon = 40 * SHORT;
    store.put("s", b"longer", Bytes::new(), soon).await.unwrap();
    assert_eq!(store.get("s", b"longer", Some(LONG)).await, Ok(Some(Bytes::new())));
    store.put("s", b"not renewed", Bytes::new(), soon).await.unwrap();
    house.until(async || store.get("s", b"not renewed", None).await.unwrap().is_none()).await;
    assert_eq!(store.get("s", b"longer", None).await, Ok(Some(Bytes::new())));
}

pub(crate) async fn the_first_to_put_wins(house: &impl House) {
    let store = house.store();
    assert_eq!(store.put_first("s", b"k", "one".into(), LONG).await, Ok("one".into()));
    assert_eq!(house.store().put_first("s", b"k", "two".into(), SHORT).await, Ok("one".into()));
    assert_eq!(store.get("s", b"k", Some(SHORT)).await, Ok(Some("one".into())));
    house.until(async || store.put_first("s", b"k", "three".into(), LONG).await.unwrap() == "three").await;
    assert_eq!(store.get("s", b"k", None).await, Ok(Some("three".into())));
}

pub(crate) async fn values_are_exchanged_all_or_none(house: &impl House) {
    let store = house.store();
    let exchange =
        |key: &str, from: &str, to: &str| Exchange { key: key.to_owned().into(), from: from.to_owned().into(), to: to.to_owned().into() };
    assert_eq!(store.exchange("s", &[], LONG).await, Ok(true));
    assert_eq!(store.exchange("s", &[exchange("a", "", "2")], LONG).await, Ok(false), "nothing is there");
    store.put("s", b"a", "1".into(), LONG).await.unwrap();
    store.put("s", b"b", "1".into(), LONG).await.unwrap();
    assert_eq!(store.exchange("s", &[exchange("a", "1", "2"), exchange("b", "3", "2")], LONG).await, Ok(false));
    assert_eq!(store.exchange("s", &[exchange("a", "1", "2"), exchange("c", "1", "2")], LONG).await, Ok(false));
    assert_eq!(store.get("s", b"a", None).await, Ok(Some("1".into())));
    let both = [exchange("a", "1", "2"), exchange("b", "1", "3")];
    for _ in 0..2 {
        assert_eq!(store.exchange("s", &both, LONG).await, Ok(true), "it can be repeated");
    }
    assert_eq!(store.all("s", 9).await, Ok(vec![("a".into(), "2".into()), ("b".into(), "3".into())]));
    let many = vec![exchange("a", "2", "2"); EXCHANGE_MAX + 1];
    assert_eq!(store.exchange("s", &many[1..], LONG).await, Ok(true));
    assert_eq!(store.exchange("s", &many, LONG).await, Err(StoreError::TooMany(EXCHANGE_MAX + 1)));
    assert_eq!(store.exchange("s", &[exchange("a", "2", "2")], SHORT).await, Ok(true));
    house.until(async || store.get("s", b"a", None).await.unwrap().is_none()).await;
    assert_eq!(store.exchange("s", &[exchange("a", "2", "2")], LONG).await, Ok(false), "what is over is not there");

    store.put("s", b"one seat", "free".into(), LONG).await.unwrap();
    let takers: Vec<_> = (0..8)
        .map(|number| {
            let store = house.store();
            let taken = exchange("one seat", "free", &format!("taken by {number}"));
            tokio::spawn(async move { store.exchange("s", &[taken], LONG).await.unwrap() })
        })
        .collect();
    let mut taken = 0;
    for taker in takers {
        taken += usize::from(taker.await.unwrap());
    }
    assert_eq!(taken, 1);
}

pub(crate) async fn all_of_a_shelf_has_a_bound(house: &impl House) {
    let store = house.store();
    for key in [b"c", b"a", b"b"] {
        store.put("s", key, Bytes::from_static(key), LONG).await.unwrap();
    }
    let all = [b"a", b"b", b"c"].map(|key| (Bytes::from_static(key), Bytes::from_static(key)));
    assert_eq!(store.all("s", 9).await, Ok(all.to_vec()), "by their keys");
    assert_eq!(store.all("s", 2).await.unwrap().len(), 2);
    assert_eq!(store.all("s", 0).await, Ok(vec![]));
    assert_eq!(store.all("t", 9).await, Ok(vec![]));
}

//! Quick play: the fullest open match with a seat, never one too many in it, never one match too
//! many.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use harness::Harness;
use http::{get, guest, post};
use serde_json::Value;
use tag::Tag;
use tickwire_game::{Game, Mode, Setup};
use tickwire_protocol::PlayerId;

fn seats() -> usize {
    usize::from(Tag::MODES[0].max_players)
}

fn body() -> String {
    format!(r#"{{"mode":"{}"}}"#, Tag::MODES[0].id)
}

fn server() -> Harness {
    Harness::start::<Tag>(|_| ())
}

/// The matches listed, once `is_there` finds in them what it looks for: the list may be a second
/// old.
fn listed(address: SocketAddr, mut is_there: impl FnMut(&[Value]) -> bool) -> Vec<Value> {
    for _ in 0..400 {
        let list = get(address, "/api/matches").json()["matches"].as_array().expect("matches").clone();
        if is_there(&list) {
            return list;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the list never came to be as expected: {}", get(address, "/api/matches").text())
}

fn quick_play(address: SocketAddr, token: &str) -> String {
    let answer = post(address, "/api/quick-play", Some(token), &body());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["match"]["id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_crowd_fills_matches_exactly_and_creates_none_in_vain() {
    let harness = server();
    let address = harness.server.play_addr();
    let crowd = seats() * 5 + 1;
    let mut players: HashMap<String, usize> = HashMap::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..crowd).map(|_| scope.spawn(|| quick_play(address, &guest(address)))).collect();
        for thread in threads {
            *players.entry(thread.join().expect("a seat")).or_default() += 1;
        }
    });
    assert_eq!(players.len(), 6, "{players:?}");
    assert!(players.values().all(|count| *count <= seats()), "{players:?}");
    listed(address, |matches| matches.len() == 6);
}

/// A game whose matches take a while to come up, so that a crowd is there before the first answer.
struct SlowToBuild;

impl Game for SlowToBuild {
    const NAME: &'static str = "slow-to-build";
    const MODES: &'static [Mode] =
        &[Mode { id: "only", title: "Only", max_players: 4, tick_rate: 60, live_seconds: 60, bots_fill: 0, stand_in: false }];
    type Input = u8;
    type Event = ();
    type Components = ();

    fn systems(_: &mut Setup<'_>) {
        std::thread::sleep(Duration::from_millis(200));
    }
    fn join(_: &mut bevy_ecs::world::World, _: PlayerId) {}
}

tickwire_game::without!(SlowToBuild: Predict, Bots, Ranking, Sight);

#[test]
fn a_crowd_that_comes_before_the_first_match_is_up_fills_matches_exactly_too() {
    let harness = Harness::start::<SlowToBuild>(|_| ());
    let address = harness.server.play_addr();
    let seat = || {
        let answer = post(address, "/api/quick-play", Some(&guest(address)), r#"{"mode":"only"}"#);
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    std::thread::scope(|scope| (0..13).for_each(|_| drop(scope.spawn(seat))));
    listed(address, |matches| {
        let mut players: Vec<_> = matches.iter().filter_map(|summary| summary["players"].as_u64()).collect();
        players.sort_unstable();
        players == [1, 4, 4, 4]
    });
}

#[test]
fn the_fullest_open_match_is_chosen_and_a_private_one_or_one_in_its_lobby_never() {
    let harness = server();
    let address = harness.server.play_addr();
    let create = |settings: &str| {
        let body = format!(r#"{{"mode":"{}"{settings}}}"#, Tag::MODES[0].id);
        post(address, "/api/matches", Some(&guest(address)), &body).json()["match"]["id"].as_str().expect("an id").to_owned()
    };
    let (_emptier, fuller) = (create(""), create(""));
    let (private, in_lobby) = (create(r#","private":true"#), create(r#","lobby":true"#));
    for id in [&fuller, &private, &private, &in_lobby, &in_lobby] {
        assert_eq!(post(address, &format!("/api/matches/{id}/join"), Some(&guest(address)), "").status, 200);
    }
    assert_eq!(quick_play(address, &guest(address)), fuller);
}

#[test]
fn whoever_asks_again_has_one_seat() {
    let harness = server();
    let address = harness.server.play_addr();
    let token = guest(address);
    let mine = quick_play(address, &token);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..30).map(|_| scope.spawn(|| quick_play(address, &token))).collect();
        for thread in threads {
            assert_eq!(thread.join().expect("a seat"), mine);
        }
    });
    let matches = listed(address, |matches| !matches.is_empty());
    assert_eq!((matches.len(), &matches[0]["players"]), (1, &1.into()));
}

#[test]
fn a_seat_that_nobody_came_to_is_given_up_for_one_elsewhere() {
    let harness = server();
    let address = harness.server.play_addr();
    let (ada, bob) = (guest(address), guest(address));
    let body = format!(r#"{{"mode":"{}"}}"#, Tag::MODES[0].id);
    let create = |token| post(address, "/api/matches", Some(token), &body).json()["match"]["id"].as_str().expect("an id").to_owned();
    let (first, second) = (create(&ada), create(&bob));
    assert_eq!(post(address, &format!("/api/matches/{second}/join"), Some(&ada), "").status, 200);
    let matches = listed(address, |matches| matches.len() == 1);
    assert_eq!((&matches[0]["id"], &matches[0]["players"]), (&second.into(), &2.into()), "nobody has a seat in {first}");
}

//! Quick play: the fullest open match with a seat, never one too many in it, never one match too many.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[macro_use]
#[path = "common/small_game.rs"]
mod small_game;
#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use harness::Harness;
use http::{get, guest, post};
use tag::Tag;
use tickwire_game::{Game, GameDef, Mode, Setup};
use tickwire_protocol::messages::Ranked;
use tickwire_protocol::schema::MatchState;
use tickwire_protocol::{Columns, PlayerId, Schema};

fn seats() -> usize {
    usize::from(Tag::MODES[0].max_players)
}

fn body() -> String {
    format!(r#"{{"mode":"{}"}}"#, Tag::MODES[0].id)
}

fn server() -> Harness {
    Harness::start::<Tag>(|config| {
        config.rates.api_calls_per_minute = 0;
        config.rates.matches_per_minute = 0;
    })
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
    let token = guest(address);
    let crowd = seats() * 5 + 1;
    let mut players: HashMap<String, usize> = HashMap::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..crowd).map(|_| scope.spawn(|| quick_play(address, &token))).collect();
        for thread in threads {
            *players.entry(thread.join().expect("a seat")).or_default() += 1;
        }
    });
    assert_eq!(players.len(), 6, "{players:?}");
    assert!(players.values().all(|count| *count <= seats()), "{players:?}");
    assert_eq!(get(address, "/api/matches").json()["matches"].as_array().map(Vec::len), Some(6));
}

/// A game whose matches take a while to come up, so that a crowd is there before the first answer.
struct SlowToBuild;

impl GameDef for SlowToBuild {
    const NAME: &'static str = "slow-to-build";
    const SCHEMA: Schema = Schema::new(&[<MatchState as Columns>::TABLE]);
    const MODES: &'static [Mode] =
        &[Mode { id: "only", title: "Only", max_players: 4, tick_rate: 60, live_seconds: 60, bots_fill: 0, stand_in: false }];
    no_prediction_no_bots!();
}

impl Game for SlowToBuild {
    fn build(_: &mut Setup<'_>) {
        std::thread::sleep(Duration::from_millis(200));
    }
    fn join(_: &mut bevy_ecs::world::World, _: PlayerId) {}
    fn leave(_: &mut bevy_ecs::world::World, _: PlayerId) {}
    fn ranking(_: &mut bevy_ecs::world::World) -> Vec<Ranked> {
        Vec::new()
    }
}

#[test]
fn a_crowd_that_comes_before_the_first_match_is_up_fills_matches_exactly_too() {
    let harness = Harness::start::<SlowToBuild>(|config| config.rates.api_calls_per_minute = 0);
    let address = harness.server.play_addr();
    let token = guest(address);
    let seat = || {
        let answer = post(address, "/api/quick-play", Some(&token), r#"{"mode":"only"}"#);
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    std::thread::scope(|scope| (0..13).for_each(|_| drop(scope.spawn(seat))));
    let listed = get(address, "/api/matches").json();
    let mut players: Vec<_> = listed["matches"].as_array().expect("matches").iter().map(|summary| summary["players"].as_u64()).collect();
    players.sort_unstable();
    assert_eq!(players, [Some(1), Some(4), Some(4), Some(4)]);
}

#[test]
fn the_fullest_open_match_is_chosen_and_a_private_one_never() {
    let harness = server();
    let address = harness.server.play_addr();
    let token = guest(address);
    let create = |private: bool| {
        let body = format!(r#"{{"mode":"{}","private":{private}}}"#, Tag::MODES[0].id);
        post(address, "/api/matches", Some(&token), &body).json()["match"]["id"].as_str().expect("an id").to_owned()
    };
    let (_emptier, fuller, private) = (create(false), create(false), create(true));
    for id in [&fuller, &private, &private] {
        assert_eq!(post(address, &format!("/api/matches/{id}/join"), Some(&token), "").status, 200);
    }
    assert_eq!(quick_play(address, &token), fuller);
}

//! Matches are woken only while their worker has time for them: who plays goes on playing, whatever
//! others start.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::time::Duration;

use harness::{Harness, eventually};
use http::get;
use tickwire_game::{Game, Mode, Setup};
use tickwire_protocol::{CloseReason, PlayerId};
use tickwire_server::config::HeadroomConfig;
use tickwire_testkit::script::{enter, resume, see};
use tickwire_testkit::{Api, ApiError, Client, ClientError, Join};

/// A game of which a match takes an eighth of a worker, on a fast machine.
struct Costly;

const MODE: Mode =
    Mode { id: "costly", title: "Costly", max_players: 8, tick_rate: 50, live_seconds: 3_600, bots_fill: 0, stand_in: false };
const TICK: Duration = Duration::from_micros(2_500);
/// Matches that an attacker wants to run: four times what a worker can.
const WANTED: usize = 32;

impl Game for Costly {
    const NAME: &'static str = "costly";
    const MODES: &'static [Mode] = &[MODE];
    type Input = u8;
    type Event = ();
    type Components = ();

    fn systems(setup: &mut Setup<'_>) {
        setup.add(|| std::thread::sleep(TICK));
    }
    fn join(_: &mut bevy_ecs::world::World, _: PlayerId) {}
}

tickwire_game::without!(Costly: Predict, Bots, Ranking, Sight);

fn start() -> Harness {
    Harness::start::<Costly>(|config| {
        config.workers = 1;
        config.headroom = HeadroomConfig::default();
    })
}

fn connected(harness: &Harness) -> usize {
    let text = get(harness.server.ops_addr(), "/metrics").text();
    let line = text.lines().find_map(|line| line.strip_prefix("tickwire_players{state=\"connected\"} "));
    line.and_then(|count| count.parse().ok()).expect("the metric")
}

/// Connects one player to a match of their own. Says whether they were let in.
async fn intrude(api: &Api, join: &Join) -> Option<Client<Costly>> {
    match enter(api, join).await {
        Ok(client) => Some(client),
        Err(ClientError::Told(CloseReason::Busy)) => None,
        Err(other) => panic!("refused in another way: {other}"),
    }
}

/// An attacker's matches, made while the server has time: they cost nothing until somebody comes.
async fn plant(harness: &Harness) -> Vec<(Api, Join)> {
    let mut planted = Vec::new();
    for index in 0..WANTED {
        let api = harness.guest(100 + index).await;
        let join = api.create(MODE.id, true).await.expect("a match that sleeps costs nothing");
        planted.push((api, join));
    }
    planted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_wakes_no_more_matches_than_it_has_time_for_and_who_plays_plays_on() {
    let harness = start();
    let planted = plant(&harness).await;
    let ada = harness.guest(0).await;
    let join = ada.create(MODE.id, true).await.expect("a match");
    let code = join.code.clone();
    let mut honest: Client<Costly> = enter(&ada, &join).await.expect("Welcome");
    see(&mut honest, |view| view.tick.0 >= 10).await.expect("what a match costs is known");

    let mut intruders = Vec::new();
    for (api, join) in &planted {
        // The ticket may be too old by now, or another one refused for want of time.
        let Ok(join) = api.join(&join.code).await else { continue };
        intruders.extend(intrude(api, &join).await);
    }
    // Eight would take all of its time; each is slower than it was meant to be, never faster.
    assert!(intruders.len() < 8, "{} of {WANTED} were let in", intruders.len());
    let (api, _) = planted.last().expect("some");
    assert_eq!(get(harness.server.ops_addr(), "/readyz").status, 503);
    let late = api.create(MODE.id, true).await.expect_err("nobody new");
    assert!(matches!(&late, ApiError::Refused { code, .. } if code == "at_capacity"), "{late}");
    let tick = see(&mut honest, |_| true).await.expect("a snapshot");
    see(&mut honest, |view| view.tick.since(tick) > 50).await.expect("who plays plays on");

    // A match that somebody plays costs no more for a friend who comes.
    let bob = harness.guest(1).await;
    let theirs = bob.join(&code).await.expect("a seat");
    let friend: Client<Costly> = enter(&bob, &theirs).await.expect("Welcome");

    drop((intruders, friend, honest));
    eventually("they are gone", || (connected(&harness) == 0).then_some(())).await;
    eventually("time for others", || (get(harness.server.ops_addr(), "/readyz").status == 200).then_some(())).await;
    let join = api.create(MODE.id, true).await.expect("a match");
    intrude(api, &join).await.expect("there is time again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_for_want_of_time_is_as_good_as_before() {
    let harness = Harness::start::<Costly>(|config| {
        config.workers = 1;
        // Whatever runs is too much for another match.
        config.headroom = HeadroomConfig { busy_percent: 1, late_percent: 0 };
    });
    let (ada, bob, eve) = (harness.guest(0).await, harness.guest(1).await, harness.guest(2).await);
    let for_ada = ada.create(MODE.id, true).await.expect("a match");
    let for_bob = bob.create(MODE.id, true).await.expect("a match");
    let for_eve = eve.create(MODE.id, true).await.expect("a match");

    // Eve has played, and was cut off.
    let mut played: Client<Costly> = enter(&eve, &for_eve).await.expect("the first one is let in");
    see(&mut played, |_| true).await.expect("a snapshot");
    let token = played.resume_credential().expect("welcomed");
    drop(played);
    eventually("she is away", || (connected(&harness) == 0).then_some(())).await;

    let mut playing: Client<Costly> = enter(&ada, &for_ada).await.expect("there is nobody else");
    see(&mut playing, |view| view.tick.0 >= 50).await.expect("what a match costs is known");
    assert!(intrude(&bob, &for_bob).await.is_none(), "no time for Bob's match");
    let eve_is_refused = resume::<Costly>(&eve, &for_eve.ws_url, token).await.err();
    assert!(matches!(eve_is_refused, Some(ClientError::Told(CloseReason::Busy))), "{eve_is_refused:?}");
    drop(playing);
    eventually("Ada is away", || (connected(&harness) == 0).then_some(())).await;
    drop(intrude(&bob, &for_bob).await.expect("the same ticket"));
    eventually("Bob is away", || (connected(&harness) == 0).then_some(())).await;
    resume::<Costly>(&eve, &for_eve.ws_url, token).await.expect("the same token, the same seat");
}

//! A match nobody is connected to costs nothing: no world before the first comes, no ticks while
//! all are away; and it ends by the clock.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use harness::{Harness, eventually};
use http::get;
use tickwire_game::{Game, Mode, Setup};
use tickwire_protocol::{CloseReason, Event, PlayerId};
use tickwire_testkit::script::{enter, hear, resume, see};
use tickwire_testkit::{Client, ClientError, Heard};

/// Worlds that were built of the mode that one test only plays.
static WORLDS: AtomicUsize = AtomicUsize::new(0);

/// A game that counts its worlds.
struct Counted;

const PLAIN: Mode = Mode { id: "plain", title: "Plain", max_players: 8, tick_rate: 60, live_seconds: 3_600, bots_fill: 0, stand_in: false };
const COUNTED: Mode = Mode { id: "counted", title: "Counted", ..PLAIN };

impl Game for Counted {
    const NAME: &'static str = "counted";
    const MODES: &'static [Mode] = &[PLAIN, COUNTED];
    type Input = u8;
    type Event = ();
    type Components = ();

    fn systems(setup: &mut Setup<'_>) {
        WORLDS.fetch_add(usize::from(setup.mode.id == COUNTED.id), Relaxed);
    }
    fn join(_: &mut bevy_ecs::world::World, _: PlayerId) {}
}

tickwire_game::without!(Counted: Predict, Bots, Ranking, Sight);

/// The value of a metric, all its labels together.
fn metric(harness: &Harness, name: &str) -> f64 {
    let text = get(harness.server.ops_addr(), "/metrics").text();
    let lines = text.lines().filter(|line| line.starts_with(name));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn matches_that_nobody_has_come_to_have_no_world_no_bots_and_no_ticks() {
    let harness = Harness::start::<Counted>(|config| config.matches.bots_fill = Some(5));
    for index in 1..5 {
        harness.guest(index).await.create(COUNTED.id, true).await.expect("a match");
    }
    let ada = harness.guest(0).await;
    let join = ada.create(COUNTED.id, true).await.expect("a match");
    let mut ada: Client<Counted> = enter(&ada, &join).await.expect("Welcome");
    see(&mut ada, |view| view.tick.0 >= 60).await.expect("Ada plays");
    assert_eq!(WORLDS.load(Relaxed), 1, "one of five");
    let tick = ada.view().expect("a view").tick.0;
    let ticks = metric(&harness, "tickwire_tick_duration_seconds_count");
    assert!(ticks >= 60.0 && ticks < f64::from(tick) + 60.0, "{ticks} ticks of five matches, of which one has come to {tick}");
    assert_eq!((metric(&harness, "tickwire_matches{"), metric(&harness, "tickwire_bots ")), (5.0, 4.0));
    assert!((metric(&harness, "tickwire_players{state=\"reserved\"}") - 4.0).abs() < 1e-9);
    assert!((metric(&harness, "tickwire_players{state=\"connected\"}") - 1.0).abs() < 1e-9);
    assert_eq!(get(harness.server.ops_addr(), "/healthz").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_match_goes_on_where_it_stood_when_the_first_comes_back() {
    let harness = Harness::start::<Counted>(|_| {});
    let (mut busy, _, _) = harness.pair::<Counted>().await;
    let api = harness.guest(2).await;
    let join = api.create(PLAIN.id, true).await.expect("a match");
    let mut ada: Client<Counted> = enter(&api, &join).await.expect("Welcome");
    let left = see(&mut ada, |view| view.tick.0 >= 10).await.expect("Ada plays");
    let token = ada.resume_credential().expect("welcomed");
    drop(ada);
    let away = eventually("the match knows", || (metric(&harness, "tickwire_players{state=\"away\"}") >= 1.0).then_some(()));
    away.await;
    let began = see(&mut busy, |_| true).await.expect("another match plays");
    see(&mut busy, |view| view.tick.since(began) >= 180).await.expect("it plays on for three seconds");
    let mut ada: Client<Counted> = resume(&api, &join.ws_url, token).await.expect("the seat was kept");
    let back = ada.welcome().expect("welcomed").tick;
    assert!(back.since(left) < 120, "from {left:?} to {back:?}");
    see(&mut ada, |view| view.tick.since(back) >= 10).await.expect("ticks go on");
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_expire_and_the_match_ends_although_nothing_ticks() {
    let harness = Harness::start::<Counted>(|config| {
        config.session.grace_ms = 300;
        config.matches.empty_ms = 200;
    });
    let api = harness.guest(0).await;
    let join = api.create(PLAIN.id, true).await.expect("a match");
    let ada: Client<Counted> = enter(&api, &join).await.expect("Welcome");
    let token = ada.resume_credential().expect("welcomed");
    drop(ada);
    eventually("the match ends", || (metric(&harness, "tickwire_matches{") < 1.0).then_some(())).await;
    let late = resume::<Counted>(&api, &join.ws_url, token).await.err();
    assert!(matches!(late, Some(ClientError::Told(CloseReason::BadResume))), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_waits_for_its_players_is_told_to_end_like_any_other() {
    let harness = Harness::start::<Counted>(|_| {});
    let api = harness.guest(0).await;
    let join = api.create(PLAIN.id, true).await.expect("a match");
    let server = harness.server;
    let directory_is_gone = tokio::task::spawn_blocking(move || server.drain(std::time::Duration::from_secs(30)));
    let mut ada: Client<Counted> = enter(&api, &join).await.expect("tickets already given are honoured");
    let until = hear(&mut ada, |heard| match heard {
        Heard::Event(Event::Draining { until }) => Some(until),
        _ => None,
    });
    assert!(until.await.expect("Ada is told when it ends").0 > 60);
    drop(ada);
    directory_is_gone.await.expect("stopped");
}

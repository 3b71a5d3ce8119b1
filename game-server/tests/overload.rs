//! A match whose ticks take longer than its interval runs late, and that is all: it still hears who
//! wants in and when to end, and the other matches of its worker go on. One that stands still for a
//! while blames nobody for it.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;

use std::time::Duration;

use bevy_ecs::system::{Local, Res};
use harness::Harness;
use tickwire_game::{Game, Inputs, Mode, Setup};
use tickwire_protocol::{CloseReason, PlayerId};
use tickwire_testkit::script::{enter, hear_closing, see};

/// A game with a mode that no machine is fast enough for, and in which the first player can hold up
/// any match.
struct Heavy;

const LIGHT: Mode = Mode { id: "light", title: "Light", max_players: 8, tick_rate: 60, live_seconds: 60, bots_fill: 0, stand_in: false };
const HEAVY: Mode = Mode { id: "heavy", title: "Heavy", ..LIGHT };
/// One and a half of its intervals.
const TICK: Duration = Duration::from_millis(25);

impl Game for Heavy {
    const NAME: &'static str = "heavy";
    const MODES: &'static [Mode] = &[LIGHT, HEAVY];
    type Input = u8;
    type Event = ();
    type Components = ();

    fn systems(setup: &mut Setup<'_>) {
        if setup.mode.id == HEAVY.id {
            setup.add(|| std::thread::sleep(TICK));
        }
        setup.add(|inputs: Res<Inputs<u8>>, mut before: Local<u8>| {
            let tenths = inputs.of(PlayerId(0));
            if std::mem::replace(&mut *before, tenths) != tenths {
                std::thread::sleep(Duration::from_millis(100) * tenths.into());
            }
        });
    }
    fn join(_: &mut bevy_ecs::world::World, _: PlayerId) {}
}

tickwire_game::without!(Heavy: Predict, Bots, Ranking, Sight);

#[tokio::test(flavor = "multi_thread")]
async fn players_come_and_the_neighbours_play_on() {
    let harness = Harness::start::<Heavy>(|config| config.workers = 1);
    let (mut neighbour, _, _) = harness.pair::<Heavy>().await;
    let ada = harness.guest(2).await;
    let join = ada.create(HEAVY.id, true).await.expect("a match");
    let mut ada = enter::<Heavy>(&ada, &join).await.expect("Welcome");
    for index in 3..6 {
        let guest = harness.guest(index).await;
        let join = guest.join(&join.code).await.expect("a seat");
        let mut guest = enter::<Heavy>(&guest, &join).await.expect("Welcome");
        let tick = see(&mut guest, |_| true).await.expect("a snapshot");
        see(&mut guest, |view| view.tick.since(tick) > 5).await.expect("the match goes on");
    }
    let tick = see(&mut neighbour, |_| true).await.expect("a snapshot");
    see(&mut neighbour, |view| view.tick.since(tick) > 30).await.expect("the neighbours play on");
    see(&mut ada, |_| true).await.expect("Ada plays on");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_the_server_does() {
    let harness = Harness::start::<Heavy>(|config| config.workers = 1);
    let ada = harness.guest(0).await;
    let join = ada.create(HEAVY.id, true).await.expect("a match");
    let mut ada = enter::<Heavy>(&ada, &join).await.expect("Welcome");
    see(&mut ada, |_| true).await.expect("Ada plays");
    let server = harness.server;
    let stopping = tokio::task::spawn_blocking(move || server.shutdown());
    assert_eq!(hear_closing(&mut ada).await.expect("a reason"), CloseReason::Draining);
    drop(ada);
    stopping.await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_stood_still_closes_nobody_whom_it_did_not_ask() {
    let harness = Harness::start::<Heavy>(|config| {
        config.session.ping_after_ms = 200;
        config.session.silence_ms = 1_000;
    });
    let (mut ada, mut bob, _) = harness.pair::<Heavy>().await;
    let tick = see(&mut ada, |_| true).await.expect("a snapshot");
    ada.input(tick.plus(3), 20).await.expect("sent");
    // They say nothing, and answer pings. The match has two seconds of time in which it does
    // nothing, and two in which it ticks.
    let [ada, bob] = [&mut ada, &mut bob].map(|client| see(client, |view| view.tick.since(tick) > 120));
    let (ada, bob) = tokio::join!(ada, bob);
    assert!(ada.is_ok() && bob.is_ok(), "{ada:?}, {bob:?}");
}

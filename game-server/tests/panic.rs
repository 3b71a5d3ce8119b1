//! A panic inside one match ends that match, with a reason; other matches and the server go on.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;

use bevy_ecs::system::Res;
use harness::Harness;
use tickwire_game::{Game, Inputs, Mode, Setup};
use tickwire_protocol::{CloseReason, PlayerId};
use tickwire_testkit::script::{hear_closing, see};

/// A game with a defect: one input makes it panic.
struct Fragile;

const FATAL: u8 = 13;

impl Game for Fragile {
    const NAME: &'static str = "fragile";
    const MODES: &'static [Mode] =
        &[Mode { id: "only", title: "Only", max_players: 2, tick_rate: 60, live_seconds: 60, bots_fill: 0, stand_in: false }];
    type Input = u8;
    type Event = ();
    type Components = ();

    fn systems(setup: &mut Setup<'_>) {
        setup.add(|inputs: Res<Inputs<u8>>| {
            assert!((0..2).all(|player| inputs.of(PlayerId(player)) != FATAL), "the planted defect");
        });
    }
    fn join(_: &mut bevy_ecs::world::World, _: PlayerId) {}
}

tickwire_game::without!(Fragile: Predict, Bots, Ranking, Sight);

#[tokio::test(flavor = "multi_thread")]
async fn one_match_ends_and_the_others_go_on() {
    // One worker: both matches run on the same thread.
    let harness = Harness::start::<Fragile>(|config| config.workers = 1);
    let (mut ada, mut bob, _) = harness.pair::<Fragile>().await;
    let (mut cyd, _dan, _) = harness.pair::<Fragile>().await;
    let tick = see(&mut ada, |_| true).await.expect("a snapshot");
    ada.input(tick.plus(3), FATAL).await.expect("sent");
    assert_eq!(hear_closing(&mut ada).await.expect("a reason"), CloseReason::InternalError);
    assert_eq!(hear_closing(&mut bob).await.expect("a reason"), CloseReason::InternalError);
    let before = see(&mut cyd, |_| true).await.expect("Cyd plays");
    see(&mut cyd, |view| view.tick.since(before) > 60).await.expect("Cyd plays on");
    let (_eve, _fay, _) = harness.pair::<Fragile>().await;
}

//! A panic inside one match ends that match, with a reason; other matches and the server go on.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests: failing by panicking is their work

#[macro_use]
#[path = "common/small_game.rs"]
mod small_game;
#[path = "common/harness.rs"]
mod harness;

use bevy_ecs::system::Res;
use harness::Harness;
use tickwire_game::{Game, GameDef, Inputs, Mode, Setup};
use tickwire_loadtest::script::{hear_closing, see};
use tickwire_protocol::messages::Ranked;
use tickwire_protocol::schema::MatchState;
use tickwire_protocol::{CloseReason, PlayerId, Schema};

/// A game with a defect: one input makes it panic.
struct Fragile;

const FATAL: u8 = 13;

impl GameDef for Fragile {
    const NAME: &'static str = "fragile";
    const SCHEMA: Schema = Schema::new(&[<MatchState as tickwire_protocol::Columns>::TABLE]);
    const MODES: &'static [Mode] =
        &[Mode { id: "only", title: "Only", max_players: 2, tick_rate: 60, live_seconds: 60, bots_fill: 0, stand_in: false }];
    no_prediction_no_bots!();
}

impl Game for Fragile {
    fn build(setup: &mut Setup<'_>) {
        setup.schedule.add_systems(|inputs: Res<Inputs<u8>>| {
            assert!((0..2).all(|player| inputs.of(PlayerId(player)) != FATAL), "the planted defect");
        });
    }
    fn join(_: &mut bevy_ecs::world::World, _: PlayerId) {}
    fn leave(_: &mut bevy_ecs::world::World, _: PlayerId) {}
    fn ranking(_: &mut bevy_ecs::world::World) -> Vec<Ranked> {
        Vec::new()
    }
}

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

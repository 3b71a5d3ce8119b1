//! A client behind a link that carries a fifth of what it needs: it plays on, at a lower rate, on
//! the newest state there is.
//!
//! The link is measured in ticks, not in seconds: for each tick that a healthy client sees, so many
//! bytes more get through.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work
#![allow(clippy::needless_pass_by_value)] // systems take their parameters by value

#[path = "common/harness.rs"]
mod harness;
#[path = "common/slow.rs"]
mod slow;

use bevy_ecs::system::{Query, Res, ResMut};
use bevy_ecs::world::World;
use harness::Harness;
use slow::{connection_of, drain, enter_over};
use tickwire_game::interest::Tier;
use tickwire_game::{Game, Inputs, Interest, Mode, Random, Replicate, Setup, Sight, spawn};
use tickwire_protocol::PlayerId;
use tickwire_testkit::client::Traffic;
use tickwire_testkit::script::{enter, see};

/// A game that needs much bandwidth: its rows are noise, which no codec makes smaller.
struct Static;

const NOISES: i32 = 300;
const SIDE: i32 = 1_000;

/// Changes in every tick to something that nobody can foresee.
#[derive(Replicate)]
#[place(x, y)]
struct Noise {
    #[range(0..=SIDE - 1)]
    x: i32,
    #[range(0..=SIDE - 1)]
    y: i32,
    #[range(0..=0xffff)]
    value: i32,
}

/// What a player last said. Everyone looks from where it is: from where the first noise is.
#[derive(Replicate)]
#[place(x, y)]
#[eyes]
struct Echo {
    #[owner]
    #[range(0..=1023)]
    player: u16,
    said: u8,
    #[range(0..=SIDE - 1)]
    x: i32,
    #[range(0..=SIDE - 1)]
    y: i32,
}

const MODE: Mode = Mode { id: "whole", title: "Whole", max_players: 8, tick_rate: 60, live_seconds: 300, bots_fill: 0, stand_in: false };

impl Game for Static {
    const NAME: &'static str = "static";
    const MODES: &'static [Mode] = &[MODE, Mode { id: "divided", title: "Divided", ..MODE }];
    type Input = u8;
    type Event = ();
    type Components = (Noise, Echo);

    fn systems(setup: &mut Setup<'_>) {
        for number in 0..NOISES {
            setup.spawn(Noise { x: number * 331 % SIDE, y: number * 177 % SIDE, value: 0 });
        }
        setup.add((hiss, echo));
    }

    fn join(world: &mut World, player: PlayerId) {
        spawn(world, Echo { player: player.0, said: 0, x: 0, y: 0 });
    }
}

tickwire_game::without!(Static: Predict, Bots, Ranking);

impl Sight for Static {
    fn sight(mode: &Mode) -> Option<Interest> {
        let tiers = &[Tier { cells: 5, every: 1 }, Tier { cells: 10, every: 2 }];
        (mode.id == "divided").then_some(Interest::new([SIDE; 2], [100; 2], tiers, 600))
    }
}

fn hiss(mut random: ResMut<Random>, mut noises: Query<&mut Noise>) {
    noises.iter_mut().for_each(|mut noise| noise.value = random.0.between(0, 0xffff));
}

fn echo(inputs: Res<Inputs<u8>>, mut echoes: Query<&mut Echo>) {
    echoes.iter_mut().for_each(|mut echo| echo.said = inputs.of(PlayerId(echo.player)));
}

/// What the reader's kernel is asked to keep. It takes twice as much.
const RECEIVE_BUFFER_BYTES: u32 = 4_096;
const TICKS: i32 = 600;
/// What a frame of the server has in front of its payload, at most, while payloads are below 64
/// KiB.
const FRAME_HEADER_BYTES: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_of_the_bandwidth_is_a_lower_rate() {
    a_fifth_of_the_bandwidth("whole").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_of_the_bandwidth_is_a_lower_rate_in_a_divided_match() {
    a_fifth_of_the_bandwidth("divided").await;
}

async fn a_fifth_of_the_bandwidth(mode: &str) {
    let harness = Harness::start::<Static>(|_| ());
    let server = harness.server.play_addr();
    let (bob, slow) = (harness.guest(0).await, harness.guest(1).await);
    let first = bob.create(mode, true).await.expect("a match");
    let second = slow.join(&first.code).await.expect("a seat");
    let mut bob = enter::<Static>(&bob, &first).await.expect("Welcome");
    let mut slow = enter_over::<Static>(server, connection_of(server, RECEIVE_BUFFER_BYTES).await, &second).await;
    let me = slow.player().expect("a seat");

    // What it takes to get everything, measured.
    let start = see(&mut bob, |view| view.tick.0 > 10).await.expect("Bob plays");
    let before = bob.traffic();
    while see(&mut bob, |_| true).await.expect("Bob plays").since(start) < 60 {
        drain(&mut slow).await;
    }
    let after = bob.traffic();
    let needed = (after.payload_bytes - before.payload_bytes) as usize / (after.snapshots - before.snapshots) as usize + FRAME_HEADER_BYTES;

    // What is under way: what the reader's kernel keeps for it, and a frame or two that it had no
    // room for. That takes so many ticks.
    let age_max = (2 * RECEIVE_BUFFER_BYTES as usize + 2 * needed + 1_024) / (needed / 5) + 10;

    slow.stream().limit(0);
    let start = see(&mut bob, |_| true).await.expect("Bob plays");
    let (mut last, mut newest) = (start, slow.view().expect("a view").tick);
    let (mut updates, mut said, mut oldest) = (0, Vec::new(), 0);
    while last.since(start) < TICKS {
        last = see(&mut bob, |view| view.tick.since(last) == 1).await.expect("Bob misses no tick");
        slow.stream().grant(needed / 5);
        slow.input(last.plus(2), last.0 as u8).await.expect("it plays on");
        for tick in drain(&mut slow).await {
            assert!(tick.since(newest) > 0, "never back");
            newest = tick;
            updates += 1;
        }
        said.extend(slow.view().and_then(|view| view.rows::<Echo>().find(|(_, echo)| echo.player == me.0)).map(|(_, echo)| echo.said));
        oldest = oldest.max(last.since(newest));
    }
    said.dedup();
    assert!((TICKS / 20..TICKS / 3).contains(&updates), "{updates} updates in {TICKS} ticks");
    assert!(oldest < age_max as i32, "nothing else queues: its newest state was {oldest} ticks old, and may be {age_max}");
    assert!(said.len() as i32 > updates / 2, "the server does what it says");

    // The link is good again. A kernel that was told there is no room asks again when its timer
    // says so.
    slow.stream().limit(usize::MAX);
    for since in 0..180 {
        last = see(&mut bob, |view| view.tick.since(last) == 1).await.expect("Bob misses no tick");
        newest = drain(&mut slow).await.pop().unwrap_or(newest);
        assert!(since < 120 || last.since(newest) <= 2, "its newest state is {} ticks old", last.since(newest));
    }
    let Traffic { checked, snapshots, .. } = slow.traffic();
    assert_eq!(checked, snapshots, "every view was the server's");
}

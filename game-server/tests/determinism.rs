//! Equal seeds, joins, leaves and inputs give equal states at every tick: twice in a row, and on
//! one thread as among a hundred other matches on other threads.

#![allow(clippy::expect_used, clippy::panic, clippy::needless_range_loop)] // helpers of tests: failing by panicking is their work

use std::sync::Barrier;

use arena::Arena;
use tag::Tag;
use tickwire_game::Simulation;
use tickwire_game::{Game, MatchClock, Rng};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{PlayerId, Snapshot, Tick};

/// What happened in a match, to be told again.
struct Recording<G: Game> {
    seed: u64,
    ticks: Vec<Recorded<G::Input>>,
}

struct Recorded<I> {
    join: Option<PlayerId>,
    leave: Option<PlayerId>,
    inputs: Vec<(PlayerId, I)>,
}

/// A match of bots, some of which come and go, as `seed` has it.
fn record<G: Game>(seed: u64, ticks: u32) -> Recording<G> {
    let mode = G::MODES.first().expect("a game has a mode");
    let mut rng = Rng::new(seed);
    let mut simulation = Simulation::<G>::new(mode, seed, Tick(0), 0);
    let mut view = Snapshot::empty(&G::SCHEMA);
    let mut seated: Vec<(PlayerId, G::Brain)> = Vec::new();
    let mut recording = Recording { seed, ticks: Vec::new() };
    for tick in 1..=ticks {
        let free = (0..8).map(PlayerId).find(|player| seated.iter().all(|(other, _)| other != player));
        let join = free.filter(|_| rng.below(20) == 0 || tick < 5);
        let leave = seated.get(rng.below(200) as usize).map(|(player, _)| *player);
        seated.retain(|(player, _)| Some(*player) != leave);
        seated.extend(join.map(|player| (player, G::brain(rng.next_u64()))));
        seated.sort_by_key(|(player, _)| *player);
        let inputs = seated.iter_mut().map(|(player, brain)| (*player, G::think(brain, &view, *player))).collect();
        let recorded = Recorded { join, leave, inputs };
        step(&mut simulation, tick, &recorded);
        simulation.capture(&mut view);
        recording.ticks.push(recorded);
    }
    recording
}

fn step<G: Game>(simulation: &mut Simulation<G>, tick: u32, recorded: &Recorded<G::Input>) {
    if let Some(player) = recorded.leave {
        simulation.leave(player);
    }
    if let Some(player) = recorded.join {
        simulation.join(player);
    }
    let clock = MatchClock { tick: Tick(tick), phase: Phase::Live, phase_ends: None };
    simulation.step(clock, recorded.inputs.iter().copied());
    simulation.drain_events(drop);
}

/// The state hash at every tick of a replay.
fn replay<G: Game>(recording: &Recording<G>) -> Vec<u64> {
    let mode = G::MODES.first().expect("a game has a mode");
    let mut simulation = Simulation::<G>::new(mode, recording.seed, Tick(0), 0);
    let mut view = Snapshot::empty(&G::SCHEMA);
    let hash = |(tick, recorded): (usize, &Recorded<G::Input>)| {
        step(&mut simulation, tick as u32 + 1, recorded);
        simulation.capture(&mut view);
        simulation.state_hash(&view)
    };
    recording.ticks.iter().enumerate().map(hash).collect()
}

fn assert_same_alone_and_in_a_crowd<G: Game>() {
    let recordings: Vec<Recording<G>> = (0..4).map(|seed| record(0xDE7E_0000 + seed, 900)).collect();
    let alone: Vec<Vec<u64>> = recordings.iter().map(replay).collect();
    assert_ne!(alone.first(), alone.get(1), "different seeds go different ways, else this test sees nothing");
    let start = Barrier::new(4);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (recordings, alone, start) = (&recordings, &alone, &start);
            scope.spawn(move || {
                start.wait();
                // 25 matches interleaved tick by tick on this thread, among 75 on others.
                let mut matches: Vec<_> = (0..25)
                    .map(|index| {
                        let which = (index + thread) % recordings.len();
                        let recording = &recordings[which];
                        (which, Simulation::<G>::new(&G::MODES[0], recording.seed, Tick(0), 0), Snapshot::empty(&G::SCHEMA))
                    })
                    .collect();
                // By index: the matches of this thread share each tick.
                for tick in 0..recordings[0].ticks.len() {
                    for (which, simulation, view) in &mut matches {
                        step(simulation, tick as u32 + 1, &recordings[*which].ticks[tick]);
                        simulation.capture(view);
                        let seed = recordings[*which].seed;
                        assert_eq!(simulation.state_hash(view), alone[*which][tick], "seed {seed:#x}, tick {}", tick + 1);
                    }
                }
            });
        }
    });
}

#[test]
fn arena_replays_to_the_same_state_alone_and_among_a_hundred_matches() {
    assert_same_alone_and_in_a_crowd::<Arena>();
}

#[test]
fn tag_replays_to_the_same_state_alone_and_among_a_hundred_matches() {
    assert_same_alone_and_in_a_crowd::<Tag>();
}

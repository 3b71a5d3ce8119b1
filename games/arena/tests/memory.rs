//! What a match of sixteen keeps in memory, and that it does not keep more the longer it lasts. A
//! test binary of its own, because it counts what the calling thread allocates.

#![allow(clippy::expect_used)] // a test fails by panicking

use allocation_counter::measure;
use arena::{Arena, Input};
use tickwire_game::{Bots, Game, MatchClock, Simulation};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{PlayerId, Snapshot, Tick};

const PLAYERS: u16 = 16;
/// A fight until everything was there at once.
const WARM_UP: u32 = 1_800;
const LATER: u32 = 3_600;
/// World, schedule, a snapshot, and the memory that systems and capture work in: 118,000 when this
/// was written.
const BYTES_MAX: i64 = 124_000;
/// A buffer may still double when more happens than ever before.
const GROWTH_MAX: i64 = 6_000;

#[test]
fn a_match_keeps_little_and_no_more_the_longer_it_lasts() {
    let mode = Arena::MODES.first().expect("a mode");
    let (mut simulation, mut view) = (None, None);
    let mut bytes = measure(|| {
        let new = simulation.insert(Simulation::<Arena>::new(mode, 5, Tick(0), 0));
        (0..PLAYERS).for_each(|player| new.join(PlayerId(player)));
        view = Some(Snapshot::empty(&Arena::SCHEMA));
    })
    .bytes_current;
    let (mut simulation, mut view) = (simulation.expect("made"), view.expect("made"));
    let mut brains: Vec<_> = (0..PLAYERS).map(|player| (PlayerId(player), Arena::brain(u64::from(player)))).collect();
    let mut warm = 0;
    for tick in 1..=LATER {
        // Bots' thinking is not counted.
        let think = |(player, brain): &mut (PlayerId, _)| (*player, Arena::think(brain, &view, *player));
        let inputs: Vec<(PlayerId, Input)> = brains.iter_mut().map(think).collect();
        let kept = measure(|| {
            simulation.step(MatchClock { tick: Tick(tick), phase: Phase::Live, phase_ends: None }, inputs.iter().copied());
            simulation.take_events(|_, _| ());
            simulation.capture(&mut view);
        });
        bytes += kept.bytes_current;
        if tick == WARM_UP {
            warm = bytes;
        }
    }
    println!("{warm} bytes after {WARM_UP} ticks, {bytes} after {LATER}");
    assert!(warm < BYTES_MAX, "{warm} bytes");
    assert!(bytes - warm < GROWTH_MAX, "{} more after {LATER} ticks", bytes - warm);
}

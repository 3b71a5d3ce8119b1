//! A match of sixteen bots with about as many shots in the air, recorded once and played again
//! without the bots' thinking. Shared with `examples/instructions.rs`.

use arena::{Arena, Input};
use tickwire_game::testing::TestMatch;
use tickwire_game::{Bots, Game, MatchClock, Simulation};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{PlayerId, Snapshot, Tick};

const PLAYERS: u16 = 16;
/// Ten seconds, until everyone has met someone.
const WARM_UP_TICKS: usize = 300;
/// Ticks to measure: a minute.
pub(crate) const TICKS: usize = 1800;
const SEED: u64 = 3;

/// What the bots did, and what everyone saw.
pub(crate) struct Recording {
    /// Of each tick from the first.
    inputs: Vec<Vec<(PlayerId, Input)>>,
    /// Of the ticks to measure, and of the one before.
    pub(crate) snapshots: Vec<Snapshot>,
}

impl Recording {
    pub(crate) fn new() -> Self {
        let mut game = TestMatch::<Arena>::new(SEED, Tick(0));
        (0..PLAYERS).for_each(|player| game.join(PlayerId(player)));
        game.enter(Phase::Live);
        let mut brains: Vec<_> = (0..PLAYERS).map(|player| (PlayerId(player), Arena::contender(SEED + u64::from(player)))).collect();
        let (mut inputs, mut snapshots) = (Vec::new(), Vec::new());
        for tick in 1..=WARM_UP_TICKS + TICKS {
            let think =
                |(player, brain): &mut (PlayerId, _)| (*player, restrained(Arena::think(brain, game.view(), *player), *player, tick));
            let held: Vec<(PlayerId, Input)> = brains.iter_mut().map(think).collect();
            held.iter().for_each(|(player, input)| game.hold(*player, *input));
            inputs.push(held);
            let view = game.step();
            if tick >= WARM_UP_TICKS {
                snapshots.push(view.clone());
            }
        }
        Self { inputs, snapshots }
    }

    /// The match just before the ticks to measure.
    pub(crate) fn play(&self) -> Replay<'_> {
        let mut simulation = Simulation::new(TestMatch::<Arena>::mode(), SEED, Tick(0), 0);
        (0..PLAYERS).for_each(|player| simulation.join(PlayerId(player)));
        let mut replay = Replay { simulation, tick: Tick(0), inputs: self.inputs.iter() };
        (0..WARM_UP_TICKS).for_each(|_| assert!(replay.step()));
        let mut view = Snapshot::empty(&Arena::SCHEMA);
        replay.simulation.capture(&mut view);
        assert!(Some(&view) == self.snapshots.first(), "the same inputs make the same match");
        replay
    }
}

/// Bots left alone keep twice as many shots in the air: these may fire in two seconds of five.
fn restrained(input: Input, player: PlayerId, tick: usize) -> Input {
    let rests = (tick / 30 + usize::from(player.0)) % 5 >= 2;
    Input { buttons: if rests { input.buttons & !Input::FIRE } else { input.buttons }, ..input }
}

/// The recorded match, being played again.
pub(crate) struct Replay<'r> {
    pub(crate) simulation: Simulation<Arena>,
    tick: Tick,
    inputs: std::slice::Iter<'r, Vec<(PlayerId, Input)>>,
}

impl Replay<'_> {
    /// Simulates a tick; `false` when all have been.
    pub(crate) fn step(&mut self) -> bool {
        let Some(inputs) = self.inputs.next() else { return false };
        self.tick = self.tick.next();
        let clock = MatchClock { tick: self.tick, phase: Phase::Live, ..MatchClock::default() };
        self.simulation.step(clock, inputs.iter().copied());
        self.simulation.drain_events(drop);
        true
    }
}

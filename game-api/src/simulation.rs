//! One match's world and the fixed schedule that moves it on.
//!
//! Invariant: the state after a tick depends on the seed and on the joins, leaves, phases and
//! inputs given, and on nothing else: not on time, threads, or what other matches do.

use bevy_ecs::schedule::{LogLevel, Schedule, ScheduleBuildError, ScheduleBuildSettings, ScheduleBuildWarning, ScheduleGraph};
use bevy_ecs::world::World;
use tickwire_protocol::hash::Fnv;
use tickwire_protocol::messages::Ranked;
use tickwire_protocol::schema::{Columns, MatchState};
use tickwire_protocol::{NetId, PlayerId, Snapshot, Tick};

use crate::{Events, Game, Inputs, MatchClock, Mode, NetIds, Playing, Random, Registry, Rng, Scene, Setup};
use crate::{SimulationState, Told, Unfit, tick_field};

/// The world of one match.
///
/// ```
/// use tickwire_game::prelude::*;
/// use tickwire_game::Simulation;
///
/// #[derive(Replicate, Clone, Copy, Debug, PartialEq)]
/// struct Runner {
///     #[owner]
///     player: PlayerId,
///     x: u16,
/// }
///
/// struct Race;
///
/// #[game]
/// impl Game for Race {
///     fn join(world: &mut World, player: PlayerId) {
///         spawn(world, Runner { player, x: 0 });
///     }
///
///     fn step(runner: &mut Runner, _now: &MatchClock, push: &u8, _mode: &Mode) {
///         runner.x += u16::from(*push);
///     }
/// }
///
/// let mut race = Simulation::<Race>::new(&Race::MODES[0], 1, Tick(0), 0);
/// race.join(PlayerId(0));
/// race.step(MatchClock { tick: Tick(1), ..MatchClock::default() }, [(PlayerId(0), 5)].into_iter());
///
/// let mut seen = Snapshot::empty(&Race::SCHEMA);
/// race.capture(&mut seen);
/// assert_eq!(own::<Runner>(&seen, PlayerId(0)), Some(Runner { player: PlayerId(0), x: 5 }));
/// ```
pub struct Simulation<G: Game> {
    world: World,
    schedule: Schedule,
    registry: Registry,
    game: std::marker::PhantomData<fn() -> G>,
}

impl<G: Game> Simulation<G> {
    /// A world at `tick` in which nobody plays yet. Ids of its entities start at `first_net_id`, so
    /// that a second round never uses an id of the first.
    ///
    /// # Panics
    /// If the game's schema is not of its components, or its systems' order is ambiguous: the
    /// game's mistake, found by the first test that builds a match.
    pub fn new(mode: &Mode, seed: u64, tick: Tick, first_net_id: u32) -> Self {
        let mut world = World::new();
        world.insert_resource(MatchClock { tick, ..MatchClock::default() });
        world.insert_resource(Random(Rng::new(seed)));
        world.insert_resource(NetIds(first_net_id));
        world.insert_resource(Inputs::<G::Input>::default());
        world.insert_resource(Events::default());
        world.insert_resource(Playing(*mode));
        let mut schedule = Schedule::default();
        schedule.set_build_settings(ScheduleBuildSettings { ambiguity_detection: LogLevel::Error, ..Default::default() });
        let registry = Registry::new::<G::Components>(G::SCHEMA);
        G::systems(&mut Setup { world: &mut world, schedule: &mut schedule, mode });
        if let Err(error) = schedule.initialize(&mut world) {
            no_clear_order::<G>(&error, &schedule, &world);
        }
        // What the schedule was built from is a tenth of a match's memory, and nobody asks for it
        // again.
        *schedule.graph_mut() = ScheduleGraph::new();
        Self { world, schedule, registry, game: std::marker::PhantomData }
    }

    /// Gives `player` what it plays with.
    pub fn join(&mut self, player: PlayerId) {
        G::join(&mut self.world, player);
    }

    /// Takes away what `player` had.
    pub fn leave(&mut self, player: PlayerId) {
        self.registry.despawn_owned(&mut self.world, player);
        G::leave(&mut self.world, player);
    }

    /// Simulates one tick. `inputs` rise by player.
    pub fn step(&mut self, clock: MatchClock, inputs: impl Iterator<Item = (PlayerId, G::Input)>) {
        *self.world.resource_mut::<MatchClock>() = clock;
        self.world.resource_mut::<Inputs<G::Input>>().replace(inputs);
        self.schedule.run(&mut self.world);
        // The world notes which components were removed until it is told that nobody asks.
        self.world.clear_trackers();
        // Change detection needs this at times; it does nothing in most ticks.
        self.world.check_change_ticks();
    }

    /// Writes what clients may see into `snapshot`.
    pub fn capture(&mut self, snapshot: &mut Snapshot) {
        let clock = *self.world.resource::<MatchClock>();
        snapshot.tick = clock.tick;
        let state = MatchState { phase: clock.phase as u8, phase_ends: clock.phase_ends.map_or(0, tick_field) };
        if let Some(table) = snapshot.table_mut(0) {
            let mut row = [0; MatchState::TABLE.fields.len()];
            state.write(&mut row);
            table.clear();
            table.push(NetId(0), &row);
        }
        self.registry.capture(&mut self.world, snapshot);
    }

    /// Takes the tick's game events: each one encoded, and where it happened if not everyone is
    /// told.
    pub fn take_events(&mut self, each: impl FnMut(&[u8], Option<Scene>)) {
        self.world.resource_mut::<Events>().take(each);
    }

    /// Takes the tick's game events, each as a value of its own. It allocates for each.
    pub fn drain_events(&mut self, mut each: impl FnMut(Told)) {
        self.take_events(|bytes, at| each(Told { bytes: bytes.to_vec(), at }));
    }

    /// Scores so far, best first.
    pub fn ranking(&mut self) -> Vec<Ranked> {
        G::ranking(&mut self.world)
    }

    /// Whether the game is over before its time.
    pub fn is_decided(&mut self) -> bool {
        G::is_decided(&mut self.world)
    }

    /// The id the next entity gets.
    pub fn next_net_id(&self) -> u32 {
        self.world.resource::<NetIds>().0
    }

    /// Hash of the whole state: what clients see (`snapshot`, just captured), what they do not, and
    /// the randomness left.
    pub fn state_hash(&mut self, snapshot: &Snapshot) -> u64 {
        let mut hash = Fnv::new();
        let random = self.world.resource::<Random>().0.state();
        for half in [snapshot.hash(), random] {
            hash.word(half as u32);
            hash.word((half >> 32) as u32);
        }
        hash.word(self.next_net_id());
        self.registry.hash_persisted(&mut self.world, &mut hash);
        hash.finish()
    }

    /// All that this simulation is.
    pub fn state(&mut self) -> SimulationState {
        let clock = *self.world.resource::<MatchClock>();
        SimulationState {
            tick: clock.tick,
            phase: clock.phase as u8,
            phase_ends: clock.phase_ends,
            random: self.world.resource::<Random>().0.state(),
            next_net_id: self.next_net_id(),
            rows: self.registry.state(&mut self.world),
        }
    }

    /// Becomes what `state` was stored from: of the same game in the same mode. From here on it
    /// does what that one did next. What a game keeps in resources or in a system's `Local` stays
    /// as it is. If the game has changed since, what fits goes on, by the rules of
    /// [`Rows`](crate::Rows); says what does not.
    ///
    /// # Errors
    /// If a value does not fit. Nothing is changed then.
    pub fn restore(&mut self, state: &SimulationState) -> Result<Vec<String>, Unfit> {
        let left_out = self.registry.restore(&mut self.world, &state.rows)?;
        self.world.insert_resource(MatchClock { tick: state.tick, phase: state.phase(), phase_ends: state.phase_ends });
        self.world.insert_resource(Random(Rng::new(state.random)));
        self.world.insert_resource(NetIds(state.next_net_id));
        self.world.clear_trackers();
        Ok(left_out)
    }

    /// The world, to set a scene up in a test or to look behind it.
    pub fn world(&mut self) -> &mut World {
        &mut self.world
    }
}

/// Says which systems of `G` get in each other's way, and what to do about it.
#[allow(clippy::panic)] // see `Simulation::new`
fn no_clear_order<G: Game>(error: &ScheduleBuildError, schedule: &Schedule, world: &World) -> ! {
    let ScheduleBuildError::Elevated(ScheduleBuildWarning::Ambiguity(ambiguous)) = error else {
        panic!("the systems of `{}` cannot be ordered: {}", G::NAME, error.to_string(schedule.graph(), world))
    };
    let pairs = ambiguous.0.to_string(schedule.graph(), world.components());
    let pairs: Vec<String> = pairs.map(|(one, other, over)| format!("  {one} and {other}, over {over:?}")).collect();
    panic!(
        "these systems of `{}` use the same data, one of them changes it, and nothing says which runs first:\n{}\n\
         say it where `systems` adds them: `setup.add((first, second).chain())`, or `.before(..)` and `.after(..)`",
        G::NAME,
        pairs.join("\n"),
    )
}

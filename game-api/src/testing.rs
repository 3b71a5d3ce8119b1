//! Plays a game in a test: no server, no sockets, no time; a call is a tick.
//!
//! ```ignore
//! let mut game = TestMatch::<MyGame>::new(SEED, Tick(0));
//! game.join(PlayerId(0));
//! game.join_bot(PlayerId(1), SEED);
//! game.enter(Phase::Live);
//! game.hold(PlayerId(0), MyInput { .. });
//! game.step();
//! assert!(game.events().is_empty());
//! ```

use std::collections::BTreeMap;

use bevy_ecs::schedule::{LogLevel, Schedule, ScheduleBuildSettings};
use bevy_ecs::world::World;
use tickwire_protocol::messages::Ranked;
use tickwire_protocol::schema::{Columns, Fnv, MatchState, Phase};
use tickwire_protocol::{NetId, PlayerId, Snapshot, Tick};

use crate::{Events, Game, Inputs, MatchClock, Mode, NetIds, Random, Registry, Rng, Setup, tick_field};

/// A match of `G` in its first mode.
pub struct TestMatch<G: Game> {
    world: World,
    schedule: Schedule,
    registry: Registry,
    clock: MatchClock,
    held: BTreeMap<PlayerId, G::Input>,
    brains: BTreeMap<PlayerId, G::Brain>,
    view: Snapshot,
    events: Vec<Vec<u8>>,
}

impl<G: Game> TestMatch<G> {
    /// An empty match that has just been stepped to `tick`, waiting for players.
    ///
    /// # Panics
    /// If the game leaves a table of its schema unregistered, or (at the first step) the order of its systems open.
    pub fn new(seed: u64, tick: Tick) -> Self {
        let clock = MatchClock { tick, ..MatchClock::default() };
        let mut world = World::new();
        world.insert_resource(clock);
        world.insert_resource(Random(Rng::new(seed)));
        world.insert_resource(NetIds::default());
        world.insert_resource(Inputs::<G::Input>::default());
        world.insert_resource(Events::default());
        let mut schedule = Schedule::default();
        schedule.set_build_settings(ScheduleBuildSettings { ambiguity_detection: LogLevel::Error, ..Default::default() });
        let mut registry = Registry::new(G::SCHEMA);
        G::build(&mut Setup { world: &mut world, schedule: &mut schedule, registry: &mut registry, mode: Self::mode() });
        let missing: Vec<_> = registry.unregistered().collect();
        assert!(missing.is_empty(), "no component fills the tables {missing:?} of {}", G::NAME);
        let view = Snapshot::empty(&G::SCHEMA);
        Self { world, schedule, registry, clock, held: BTreeMap::new(), brains: BTreeMap::new(), view, events: Vec::new() }
    }

    /// The mode being played.
    ///
    /// # Panics
    /// If the game has none.
    #[allow(clippy::expect_used)] // a game's mistake, found by its first test
    pub fn mode() -> &'static Mode {
        G::MODES.first().expect("a game has a mode")
    }

    /// A player whose input the test decides.
    pub fn join(&mut self, player: PlayerId) {
        self.held.insert(player, G::Input::default());
        G::join(&mut self.world, player);
    }

    /// A player that the game's bot plays.
    pub fn join_bot(&mut self, player: PlayerId, seed: u64) {
        self.join(player);
        self.brains.insert(player, G::brain(seed));
    }

    /// Takes a player's seat away.
    pub fn leave(&mut self, player: PlayerId) {
        self.held.remove(&player);
        self.brains.remove(&player);
        G::leave(&mut self.world, player);
    }

    /// The phase from the next tick on, which does not end by itself.
    pub fn enter(&mut self, phase: Phase) {
        self.clock.phase = phase;
        self.clock.phase_ends = None;
    }

    /// The phase from the next tick on, and when it is going to end. The test ends it.
    pub fn enter_until(&mut self, phase: Phase, ends: Tick) {
        self.clock.phase = phase;
        self.clock.phase_ends = Some(ends);
    }

    /// What `player` holds down from the next tick on.
    pub fn hold(&mut self, player: PlayerId, input: G::Input) {
        self.held.insert(player, input);
    }

    /// Simulates a tick, bots first, and returns what everyone sees of it.
    pub fn step(&mut self) -> &Snapshot {
        for (player, brain) in &mut self.brains {
            self.held.insert(*player, G::think(brain, &self.view, *player));
        }
        self.clock.tick = self.clock.tick.next();
        self.world.insert_resource(self.clock);
        self.world.resource_mut::<Inputs<G::Input>>().replace(self.held.iter().map(|(player, input)| (*player, *input)));
        self.schedule.run(&mut self.world);
        self.world.check_change_ticks();
        self.events = self.world.resource_mut::<Events>().drain().collect();
        self.capture();
        &self.view
    }

    /// What everyone saw of the last tick.
    pub fn view(&self) -> &Snapshot {
        &self.view
    }

    /// The events of the last tick, encoded.
    pub fn events(&self) -> &[Vec<u8>] {
        &self.events
    }

    /// What `player` held down in the last tick.
    pub fn held(&self, player: PlayerId) -> G::Input {
        self.held.get(&player).copied().unwrap_or_default()
    }

    /// Scores so far, best first.
    pub fn ranking(&mut self) -> Vec<Ranked> {
        G::ranking(&mut self.world)
    }

    /// The world, to set a scene up or to look behind it.
    pub fn world(&mut self) -> &mut World {
        &mut self.world
    }

    /// Equal after the same tick of two matches exactly when their states are.
    pub fn state_hash(&mut self) -> u64 {
        let mut hash = Fnv::new();
        for half in [self.view.hash(), self.world.resource::<Random>().0.state()] {
            hash.word(half as u32);
            hash.word((half >> 32) as u32);
        }
        hash.word(self.world.resource::<NetIds>().0);
        self.registry.hash_persisted(&mut self.world, &mut hash);
        hash.finish()
    }

    fn capture(&mut self) {
        self.view.tick = self.clock.tick;
        let state = MatchState { phase: self.clock.phase as u8, phase_ends: self.clock.phase_ends.map_or(0, tick_field) };
        if let Some(table) = self.view.table_mut(0) {
            let mut row = [0; MatchState::TABLE.fields.len()];
            state.write(&mut row);
            table.clear();
            table.push(NetId(0), &row);
        }
        self.registry.capture(&mut self.world, &mut self.view);
    }
}

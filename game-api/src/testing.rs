//! Plays a game in a test: no server, no sockets, no time; a call is a tick.
//!
//! ```
//! # use tickwire_game::prelude::*;
//! # #[derive(Replicate, Clone, Debug, PartialEq)]
//! # struct Lift {
//! #     #[owner]
//! #     player: PlayerId,
//! #     height: u16,
//! # }
//! # #[derive(Input, Clone, Copy, Debug, Default, PartialEq, Eq)]
//! # struct Rise {
//! #     by: u8,
//! # }
//! # struct Lifts;
//! # #[game]
//! # impl Game for Lifts {
//! #     fn join(world: &mut World, player: PlayerId) {
//! #         spawn(world, Lift { player, height: 0 });
//! #     }
//! #     fn step(lift: &mut Lift, now: &MatchClock, rise: &Rise, _: &Mode) {
//! #         lift.height += if now.phase == Phase::Live { u16::from(rise.by) } else { 0 };
//! #     }
//! #     fn brain(seed: u64) -> Rng {
//! #         Rng::new(seed)
//! #     }
//! #     fn think(rng: &mut Rng, _: &Snapshot, _: PlayerId) -> Rise {
//! #         Rise { by: rng.below(3) as u8 }
//! #     }
//! # }
//! let mut game = TestMatch::<Lifts>::new(1, Tick(0));
//! game.join(PlayerId(0));
//! game.join_bot(PlayerId(1), 7);
//! game.enter(Phase::Live);
//! game.hold(PlayerId(0), Rise { by: 4 });
//! game.step();
//! assert_eq!(own::<Lift>(game.step(), PlayerId(0)).map(|lift| lift.height), Some(8));
//! game.leave(PlayerId(0));
//! assert_eq!(own::<Lift>(game.step(), PlayerId(0)), None);
//! ```

use std::collections::BTreeMap;

use bevy_ecs::world::World;
use tickwire_protocol::codec::{decode, encode};
use tickwire_protocol::messages::Ranked;
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{PlayerId, Snapshot, Tick};

use crate::{Game, MatchClock, Mode, Scene, Simulation};

/// More than a stored match of any game has.
const STATE_BYTES_MAX: usize = 64 << 20;

/// A match of `G`.
pub struct TestMatch<G: Game> {
    mode: Mode,
    simulation: Simulation<G>,
    clock: MatchClock,
    held: BTreeMap<PlayerId, G::Input>,
    brains: BTreeMap<PlayerId, G::Brain>,
    view: Snapshot,
    events: Vec<Vec<u8>>,
    scenes: Vec<Option<Scene>>,
}

impl<G: Game> TestMatch<G> {
    /// An empty match in the game's first mode that has just been stepped to `tick`, waiting for
    /// players.
    pub fn new(seed: u64, tick: Tick) -> Self {
        Self::in_mode(Self::mode(), seed, tick)
    }

    /// An empty match in `mode`. In a mode with an [`crate::Interest`], bots see everything.
    pub fn in_mode(mode: &Mode, seed: u64, tick: Tick) -> Self {
        Self {
            mode: *mode,
            simulation: Simulation::new(mode, seed, tick, 0),
            clock: MatchClock { tick, ..MatchClock::default() },
            held: BTreeMap::new(),
            brains: BTreeMap::new(),
            view: Snapshot::empty(&G::SCHEMA),
            events: Vec::new(),
            scenes: Vec::new(),
        }
    }

    /// The game's first mode.
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
        self.simulation.join(player);
    }

    /// A player that the game's bot plays.
    pub fn join_bot(&mut self, player: PlayerId, seed: u64) {
        self.join(player);
        self.brains.insert(player, G::brain(seed));
    }

    /// A player that a bot plays who wants to win.
    pub fn join_contender(&mut self, player: PlayerId, seed: u64) {
        self.join(player);
        self.brains.insert(player, G::contender(seed));
    }

    /// Takes a player's seat away.
    pub fn leave(&mut self, player: PlayerId) {
        self.held.remove(&player);
        self.brains.remove(&player);
        self.simulation.leave(player);
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
        self.simulation.step(self.clock, self.held.iter().map(|(player, input)| (*player, *input)));
        self.events.clear();
        self.scenes.clear();
        self.simulation.take_events(|event, scene| {
            self.events.push(event.to_vec());
            self.scenes.push(scene);
        });
        self.simulation.capture(&mut self.view);
        &self.view
    }

    /// Stores the match in bytes, and goes on in a new world with what the bytes say. Whatever a
    /// game keeps where it must not (in a resource, in a system's `Local`, in the order of the ECS)
    /// is lost: a match that does this and one that does not stay equal in every tick, or the game
    /// has a mistake.
    ///
    /// # Panics
    /// If the match does not come back from its bytes.
    #[allow(clippy::expect_used)] // a mistake of the game's, found by its test
    pub fn reload(&mut self) {
        let stored = encode(&self.simulation.state());
        let state = decode::<_, STATE_BYTES_MAX>(&stored).expect("a state reads back");
        self.simulation = Simulation::new(&self.mode, 0, Tick(0), 0);
        self.simulation.restore(&state).expect("the state is of the same tables");
        for brain in self.brains.values_mut() {
            *brain = decode::<_, STATE_BYTES_MAX>(&encode(brain)).expect("a brain reads back");
        }
    }

    /// What everyone saw of the last tick.
    pub fn view(&self) -> &Snapshot {
        &self.view
    }

    /// The events of the last tick, encoded.
    pub fn events(&self) -> &[Vec<u8>] {
        &self.events
    }

    /// Where each of them happened, and whom it concerns; `None` for what everyone is told.
    pub fn scenes(&self) -> &[Option<Scene>] {
        &self.scenes
    }

    /// What `player` held down in the last tick.
    pub fn held(&self, player: PlayerId) -> G::Input {
        self.held.get(&player).copied().unwrap_or_default()
    }

    /// Scores so far, best first.
    pub fn ranking(&mut self) -> Vec<Ranked> {
        self.simulation.ranking()
    }

    /// Whether the game is over before its time.
    pub fn is_decided(&mut self) -> bool {
        self.simulation.is_decided()
    }

    /// The world, to set a scene up or to look behind it.
    pub fn world(&mut self) -> &mut World {
        self.simulation.world()
    }

    /// Equal after the same tick of two matches exactly when their states are.
    pub fn state_hash(&mut self) -> u64 {
        self.simulation.state_hash(&self.view)
    }
}

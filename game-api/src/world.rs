//! What a game's systems find in their world: the clock, the inputs, the randomness, the ids.

use bevy_ecs::bundle::Bundle;
use bevy_ecs::component::Component;
use bevy_ecs::resource::Resource;
use bevy_ecs::schedule::{IntoScheduleConfigs, Schedule};
use bevy_ecs::system::{Query, Res, ScheduleSystem};
use bevy_ecs::world::{EntityWorldMut, World};
use tickwire_protocol::messages::Ranked;
use tickwire_protocol::schema::{Columns, MatchState, Phase};
use tickwire_protocol::{NetId, PlayerId, Snapshot, Tick};

use crate::{Game, Input, Mode, Replicate, Rng};

/// What [`Game::systems`] fills a new match with.
pub struct Setup<'a> {
    /// The match's world. The resources of this module are in it already.
    pub world: &'a mut World,
    /// Runs once per tick, single-threaded. Order systems explicitly: `.chain()`, or sets in a
    /// chain.
    pub schedule: &'a mut Schedule,
    /// The mode being played.
    pub mode: &'a Mode,
}

impl Setup<'_> {
    /// Runs `systems` in every tick. Those that could get in each other's way need an order, as
    /// `.chain()` gives it.
    pub fn add<Marker>(&mut self, systems: impl IntoScheduleConfigs<ScheduleSystem, Marker>) {
        self.schedule.add_systems(systems);
    }

    /// Puts something into the world that is there from the start.
    pub fn spawn(&mut self, components: impl Bundle) {
        spawn(self.world, components);
    }
}

/// Puts an entity into the world that clients can know of, with an id of its own. In a system:
/// `commands.spawn((ids.allocate(), ..))`.
///
/// ```
/// use tickwire_game::bevy_ecs::world::World;
/// use tickwire_game::{NetIds, Networked, Replicate, spawn};
/// use tickwire_protocol::NetId;
///
/// #[derive(Replicate, Clone, Debug, PartialEq)]
/// struct Lamp {
///     is_lit: bool,
/// }
///
/// let mut world = World::new();
/// world.insert_resource(NetIds(7));
/// let lamp = spawn(&mut world, Lamp { is_lit: true }).id();
/// assert_eq!(world.get::<Networked>(lamp), Some(&Networked(NetId(7))));
/// ```
pub fn spawn(world: &mut World, components: impl Bundle) -> EntityWorldMut<'_> {
    let networked = world.resource_mut::<NetIds>().allocate();
    world.spawn((networked, components))
}

/// Those who own a `C`, the best by `score` first, and of equals the lower number: for
/// [`ranking`](crate::Ranking::ranking).
///
/// ```
/// use tickwire_game::bevy_ecs::world::World;
/// use tickwire_game::{NetIds, PlayerId, Replicate, ranked, spawn};
///
/// #[derive(Replicate, Clone, Debug, PartialEq)]
/// struct Purse {
///     #[owner]
///     player: PlayerId,
///     coins: u16,
/// }
///
/// let mut world = World::new();
/// world.insert_resource(NetIds(0));
/// for (player, coins) in [(0, 2), (1, 5), (2, 2)] {
///     spawn(&mut world, Purse { player: PlayerId(player), coins });
/// }
/// let ranking = ranked(&mut world, |purse: &Purse| purse.coins.into());
/// assert_eq!(ranking.iter().map(|ranked| ranked.player.0).collect::<Vec<_>>(), [1, 0, 2]);
/// ```
pub fn ranked<C: Replicate>(world: &mut World, score: impl Fn(&C) -> i32) -> Vec<Ranked> {
    let of = |component: &C| Some(Ranked { player: component.owner()?, score: score(component) });
    let mut ranking: Vec<Ranked> = world.query::<&C>().iter(world).filter_map(of).collect();
    ranking.sort_unstable_by_key(|ranked| (-ranked.score, ranked.player));
    ranking
}

/// The system that moves every player's body by what its player holds down, with the very function
/// that the browser predicts with.
#[allow(clippy::needless_pass_by_value)] // a system takes its parameters by value
pub fn move_bodies<G: Game>(clock: Res<MatchClock>, mode: Res<Playing>, inputs: Res<Inputs<G::Input>>, mut bodies: Query<&mut G::Body>) {
    for mut body in &mut bodies {
        let input = body.owner().map_or_else(G::Input::default, |player| inputs.of(player));
        G::step(&mut body, &clock, &input, &mode.0);
    }
}

/// The mode that is played.
#[derive(Resource, Clone, Copy, Debug)]
pub struct Playing(pub Mode);

/// An entity that clients can know of. Its id comes from [`NetIds`].
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
#[component(immutable)]
pub struct Networked(pub NetId);

/// Hands out ids for replicated entities, rising, never twice.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct NetIds(pub u32);

impl NetIds {
    /// A component for a new entity.
    pub fn allocate(&mut self) -> Networked {
        let id = NetId(self.0);
        self.0 = self.0.wrapping_add(1);
        Networked(id)
    }
}

/// Where the match is: the tick being simulated, and the phase.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MatchClock {
    /// The tick being simulated.
    pub tick: Tick,
    /// The phase of the match.
    pub phase: Phase,
    /// When the phase ends by itself.
    pub phase_ends: Option<Tick>,
}

impl MatchClock {
    /// The clock of the tick that `view` shows, as far as it tells.
    pub fn of(view: &Snapshot) -> Self {
        let Some(state) = view.table_of::<MatchState>().and_then(|table| table.get::<MatchState>(0)) else {
            return Self { tick: view.tick, ..Self::default() };
        };
        // 31 bits tell how far ahead it is.
        let ahead = (state.phase_ends.wrapping_sub(view.tick.0) << 1) as i32 >> 1;
        let phase_ends = (state.phase_ends != 0).then(|| Tick(view.tick.0.wrapping_add_signed(ahead)));
        Self { tick: view.tick, phase: Phase::from(state.phase), phase_ends }
    }

    /// The clock at a later `tick`, if nothing unforeseen happens: play ends when it was going to.
    ///
    /// ```
    /// use tickwire_game::{MatchClock, Tick};
    /// use tickwire_protocol::schema::Phase;
    ///
    /// let clock = MatchClock { tick: Tick(10), phase: Phase::Live, phase_ends: Some(Tick(12)) };
    /// assert_eq!(clock.at(Tick(11)).phase, Phase::Live);
    /// assert_eq!(clock.at(Tick(12)).phase, Phase::Finished);
    /// ```
    #[must_use]
    pub fn at(self, tick: Tick) -> Self {
        match self.phase_ends {
            Some(ends) if self.phase == Phase::Live && tick.since(ends) >= 0 => Self { tick, phase: Phase::Finished, phase_ends: None },
            _ => Self { tick, ..self },
        }
    }
}

/// The match's randomness. Never use another.
#[derive(Resource, Clone, Copy, Debug)]
pub struct Random(pub Rng);

/// What every player holds down this tick, players rising.
///
/// ```
/// use tickwire_game::{Inputs, PlayerId};
///
/// // A whole number is an input too.
/// let mut inputs = Inputs::<i8>::default();
/// inputs.replace([(PlayerId(2), 9), (PlayerId(5), -1)].into_iter());
/// assert_eq!([2, 3, 5].map(|player| inputs.of(PlayerId(player))), [9, 0, -1]);
/// ```
#[derive(Resource, Clone, Debug)]
pub struct Inputs<I: Input>(Vec<(PlayerId, I)>);

impl<I: Input> Default for Inputs<I> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<I: Input> Inputs<I> {
    /// `player`'s input; the neutral one if there is none.
    pub fn of(&self, player: PlayerId) -> I {
        // Where everyone plays, the player's number is the place.
        let there = self.0.get(usize::from(player.0)).filter(|entry| entry.0 == player);
        let found = || self.0.get(self.0.binary_search_by_key(&player, |entry| entry.0).ok()?);
        there.or_else(found).map_or_else(I::default, |entry| entry.1)
    }

    /// Replaces all of them. `inputs` must rise by player.
    pub fn replace(&mut self, inputs: impl Iterator<Item = (PlayerId, I)>) {
        self.0.clear();
        self.0.extend(inputs);
        debug_assert!(self.0.is_sorted_by(|a, b| a.0 < b.0), "inputs rise by player");
    }
}

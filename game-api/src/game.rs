//! The server's half of a game, and the resources through which its systems talk to Tickwire.

use bevy_ecs::component::Component;
use bevy_ecs::resource::Resource;
use bevy_ecs::schedule::Schedule;
use bevy_ecs::world::World;
use tickwire_protocol::codec::{Encode, encode_into};
use tickwire_protocol::limits::GAME_EVENT_BYTES_MAX;
use tickwire_protocol::messages::Ranked;
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{NetId, PlayerId, Tick};

use crate::capture::Registry;
use crate::{GameDef, Input, Interest, Mode, Rng};

/// The one extension point: a game that the server can run.
///
/// Its systems run once per tick, in every phase of the match; [`MatchClock`] tells which one.
pub trait Game: GameDef {
    /// Fills a new match: registers components, spawns what is there from the start, adds systems in order.
    fn build(setup: &mut Setup<'_>);

    /// Gives `player` what it plays with.
    fn join(world: &mut World, player: PlayerId);

    /// `player` leaves. The entities that it owned, as `#[owner]` says, are gone already.
    fn leave(_world: &mut World, _player: PlayerId) {}

    /// Scores so far, best first, in an order that does not depend on anything but the state.
    fn ranking(world: &mut World) -> Vec<Ranked>;

    /// Who is sent what in `mode`; `None` if everyone is sent everything.
    fn interest(_mode: &Mode) -> Option<Interest> {
        None
    }

    /// Whether the match is over before its time.
    fn is_decided(_world: &mut World) -> bool {
        false
    }
}

/// What [`Game::build`] works with.
pub struct Setup<'a> {
    /// The match's world. The resources of this module are in it already.
    pub world: &'a mut World,
    /// Runs once per tick, single-threaded. Order systems explicitly: `.chain()`, or sets in a chain.
    pub schedule: &'a mut Schedule,
    /// What is replicated, and what only persisted.
    pub registry: &'a mut Registry,
    /// The mode being played.
    pub mode: &'a Mode,
}

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
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct MatchClock {
    /// The tick being simulated.
    pub tick: Tick,
    /// The phase of the match.
    pub phase: Phase,
    /// When the phase ends by itself.
    pub phase_ends: Option<Tick>,
}

/// The match's randomness. Never use another.
#[derive(Resource, Clone, Copy, Debug)]
pub struct Random(pub Rng);

/// What every player holds down this tick, players rising.
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

/// Things that happened this tick, to be told to clients. What they are written into is used again every tick.
#[derive(Resource, Clone, Debug, Default)]
pub struct Events(Box<Said>); // Boxed: the world keeps room for 64 of every resource.

#[derive(Clone, Debug, Default)]
struct Said {
    /// Encoded, one after the other.
    bytes: Vec<u8>,
    /// Where each one ends in `bytes`, and where it happened.
    told: Vec<(usize, Option<Scene>)>,
    to_everyone: usize,
}

/// One thing to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The event, encoded.
    pub bytes: Vec<u8>,
    /// Where it happened; `None` if everyone is told, reliably.
    pub at: Option<Scene>,
}

/// Where something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    /// The place.
    pub place: [i32; 2],
    /// Players whom it concerns: they are told wherever they look.
    pub concerns: [Option<PlayerId>; 2],
}

impl Events {
    /// Most events in a tick for everyone; more are dropped, so that no burst outgrows a message.
    pub const PER_TICK_MAX: usize = 64;
    /// Most events in a tick, with those that have a place.
    pub const PLACED_PER_TICK_MAX: usize = 1024;

    /// Tells every client of `event`, whose encoding must stay under [`GAME_EVENT_BYTES_MAX`] bytes.
    pub fn emit<E: Encode>(&mut self, event: &E) {
        if self.0.to_everyone < Self::PER_TICK_MAX {
            self.0.to_everyone += 1;
            self.push(event, None);
        }
    }

    /// Tells those of `event` who have the place `at` in sight at this tick and can be sent something: for what is worth nothing
    /// later or elsewhere, such as a hit. It has no group: nobody who is near may be kept from knowing it. In a mode without an [`Interest`] this is [`Events::emit`].
    pub fn emit_at<E: Encode>(&mut self, at: [i32; 2], event: &E) {
        self.push(event, Some(Scene { place: at, concerns: [None; 2] }));
    }

    /// The same, and tells `players` too, whom it concerns, also if they look elsewhere. Their own
    /// events come before others' where there is not room for all.
    pub fn emit_between<E: Encode>(&mut self, at: [i32; 2], players: [PlayerId; 2], event: &E) {
        self.push(event, Some(Scene { place: at, concerns: players.map(Some) }));
    }

    fn push<E: Encode>(&mut self, event: &E, at: Option<Scene>) {
        if self.0.told.len() < Self::PLACED_PER_TICK_MAX {
            let Said { bytes, told, .. } = &mut *self.0;
            let start = bytes.len();
            encode_into(event, bytes);
            debug_assert!(bytes.len() - start <= GAME_EVENT_BYTES_MAX, "an event is small");
            told.push((bytes.len(), at));
        }
    }

    /// Hands over this tick's events, each with where it happened, and forgets them.
    pub fn take(&mut self, mut each: impl FnMut(&[u8], Option<Scene>)) {
        let Said { bytes, told, to_everyone } = &mut *self.0;
        let mut start = 0;
        for (end, at) in told.drain(..) {
            each(bytes.get(start..end).unwrap_or_default(), at);
            start = end;
        }
        bytes.clear();
        *to_everyone = 0;
    }
}

//! Arena: a top-down shooter, for up to 16 in one arena or for 1,000 on a map of sixteen. The game
//! that Tickwire ships.
//!
//! This file says what the game is. Its systems are in `server`; the rest is what both ends know:
//! rules, movement, map, bots.
//!
//! Invariants: integers only, so the simulation is the same on every machine; no clocks, no
//! threads, no hash maps.

pub mod angle;
pub mod bot;
pub mod events;
pub mod geometry;
pub mod input;
pub mod map;
pub mod movement;
pub mod page;
pub mod projectile;
pub mod tables;

mod server;

use bevy_ecs::world::World;
use tickwire_game::page::Question;
use tickwire_game::{Game, Interest, MatchClock, Mode, PlayerId, Setup, Snapshot, game, own};
use tickwire_protocol::messages::Ranked;
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{Columns, Schema};

use crate::bot::Brain;
use crate::events::ArenaEvent;
pub use crate::input::Input;
use crate::map::Map;
use crate::tables::Fighter;

/// Seats of a match of one arena.
const ARENA_PLAYERS_MAX: u16 = 16;
/// Seats of a match of royale.
const ROYALE_PLAYERS_MAX: u16 = 1000;
/// The mode on the large map.
pub const ROYALE_ID: &str = "royale";

/// The arena: fighters shoot each other among walls, for points.
pub struct Arena;

#[game]
impl Game for Arena {
    const MODES: &'static [Mode] = &[
        Mode {
            id: "ffa",
            title: "Free for all",
            max_players: ARENA_PLAYERS_MAX,
            tick_rate: 30,
            live_seconds: 300,
            bots_fill: 8,
            stand_in: true,
        },
        Mode {
            id: ROYALE_ID,
            title: "Royale",
            max_players: ROYALE_PLAYERS_MAX,
            tick_rate: 30,
            live_seconds: 300,
            bots_fill: 120,
            stand_in: true,
        },
    ];
    type Event = ArenaEvent;
    type Components = tables::Listed;
    const SCHEMA: Schema = tables::SCHEMA;
    const CONSTANTS: &'static [(&'static str, i64)] = page::CONSTANTS;
    const QUESTIONS: &'static [Question] = &[page::MAP, page::SHOT_FLIGHT];

    fn join(world: &mut World, player: PlayerId) {
        server::join(world, player);
    }

    fn systems(setup: &mut Setup<'_>) {
        server::systems(setup);
    }

    fn is_decided(world: &mut World) -> bool {
        server::is_decided(world)
    }

    fn step(fighter: &mut Fighter, now: &MatchClock, input: &Input, mode: &Mode) {
        fighter.step(Map::of(mode), now.tick, &input.in_phase(now.phase));
    }

    fn brain(seed: u64) -> Brain {
        Brain::new(seed)
    }

    fn contender(seed: u64) -> Brain {
        Brain::contender(seed)
    }

    fn think(brain: &mut Brain, view: &Snapshot, me: PlayerId) -> Input {
        brain.think(view, me)
    }

    fn ranking(world: &mut World) -> Vec<Ranked> {
        server::ranking(world)
    }

    fn sight(mode: &Mode) -> Option<Interest> {
        server::sight(mode)
    }
}

const _: () = assert!(
    Fighter::TABLE.fields[0].span() >= ROYALE_PLAYERS_MAX as u32 && Fighter::TABLE.fields[3].max >= Map::ROYALE.side(),
    "the tables hold every player and every place"
);

/// The fighter that `player` plays in `view`.
pub(crate) fn fighter_of(view: &Snapshot, player: u16) -> Option<Fighter> {
    own(view, PlayerId(player))
}

/// The phase of the match in `view`.
pub(crate) fn phase(view: &Snapshot) -> Phase {
    MatchClock::of(view).phase
}

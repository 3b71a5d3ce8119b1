//! Arena: a top-down shooter, for up to 16 in one arena or for 1,000 on a map of sixteen. The game that Tickwire ships.
//!
//! Without features this is what both ends need: rules, movement, map, bots; it builds for the browser. Feature `ecs` adds
//! the server's half.
//!
//! Invariants: integers only, so the simulation is the same on every machine; no clocks, no threads, no hash maps.

pub mod angle;
pub mod bot;
pub mod events;
pub mod geometry;
pub mod input;
pub mod map;
pub mod movement;
pub mod projectile;
pub mod tables;
pub mod timers;

#[cfg(feature = "ecs")]
mod server;

use tickwire_game::{Event, GameDef, Mode};
use tickwire_protocol::schema::{MatchState, Phase};
use tickwire_protocol::{Columns, PlayerId, Schema, Snapshot, Tick};

use crate::bot::Brain;
use crate::events::ArenaEvent;
pub use crate::input::Input;
use crate::map::Map;
use crate::tables::Fighter;

/// Most players in the arena.
const ARENA_PLAYERS_MAX: u16 = 16;
/// Most players in royale.
const ROYALE_PLAYERS_MAX: u16 = 1000;
/// The mode on the large map.
pub const ROYALE_ID: &str = "royale";

/// The game.
pub struct Arena;

/// The predicted part of a player's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Body {
    /// The tick the fighter has been stepped to.
    pub tick: Tick,
    /// From when on nobody moves: the end of play.
    pub frozen_from: Option<Tick>,
    /// The fighter at that tick.
    pub fighter: Fighter,
}

impl GameDef for Arena {
    const NAME: &'static str = "arena";
    const SCHEMA: Schema = tables::SCHEMA;
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
    type Input = Input;
    type Body = Body;
    type Brain = Brain;

    fn body(view: &Snapshot, me: PlayerId) -> Option<Body> {
        let fighter = fighter_of(view, me.0)?;
        Some(Body { tick: view.tick, frozen_from: frozen_from(view), fighter })
    }

    fn step(body: &mut Body, input: &Input, mode: &Mode) {
        body.tick = body.tick.next();
        let is_frozen = body.frozen_from.is_some_and(|from| body.tick.since(from) >= 0);
        body.fighter.step(Map::of(mode), body.tick, &if is_frozen { input.released() } else { *input });
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

    fn describe_event(event: &[u8]) -> Option<String> {
        ArenaEvent::read(event).map(|event| event.to_json())
    }
}

const _: () = assert!(
    Fighter::TABLE.fields[0].span() >= ROYALE_PLAYERS_MAX as u32 && Fighter::TABLE.fields[3].max >= Map::ROYALE.side(),
    "the tables hold every player and every place"
);

/// The fighter that `player` plays in `view`. Only the column of players is looked through.
pub(crate) fn fighter_of(view: &Snapshot, player: u16) -> Option<Fighter> {
    let fighters = view.table_of::<Fighter>()?;
    fighters.get(fighters.column(Fighter::PLAYER).iter().position(|other| *other == i32::from(player))?)
}

/// The phase of the match in `view`.
pub(crate) fn phase(view: &Snapshot) -> Phase {
    match_state(view).map_or(Phase::Waiting, |state| Phase::from(state.phase))
}

/// From which tick on inputs mean nothing, as far as `view` tells.
fn frozen_from(view: &Snapshot) -> Option<Tick> {
    let state = match_state(view)?;
    match Phase::from(state.phase) {
        Phase::Waiting | Phase::Countdown => None,
        Phase::Live => {
            let distance = (state.phase_ends.wrapping_sub(view.tick.0) << 1) as i32 >> 1;
            (state.phase_ends != 0).then(|| Tick(view.tick.0.wrapping_add_signed(distance)))
        }
        Phase::Finished => Some(view.tick),
    }
}

fn match_state(view: &Snapshot) -> Option<MatchState> {
    view.table_of::<MatchState>().and_then(|table| table.get(0))
}

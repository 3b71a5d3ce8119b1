//! What the page is told of the arena, as TypeScript.

use tickwire_game::page::typescript;

use crate::angle::STEP_COUNT;
use crate::map::{Map, UNIT};
use crate::movement::{DASH_COOLDOWN_TICKS, FIGHTER_RADIUS, HEALTH_MAX, OVERCHARGE_TICKS, PROTECTION_TICKS};
use crate::projectile::{SHOT_RADIUS, SHOT_SPEED};
use crate::server::KILL_SCORE;
use crate::{Arena, Input};

/// Where the page has it, from the root of the repository.
pub const PATH: &str = "web-client/src/arena/generated.ts";

/// The module at [`PATH`]. Lengths are in units, speeds in units per tick.
pub fn module() -> String {
    let units = |length: i32| i64::from(length / UNIT);
    let constants = [
        // Positions and velocities are integers in these parts of a unit.
        ("SUBUNITS", i64::from(UNIT)),
        // Parts of a turn in which aims are stored.
        ("AIM_TURN", i64::from(STEP_COUNT)),
        ("FIGHTER_RADIUS", units(FIGHTER_RADIUS)),
        ("SHOT_RADIUS", units(SHOT_RADIUS)),
        ("SHOT_SPEED", units(SHOT_SPEED)),
        ("HEALTH_MAX", i64::from(HEALTH_MAX)),
        ("DASH_COOLDOWN_TICKS", i64::from(DASH_COOLDOWN_TICKS)),
        ("OVERCHARGE_TICKS", i64::from(OVERCHARGE_TICKS)),
        ("PROTECTION_TICKS", i64::from(PROTECTION_TICKS)),
        ("KILL_SCORE", i64::from(KILL_SCORE)),
        ("ARENA_SIDE", units(Map::ARENA.side())),
        ("PUSH_MAX", i64::from(Input::PUSH_MAX)),
        ("AIM_UNITS", 1 << 16),
        ("FIRE", i64::from(Input::FIRE)),
        ("DASH", i64::from(Input::DASH)),
    ];
    typescript::<Arena>("cargo run -p arena --example page", &constants)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_has_what_the_game_says() {
        let written = include_str!("../../../web-client/src/arena/generated.ts");
        assert!(written == super::module(), "cargo run -p arena --example page");
    }
}

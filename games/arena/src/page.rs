//! What the page is told of the arena, and what it asks.

use tickwire_game::{Mode, page::Question};
use tickwire_protocol::Tick;

use crate::Input;
use crate::angle::{Angle, STEP_COUNT};
use crate::geometry::Vec2;
use crate::map::{Map, UNIT};
use crate::movement::{DASH_COOLDOWN_TICKS, FIGHTER_RADIUS, HEALTH_MAX, OVERCHARGE_TICKS, PROTECTION_TICKS};
use crate::projectile::{SHOT_RADIUS, SHOT_SPEED};
use crate::server::KILL_SCORE;
use crate::tables::{Fighter, Shot};

/// Lengths are in units, speeds in units per tick.
pub(crate) const CONSTANTS: &[(&str, i64)] = &[
    // Positions and velocities are integers in these parts of a unit.
    ("SUBUNITS", UNIT as i64),
    // Parts of a turn in which aims are stored.
    ("AIM_TURN", STEP_COUNT as i64),
    ("FIGHTER_RADIUS", units(FIGHTER_RADIUS)),
    ("SHOT_RADIUS", units(SHOT_RADIUS)),
    ("SHOT_SPEED", units(SHOT_SPEED)),
    ("HEALTH_MAX", HEALTH_MAX as i64),
    ("DASH_COOLDOWN_TICKS", DASH_COOLDOWN_TICKS as i64),
    ("OVERCHARGE_TICKS", OVERCHARGE_TICKS as i64),
    ("PROTECTION_TICKS", PROTECTION_TICKS as i64),
    ("KILL_SCORE", KILL_SCORE as i64),
    ("ARENA_SIDE", units(Map::ARENA.side())),
    ("PUSH_MAX", Input::PUSH_MAX as i64),
    ("AIM_UNITS", 1 << 16),
];

const fn units(length: i32) -> i64 {
    (length / UNIT) as i64
}

/// Width and height of the mode's map, and x, y, width and height of each wall.
pub const MAP: Question = Question { name: "map", takes: &[], answer: map };

/// x, y, and 1 while it flies on, of a shot fired from `x`, `y` in direction `aim` (1/1024 turn),
/// at the end of the tick `age` ticks after the one it was fired in. Walls count, fighters do not.
/// It is the flight that the server computes, so that the page can show the own shots at once.
pub const SHOT_FLIGHT: Question = Question { name: "shot_flight", takes: &["x", "y", "aim", "age"], answer: shot_flight };

fn map(mode: &Mode, _: &[i32], answer: &mut Vec<i32>) {
    let map = Map::of(mode);
    answer.extend([map.side(); 2]);
    for wall in map.walls() {
        answer.extend([wall.min.x, wall.min.y, wall.max.x - wall.min.x, wall.max.y - wall.min.y]);
    }
}

fn shot_flight(mode: &Mode, numbers: &[i32], answer: &mut Vec<i32>) {
    let [x, y, aim, age] = numbers.first_chunk().copied().unwrap_or_default();
    let map = Map::of(mode);
    let inside = |place: i32| place.clamp(FIGHTER_RADIUS, map.side() - FIGHTER_RADIUS);
    let mut shot = Shot::fired_by(&Fighter::new(0, Vec2::new(inside(x), inside(y)), Angle::new(aim)), Tick(0));
    let mut goes_on = true;
    let mut tick = Tick(0);
    while goes_on && tick.0 <= age.max(0) as u32 {
        goes_on = shot.step(map, tick).goes_on;
        tick = tick.next();
    }
    answer.extend([shot.x, shot.y, i32::from(goes_on)]);
}

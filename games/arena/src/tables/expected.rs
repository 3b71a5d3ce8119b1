//! Which shots are expected: one from every fighter that has just fired, as it leaves.

use tickwire_game::timers;
use tickwire_protocol::schema::{Columns, Spawn, Which};
use tickwire_protocol::snapshot::Seen;

use super::{Fighter, Shot};
use crate::map::Map;
use crate::movement::{FIRE_COOLDOWN_TICKS, OVERCHARGED_COOLDOWN_TICKS};

/// What is expected of new rows. Whoever changes how a shot leaves a fighter raises the version.
pub(super) const SPAWNS: &[Spawn] = &[Spawn { table: Shot::TABLE.name, version: 1, expect: expect_shot }];

/// Shots leave in the order of players; an owner is a shot's key.
fn expect_shot(seen: &Seen<'_>, which: Which, row: &mut [i32]) -> bool {
    let Some(fighters) = seen.table_of::<Fighter>() else { return false };
    let ready = fighters.column(Fighter::FIRE_READY);
    let owners = fighters.column(Fighter::PLAYER);
    // Most fighters have not just fired: their column tells.
    let fired = |ready: i32| {
        let left = timers::left(ready as u32, seen.tick, FIRE_COOLDOWN_TICKS);
        left == FIRE_COOLDOWN_TICKS || left == OVERCHARGED_COOLDOWN_TICKS
    };
    let rows = owners.iter().zip(ready).enumerate();
    let owner = match which {
        Which::First => rows.filter(|(_, (_, ready))| fired(**ready)).min_by_key(|(_, (owner, _))| **owner),
        Which::After(last) => rows.filter(|(_, (owner, ready))| **owner > last && fired(**ready)).min_by_key(|(_, (owner, _))| **owner),
        Which::Of(key) => rows.into_iter().find(|(_, (owner, _))| **owner == key),
    };
    let Some(fighter) = owner.and_then(|(row, _)| fighters.get::<Fighter>(row)) else { return false };
    let mut shot = Shot::fired_by(&fighter, seen.tick);
    // The arena's walls are the same as those of the first of royale's; only at its outer border is
    // one wrongly expected to fly on.
    shot.step(Map::ROYALE, seen.tick);
    shot.write(row);
    true
}

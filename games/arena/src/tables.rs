//! What is replicated, as built. The order of tables and fields is the wire's; the page finds both
//! by name.
//!
//! Positions are 1/16 unit, velocities 1/16 unit per tick, angles 1/1024 turn. Moments are low 31
//! bits of a tick ([`tickwire_game::timers`]): they change when something happens, not every tick.
//! Positions are moved by velocities, and a fighter's velocity is what it really moved by, also
//! along walls: a tick in which nobody changes course costs almost nothing.

mod expected;
pub mod trained;

use tickwire_game::{Components, Replicate};
use tickwire_protocol::schema::{Columns, Schema};

use crate::angle::STEP_COUNT;

/// The greatest number of a player.
const PLAYER_MAX: u16 = 1023;
/// The longest way in a tick, along an axis.
const SPEED_MAX: i32 = 480;
/// The side of the largest map, rounded up.
const SIDE: i32 = 256_000;
/// The greatest score that a table can hold; a higher one is clamped when it is sent.
const SCORE_MAX: i32 = 1_000_000;
/// The greatest count of kills or deaths.
pub(crate) const COUNT_MAX: u16 = 0x3fff;

/// The arena's tables.
pub const SCHEMA: Schema = UNTRAINED.trained(&trained::MODEL);

/// The arena's tables without what was learned from recorded matches: what the learning starts
/// from.
pub const UNTRAINED: Schema = <Listed as Components>::SCHEMA.spawning(expected::SPAWNS);

/// What a match's state is made of, in the order of the wire.
pub type Listed = (Fighter, Shot, Pickup, Score, Zone, Leader, Spot);

/// A living player's body: all that prediction needs. A new row, with a new id, for every life.
#[derive(Replicate, Clone, Copy, Debug, PartialEq, Eq)]
#[place(x, y)]
#[eyes]
pub struct Fighter {
    /// Whose it is.
    #[owner]
    #[range(0..=PLAYER_MAX)]
    pub player: u16,
    /// Velocity to the right, 1/16 unit a tick.
    #[range(-SPEED_MAX..=SPEED_MAX)]
    pub vx: i32,
    /// Velocity downwards, 1/16 unit a tick.
    #[range(-SPEED_MAX..=SPEED_MAX)]
    pub vy: i32,
    /// Distance from the left side, 1/16 unit.
    #[range(0..=SIDE)]
    #[moved_by(vx)]
    pub x: i32,
    /// Distance from the upper side, 1/16 unit.
    #[range(0..=SIDE)]
    #[moved_by(vy)]
    pub y: i32,
    /// Where it aims, 1/1024 turn, 0 to the right, clockwise.
    #[range(0..=STEP_COUNT - 1)]
    #[wrapping]
    pub aim: u16,
    /// 1 to 100 while it lives.
    #[range(0..=100)]
    pub health: u8,
    /// When it may dash again. The dash itself lasts the first ticks of that wait.
    #[moment]
    pub dash_ready: u32,
    /// When it may fire again. It changes in the very tick a shot leaves.
    #[moment]
    pub fire_ready: u32,
    /// When its overcharge ends.
    #[moment]
    pub overcharge_until: u32,
    /// Until when nothing harms it: a while from the start of a life, or until it fires. It
    /// stays when it has passed, and so tells how long ago that was.
    #[moment]
    pub protected_until: u32,
}

impl Fighter {
    /// Place of `player` in the table.
    pub(crate) const PLAYER: usize = Self::TABLE.field("player");
    /// Place of `fire_ready` in the table.
    pub(crate) const FIRE_READY: usize = Self::TABLE.field("fire_ready");
}

/// A shot in flight. It flies straight until it hits something or its time is up.
#[derive(Replicate, Clone, Copy, Debug, PartialEq, Eq)]
#[place(x, y)]
pub struct Shot {
    /// Who fired it.
    #[owner]
    #[range(0..=PLAYER_MAX)]
    pub owner: u16,
    /// Low 16 bits of the tick it was fired in. At the end of that tick it has flown one tick
    /// already.
    #[moment]
    pub born: u16,
    /// What it does to a fighter it hits; more when fired overcharged.
    #[range(0..=63)]
    pub damage: u8,
    /// Velocity to the right, 1/16 unit a tick.
    #[range(-SPEED_MAX..=SPEED_MAX)]
    pub vx: i32,
    /// Velocity downwards, 1/16 unit a tick.
    #[range(-SPEED_MAX..=SPEED_MAX)]
    pub vy: i32,
    /// Distance from the left side, 1/16 unit.
    #[range(0..=SIDE)]
    #[moved_by(vx)]
    pub x: i32,
    /// Distance from the upper side, 1/16 unit.
    #[range(0..=SIDE)]
    #[moved_by(vy)]
    pub y: i32,
}

/// Something to pick up, while it can be. It keeps its id when it comes back.
#[derive(Replicate, Clone, Copy, Debug, PartialEq, Eq)]
#[place(x, y)]
pub struct Pickup {
    /// What it does.
    pub kind: PickupKind,
    /// Distance from the left side, 1/16 unit.
    #[range(0..=SIDE)]
    pub x: i32,
    /// Distance from the upper side, 1/16 unit.
    #[range(0..=SIDE)]
    pub y: i32,
}

/// A seated player's standing, dead or alive. In royale only they know it.
#[derive(Replicate, Clone, Copy, Debug, PartialEq, Eq)]
#[private]
pub struct Score {
    /// Whose it is.
    #[owner]
    #[range(0..=PLAYER_MAX)]
    pub player: u16,
    /// Health taken from others, and a bonus for each kill.
    #[range(0..=SCORE_MAX)]
    pub score: i32,
    /// Others killed.
    #[range(0..=COUNT_MAX)]
    pub kills: u16,
    /// Lives lost.
    #[range(0..=COUNT_MAX)]
    pub deaths: u16,
    /// When the next life starts; 0 while alive.
    #[moment]
    pub respawn_at: u32,
}

/// In royale, the circle outside of which nobody lasts long.
#[derive(Replicate, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its middle, from the left.
    #[range(0..=SIDE)]
    pub x: i32,
    /// Its middle, from the top.
    #[range(0..=SIDE)]
    pub y: i32,
    /// What the radius grows by every tick: less than nothing while it shrinks.
    #[range(-4095..=0)]
    pub growth: i32,
    /// Radius, 1/16 unit.
    #[range(0..=300_000)]
    #[moved_by(growth)]
    pub radius: i32,
    /// How many live, as counted once a second.
    #[range(0..=1024)]
    pub alive: u16,
}

/// In royale, one of the best, as of the last second. Everybody else's [`Score`] is known only to
/// themselves.
#[derive(Replicate, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leader {
    /// 0 for the best.
    #[range(0..=15)]
    pub rank: u8,
    /// The player who has that rank.
    #[range(0..=PLAYER_MAX)]
    pub player: u16,
    /// Points, as in [`Score`].
    #[range(0..=SCORE_MAX)]
    pub score: i32,
    /// Others killed, as in [`Score`].
    #[range(0..=COUNT_MAX)]
    pub kills: u16,
}

/// A pickup place's clock. Clients see only what it brings: it has a [`Pickup`] exactly while there
/// is something to take.
#[derive(Replicate, Clone, Copy, Debug, PartialEq, Eq)]
#[hidden]
pub struct Spot {
    /// Index of the place on the map.
    #[range(0..=1023)]
    pub place: u16,
    /// When there is something to take again; 0 while there is.
    #[range(0..=0x7fff_ffff)]
    pub back_at: u32,
}

/// What a pickup does.
#[derive(Replicate, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PickupKind {
    /// Gives health back.
    Health,
    /// Fires faster and harder for a while.
    Overcharge,
}

#[cfg(test)]
mod tests {
    use super::SCHEMA;

    #[test]
    fn the_model_is_of_these_tables() {
        assert!(SCHEMA.model().is_some(), "after a change of the tables: cargo xtask train-codec");
    }
}

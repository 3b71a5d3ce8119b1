//! What is replicated, as built. The order of tables and fields is the wire's; the page finds both by name.
//!
//! Positions are 1/16 unit, velocities 1/16 unit per tick, angles 1/1024 turn. Moments are low 31 bits of a tick
//! ([`crate::timers`]): they change when something happens, not every tick. Positions are moved by velocities, and a fighter's
//! velocity is what it really moved by, also along walls: a tick in which nobody changes course costs almost nothing.

mod expected;
pub mod trained;

use tickwire_protocol::columns;
use tickwire_protocol::schema::{Columns, MatchState, Schema};

#[cfg(feature = "ecs")]
use bevy_ecs::component::Component;

/// The arena's tables.
pub const SCHEMA: Schema = UNTRAINED.trained(&trained::MODEL);

/// The same without what was learned from recorded matches: what the learning starts from.
pub const UNTRAINED: Schema =
    Schema::new(&[MatchState::TABLE, Fighter::TABLE, Shot::TABLE, Pickup::TABLE, Score::TABLE, Zone::TABLE, Leader::TABLE])
        .spawning(expected::SPAWNS);

columns! {
    /// A living player's body: all that prediction needs. A new row, with a new id, for every life.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[cfg_attr(feature = "ecs", derive(Component))]
    pub struct Fighter as "fighter" {
        /// Whose it is.
        pub player: u16 = 0..=1023,
        /// Velocity to the right.
        pub vx: i32 = -480..=480,
        /// Velocity downwards.
        pub vy: i32 = -480..=480,
        /// Place from the left.
        pub x: i32 = 0..=256_000; moved_by vx,
        /// Place from the top.
        pub y: i32 = 0..=256_000; moved_by vy,
        /// Where it aims, 1/1024 turn, 0 to the right, clockwise.
        pub aim: u16 = 0..=1023; wrapping,
        /// 1 to 100 while it lives.
        pub health: u8 = 0..=100,
        /// When it may dash again. The dash itself lasts the first ticks of that wait.
        pub dash_ready: u32 = 0..=0x7fff_ffff; moment,
        /// When it may fire again. It changes in the very tick a shot leaves.
        pub fire_ready: u32 = 0..=0x7fff_ffff; moment,
        /// When its overcharge ends.
        pub overcharge_until: u32 = 0..=0x7fff_ffff; moment,
        /// Until when nothing harms it: a while from the start of a life, or until it fires. It
        /// stays when it has passed, and so tells how long ago that was.
        pub protected_until: u32 = 0..=0x7fff_ffff; moment,
    }
}

impl Fighter {
    /// Place of `player` in the table.
    pub(crate) const PLAYER: usize = 0;
    /// Place of `fire_ready` in the table.
    pub(crate) const FIRE_READY: usize = 8;
}

columns! {
    /// A shot in flight. It flies straight until it hits something or its time is up.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[cfg_attr(feature = "ecs", derive(Component))]
    pub struct Shot as "shot" {
        /// Who fired it.
        pub owner: u16 = 0..=1023,
        /// Low 16 bits of the tick it was fired in. At the end of that tick it has flown one tick already.
        pub born: u16 = 0..=0xffff; moment,
        /// What it does to a fighter it hits; more when fired overcharged.
        pub damage: u8 = 0..=63,
        /// Velocity to the right.
        pub vx: i32 = -480..=480,
        /// Velocity downwards.
        pub vy: i32 = -480..=480,
        /// Place from the left.
        pub x: i32 = 0..=256_000; moved_by vx,
        /// Place from the top.
        pub y: i32 = 0..=256_000; moved_by vy,
    }
}

columns! {
    /// Something to pick up, while it can be. It keeps its id when it comes back.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[cfg_attr(feature = "ecs", derive(Component))]
    pub struct Pickup as "pickup" {
        /// A [`PickupKind`] as a number.
        pub kind: u8 = 0..=1,
        /// Place from the left.
        pub x: i32 = 0..=256_000,
        /// Place from the top.
        pub y: i32 = 0..=256_000,
    }
}

columns! {
    /// A seated player's standing, dead or alive.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[cfg_attr(feature = "ecs", derive(Component))]
    pub struct Score as "score" {
        /// Whose it is.
        pub player: u16 = 0..=1023,
        /// Health taken from others, and a bonus for each kill.
        pub score: i32 = 0..=1_000_000,
        /// Others killed.
        pub kills: u16 = 0..=0x3fff,
        /// Lives lost.
        pub deaths: u16 = 0..=0x3fff,
        /// When the next life starts; 0 while alive.
        pub respawn_at: u32 = 0..=0x7fff_ffff; moment,
    }
}

columns! {
    /// In royale, the circle outside of which nobody lasts long.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[cfg_attr(feature = "ecs", derive(Component))]
    pub struct Zone as "zone" {
        /// Its middle, from the left.
        pub x: i32 = 0..=256_000,
        /// Its middle, from the top.
        pub y: i32 = 0..=256_000,
        /// What the radius grows by every tick: less than nothing while it shrinks.
        pub growth: i32 = -4095..=0,
        /// How far it reaches.
        pub radius: i32 = 0..=300_000; moved_by growth,
        /// How many live, as counted once a second.
        pub alive: u16 = 0..=1024,
    }
}

columns! {
    /// In royale, one of the best, as of the last second. Everybody else's [`Score`] is known only to themselves.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[cfg_attr(feature = "ecs", derive(Component))]
    pub struct Leader as "leader" {
        /// 0 for the best.
        pub rank: u8 = 0..=15,
        /// Who it is.
        pub player: u16 = 0..=1023,
        /// As in [`Score`].
        pub score: i32 = 0..=1_000_000,
        /// As in [`Score`].
        pub kills: u16 = 0..=0x3fff,
    }
}

/// What a pickup does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PickupKind {
    /// Gives health back.
    Health,
    /// Fires faster and harder for a while.
    Overcharge,
}

impl PickupKind {
    /// The number in [`Pickup::kind`].
    pub const fn number(self) -> u8 {
        match self {
            Self::Health => 0,
            Self::Overcharge => 1,
        }
    }
}

impl From<u8> for PickupKind {
    fn from(number: u8) -> Self {
        if number == Self::Health.number() { Self::Health } else { Self::Overcharge }
    }
}

#[cfg(test)]
mod tests {
    use super::SCHEMA;

    #[test]
    fn the_model_is_of_these_tables() {
        assert!(SCHEMA.model().is_some(), "after a change of the tables: cargo xtask train-codec");
    }
}

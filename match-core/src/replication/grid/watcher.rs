//! A player's place in the grid, and what it sees from there.

use tickwire_game::interest::Eyes;

/// From where a player looks.
#[derive(Clone, Copy, Debug)]
pub(in crate::replication) struct Watcher {
    pub(in crate::replication) at: [i32; 2],
    /// The cell it counts as being in.
    pub(in crate::replication) cell: [i32; 2],
    /// The chunk of the row it looks from; [`super::NONE`] if there is no such row now.
    pub(in crate::replication) node: u32,
    pub(super) teams: [Option<u16>; Eyes::TEAMS_MAX],
}

/// A chunk in sight.
#[derive(Clone, Copy, Debug)]
pub(in crate::replication) struct Sight {
    pub(in crate::replication) node: u32,
    /// Ticks between updates; 0 for what must be in every frame.
    pub(in crate::replication) every: u8,
}

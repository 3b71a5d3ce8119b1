//! A match's state outside of its world: rows that can be stored, and put back into another world.
//!
//! Invariant: a world that was restored goes on as the one that was stored. Both hold the same rows, by
//! [`NetId`]; the order in which an ECS keeps entities is not part of a state, and no system may depend on it.

use tickwire_protocol::codec::{Decode, Encode};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{NetId, Tick};

/// The rows of every replicated and every persisted table of a world.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct Rows {
    /// Which tables these are: differs where names, fields or ranges do.
    pub(crate) tables_hash: u64,
    /// Replicated tables, and then persisted ones, as the game lists them.
    pub(crate) tables: Vec<TableRows>,
}

/// The rows of one table, in order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(crate) struct TableRows {
    pub(crate) ids: Vec<NetId>,
    /// Row after row, as the component wrote them: not clamped to what the wire can carry.
    pub(crate) values: Vec<i32>,
}

/// All that a [`Simulation`](crate::Simulation) is, to be stored and put back.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct SimulationState {
    pub(crate) tick: Tick,
    /// A [`Phase`] as a number.
    pub(crate) phase: u8,
    pub(crate) phase_ends: Option<Tick>,
    pub(crate) random: u64,
    pub(crate) next_net_id: u32,
    pub(crate) rows: Rows,
}

impl SimulationState {
    /// The tick that was simulated last.
    pub fn tick(&self) -> Tick {
        self.tick
    }

    pub(crate) fn phase(&self) -> Phase {
        Phase::from(self.phase)
    }
}

/// The rows are of other tables than the game has now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherTables;

impl core::fmt::Display for OtherTables {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the state is of other tables than the game has now")
    }
}

impl core::error::Error for OtherTables {}

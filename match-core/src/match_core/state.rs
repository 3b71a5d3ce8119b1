//! A match as bytes, and back: what was stored goes on as it would have gone on.
//!
//! Everything is stored that decides what happens next: the world, randomness, seats and what opens
//! them, the phase, inputs to come, what bots remember and what they last saw, and what clients are
//! still to be told. What clients have is not: each starts with a keyframe.

use std::collections::BTreeMap;

use bytes::Bytes;
use tickwire_game::{Bots, Game, Rng, Simulation, SimulationState};
use tickwire_protocol::codec::{Decode, Encode, decode, decode_prefix, encode};
use tickwire_protocol::messages::Event;
use tickwire_protocol::{NetId, PlayerId, Snapshot, Tick};

use super::MatchCore;
use crate::lifecycle::Lifecycle;
use crate::lobby::Room;
use crate::players::Players;
use crate::roster::Roster;
use crate::rules::Setup;
use crate::time::Age;

/// Most bytes that a stored match is believed to need: beyond that it is not read.
const STATE_BYTES_MAX: usize = 64 << 20;
/// Rises when a match is stored in another way.
const VERSION: u32 = 1;

/// Why a stored match cannot go on here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The bytes are no stored match, or one that is stored in another way.
    #[error("the state is not one that this version stores")]
    Unreadable,
    /// The match is of another game, or of another version of it.
    #[error("the state is of other tables than the game has now")]
    OtherGame,
}

/// What says whether the rest can be read: the way it is stored, and the game's schema.
type Header = (u32, u64, Age, Tick);
/// The rest, part by part.
type Body<G> = (World, Minds<G>, Rest<<G as Game>::Input>);
type World = (Option<SimulationState>, Option<Seen>);
/// How many bots were named, and what each remembers and last decided.
type Minds<G> = (u64, BTreeMap<PlayerId, (<G as Bots>::Brain, <G as Game>::Input)>);
type Rest<I> = (Lifecycle, Room, Roster, Players<I>, Rng, Vec<u8>, Option<Event>, Option<Age>, Option<Age>);

/// What everyone saw last: it may differ from the world, if somebody has come or left since.
#[derive(Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
struct Seen {
    tick: Tick,
    /// For each table the ids of its rows, and their values row by row.
    tables: Vec<(Vec<NetId>, Vec<i32>)>,
}

impl<G: Game> MatchCore<G> {
    /// The match as it stands between two steps. [`MatchCore::restore`] makes a match of it that takes
    /// the same steps in the same way.
    pub fn state(&mut self) -> Vec<u8> {
        let seen = self.replication.newest().map(Seen::of);
        let world = self.simulation.as_mut().map(Simulation::state);
        let header = (VERSION, G::SCHEMA.hash(), self.age, self.tick);
        let rest = (
            &self.lifecycle,
            &self.lobby,
            &self.roster,
            &self.players,
            &self.seeds,
            &self.events,
            &self.results,
            self.empty_since,
            self.ends_by,
        );
        encode(&(header, (world, seen), (self.bots.named(), self.bots.minds()), rest))
    }

    /// The match that was stored as `state`. `setup` is that of the match that was stored.
    ///
    /// # Errors
    /// If `state` cannot be read, or is of other tables than the game has now.
    pub fn restore(setup: &Setup, state: &[u8]) -> Result<Self, RestoreError> {
        let unreadable = |_| RestoreError::Unreadable;
        let ((version, schema, age, tick), rest) = decode_prefix::<Header, 64>(state).map_err(unreadable)?;
        if version != VERSION {
            return Err(RestoreError::Unreadable);
        }
        if schema != G::SCHEMA.hash() {
            return Err(RestoreError::OtherGame);
        }
        let ((world, seen), (named, minds), rest) = decode::<Body<G>, STATE_BYTES_MAX>(rest).map_err(unreadable)?;
        let mut restored = Self::new(setup);
        (restored.age, restored.tick) = (age, tick);
        if let Some(world) = &world {
            let simulation = restored.simulation.insert(Simulation::new(&setup.mode, 0, tick, 0));
            simulation.restore(world).map_err(|_| RestoreError::OtherGame)?;
        }
        if let Some(seen) = seen {
            restored.replication.advance(seen.tick, Bytes::new(), std::iter::empty(), |snapshot| seen.fill(snapshot));
        }
        restored.bots.set_minds(named, minds);
        let (lifecycle, lobby, roster, players, seeds, events, results, empty_since, ends_by) = rest;
        Ok(Self { lifecycle, lobby, roster, players, seeds, events, results, empty_since, ends_by, ..restored })
    }
}

impl Seen {
    fn of(snapshot: &Snapshot) -> Self {
        let tables = snapshot.tables().iter().map(|table| {
            let rows = 0..table.len();
            let value = |row: usize, field: usize| table.column(field).get(row).copied().unwrap_or_default();
            let values = rows.flat_map(|row| (0..table.fields().len()).map(move |field| value(row, field))).collect();
            (table.ids().to_vec(), values)
        });
        Self { tick: snapshot.tick, tables: tables.collect() }
    }

    fn fill(&self, snapshot: &mut Snapshot) {
        snapshot.tick = self.tick;
        snapshot.clear();
        for (index, (ids, values)) in self.tables.iter().enumerate() {
            let Some(table) = snapshot.table_mut(index) else { continue };
            let width = table.fields().len().max(1);
            for (id, row) in ids.iter().zip(values.chunks_exact(width)) {
                table.push(*id, row);
            }
        }
    }
}

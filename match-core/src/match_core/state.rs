//! A match as bytes, and back: what was stored goes on as it would have gone on.
//!
//! Everything is stored that decides what happens next: the world, randomness, seats and what opens
//! them, the phase, inputs to come, what bots remember and what they last saw, and what clients are
//! still to be told. What clients have is not: each starts with a keyframe.
//!
//! Another build of the game restores what fits. Each part is stored with its length, so that one
//! that cannot be read spoils no other:
//!
//! - The phase, the lobby and the seats must be readable, or the match is refused.
//! - The world is restored by the names of components and fields: [`tickwire_game::Rows`] has the
//!   rules. A value that does not fit refuses the match.
//! - If the game's tables or its input are others, inputs to come are forgotten, and so is what was
//!   last seen and still to be told: whoever comes gets a keyframe.
//! - If they are, or what a bot remembers is laid out in another way, bots forget and begin anew.

use std::any::type_name;

use bytes::Bytes;
use tickwire_game::{Game, Rng, Simulation, SimulationState, Unfit};
use tickwire_protocol::codec::{Decode, DecodeError, Encode, decode, decode_prefix, encode, encode_into};
use tickwire_protocol::messages::Event;
use tickwire_protocol::schema::Fnv;
use tickwire_protocol::{NetId, Snapshot, Tick};

use super::MatchCore;
use crate::lifecycle::Lifecycle;
use crate::lobby::Room;
use crate::roster::Roster;
use crate::rules::Setup;
use crate::time::Age;

/// Most bytes that a stored match is believed to need: beyond that it is not read.
const STATE_BYTES_MAX: usize = 64 << 20;
/// Rises when a match is stored in another way.
const VERSION: u32 = 2;

/// Why a stored match cannot go on here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The bytes are no stored match, or one that is stored in another way.
    #[error("the state is not one that this version stores")]
    Unreadable,
    /// The match is of another game.
    #[error("the state is of another game")]
    OtherGame,
    /// A value of the match's world does not fit in what the game's components are now.
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

impl From<DecodeError> for RestoreError {
    fn from(_: DecodeError) -> Self {
        Self::Unreadable
    }
}

/// A match that was restored.
pub struct Restored<G: Game> {
    /// The match.
    pub core: MatchCore<G>,
    /// The game's tables and its input are those of the match that was stored: steps that it took
    /// later mean the same here. Else they could be misread.
    pub can_replay: bool,
    /// What this game has no place for, for people to read.
    pub left_out: Vec<String>,
}

/// A match as it is stored: the version, and these.
#[derive(Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
struct Parts {
    game: String,
    /// Of the game's tables and its input.
    layout: u64,
    /// Of what a bot remembers.
    mind_layout: u64,
    /// Each of the rest is encoded on its own.
    seats: Vec<u8>,
    world: Vec<u8>,
    minds: Vec<u8>,
    inputs: Vec<u8>,
    /// What was last seen, and what is still to be told.
    seen: Vec<u8>,
}

/// Without these there is no match.
type Seats = (Age, Tick, Lifecycle, Room, Roster, Rng, Option<Event>, Option<Age>, Option<Age>, u64);

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
        let seats = (
            (self.age, self.tick),
            (&self.lifecycle, &self.lobby, &self.roster, &self.seeds),
            (&self.results, self.empty_since, self.ends_by, self.bots.named()),
        );
        let parts = Parts {
            game: G::NAME.to_owned(),
            layout: self.layout,
            mind_layout: mind_layout::<G>(),
            seats: encode(&seats),
            world: encode(&self.simulation.as_mut().map(Simulation::state)),
            minds: encode(self.bots.minds()),
            inputs: encode(&self.players),
            seen: encode(&(self.replication.newest().map(Seen::of), &self.events)),
        };
        let mut state = encode(&VERSION);
        encode_into(&parts, &mut state);
        state
    }

    /// The match that was stored as `state`. `setup` is that of the match that was stored.
    ///
    /// # Errors
    /// If `state` cannot be read, is of another game, or does not fit in what the game is now.
    pub fn restore(setup: &Setup, state: &[u8]) -> Result<Restored<G>, RestoreError> {
        let (version, parts) = decode_prefix::<u32, 8>(state)?;
        if version != VERSION {
            return Err(RestoreError::Unreadable);
        }
        let parts = decode::<Parts, STATE_BYTES_MAX>(parts)?;
        if parts.game != G::NAME {
            return Err(RestoreError::OtherGame);
        }
        let mut core = Self::new(setup);
        let (can_replay, mut left_out) = (parts.layout == core.layout, Vec::new());
        core.take_seats(&parts.seats)?;
        core.take_world(&parts.world, &mut left_out)?;
        if can_replay {
            core.players = decode::<_, STATE_BYTES_MAX>(&parts.inputs)?;
            core.take_seen(&parts.seen)?;
        } else {
            left_out.push("inputs to come".to_owned());
            core.look_anew();
        }
        let minds =
            if can_replay && parts.mind_layout == mind_layout::<G>() { decode::<_, STATE_BYTES_MAX>(&parts.minds).ok() } else { None };
        match minds {
            Some(minds) => core.bots.set_minds(minds),
            None if core.mind_anew() => left_out.push("what bots remember".to_owned()),
            None => {}
        }
        Ok(Restored { core, can_replay, left_out })
    }

    fn take_seats(&mut self, stored: &[u8]) -> Result<(), RestoreError> {
        let seats = decode::<Seats, STATE_BYTES_MAX>(stored)?;
        let named;
        (self.age, self.tick, self.lifecycle, self.lobby, self.roster, self.seeds, self.results, self.empty_since, self.ends_by, named) =
            seats;
        self.bots.set_named(named);
        Ok(())
    }

    fn take_world(&mut self, stored: &[u8], left_out: &mut Vec<String>) -> Result<(), RestoreError> {
        let world = decode::<Option<SimulationState>, STATE_BYTES_MAX>(stored)?;
        if let Some(world) = world {
            let simulation = self.simulation.insert(Simulation::new(&self.setup.mode, 0, self.tick, 0));
            *left_out = simulation.restore(&world)?;
        }
        Ok(())
    }

    fn take_seen(&mut self, stored: &[u8]) -> Result<(), RestoreError> {
        let (seen, events) = decode::<(Option<Seen>, Vec<u8>), STATE_BYTES_MAX>(stored)?;
        self.events = events;
        if let Some(seen) = seen {
            self.replication.advance(seen.tick, Bytes::new(), std::iter::empty(), |snapshot| seen.fill(snapshot));
        }
        Ok(())
    }

    /// Nobody has seen anything or given an input yet.
    fn look_anew(&mut self) {
        let Self { simulation, replication, tick, roster, players, .. } = self;
        if let Some(simulation) = simulation {
            replication.advance(*tick, Bytes::new(), std::iter::empty(), |snapshot| simulation.capture(snapshot));
        }
        roster.connected().for_each(|player| players.reset(player, *tick));
    }

    /// Bots that remember nothing play where the server plays. Says whether there are any.
    fn mind_anew(&mut self) -> bool {
        let Self { roster, bots, seeds, .. } = self;
        let mut played_for = roster.joined().filter(|(_, is_played_for)| *is_played_for).map(|(player, _)| player).peekable();
        let are_any = played_for.peek().is_some();
        played_for.for_each(|player| bots.add(player, seeds.next_u64()));
        are_any
    }
}

/// Differs, mostly, where what one build's bots remember could be misread by another's.
fn mind_layout<G: Game>() -> u64 {
    let mut hash = Fnv::new();
    hash.text(type_name::<G::Brain>());
    hash.word(size_of::<G::Brain>() as u32);
    hash.finish()
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

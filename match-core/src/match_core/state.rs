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
use tickwire_protocol::codec::{Decode, DecodeError, Encode, decode, decode_prefix, encode_into};
use tickwire_protocol::hash::Fnv;
use tickwire_protocol::messages::Event;
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
/// Of a part's length.
const LENGTH_BYTES: usize = 4;

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

/// What a stored match begins with: the version, the game, the layout of its tables and its input,
/// and that of what a bot remembers.
type Header = (u32, String, u64, u64);

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
    /// The match as it stands between two steps. [`MatchCore::restore`] makes a match of it that
    /// takes the same steps in the same way.
    ///
    /// ```
    /// use tag::Tag;
    /// use tickwire_game::Game;
    /// use tickwire_match::{MatchCore, Rules, Setup, Step};
    /// use tickwire_protocol::MatchId;
    ///
    /// let (id, mode, rules) = (MatchId([7; 16]), Tag::MODES[0], Rules::default());
    /// let setup = Setup { id, mode, mode_index: 0, lobby: false, bots: false, rules, seed: 1 };
    /// let mut here = MatchCore::<Tag>::new(&setup);
    /// here.step(&Step::tick(Vec::new()));
    ///
    /// let mut elsewhere = MatchCore::<Tag>::restore(&setup, &here.state())?.core;
    /// assert_eq!(elsewhere.tick(), here.tick());
    /// for tag in [&mut here, &mut elsewhere] {
    ///     tag.step(&Step::tick(Vec::new()));
    /// }
    /// assert_eq!(elsewhere.hash(), here.hash());
    /// # Ok::<(), tickwire_match::RestoreError>(())
    /// ```
    pub fn state(&mut self) -> Vec<u8> {
        let mut state = Vec::new();
        self.write_state(&mut state);
        state
    }

    /// Appends [`MatchCore::state`] to `out`.
    pub fn write_state(&mut self, out: &mut Vec<u8>) {
        encode_into(&(VERSION, G::NAME, self.layout, mind_layout::<G>()), out);
        let seats = (
            (self.age, self.tick),
            (&self.lifecycle, &self.lobby, &self.roster, &self.seeds),
            (&self.results, self.empty_since, self.ends_by, self.bots.named()),
        );
        put(&seats, out);
        put(&self.simulation.as_mut().map(Simulation::state), out);
        put(self.bots.minds(), out);
        put(&self.players, out);
        put(&(self.replication.newest().map(Seen::of), &self.events), out);
    }

    /// The match that was stored as `state`. `setup` is that of the match that was stored.
    ///
    /// # Errors
    /// If `state` cannot be read, is of another game, or does not fit in what the game is now.
    pub fn restore(setup: &Setup, state: &[u8]) -> Result<Restored<G>, RestoreError> {
        // Another version may say other things after the first.
        if decode_prefix::<u32, 8>(state)?.0 != VERSION {
            return Err(RestoreError::Unreadable);
        }
        let ((_, game, layout, minds_are), mut parts) = decode_prefix::<Header, 1_024>(state)?;
        if game != G::NAME {
            return Err(RestoreError::OtherGame);
        }
        let mut part = || take(&mut parts).ok_or(RestoreError::Unreadable);
        let (seats, world, minds, inputs, seen) = (part()?, part()?, part()?, part()?, part()?);
        if !parts.is_empty() {
            return Err(RestoreError::Unreadable);
        }
        let mut core = Self::new(setup);
        let (can_replay, mut left_out) = (layout == core.layout, Vec::new());
        core.take_seats(seats)?;
        core.take_world(world, &mut left_out)?;
        if can_replay {
            core.players = decode::<_, STATE_BYTES_MAX>(inputs)?;
            core.take_seen(seen)?;
        } else {
            left_out.push("inputs to come".to_owned());
            core.look_anew();
        }
        let is_readable = can_replay && minds_are == mind_layout::<G>();
        match is_readable.then(|| decode::<_, STATE_BYTES_MAX>(minds).ok()).flatten() {
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

/// Appends a part, with its length before it.
fn put<T: Encode>(part: &T, out: &mut Vec<u8>) {
    let at = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    encode_into(part, out);
    let length = (out.len() - at - LENGTH_BYTES) as u32;
    if let Some(place) = out.get_mut(at..at + LENGTH_BYTES) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// Takes a part off the front.
fn take<'a>(parts: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = parts.split_first_chunk::<LENGTH_BYTES>()?;
    let (part, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *parts = rest;
    Some(part)
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

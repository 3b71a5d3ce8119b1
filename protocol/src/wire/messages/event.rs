//! What happened, told once, in order with the snapshots.

use super::roster::{Lobby, RosterEntry};
use crate::wire::codec::bincode::enc::Encoder;
use crate::wire::codec::bincode::error::EncodeError;
use crate::wire::codec::{BoundedBytes, BoundedBytesRef, BoundedVec, Decode, Encode};
use crate::wire::ids::{PlayerId, Tick};
use crate::wire::limits;

/// Something that happened, told once.
#[derive(Clone, Debug, PartialEq, Eq, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub enum Event {
    /// A player took a seat.
    Joined(RosterEntry),
    /// A seat was freed.
    Left(PlayerId),
    /// The match is over.
    Results {
        /// Best first.
        ranking: Ranking,
        /// Votes for a rematch count until this tick.
        rematch_by: Tick,
    },
    /// The game's own event, encoded by the game.
    Game(BoundedBytes<{ limits::GAME_EVENT_BYTES_MAX }>),
    /// A seated player's entry changed; this one replaces it.
    Updated(RosterEntry),
    /// The match waits in its lobby. Sent after Welcome and with every change, until the phase moves on.
    Lobby(Lobby),
    /// The server is about to restart: the match ends at this tick at the latest.
    Draining {
        /// The last tick the match may reach.
        until: Tick,
    },
}

/// A borrowed [`Event`], to be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode)]
#[bincode(crate = "crate::wire::codec::bincode")]
#[allow(missing_docs)] // as in `Event`
pub enum EventRef<'a> {
    Joined(&'a RosterEntry),
    Left(PlayerId),
    Results { ranking: &'a Ranking, rematch_by: Tick },
    Game(BoundedBytesRef<'a, { limits::GAME_EVENT_BYTES_MAX }>),
    Updated(&'a RosterEntry),
    Lobby(&'a Lobby),
    Draining { until: Tick },
}

impl<'a> From<&'a Event> for EventRef<'a> {
    fn from(event: &'a Event) -> Self {
        match event {
            Event::Joined(entry) => Self::Joined(entry),
            Event::Left(player) => Self::Left(*player),
            Event::Results { ranking, rematch_by } => Self::Results { ranking, rematch_by: *rematch_by },
            Event::Game(bytes) => Self::Game(bytes.borrowed()),
            Event::Updated(entry) => Self::Updated(entry),
            Event::Lobby(lobby) => Self::Lobby(lobby),
            Event::Draining { until } => Self::Draining { until: *until },
        }
    }
}

/// As the [`EventRef`] of it.
impl Encode for Event {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        EventRef::from(self).encode(encoder)
    }
}

/// The players of a round, best first.
type Ranking = BoundedVec<Ranked, { limits::PLAYERS_MAX }>;

/// One line of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub struct Ranked {
    /// The player.
    pub player: PlayerId,
    /// The game's score.
    pub score: i32,
}

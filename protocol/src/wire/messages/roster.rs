//! Who is in a match.

use crate::wire::codec::{BoundedVec, Decode, Encode};
use crate::wire::ids::PlayerId;
use crate::wire::limits;
use crate::wire::text::Name;

/// One seated player.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub struct RosterEntry {
    /// The player.
    pub player: PlayerId,
    /// Cleaned for display as text.
    pub name: Name,
    /// The seat belongs to the server, not to a person.
    pub bot: bool,
    /// Whether the person who holds the seat plays it.
    pub presence: Presence,
}

/// Whether the person who holds a seat plays it. Who else plays it meanwhile is the mode's choice: a bot, or nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub enum Presence {
    /// The holder plays. Bots are always here.
    #[default]
    Here,
    /// The holder is connected but has changed no input for a while. The next change makes it `Here`.
    Idle,
    /// The holder's connection is lost. The seat is kept for the grace period.
    Away,
}

/// A match that waits for its players to start it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub struct Lobby {
    /// Who may start the match and choose its bots; `None` while nobody is seated.
    pub host: Option<PlayerId>,
    /// Whether bots will fill the free seats.
    pub bots: bool,
    /// Who is ready, in rising order. The match starts when every connected player is.
    pub ready: BoundedVec<PlayerId, { limits::PLAYERS_MAX }>,
}

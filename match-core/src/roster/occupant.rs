//! Who sits in a match, as those who look after it see it.

use tickwire_protocol::PlayerId;
use tickwire_protocol::messages::Presence;
use tickwire_protocol::text::Name;

use super::seat::{Holder, Seat};
use crate::step::{OwnerId, SessionId};

/// A person who has a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupant {
    /// The number of the seat, and of the player in the game.
    pub player: PlayerId,
    /// Shown to the others.
    pub name: Name,
    /// Who holds the seat, as the gateway knows them.
    pub owner: OwnerId,
    /// What they do there.
    pub stay: Stay,
    /// The session that plays it, if one does.
    pub session: Option<SessionId>,
}

/// What a person does in a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// Has a ticket, and has not come yet.
    Expected,
    /// Plays.
    Here,
    /// Is connected and gives no input.
    Idle,
    /// Has lost the connection.
    Away,
}

impl Occupant {
    /// `None` for a bot's seat.
    pub(super) fn of(player: PlayerId, seat: &Seat) -> Option<Self> {
        let owner = seat.person.as_ref()?.owner;
        let stay = match (seat.holder, seat.presence()) {
            (Holder::Reserved { .. }, _) => Stay::Expected,
            (_, Presence::Here) => Stay::Here,
            (_, Presence::Idle) => Stay::Idle,
            (_, Presence::Away) => Stay::Away,
        };
        Some(Self { player, name: seat.name.clone(), owner, stay, session: seat.session() })
    }
}

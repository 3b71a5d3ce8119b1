//! One seat: who holds it, what it is called, and what returns to it.

use tickwire_protocol::PlayerId;
use tickwire_protocol::codec::{Decode, Encode};
use tickwire_protocol::messages::{Presence, RosterEntry};
use tickwire_protocol::text::Name;

use crate::credentials::Credentials;
use crate::step::{OwnerId, SecretHash, SessionId};
use crate::time::Age;

/// Who holds a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(super) enum Holder {
    /// The server plays it.
    Bot,
    /// Kept for someone with a ticket.
    Reserved {
        /// Freed then.
        until: Age,
    },
    /// Played over this session.
    Connected {
        /// Of the match's sessions.
        session: SessionId,
    },
    /// Its connection was lost.
    Away {
        /// Freed then.
        until: Age,
    },
}

/// A seat, from its reservation until it is freed.
#[derive(Clone, Debug, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(super) struct Seat {
    /// Shown to the others.
    pub name: Name,
    pub holder: Holder,
    /// Connected, and giving no input.
    pub is_idle: bool,
    pub wants_rematch: bool,
    /// In a lobby: the match may start.
    pub is_ready: bool,
    /// The how-manieth player of the match it is, from 1; 0 while nobody has played from it.
    pub joined: u64,
    pub person: Option<Person>,
}

/// What a seat has that a person holds.
#[derive(Clone, Debug, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(super) struct Person {
    pub owner: OwnerId,
    /// The name they gave, which somebody else may have too.
    pub asked_name: Name,
    pub credentials: Credentials,
}

impl Seat {
    /// Nobody has played from it.
    pub(super) fn new(name: Name, holder: Holder, person: Option<Person>) -> Self {
        Self { name, holder, is_idle: false, wants_rematch: false, is_ready: false, joined: 0, person }
    }

    pub(super) fn is_bot(&self) -> bool {
        self.holder == Holder::Bot
    }

    /// Whether its holder plays it.
    pub(super) fn presence(&self) -> Presence {
        match self.holder {
            Holder::Away { .. } => Presence::Away,
            Holder::Connected { .. } if self.is_idle => Presence::Idle,
            _ => Presence::Here,
        }
    }

    /// Whether the server plays it; with `stand_in` also for a person who does not.
    pub(super) fn is_played_for(&self, stand_in: bool) -> bool {
        self.is_bot() || (stand_in && self.presence() != Presence::Here)
    }

    /// What the others see of it.
    pub(super) fn entry(&self, player: PlayerId) -> RosterEntry {
        RosterEntry { player, name: self.name.clone(), bot: self.is_bot(), presence: self.presence() }
    }

    /// The session that plays it.
    pub(super) fn session(&self) -> Option<SessionId> {
        match self.holder {
            Holder::Connected { session } => Some(session),
            _ => None,
        }
    }

    /// Keeps it until `until` at least, if nobody is connected.
    pub(super) fn keep_until(&mut self, at_least: Age) {
        if let Holder::Reserved { until } | Holder::Away { until } = &mut self.holder {
            *until = at_least.max(*until);
        }
    }

    /// Whether what has this hash opens it.
    pub(super) fn is_opened_by(&self, secret: &SecretHash, now: Age) -> bool {
        self.person.as_ref().is_some_and(|person| person.credentials.admit(secret, now))
    }

    /// `session` holds it from now on, which presented what has this hash and is given the token of
    /// which `given` is the hash. Says whether it is a person's seat.
    pub(super) fn connect(&mut self, session: SessionId, presented: SecretHash, given: SecretHash) -> bool {
        let Some(person) = self.person.as_mut() else { return false };
        person.credentials.present(presented, given);
        self.holder = Holder::Connected { session };
        self.is_idle = false;
        true
    }
}

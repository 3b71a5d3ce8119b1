//! Tickets: the right to one reserved seat, to be redeemed over a WebSocket once and soon.
//!
//! Invariants: only the SHA-256 of a ticket is kept; a ticket lives for [`TICKET_LIFE`], and its match spends it; there
//! are at most [`TICKETS_MAX`]. When there is no room a new one is refused: evicting would break somebody's promise.

use std::time::{Duration, Instant};

use tickwire_protocol::{PlayerId, Secret};

use super::table::ExpiringTable;
use crate::matches::MatchHandle;
use crate::secrets::{SecretHash, hash};

/// Most tickets that may be outstanding.
pub const TICKETS_MAX: usize = 16_384;
/// How long a ticket may be redeemed.
pub const TICKET_LIFE: Duration = Duration::from_secs(30);
/// How long the seat of a ticket is kept: longer than the ticket lives, so that one redeemed in time finds its seat.
pub const SEAT_KEPT: Duration = Duration::from_secs(32);

/// A reserved seat.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// In which match.
    pub handle: MatchHandle,
    /// Whose.
    pub player: PlayerId,
}

/// All tickets outstanding.
#[derive(Debug)]
pub struct Tickets(ExpiringTable<[u8; 32], Ticket>);

impl Default for Tickets {
    fn default() -> Self {
        Self(ExpiringTable::new(TICKETS_MAX))
    }
}

impl Tickets {
    /// Issues a ticket. Says whether there was room for it.
    pub fn issue(&mut self, now: Instant, hash: SecretHash, ticket: Ticket) -> bool {
        self.0.insert(now, hash, ticket, now + TICKET_LIFE).is_ok()
    }

    /// Which seat this ticket is for. The match says whether it still admits.
    pub fn find(&mut self, now: Instant, secret: Secret) -> Option<Ticket> {
        self.0.get_mut(now, &hash(secret)).cloned()
    }

    /// Drops tickets nobody redeemed in time.
    pub fn purge(&mut self, now: Instant) {
        self.0.purge(now);
    }

    /// Number of tickets outstanding.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

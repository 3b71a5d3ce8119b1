//! Tickets: the right to one reserved seat, to be redeemed over a WebSocket once and soon.
//!
//! Invariants: only the SHA-256 of a ticket is kept; a ticket is redeemed at most once and lives for [`TICKET_LIFE`]; there
//! are at most [`TICKETS_MAX`]. When there is no room a new one is refused: evicting would break somebody's promise.

use std::time::{Duration, Instant};

use tickwire_protocol::{PlayerId, Secret};

use super::table::ExpiringTable;
use crate::matches::MatchHandle;
use crate::secrets::{hash, random_bytes};

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
    /// Issues a ticket. `None` if too many are outstanding.
    pub fn issue(&mut self, now: Instant, ticket: Ticket) -> Option<Secret> {
        let secret = Secret(random_bytes());
        self.0.insert(now, hash(secret), ticket, now + TICKET_LIFE).ok().map(|()| secret)
    }

    /// What this ticket admits to. It admits nobody else from now on.
    pub fn redeem(&mut self, now: Instant, secret: Secret) -> Option<Ticket> {
        self.0.remove(now, &hash(secret))
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

//! Tickets: the right to one seat, to be shown over a WebSocket soon. The match says whether a
//! ticket is spent: here it is only found which match that is.
//!
//! Invariants: only the SHA-256 of a ticket is kept; a ticket lives for [`TICKET_LIFE`]; there are
//! at most [`TICKETS_MAX`]. When there is no room a new one is refused, before a seat is asked for:
//! evicting would break somebody's promise.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tickwire_protocol::{PlayerId, Secret};

use crate::http::table::ExpiringTable;
use crate::matches::MatchHandle;
use crate::secrets::{SecretHash, hash, random_bytes};

/// Most tickets that may be outstanding.
pub(crate) const TICKETS_MAX: usize = 16_384;
/// How long a ticket may be shown.
pub(crate) const TICKET_LIFE: Duration = Duration::from_secs(30);
/// How long the seat of a ticket is kept: longer than the ticket lives, so that one shown in time
/// finds its seat.
pub(crate) const SEAT_KEPT: Duration = Duration::from_secs(32);

/// A seat.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    /// In which match.
    pub(crate) handle: MatchHandle,
    /// Whose.
    pub(crate) player: PlayerId,
}

/// All tickets outstanding.
#[derive(Clone, Debug)]
pub(crate) struct Tickets(Arc<Mutex<Table>>);

/// Nothing, as long as the seat is being asked for.
type Table = ExpiringTable<SecretHash, Option<Ticket>>;

impl Tickets {
    /// No ticket yet, and never more than `tickets_max`.
    pub(crate) fn with_room_for(tickets_max: usize) -> Self {
        Self(Arc::new(Mutex::new(ExpiringTable::new(tickets_max))))
    }

    /// A ticket for a seat that is yet to be found. `None` if too many are outstanding.
    pub(crate) fn begin(&self, now: Instant) -> Option<Blank> {
        let secret = Secret(random_bytes());
        let expires = now + TICKET_LIFE;
        self.table().insert(now, hash(secret), None, expires).ok()?;
        Some(Blank { tickets: self.clone(), secret, expires, is_granted: false })
    }

    /// Where this ticket leads.
    pub(crate) fn find(&self, now: Instant, secret: Secret) -> Option<Ticket> {
        self.table().get_mut(now, &hash(secret))?.clone()
    }

    /// These tickets lead nowhere from now on.
    pub(crate) fn revoke(&self, now: Instant, tickets: impl IntoIterator<Item = SecretHash>) {
        let mut table = self.table();
        for ticket in tickets {
            table.remove(now, &ticket);
        }
    }

    /// Drops tickets whose time is over.
    pub(crate) fn purge(&self, now: Instant) {
        self.table().purge(now);
    }

    /// Number of tickets outstanding.
    pub(crate) fn len(&self) -> usize {
        self.table().len()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A ticket without a seat. Void when dropped.
#[derive(Debug)]
pub(crate) struct Blank {
    tickets: Tickets,
    secret: Secret,
    expires: Instant,
    is_granted: bool,
}

impl Blank {
    /// What the match will know it by.
    pub(crate) fn hash(&self) -> SecretHash {
        hash(self.secret)
    }

    /// It leads to this seat. Returns the ticket, which is kept nowhere else, and how long it may
    /// be shown; `None` if that time is over.
    pub(crate) fn grant(mut self, now: Instant, ticket: Ticket) -> Option<(Secret, Duration)> {
        let granted = self.tickets.table().get_mut(now, &self.hash()).map(|place| *place = Some(ticket));
        self.is_granted = granted.is_some();
        granted.map(|()| (self.secret, self.expires - now))
    }
}

impl Drop for Blank {
    fn drop(&mut self) {
        if !self.is_granted {
            self.tickets.revoke(Instant::now(), [hash(self.secret)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use tickwire_game::Mode;
    use tickwire_protocol::MatchId;

    use super::*;
    use crate::matches::stats::MatchStats;
    use crate::matches::{MatchInfo, Settings};

    fn ticket() -> Ticket {
        let mode = Mode { id: "duel", title: "Duel", max_players: 2, tick_rate: 30, live_seconds: 60, bots_fill: 0, stand_in: false };
        let info = MatchInfo {
            id: MatchId([7; 16]),
            code: "CODE".into(),
            mode,
            mode_index: 0,
            settings: Settings::PUBLIC,
            created: Instant::now(),
            stats: MatchStats::default(),
        };
        Ticket { handle: MatchHandle::new(Arc::new(info)).0, player: PlayerId(3) }
    }

    #[test]
    fn a_ticket_leads_to_its_seat_until_its_time_is_over_or_it_is_revoked() {
        let start = Instant::now();
        let tickets = Tickets::with_room_for(TICKETS_MAX);
        let blank = tickets.begin(start).expect("room");
        let asked = start + Duration::from_secs(2);
        let (secret, left) = blank.grant(asked, ticket()).expect("in time");
        assert_eq!(left + Duration::from_secs(2), TICKET_LIFE);
        for _ in 0..2 {
            assert_eq!(tickets.find(asked, secret).map(|ticket| ticket.player), Some(PlayerId(3)), "however often it is shown");
        }
        assert!(tickets.find(start + TICKET_LIFE, secret).is_none());
        tickets.revoke(asked, [hash(secret)]);
        assert!(tickets.find(asked, secret).is_none());
    }

    #[test]
    fn a_blank_leads_nowhere_and_leaves_nothing_behind() {
        let start = Instant::now();
        let tickets = Tickets::with_room_for(1);
        let blank = tickets.begin(start).expect("room");
        assert!(tickets.find(start, blank.secret).is_none());
        assert!(tickets.begin(start).is_none(), "it takes room");
        drop(blank);
        assert_eq!(tickets.len(), 0);
        let late = tickets.begin(start).expect("room");
        assert!(late.grant(start + TICKET_LIFE, ticket()).is_none());
    }
}

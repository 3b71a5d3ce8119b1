//! Guest sessions: a name and a random token, so that a player is the same one from one request to the next.
//!
//! Invariants: only the SHA-256 of a token is kept; there are at most [`GUESTS_MAX`] sessions, each gone after
//! [`IDLE_MAX`] without a request. When there is no room the session idle for longest goes: refusing newcomers would let
//! a flood lock everyone out, whereas an evicted player's page makes a new session and loses no seat by it.

use std::time::{Duration, Instant};

use tickwire_protocol::Secret;
use tickwire_protocol::text::Name;

use super::table::ExpiringTable;
use crate::secrets::{hash, random_bytes};

/// Most guest sessions.
pub const GUESTS_MAX: usize = 100_000;
/// A session without requests for so long is over.
pub const IDLE_MAX: Duration = Duration::from_hours(24);

/// Everyone with a session.
#[derive(Debug)]
pub struct Guests(ExpiringTable<[u8; 32], Name>);

impl Default for Guests {
    fn default() -> Self {
        Self(ExpiringTable::new(GUESTS_MAX))
    }
}

impl Guests {
    /// A session for someone called `name`. Returns its token, which is kept nowhere else.
    pub fn open(&mut self, now: Instant, name: Name) -> Secret {
        let token = Secret(random_bytes());
        self.0.insert_evicting(now, hash(token), name, now + IDLE_MAX);
        token
    }

    /// Whose token this is, if anybody's. Their session is not idle.
    pub fn recognise(&mut self, now: Instant, token: Secret) -> Option<Name> {
        self.0.renew(now, &hash(token), now + IDLE_MAX).map(|name| name.clone())
    }

    /// Drops sessions that were idle for too long.
    pub fn purge(&mut self, now: Instant) {
        self.0.purge(now);
    }

    /// Number of sessions.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lasts_while_it_is_used() {
        let start = Instant::now();
        let mut guests = Guests::default();
        let token = guests.open(start, Name::truncated("Ada"));
        let almost = Duration::from_hours(23);
        let later = start + almost;
        assert_eq!(guests.recognise(later, token).as_ref().map(Name::as_str), Some("Ada"));
        assert!(guests.recognise(later + almost, token).is_some(), "its idle time began anew");
        assert_eq!(guests.recognise(start + IDLE_MAX * 4, token), None);
        assert_eq!(guests.recognise(start, Secret([7; 16])), None, "nobody's token");
    }
}

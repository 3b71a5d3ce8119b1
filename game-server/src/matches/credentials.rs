//! What opens a seat: tickets and resume tokens, in the order in which they were issued.
//!
//! Presenting one gives a new one and spends nothing: an answer can get lost on its way. What was
//! presented, and all that is older, is spent once the session that it opened has spoken: then its
//! client has the new one.
//!
//! Invariants: only hashes are kept, at most [`CREDENTIALS_MAX`]; the one that the seat's session
//! presented and the token it was given are never pushed out, so nobody who asks for tickets shuts
//! out who plays.

use tickwire_protocol::Secret;
use tokio::time::Instant;

use crate::secrets::{SecretHash, hash, random_bytes};

/// Most credentials of a seat.
pub const CREDENTIALS_MAX: usize = 4;

/// The credentials of one seat.
#[derive(Debug, Default)]
pub struct Credentials {
    /// In order of issue.
    valid: Vec<Credential>,
    /// What the newest session presented, until it speaks.
    presented: Option<SecretHash>,
    /// The token that the newest session was given.
    given: Option<SecretHash>,
}

#[derive(Debug)]
struct Credential {
    hash: SecretHash,
    /// A ticket admits until then, a resume token as long as there is a seat.
    until: Option<Instant>,
}

impl Credentials {
    /// A ticket was issued that admits until `until`.
    pub fn add_ticket(&mut self, ticket: SecretHash, until: Instant, now: Instant) {
        self.valid.retain(|credential| credential.until.is_none_or(|until| until > now));
        self.add(Credential { hash: ticket, until: Some(until) });
    }

    /// Whether `secret` opens the seat.
    pub fn admit(&self, secret: &SecretHash, now: Instant) -> bool {
        self.valid.iter().any(|credential| credential.hash == *secret && credential.until.is_none_or(|until| until > now))
    }

    /// A new token for the session that presented `secret`, one of the valid. It is shown once; its
    /// hash is kept.
    pub fn present(&mut self, secret: SecretHash) -> Secret {
        let token = Secret(random_bytes());
        self.presented = Some(secret);
        // Nobody has the token of a session that never spoke, or it would be presented: it may be
        // pushed out.
        self.given = None;
        let given = hash(token);
        self.add(Credential { hash: given, until: None });
        self.given = Some(given);
        token
    }

    /// The newest session has spoken, so its client has the token it was given: what it presented
    /// is spent, and all that is older.
    pub fn confirm(&mut self) {
        let Some(presented) = self.presented.take() else { return };
        if let Some(spent) = self.valid.iter().position(|credential| credential.hash == presented) {
            self.valid.drain(..=spent);
        }
    }

    /// Adds one; if there are too many, the oldest goes that no session stands on.
    fn add(&mut self, credential: Credential) {
        if self.valid.len() >= CREDENTIALS_MAX {
            let stood_on = [self.presented, self.given];
            let oldest = self.valid.iter().position(|credential| !stood_on.contains(&Some(credential.hash)));
            self.valid.remove(oldest.unwrap_or_default());
        }
        self.valid.push(credential);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const TICKET: Secret = Secret([1; 16]);

    fn with_ticket(now: Instant) -> Credentials {
        let mut credentials = Credentials::default();
        credentials.add_ticket(hash(TICKET), now + Duration::from_secs(30), now);
        credentials
    }

    #[test]
    fn what_was_presented_works_until_the_session_it_opened_has_spoken() {
        let now = Instant::now();
        let mut seat = with_ticket(now);
        let first = seat.present(hash(TICKET));
        assert!(seat.admit(&hash(TICKET), now), "Welcome may not have come");
        let second = seat.present(hash(TICKET));
        seat.confirm();
        assert!(!seat.admit(&hash(TICKET), now), "spent");
        assert!(seat.admit(&hash(second), now));
        let third = seat.present(hash(second));
        seat.confirm();
        assert_eq!([first, second, third].map(|token| seat.admit(&hash(token), now)), [false, false, true]);
        seat.confirm();
        assert!(seat.admit(&hash(third), now), "speaking on spends nothing more");
    }

    #[test]
    fn a_ticket_that_expired_opens_nothing() {
        let now = Instant::now();
        let seat = with_ticket(now);
        assert!(seat.admit(&hash(TICKET), now));
        assert!(!seat.admit(&hash(TICKET), now + Duration::from_secs(30)));
    }

    #[test]
    fn whoever_drops_again_and_again_before_welcome_keeps_what_they_have() {
        let now = Instant::now();
        let mut seat = with_ticket(now);
        let token = seat.present(hash(TICKET));
        seat.confirm();
        for _ in 0..3 * CREDENTIALS_MAX {
            assert!(seat.admit(&hash(token), now));
            seat.present(hash(token));
            assert!(seat.valid.len() <= CREDENTIALS_MAX);
        }
    }

    #[test]
    fn tickets_without_end_push_out_no_token_that_a_session_has() {
        let now = Instant::now();
        let mut seat = with_ticket(now);
        let token = seat.present(hash(TICKET));
        seat.confirm();
        for number in 2..20 {
            seat.add_ticket([number; 32], now + Duration::from_secs(30), now);
        }
        assert!(seat.admit(&hash(token), now) && seat.admit(&[19; 32], now) && !seat.admit(&[2; 32], now));
    }
}

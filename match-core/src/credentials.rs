//! What opens a seat: tickets and resume tokens, in the order in which they were issued.
//!
//! Presenting one gives a new one and spends nothing: an answer can get lost on its way. What was
//! presented, and all that is older, is spent once the session that it opened has spoken: then its
//! client has the new one.
//!
//! Invariants: only hashes are kept, at most [`CREDENTIALS_MAX`]; the one that the seat's session
//! presented and the token it was given are never pushed out, so nobody who asks for tickets shuts
//! out who plays.

use tickwire_protocol::codec::{Decode, Encode};

use crate::step::SecretHash;
use crate::time::Age;

/// Most credentials of a seat.
pub(crate) const CREDENTIALS_MAX: usize = 4;

/// The credentials of one seat.
#[derive(Clone, Debug, Default, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(crate) struct Credentials {
    /// In order of issue.
    valid: Vec<Credential>,
    /// What the newest session presented, until it speaks.
    presented: Option<SecretHash>,
    /// The token that the newest session was given.
    given: Option<SecretHash>,
}

#[derive(Clone, Debug, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
struct Credential {
    hash: SecretHash,
    /// A ticket admits until then, a resume token as long as there is a seat.
    until: Option<Age>,
}

impl Credentials {
    /// A ticket was issued that admits until `until`.
    pub(crate) fn add_ticket(&mut self, ticket: SecretHash, until: Age, now: Age) {
        self.valid.retain(|credential| credential.until.is_none_or(|until| until > now));
        self.add(Credential { hash: ticket, until: Some(until) });
    }

    /// Whether `secret` opens the seat.
    pub(crate) fn admit(&self, secret: &SecretHash, now: Age) -> bool {
        self.valid.iter().any(|credential| credential.hash == *secret && credential.until.is_none_or(|until| until > now))
    }

    /// A session presented `secret`, one of the valid, and is given a new token, of which `given`
    /// is the hash.
    pub(crate) fn present(&mut self, secret: SecretHash, given: SecretHash) {
        self.presented = Some(secret);
        // Nobody has the token of a session that never spoke, or it would be presented: it may be
        // pushed out.
        self.given = None;
        self.add(Credential { hash: given, until: None });
        self.given = Some(given);
    }

    /// The newest session has spoken, so its client has the token it was given: what it presented
    /// is spent, and all that is older.
    pub(crate) fn confirm(&mut self) {
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
    use super::*;

    const TICKET: SecretHash = [1; 32];
    const NOW: Age = Age(100);

    fn with_ticket() -> Credentials {
        let mut credentials = Credentials::default();
        credentials.add_ticket(TICKET, NOW.plus(30), NOW);
        credentials
    }

    #[test]
    fn what_was_presented_works_until_the_session_it_opened_has_spoken() {
        let mut seat = with_ticket();
        let [first, second, third] = [[11; 32], [12; 32], [13; 32]];
        seat.present(TICKET, first);
        assert!(seat.admit(&TICKET, NOW), "Welcome may not have come");
        seat.present(TICKET, second);
        seat.confirm();
        assert!(!seat.admit(&TICKET, NOW), "spent");
        assert!(seat.admit(&second, NOW));
        seat.present(second, third);
        seat.confirm();
        assert_eq!([first, second, third].map(|token| seat.admit(&token, NOW)), [false, false, true]);
        seat.confirm();
        assert!(seat.admit(&third, NOW), "speaking on spends nothing more");
    }

    #[test]
    fn a_ticket_that_expired_opens_nothing() {
        let seat = with_ticket();
        assert!(seat.admit(&TICKET, NOW));
        assert!(!seat.admit(&TICKET, NOW.plus(30)));
    }

    #[test]
    fn whoever_drops_again_and_again_before_welcome_keeps_what_they_have() {
        let mut seat = with_ticket();
        let token = [9; 32];
        seat.present(TICKET, token);
        seat.confirm();
        for number in 0..3 * CREDENTIALS_MAX as u8 {
            assert!(seat.admit(&token, NOW));
            seat.present(token, [100 + number; 32]);
            assert!(seat.valid.len() <= CREDENTIALS_MAX);
        }
    }

    #[test]
    fn tickets_without_end_push_out_no_token_that_a_session_has() {
        let mut seat = with_ticket();
        let token = [99; 32];
        seat.present(TICKET, token);
        seat.confirm();
        for number in 2..20 {
            seat.add_ticket([number; 32], NOW.plus(30), NOW);
        }
        assert!(seat.admit(&token, NOW) && seat.admit(&[19; 32], NOW) && !seat.admit(&[2; 32], NOW));
    }
}

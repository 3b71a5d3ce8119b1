//! Whether there is a store: every call of it has a deadline, and the log says when it goes away
//! and when it is back, once each.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::lock::lock;
use super::options::Options;
use crate::store::{Reply, StoreError};

/// See the module.
#[derive(Debug)]
pub(super) struct Contact {
    /// How long an answer is waited for: a third of a lease, so that there is time for another try.
    deadline: Duration,
    /// Without an answer for so long, it is away.
    patience: Duration,
    lease: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    answered: Instant,
    away_since: Option<Instant>,
    /// Nothing is claimed before.
    claims_from: Instant,
    /// An answer has come since it first might have claimed something.
    has_settled: bool,
}

impl Contact {
    pub(super) fn new(options: &Options, now: Instant) -> Self {
        // Whoever starts does not know what the store has just been through.
        let state = State { answered: now, away_since: None, claims_from: now + options.lease, has_settled: false };
        Self { deadline: options.lease / 3, patience: options.lease / 2, lease: options.lease, state: Mutex::new(state) }
    }

    pub(super) fn is_away(&self) -> bool {
        lock(&self.state).away_since.is_some()
    }

    /// Owners have until then to tell the store that they live.
    pub(super) fn hold_claims(&self, until: Instant) {
        let mut state = lock(&self.state);
        state.claims_from = state.claims_from.max(until);
    }

    /// Whether all owners have had the time to tell the store that they live.
    pub(super) fn may_claim(&self, now: Instant) -> bool {
        let state = lock(&self.state);
        state.away_since.is_none() && now >= state.claims_from && now - state.answered <= self.patience
    }

    /// Whether the first lease after the start is over, in which nothing is claimed.
    pub(super) fn has_settled(&self) -> bool {
        lock(&self.state).has_settled
    }

    /// Waits for an answer, not for ever.
    pub(super) async fn ask<T>(&self, call: Reply<'_, T>) -> Result<T, StoreError> {
        let answer = timeout(self.deadline, call).await;
        let answer = answer.unwrap_or_else(|_| Err(StoreError::Away(format!("no answer for {} ms", self.deadline.as_millis()))));
        self.note(answer.as_ref().err(), Instant::now());
        answer
    }

    fn note(&self, error: Option<&StoreError>, now: Instant) {
        let mut state = lock(&self.state);
        if error.is_some() {
            // Others may have trouble too, and the store may come back from this as it was before.
            state.claims_from = state.claims_from.max(now + self.lease);
        }
        match error {
            None => {
                if now - state.answered > self.patience {
                    // This process stood still, or was cut off: who knows what the store has been
                    // through.
                    state.claims_from = state.claims_from.max(now + self.lease);
                }
                state.answered = now;
                state.has_settled |= now >= state.claims_from;
                if let Some(since) = state.away_since.take() {
                    // Leases have ended meanwhile whose owners live: they come first.
                    state.claims_from = state.claims_from.max(now + self.lease);
                    drop(state);
                    tracing::info!(away_ms = (now - since).as_millis() as u64, "the store answers again");
                }
            }
            Some(error) if state.away_since.is_none() && now - state.answered >= self.patience => {
                state.away_since = Some(state.answered);
                drop(state);
                tracing::error!(%error, "the store is away: matches play on, but would end with this node. Is it running, and reachable from here?");
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::NodeId;

    fn contact() -> Contact {
        let id = NodeId::new("a").unwrap();
        let (lease, flush) = (Duration::from_millis(1_200), Duration::from_millis(50));
        Contact::new(&Options { id, incarnation: 1, address: String::new(), lease, flush, seed: 1 }, Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_ends_at_its_deadline_and_the_second_says_that_the_store_is_away() {
        let contact = contact();
        for is_away in [false, true] {
            let answer = contact.ask::<()>(Box::pin(std::future::pending())).await;
            assert!(matches!(answer, Err(StoreError::Away(_))));
            assert_eq!(contact.is_away(), is_away);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn owners_have_a_lease_to_say_that_they_live_before_anybody_claims() {
        let contact = contact();
        assert!(!contact.may_claim(Instant::now()), "at the start");
        tokio::time::advance(contact.lease).await;
        contact.ask(Box::pin(std::future::ready(Ok(())))).await.unwrap();
        assert!(!contact.may_claim(Instant::now()), "it has said nothing for a lease, as if it stood still");
        assert!(!contact.has_settled());
        pass_a_lease(&contact).await;
        assert!(contact.may_claim(Instant::now()) && contact.has_settled());
        for _ in 0..2 {
            let _ = contact.ask::<()>(Box::pin(std::future::pending())).await;
        }
        assert!(!contact.may_claim(Instant::now()) && contact.has_settled(), "while it is away");
        contact.ask(Box::pin(std::future::ready(Ok(())))).await.unwrap();
        assert!(!contact.is_away() && !contact.may_claim(Instant::now()));
        pass_a_lease(&contact).await;
        assert!(contact.may_claim(Instant::now()));
    }

    /// With an answer now and then.
    async fn pass_a_lease(contact: &Contact) {
        for _ in 0..4 {
            tokio::time::advance(contact.lease / 4).await;
            contact.ask(Box::pin(std::future::ready(Ok(())))).await.unwrap();
        }
    }
}

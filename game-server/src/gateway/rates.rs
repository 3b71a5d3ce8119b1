//! How often things may be asked for: by address what strangers do, by guest session what that
//! session does.
//!
//! Invariant: what strangers do at an address never takes from what a guest session behind the same
//! address may do.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::config::RateConfig;
use crate::http::budget::Budget;

/// Budgets by address.
#[derive(Debug)]
pub(crate) struct Rates {
    /// Guest sessions opened.
    pub(crate) sessions: Budget,
    /// WebSocket handshakes that name no guest session.
    pub(crate) handshakes: Budget,
    /// Calls of the API that are neither reads nor from a guest session, and open none.
    pub(crate) strangers: Budget,
    /// Reads of the API.
    pub(crate) reads: Budget,
    /// Matches created by asking for one.
    pub(crate) matches: Budget,
}

impl Rates {
    /// As the operator set them.
    pub(crate) fn new(config: &RateConfig) -> Self {
        Self {
            sessions: Budget::new("rates.sessions_per_minute", config.sessions_per_minute),
            handshakes: Budget::new("rates.handshakes_per_minute", config.handshakes_per_minute),
            strangers: Budget::new("rates.api_calls_per_minute", config.api_calls_per_minute),
            reads: Budget::new("rates.reads_per_minute", config.reads_per_minute),
            matches: Budget::new("rates.matches_per_minute", config.matches_per_minute),
        }
    }

    /// Forgets addresses whose budgets are full again. To be called every few seconds.
    pub(crate) fn forget_idle(&self) {
        let Self { sessions, handshakes, strangers, reads, matches } = self;
        [sessions, handshakes, strangers, reads, matches].into_iter().for_each(Budget::forget_idle);
    }
}

/// How often one guest session may do something.
#[derive(Debug)]
pub(crate) struct SessionBudget(Option<DefaultDirectRateLimiter>);

impl SessionBudget {
    /// `per_minute` times a minute, all of them at once if need be; 0 for no limit.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self(NonZeroU32::new(per_minute).map(|count| RateLimiter::direct(Quota::per_minute(count))))
    }

    /// Counts one. `Err` is how long to wait.
    pub(crate) fn check(&self) -> Result<(), Duration> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check().map_err(|denied| denied.wait_time_from(DefaultClock::default().now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_a_budget_and_zero_is_none() {
        let budget = SessionBudget::new(2);
        assert!(budget.check().is_ok() && budget.check().is_ok());
        let wait = budget.check().expect_err("over budget");
        assert!(wait > Duration::from_secs(20) && wait <= Duration::from_secs(30), "{wait:?}");
        let unlimited = SessionBudget::new(0);
        assert!((0..1_000).all(|_| unlimited.check().is_ok()));
    }

    #[test]
    fn a_sessions_budgets_take_little_room() {
        assert!(size_of::<SessionBudget>() <= 128, "{}", size_of::<SessionBudget>());
    }
}

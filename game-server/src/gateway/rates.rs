//! How often things may be asked for: by address what strangers do, by guest session what that
//! session does.
//!
//! Invariant: what strangers do at an address never takes from what a guest session behind the same
//! address may do.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::address::{AddressKey, AddressLimiter};
use crate::config::RateConfig;

/// A budget that is used up has a log line so often.
const TOLD_AGAIN: Duration = Duration::from_mins(1);

/// Budgets by address.
#[derive(Debug)]
pub struct Rates {
    /// Guest sessions opened.
    pub sessions: Budget,
    /// WebSocket handshakes that name no guest session.
    pub handshakes: Budget,
    /// Calls of the API that are neither reads nor from a guest session, and open none.
    pub strangers: Budget,
    /// Reads of the API.
    pub reads: Budget,
    /// Matches created by asking for one.
    pub matches: Budget,
}

impl Rates {
    /// As the operator set them.
    pub fn new(config: &RateConfig) -> Self {
        Self {
            sessions: Budget::new("rates.sessions_per_minute", config.sessions_per_minute),
            handshakes: Budget::new("rates.handshakes_per_minute", config.handshakes_per_minute),
            strangers: Budget::new("rates.api_calls_per_minute", config.api_calls_per_minute),
            reads: Budget::new("rates.reads_per_minute", config.reads_per_minute),
            matches: Budget::new("rates.matches_per_minute", config.matches_per_minute),
        }
    }

    /// Forgets addresses whose budgets are full again. To be called every few seconds.
    pub fn forget_idle(&self) {
        let Self { sessions, handshakes, strangers, reads, matches } = self;
        [sessions, handshakes, strangers, reads, matches].into_iter().for_each(|budget| budget.limiter.forget_idle());
    }
}

/// How often each address may do one thing. The operator hears once a minute that addresses are
/// refused.
#[derive(Debug)]
pub struct Budget {
    setting: &'static str,
    limiter: AddressLimiter,
    refused: Mutex<Refused>,
}

/// What was refused and not told of yet.
#[derive(Debug, Default)]
struct Refused {
    count: u64,
    told: Option<Instant>,
}

impl Budget {
    /// `per_minute` times a minute, as `setting` says; 0 for no limit.
    pub fn new(setting: &'static str, per_minute: u32) -> Self {
        Self { setting, limiter: AddressLimiter::new(per_minute), refused: Mutex::default() }
    }

    /// Counts one. `Err` is how long to wait.
    pub fn check(&self, key: AddressKey, address: IpAddr) -> Result<(), Duration> {
        self.limiter.check(key).inspect_err(|_| self.tell(Instant::now(), address))
    }

    fn tell(&self, now: Instant, peer: IpAddr) {
        if let Some(refused) = self.refused.lock().unwrap_or_else(PoisonError::into_inner).count(now) {
            tracing::warn!(setting = self.setting, %peer, refused, "too many requests from one address, the last of them from this one");
        }
    }
}

impl Refused {
    /// Counts one more. Returns how many there were since the last line, if it is time for another.
    fn count(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        if self.told.is_some_and(|told| now < told + TOLD_AGAIN) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.count))
    }
}

/// How often one guest session may do something.
#[derive(Debug)]
pub struct SessionBudget(Option<DefaultDirectRateLimiter>);

impl SessionBudget {
    /// `per_minute` times a minute, all of them at once if need be; 0 for no limit.
    pub fn new(per_minute: u32) -> Self {
        Self(NonZeroU32::new(per_minute).map(|count| RateLimiter::direct(Quota::per_minute(count))))
    }

    /// Counts one. `Err` is how long to wait.
    pub fn check(&self) -> Result<(), Duration> {
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
    fn a_flood_has_a_log_line_a_minute_that_says_how_many() {
        let mut refused = Refused::default();
        let start = Instant::now();
        let lines: Vec<u64> = (0..180_000).filter_map(|ms| refused.count(start + Duration::from_millis(ms))).collect();
        assert_eq!(lines, [1, 60_000, 60_000]);
    }

    #[test]
    fn a_sessions_budgets_take_little_room() {
        assert!(size_of::<SessionBudget>() <= 128, "{}", size_of::<SessionBudget>());
    }
}

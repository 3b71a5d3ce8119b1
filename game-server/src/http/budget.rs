//! How often each address may do one thing, as a setting says, and the operator's log line about
//! those refused.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::address::ClientAddress;
use super::limiter::AddressLimiter;

/// A budget that is used up has a log line so often.
const TOLD_AGAIN: Duration = Duration::from_mins(1);

/// How often each address may do one thing. The operator hears once a minute that addresses are
/// refused.
#[derive(Debug)]
pub(crate) struct Budget {
    setting: &'static str,
    limiter: AddressLimiter,
    refused: Mutex<Refused>,
}

/// What was refused and not told of yet.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    count: u64,
    told: Option<Instant>,
}

impl Budget {
    /// `per_minute` times a minute, as `setting` says; 0 for no limit.
    pub(crate) fn new(setting: &'static str, per_minute: u32) -> Self {
        Self { setting, limiter: AddressLimiter::new(per_minute), refused: Mutex::default() }
    }

    /// Counts one. `Err` is how long to wait.
    pub(crate) fn check(&self, client: ClientAddress) -> Result<(), Duration> {
        self.limiter.check(client.key()).inspect_err(|_| self.tell(Instant::now(), client))
    }

    /// Forgets addresses whose budgets are full again. To be called every few seconds.
    pub(crate) fn forget_idle(&self) {
        self.limiter.forget_idle();
    }

    fn tell(&self, now: Instant, client: ClientAddress) {
        if let Some(refused) = self.refused.lock().unwrap_or_else(PoisonError::into_inner).count(now) {
            tracing::warn!(setting = self.setting, %client, refused, "too many requests from one address, the last of them from this one");
        }
    }
}

impl Refused {
    /// Counts one more. Returns how many there were since the last line, if it is time for another.
    pub(crate) fn count(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        if self.told.is_some_and(|told| now < told + TOLD_AGAIN) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_has_a_log_line_a_minute_that_says_how_many() {
        let mut refused = Refused::default();
        let start = Instant::now();
        let lines: Vec<u64> = (0..180_000).filter_map(|ms| refused.count(start + Duration::from_millis(ms))).collect();
        assert_eq!(lines, [1, 60_000, 60_000]);
    }
}

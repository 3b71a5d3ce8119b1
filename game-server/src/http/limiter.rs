//! How often an address may do something, in memory that does not grow with the addresses.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::address::AddressKey;

/// Addresses that a limiter tells apart.
const ADDRESSES_MAX: usize = 65_536;
/// Buckets that further addresses share, by hash.
const SHARED_BUCKETS: u64 = 4_096;

/// How often each address may do something.
///
/// Bounded: when `ADDRESSES_MAX` addresses were seen recently, all of them share `SHARED_BUCKETS`
/// budgets by a hash nobody outside can predict, until the flood is over. Memory stays flat and
/// honest players suffer only by chance.
#[derive(Debug)]
pub(crate) struct AddressLimiter {
    limits: Option<Limits>,
    clock: DefaultClock,
    hasher: RandomState,
}

#[derive(Debug)]
struct Limits {
    exact: DefaultKeyedRateLimiter<AddressKey>,
    shared: DefaultKeyedRateLimiter<u64>,
}

impl AddressLimiter {
    /// `per_minute` times a minute, all of them at once if need be; 0 for no limit.
    pub(crate) fn new(per_minute: u32) -> Self {
        let limits = NonZeroU32::new(per_minute).map(|count| {
            let quota = Quota::per_minute(count);
            Limits { exact: RateLimiter::keyed(quota), shared: RateLimiter::keyed(quota) }
        });
        Self { limits, clock: DefaultClock::default(), hasher: RandomState::new() }
    }

    /// Counts one. `Err` is how long to wait.
    pub(crate) fn check(&self, key: AddressKey) -> Result<(), Duration> {
        let Some(limits) = &self.limits else { return Ok(()) };
        let checked = if limits.exact.len() < ADDRESSES_MAX {
            limits.exact.check_key(&key)
        } else {
            limits.shared.check_key(&(self.hasher.hash_one(key) % SHARED_BUCKETS))
        };
        checked.map_err(|denied| denied.wait_time_from(self.clock.now()))
    }

    /// Forgets addresses whose budget is full again. To be called every few seconds.
    pub(crate) fn forget_idle(&self) {
        if let Some(limits) = &self.limits {
            limits.exact.retain_recent();
            limits.shared.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn key(address: &str) -> AddressKey {
        address.parse::<IpAddr>().expect("an address").into()
    }

    #[test]
    fn addresses_have_budgets_of_their_own() {
        let limiter = AddressLimiter::new(2);
        assert!(limiter.check(key("192.0.2.1")).is_ok() && limiter.check(key("192.0.2.1")).is_ok());
        let wait = limiter.check(key("192.0.2.1")).expect_err("over budget");
        assert!(wait > Duration::from_secs(20) && wait <= Duration::from_secs(30), "{wait:?}");
        assert!(limiter.check(key("192.0.2.2")).is_ok());
    }

    #[test]
    fn zero_is_no_limit() {
        let limiter = AddressLimiter::new(0);
        assert!((0..1000).all(|_| limiter.check(key("192.0.2.1")).is_ok()));
    }

    #[test]
    fn a_flood_of_addresses_is_limited_together_and_costs_bounded_memory() {
        let limiter = AddressLimiter::new(1);
        let address = |n: u32| AddressKey::V4(n.to_be_bytes());
        let flood = ADDRESSES_MAX as u32 * 2;
        let granted = (0..flood).filter(|n| limiter.check(address(*n)).is_ok()).count();
        assert!(granted <= ADDRESSES_MAX + SHARED_BUCKETS as usize, "{granted} of {flood}");
        let limits = limiter.limits.as_ref().expect("limits");
        assert!(limits.exact.len() + limits.shared.len() <= ADDRESSES_MAX + SHARED_BUCKETS as usize);
    }
}

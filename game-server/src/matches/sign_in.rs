//! Until when a player is signed in: written by the gateway, read by the matches that the player
//! has a seat in.
//!
//! Invariant: it only moves on. Who has shown that they are known until then, is.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Until when a player is signed in.
#[derive(Debug)]
pub struct SignIn {
    since: Instant,
    /// Milliseconds from `since` on.
    lasts_ms: AtomicU64,
}

impl SignIn {
    /// Until `expires`; for good if there is no such moment.
    pub fn until(now: Instant, expires: Option<Instant>) -> Self {
        let sign_in = Self { since: now, lasts_ms: AtomicU64::new(0) };
        sign_in.extend(expires);
        sign_in
    }

    /// The player has shown to be known until `expires`.
    pub fn extend(&self, expires: Option<Instant>) {
        let lasts = |expires: Instant| u64::try_from(expires.saturating_duration_since(self.since).as_millis()).unwrap_or(u64::MAX);
        self.lasts_ms.fetch_max(expires.map_or(u64::MAX, lasts), Relaxed);
    }

    /// How long it still lasts: nothing if it has expired, `None` if it is for good.
    pub fn left(&self, now: Instant) -> Option<Duration> {
        let lasts = self.lasts_ms.load(Relaxed);
        let expires = (lasts != u64::MAX).then(|| self.since + Duration::from_millis(lasts))?;
        Some(expires.saturating_duration_since(now))
    }

    /// Whether it lasts no longer.
    pub fn has_expired(&self, now: Instant) -> bool {
        self.left(now).is_some_and(|left| left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_unless_it_is_extended_and_never_sooner() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let sign_in = SignIn::until(start, Some(after(10)));
        assert!(!sign_in.has_expired(after(9)) && sign_in.has_expired(after(10)));
        sign_in.extend(Some(after(20)));
        sign_in.extend(Some(after(15)));
        assert_eq!((sign_in.left(after(19)), sign_in.has_expired(after(20))), (Some(Duration::from_secs(1)), true));
        sign_in.extend(None);
        assert!(!sign_in.has_expired(after(1 << 30)) && sign_in.left(start).is_none());
    }
}

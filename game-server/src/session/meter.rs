//! How much a client may send: messages and bytes per second, over which messages are dropped, and then the session closed.

use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::config::SessionConfig;

/// One session's budgets.
pub struct Meter {
    messages: DefaultDirectRateLimiter,
    bytes: DefaultDirectRateLimiter,
    bytes_seen: u64,
    drops: u32,
    drops_max: u32,
}

/// What to do with what was just received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Within budget.
    Keep,
    /// Over budget: ignore the message.
    Drop,
    /// Over budget too often: end the session.
    Close,
}

impl Meter {
    /// Full budgets.
    pub fn new(config: &SessionConfig) -> Self {
        let per_second = |count: u32| Quota::per_second(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN));
        let burst = |count: u32| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        Self {
            messages: RateLimiter::direct(per_second(config.messages_per_second).allow_burst(burst(config.message_burst))),
            // Two seconds' worth at once: what a stalled connection delivers in one burst.
            bytes: RateLimiter::direct(per_second(config.bytes_per_second).allow_burst(burst(config.bytes_per_second * 2))),
            bytes_seen: 0,
            drops: 0,
            drops_max: config.drops_before_close,
        }
    }

    /// A message has come in, and `bytes_read` bytes in all.
    pub fn message(&mut self, bytes_read: u64) -> Verdict {
        let bytes_within = self.charge_bytes(bytes_read);
        let within = self.messages.check().is_ok() && bytes_within;
        self.verdict(within)
    }

    /// Bytes have come in that completed no message.
    pub fn bytes(&mut self, bytes_read: u64) -> Verdict {
        let within = self.charge_bytes(bytes_read);
        self.verdict(within)
    }

    fn charge_bytes(&mut self, bytes_read: u64) -> bool {
        let new = u32::try_from(bytes_read - self.bytes_seen).unwrap_or(u32::MAX);
        self.bytes_seen = bytes_read;
        NonZeroU32::new(new).is_none_or(|new| matches!(self.bytes.check_n(new), Ok(Ok(()))))
    }

    fn verdict(&mut self, within: bool) -> Verdict {
        if within {
            return Verdict::Keep;
        }
        self.drops += 1;
        if self.drops > self.drops_max { Verdict::Close } else { Verdict::Drop }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_dropped_and_then_closed() {
        let config = SessionConfig { messages_per_second: 1, message_burst: 3, drops_before_close: 2, ..SessionConfig::default() };
        let mut meter = Meter::new(&config);
        let verdicts: Vec<_> = (1..=6).map(|count| meter.message(count)).collect();
        assert_eq!(verdicts, [Verdict::Keep, Verdict::Keep, Verdict::Keep, Verdict::Drop, Verdict::Drop, Verdict::Close]);
    }

    #[test]
    fn bytes_count_even_when_no_message_completes() {
        let config = SessionConfig { bytes_per_second: 100, drops_before_close: 1, ..SessionConfig::default() };
        let mut meter = Meter::new(&config);
        assert_eq!(meter.bytes(200), Verdict::Keep, "two seconds' worth at once");
        assert_eq!(meter.bytes(200), Verdict::Keep, "nothing new");
        assert_eq!(meter.bytes(350), Verdict::Drop);
        assert_eq!(meter.bytes(u64::MAX), Verdict::Close);
    }
}

//! How much a client may send: messages and bytes per second, over which messages are dropped, and then the session closed.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::SessionConfig;

/// One session's budgets.
#[derive(Debug)]
pub struct Meter {
    messages: Budget,
    bytes: Budget,
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

/// So much a second on average, and so much at once: the generic cell rate algorithm. Written out because it takes the time that its
/// caller has, and a server keeps two for each of thousands of sockets.
#[derive(Debug)]
struct Budget {
    /// When the budget is full again.
    full: Instant,
    per_unit: Duration,
    burst: u32,
}

impl Budget {
    /// Full.
    fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        Self { full: now, per_unit: Duration::from_secs(1) / per_second.max(1), burst: burst.max(1) }
    }

    /// Spends `units`, unless there are not so many left.
    fn spend(&mut self, units: u32, now: Instant) -> bool {
        if units > self.burst {
            return false;
        }
        let full = self.full.max(now) + self.per_unit * units;
        let is_within = full <= now + self.per_unit * self.burst;
        if is_within {
            self.full = full;
        }
        is_within
    }
}

impl Meter {
    /// Full budgets.
    pub fn new(config: &SessionConfig, now: Instant) -> Self {
        Self {
            messages: Budget::new(config.messages_per_second, config.message_burst, now),
            // Two seconds' worth at once: what a stalled connection delivers in one burst.
            bytes: Budget::new(config.bytes_per_second, config.bytes_per_second.saturating_mul(2), now),
            bytes_seen: 0,
            drops: 0,
            drops_max: config.drops_before_close,
        }
    }

    /// A message has come in, and `bytes_read` bytes in all.
    pub fn message(&mut self, bytes_read: u64, now: Instant) -> Verdict {
        let bytes_within = self.charge_bytes(bytes_read, now);
        let within = self.messages.spend(1, now) && bytes_within;
        self.verdict(within)
    }

    /// Bytes have come in that completed no message.
    pub fn bytes(&mut self, bytes_read: u64, now: Instant) -> Verdict {
        let within = self.charge_bytes(bytes_read, now);
        self.verdict(within)
    }

    fn charge_bytes(&mut self, bytes_read: u64, now: Instant) -> bool {
        let new = u32::try_from(bytes_read - self.bytes_seen).unwrap_or(u32::MAX);
        self.bytes_seen = bytes_read;
        new == 0 || self.bytes.spend(new, now)
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
        let now = Instant::now();
        let mut meter = Meter::new(&config, now);
        let verdicts: Vec<_> = (1..=6).map(|count| meter.message(count, now)).collect();
        assert_eq!(verdicts, [Verdict::Keep, Verdict::Keep, Verdict::Keep, Verdict::Drop, Verdict::Drop, Verdict::Close]);
    }

    #[test]
    fn bytes_count_even_when_no_message_completes() {
        let config = SessionConfig { bytes_per_second: 100, drops_before_close: 1, ..SessionConfig::default() };
        let now = Instant::now();
        let mut meter = Meter::new(&config, now);
        assert_eq!(meter.bytes(200, now), Verdict::Keep, "two seconds' worth at once");
        assert_eq!(meter.bytes(200, now), Verdict::Keep, "nothing new");
        assert_eq!(meter.bytes(350, now), Verdict::Drop);
        assert_eq!(meter.bytes(u64::MAX, now), Verdict::Close);
    }

    #[test]
    fn a_budget_refills_at_its_rate_and_never_beyond_its_burst() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut budget = Budget::new(10, 3, start);
        assert_eq!([0, 0, 0, 0].map(|millis| budget.spend(1, at(millis))), [true, true, true, false]);
        assert_eq!([99, 100, 100].map(|millis| budget.spend(1, at(millis))), [false, true, false]);
        assert!(!budget.spend(4, at(60_000)), "more than fits is never there");
        assert!(budget.spend(3, at(60_000)) && !budget.spend(1, at(60_000)));
    }
}

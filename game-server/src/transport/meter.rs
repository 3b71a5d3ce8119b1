//! How much a client may send: messages and bytes per second, over which messages are dropped, and
//! then the session closed.
//!
//! A client that was not heard for a while has earned what it may have sent meanwhile: a line that
//! stalls delivers it all at once. A silence counts up to the one that ends a session, so what
//! comes at once is bounded: with the defaults 960 messages and 192 KiB.

use std::time::Duration;

use tickwire_protocol::limits::CLIENT_MESSAGE_BYTES_MAX;
use tokio::time::Instant;

use crate::config::{SessionConfig, ms};

/// Bytes over the budget that count like one message over it: as many as the longest has.
const BYTES_A_DROP: u32 = CLIENT_MESSAGE_BYTES_MAX as u32;
/// Within this time as many drops are forgiven as there may be.
const DROPS_FORGIVEN: Duration = Duration::from_mins(1);

/// One session's budgets.
#[derive(Debug)]
pub(super) struct Meter {
    messages: Budget,
    bytes: Budget,
    bytes_seen: u64,
    drops: Budget,
}

/// What to do with what was just received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    /// Within budget.
    Keep,
    /// Over budget: ignore the message.
    Drop,
    /// Over budget too often: end the session.
    Close,
}

/// So much in a time on average, and so much at once: the generic cell rate algorithm. Written out
/// because it takes the time that its caller has, and a server keeps three for each of thousands of
/// sockets.
#[derive(Debug)]
struct Budget {
    /// When as much will be there as ever is.
    full: Instant,
    /// In which a unit comes.
    per_unit: Duration,
    /// In which as much comes as ever is there.
    depth: Duration,
}

impl Budget {
    /// With `burst` units in it; one more comes every `per_unit`, as long as there are not more
    /// than `burst` and what comes in `earned`.
    fn new(per_unit: Duration, burst: u32, earned: Duration, now: Instant) -> Self {
        Self { full: now + earned, per_unit, depth: per_unit * burst + earned }
    }

    /// Spends `units`, unless there are not so many left.
    fn spend(&mut self, units: u32, now: Instant) -> bool {
        let full = self.full.max(now) + self.per_unit * units;
        let is_within = full <= now + self.depth;
        if is_within {
            self.full = full;
        }
        is_within
    }

    /// Gives a unit back that was spent.
    fn refund(&mut self) {
        self.full -= self.per_unit;
    }
}

impl Meter {
    /// For a session that begins.
    pub(super) fn new(config: &SessionConfig, now: Instant) -> Self {
        let per_second = |units: u32| Duration::from_secs(1) / units.max(1);
        let earned = ms(config.silence_ms);
        Self {
            messages: Budget::new(per_second(config.messages_per_second), config.message_burst.max(1), earned, now),
            bytes: Budget::new(per_second(config.bytes_per_second), config.bytes_per_second.saturating_mul(2), earned, now),
            bytes_seen: 0,
            drops: Budget::new(DROPS_FORGIVEN / config.drops_before_close.max(1), config.drops_before_close, Duration::ZERO, now),
        }
    }

    /// A message has come in, and `bytes_read` bytes in all.
    pub(super) fn message(&mut self, bytes_read: u64, now: Instant) -> Ruling {
        match self.charge_bytes(bytes_read, now) {
            0 if self.messages.spend(1, now) => Ruling::Keep,
            drops => self.drop(drops.max(1), now),
        }
    }

    /// The message that was kept last was worth nothing: then it costs nothing but its bytes.
    pub(super) fn refund_message(&mut self) {
        self.messages.refund();
    }

    /// Bytes have come in that completed no message.
    pub(super) fn bytes(&mut self, bytes_read: u64, now: Instant) -> Ruling {
        match self.charge_bytes(bytes_read, now) {
            0 => Ruling::Keep,
            drops => self.drop(drops, now),
        }
    }

    /// Takes the bytes from the budget. Returns how many messages over it they are like, if they
    /// are over it: whoever sends them in large pieces is closed no later than who sends small
    /// ones.
    fn charge_bytes(&mut self, bytes_read: u64, now: Instant) -> u32 {
        let new = u32::try_from(bytes_read - self.bytes_seen).unwrap_or(u32::MAX);
        self.bytes_seen = bytes_read;
        if new == 0 || self.bytes.spend(new, now) { 0 } else { new.div_ceil(BYTES_A_DROP) }
    }

    fn drop(&mut self, count: u32, now: Instant) -> Ruling {
        if self.drops.spend(count, now) { Ruling::Drop } else { Ruling::Close }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// `count` messages of ten bytes, all `now`: how many are kept, dropped, and answered by
    /// closing.
    fn send(meter: &mut Meter, count: u32, now: Instant) -> [u32; 3] {
        let mut verdicts = [0; 3];
        for _ in 0..count {
            match meter.message(meter.bytes_seen + 10, now) {
                Ruling::Keep => verdicts[0] += 1,
                Ruling::Drop => verdicts[1] += 1,
                Ruling::Close => verdicts[2] += 1,
            }
        }
        verdicts
    }

    #[test]
    fn a_flood_is_dropped_and_then_closed() {
        let config = SessionConfig { messages_per_second: 1, message_burst: 3, drops_before_close: 2, ..SessionConfig::default() };
        let now = Instant::now();
        let mut meter = Meter::new(&config, now);
        assert_eq!(send(&mut meter, 6, now), [3, 2, 1]);
    }

    #[test]
    fn a_burst_as_long_as_the_silence_before_it_is_no_flood() {
        // An input per tick at 60 Hz and four pings a second.
        let (rate, start) = (64, Instant::now());
        for silence in [3, 5, 7, 9] {
            let mut meter = Meter::new(&SessionConfig::default(), start);
            let mut now = start;
            for _ in 0..10 {
                now += SECOND * silence;
                assert_eq!(send(&mut meter, rate * silence, now), [rate * silence, 0, 0], "after {silence} s");
            }
        }
    }

    #[test]
    fn what_a_silence_earns_is_bounded_by_the_one_that_ends_a_session() {
        let (config, start) = (SessionConfig::default(), Instant::now());
        let mut meter = Meter::new(&config, start);
        assert_eq!(send(&mut meter, 200, start), [config.message_burst, 40, 0], "who just came has earned nothing");
        let at_once = config.message_burst + config.messages_per_second * 10;
        let [kept, dropped, closed] = send(&mut meter, 2_000, start + SECOND * 3_600);
        assert_eq!([kept, dropped], [at_once, config.drops_before_close]);
        assert!(closed > 0);
    }

    #[test]
    fn drops_are_forgiven_with_time() {
        let config = SessionConfig { message_burst: 10, silence_ms: 0, drops_before_close: 60, ..SessionConfig::default() };
        let start = Instant::now();
        let mut meter = Meter::new(&config, start);
        assert_eq!(send(&mut meter, 70, start), [10, 60, 0]);
        assert_eq!(send(&mut meter, 20, start + 5 * SECOND), [10, 5, 5], "one a second");
        for minute in 1..20 {
            assert_eq!(send(&mut meter, 70, start + minute * 66 * SECOND), [10, 60, 0]);
        }
    }

    #[test]
    fn inputs_that_come_too_late_cost_only_bytes() {
        let config = SessionConfig { message_burst: 2, silence_ms: 0, bytes_per_second: 1_000, ..SessionConfig::default() };
        let now = Instant::now();
        let mut meter = Meter::new(&config, now);
        for _ in 0..200 {
            assert_eq!(send(&mut meter, 1, now), [1, 0, 0]);
            meter.refund_message();
        }
        assert_eq!(send(&mut meter, 1, now), [0, 1, 0], "2,000 bytes are two seconds' worth");
    }

    #[test]
    fn bytes_count_even_when_no_message_completes() {
        let config = SessionConfig { bytes_per_second: 100, silence_ms: 0, drops_before_close: 1, ..SessionConfig::default() };
        let now = Instant::now();
        let mut meter = Meter::new(&config, now);
        assert_eq!(meter.bytes(200, now), Ruling::Keep, "two seconds' worth at once");
        assert_eq!(meter.bytes(200, now), Ruling::Keep, "nothing new");
        assert_eq!(meter.bytes(350, now), Ruling::Drop);
        assert_eq!(meter.bytes(u64::MAX, now), Ruling::Close);
    }

    #[test]
    fn bytes_that_complete_no_message_end_a_session_after_as_many_as_messages_may_have() {
        let config = SessionConfig::default();
        let start = Instant::now();
        let allowed = u64::from(config.bytes_per_second * 2);
        for (piece, pieces_a_tick) in [(6, 10_000), (1_024, 64), (64 * 1024, 1)] {
            let mut meter = Meter::new(&config, start);
            let (mut read, mut now) = (0, start);
            let closed_after = 'closed: loop {
                now += SECOND / 30;
                for _ in 0..pieces_a_tick {
                    read += piece;
                    if meter.bytes(read, now) == Ruling::Close {
                        break 'closed read;
                    }
                }
            };
            let most = allowed + u64::from(config.drops_before_close * BYTES_A_DROP) + 64 * 1024;
            assert!(closed_after <= most, "{closed_after} bytes in pieces of {piece}");
        }
    }

    #[test]
    fn a_budget_refills_at_its_rate_and_never_beyond_its_depth() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut budget = Budget::new(SECOND / 10, 3, Duration::ZERO, start);
        assert_eq!([0, 0, 0, 0].map(|millis| budget.spend(1, at(millis))), [true, true, true, false]);
        assert_eq!([99, 100, 100].map(|millis| budget.spend(1, at(millis))), [false, true, false]);
        assert!(!budget.spend(4, at(60_000)), "more than fits is never there");
        assert!(budget.spend(3, at(60_000)) && !budget.spend(1, at(60_000)));
        budget.refund();
        assert!(budget.spend(1, at(60_000)));
    }
}

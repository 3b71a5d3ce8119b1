//! When ticks start: absolute deadlines on a grid, so that lateness never adds up.
//!
//! The only file that turns time into ticks. Time comes in as [`Instant`]s from tokio's clock,
//! which tests can pause.

use std::time::{Duration, SystemTime};

use tickwire_protocol::Tick;
use tickwire_protocol::messages::Pong;
use tokio::time::Instant;

pub use tickwire_match::ticks;

/// The wall's clock, since 1970. For what must mean the same to another process; nothing when a
/// clock is before that.
pub fn unix() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// A moment of the wall's clock, seconds since 1970; 0 if it is before that.
pub fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// One moment on three clocks. Ticks are timed by the first. The kernel notes by the second when
/// bytes came in. Patience goes by the third, the match's own.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Of the clock that only goes forward.
    pub now: Instant,
    /// What the wall's clock says, which the kernel stamps received bytes with.
    wall: SystemTime,
    /// Of the match: the tick that was simulated last.
    pub tick: Tick,
}

impl Moment {
    /// This one, in a match that has come to `tick`.
    pub fn now(tick: Tick) -> Self {
        Self { now: Instant::now(), wall: SystemTime::now(), tick }
    }

    /// When something came that the wall's clock stamped `at`, and now where it has no stamp. Never
    /// in the future, even when the wall's clock was set meanwhile; whoever asks how long ago has
    /// its own limit.
    pub fn of(&self, at: Option<SystemTime>) -> Instant {
        let age = at.and_then(|at| self.wall.duration_since(at).ok()).unwrap_or_default();
        self.now.checked_sub(age).unwrap_or(self.now)
    }
}

/// The deadlines of one match's ticks.
///
/// ```
/// use std::time::Duration;
///
/// use tickwire_server::clock::TickClock;
/// use tokio::time::Instant;
///
/// let start = Instant::now();
/// let at = |ms| start + Duration::from_millis(ms);
/// let mut clock = TickClock::new(50, start, Duration::ZERO);
/// assert!(!clock.start(at(0)).missed);
/// assert_eq!(clock.deadline(), at(20));
/// // Two ticks too late: they are counted as missed and not caught up.
/// assert!(clock.start(at(65)).missed);
/// assert_eq!(clock.deadline(), at(80));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TickClock {
    interval: Duration,
    deadline: Instant,
}

/// How a tick started against its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// How long after the deadline.
    pub late: Duration,
    /// Whether that was more than an interval: the missed ticks are not caught up, the match runs
    /// late.
    pub missed: bool,
}

impl TickClock {
    /// `rate` ticks per second; the first `offset` after `now`, so that matches are spread over the
    /// interval.
    pub fn new(rate: u8, now: Instant, offset: Duration) -> Self {
        let interval = Duration::from_secs(1) / u32::from(rate.max(1));
        Self { interval, deadline: now + offset }
    }

    /// When the next tick is due.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Time from one tick to the next: 1 s over the tick rate.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// A tick starts now. Sets the next deadline: one interval on, or, after an overload, the next
    /// free place of the grid.
    pub fn start(&mut self, now: Instant) -> Started {
        let late = now.saturating_duration_since(self.deadline);
        let intervals = (late.as_nanos() / self.interval.as_nanos().max(1)) as u32;
        self.deadline += self.interval * (intervals + 1);
        Started { late, missed: intervals > 0 }
    }

    /// Ticks go on at `now` after a pause, at the next place of the grid: nothing was missed.
    pub fn resume(&mut self, now: Instant) {
        if now > self.deadline {
            self.start(now);
        }
    }

    /// How much of the running interval has passed, in 1/256.
    pub fn phase(&self, now: Instant) -> u8 {
        Pong::TICK_PARTS.saturating_sub(self.until_next(now)).min(255) as u8
    }

    /// Time to the next tick in 1/256 intervals, at most 256; 0 when it is due.
    pub fn until_next(&self, now: Instant) -> u32 {
        let left = self.deadline.saturating_duration_since(now).as_nanos();
        let parts = u128::from(Pong::TICK_PARTS);
        (left * parts / self.interval.as_nanos().max(1)).min(parts) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_do_not_drift_and_missed_ticks_are_skipped() {
        let start = Instant::now();
        let mut clock = TickClock::new(50, start, Duration::ZERO);
        let ms = Duration::from_millis;
        assert_eq!(clock.start(start + ms(3)), Started { late: ms(3), missed: false });
        assert_eq!(clock.deadline(), start + ms(20), "a late start does not move the grid");
        assert_eq!(clock.start(start + ms(85)), Started { late: ms(65), missed: true });
        assert_eq!(clock.deadline(), start + ms(100), "one tick ran for the four that were due, on the grid");
    }

    #[test]
    fn a_pause_misses_no_tick_and_keeps_the_grid() {
        let start = Instant::now();
        let mut clock = TickClock::new(50, start, Duration::from_millis(7));
        let ms = Duration::from_millis;
        clock.resume(start + ms(5));
        assert_eq!(clock.deadline(), start + ms(7), "the first tick is still to come");
        clock.start(start + ms(7));
        clock.resume(start + ms(60_000));
        assert_eq!(clock.deadline(), start + ms(60_007));
        assert_eq!(clock.start(start + ms(60_007)), Started { late: ms(0), missed: false });
    }

    #[test]
    fn the_phase_runs_from_0_to_255() {
        let start = Instant::now();
        let mut clock = TickClock::new(50, start, Duration::ZERO);
        clock.start(start);
        let ms = Duration::from_millis;
        assert_eq!([0, 5, 10, 20, 30].map(|at| clock.phase(start + ms(at))), [0, 64, 128, 255, 255]);
        assert_eq!(clock.until_next(start + ms(30)), 0, "a tick that is due has no time left");
        clock.start(start + ms(30));
        assert_eq!(clock.until_next(start + ms(30)), 128, "started, the time left is the next one's");
    }
}

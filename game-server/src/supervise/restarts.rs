//! When a server that died is started again: at once if it had lived, after growing pauses if it
//! had not, and not at all if it dies too often.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A server that lived for so long had started well.
const LIVED: Duration = Duration::from_secs(1);
/// The first pause after one that had not; each further one is twice as long.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// A pause before a server is started again is never longer.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Deaths are forgotten after so long.
const WINDOW: Duration = Duration::from_mins(1);

/// The deaths of the last minute.
#[derive(Debug)]
pub(super) struct Restarts {
    /// So many are too many.
    deaths_max: usize,
    /// No more than those.
    deaths: VecDeque<Instant>,
    /// Servers in a row that had not lived.
    stillborn: u32,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Start another after so long.
    Start(Duration),
    /// It died so often.
    GiveUp(usize),
}

impl Restarts {
    pub(super) fn new(deaths_per_minute: u32) -> Self {
        Self { deaths_max: deaths_per_minute as usize, deaths: VecDeque::new(), stillborn: 0 }
    }

    /// A server died that had lived for so long.
    pub(super) fn died(&mut self, now: Instant, lived: Duration) -> Next {
        self.deaths.retain(|death| now.saturating_duration_since(*death) < WINDOW);
        self.deaths.push_back(now);
        if self.deaths.len() >= self.deaths_max {
            return Next::GiveUp(self.deaths.len());
        }
        if lived >= LIVED {
            self.stillborn = 0;
            return Next::Start(Duration::ZERO);
        }
        let pause = PAUSE_FIRST.saturating_mul(1 << self.stillborn.min(16)).min(PAUSE_MAX);
        self.stillborn += 1;
        Next::Start(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_had_lived_is_started_again_at_once() {
        let mut restarts = Restarts::new(10);
        let start = Instant::now();
        for nth in 1..100 {
            assert_eq!(restarts.died(start + 10 * nth * LIVED, 9 * LIVED), Next::Start(Duration::ZERO), "the {nth}th");
        }
    }

    #[test]
    fn pauses_grow_while_nothing_comes_up_and_then_it_is_given_up() {
        let mut restarts = Restarts::new(9);
        let now = Instant::now();
        let pauses: Vec<Next> = (0..9).map(|_| restarts.died(now, Duration::ZERO)).collect();
        let millis = [100, 200, 400, 800, 1600, 3200, 5000, 5000].map(|ms| Next::Start(Duration::from_millis(ms)));
        assert_eq!(pauses, [&millis[..], &[Next::GiveUp(9)]].concat());
    }

    #[test]
    fn one_that_lived_makes_pauses_short_again() {
        let mut restarts = Restarts::new(9);
        let now = Instant::now();
        (0..3).for_each(|_| assert_ne!(restarts.died(now, Duration::ZERO), Next::Start(Duration::ZERO)));
        assert_eq!(restarts.died(now, LIVED), Next::Start(Duration::ZERO));
        assert_eq!(restarts.died(now, Duration::ZERO), Next::Start(PAUSE_FIRST));
    }

    #[test]
    fn a_limit_of_one_starts_nothing_again() {
        assert_eq!(Restarts::new(1).died(Instant::now(), LIVED), Next::GiveUp(1));
    }
}

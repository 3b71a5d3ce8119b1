//! The link's own time, which stands still while the link is stalled.
//!
//! What is on its way is due in link time, so a stall delays all of it alike, and nothing else needs to know of stalls.

use std::time::Duration;

use tickwire_game::Rng;
use tokio::time::Instant;

use super::conditions::Stall;

pub(super) struct Clock {
    origin: Instant,
    /// The length of all stalls that are over.
    stalled: Duration,
    stalls: Option<Stalls>,
}

struct Stalls {
    stall: Stall,
    /// In link time.
    next_at: Duration,
    rng: Rng,
}

impl Clock {
    pub(super) fn new(stall: Option<Stall>, rng: Rng) -> Self {
        let stalls = stall.map(|stall| {
            let mut stalls = Stalls { stall, next_at: Duration::ZERO, rng };
            stalls.draw_next();
            stalls
        });
        Self { origin: Instant::now(), stalled: Duration::ZERO, stalls }
    }

    /// Link time now.
    pub(super) fn now(&mut self) -> Duration {
        let mut now = self.origin.elapsed().saturating_sub(self.stalled);
        let Some(stalls) = &mut self.stalls else { return now };
        while now > stalls.next_at {
            let Some(after) = now.checked_sub(stalls.stall.length).filter(|after| *after >= stalls.next_at) else {
                return stalls.next_at;
            };
            self.stalled += stalls.stall.length;
            now = after;
            stalls.draw_next();
        }
        now
    }

    /// The earliest at which link time can be `due`, by what [`Clock::now`] last saw.
    pub(super) fn instant(&self, due: Duration) -> Instant {
        let stall = self.stalls.as_ref().filter(|stalls| due > stalls.next_at);
        self.origin + self.stalled + due + stall.map_or(Duration::ZERO, |stalls| stalls.stall.length)
    }
}

impl Stalls {
    fn draw_next(&mut self) {
        // From 2^-53 to 1: the logarithm of 0 is none.
        let even = ((self.rng.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64;
        // Below a microsecond a long silence would be cut into stalls without end.
        self.next_at += self.stall.every.mul_f64(-even.ln()).max(Duration::from_micros(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const STALL: Stall = Stall { length: Duration::from_millis(500), every: Duration::from_secs(5) };

    #[tokio::test(start_paused = true)]
    async fn without_stalls_it_is_real_time() {
        let mut clock = Clock::new(None, Rng::new(1));
        advance(Duration::from_millis(1234)).await;
        assert_eq!(clock.now(), Duration::from_millis(1234));
        assert_eq!(clock.instant(clock.origin.elapsed()), Instant::now());
    }

    #[tokio::test(start_paused = true)]
    async fn it_stands_still_for_exactly_a_stall() {
        let moment = Duration::from_nanos(1);
        let mut clock = Clock::new(Some(STALL), Rng::new(1));
        let start = clock.stalls.as_ref().unwrap().next_at;
        advance(start + moment).await;
        assert_eq!(clock.now(), start);
        assert_eq!(clock.instant(start + moment), Instant::now() + STALL.length);
        advance(STALL.length.saturating_sub(moment)).await;
        assert_eq!(clock.now(), start, "the last moment of the stall");
        advance(moment).await;
        assert_eq!(clock.now(), start + moment);
    }

    #[tokio::test(start_paused = true)]
    async fn stalls_come_as_often_as_they_should_however_seldom_it_is_read() {
        let hour = Duration::from_hours(1);
        let mut often = Clock::new(Some(STALL), Rng::new(9));
        let mut once = Clock::new(Some(STALL), Rng::new(9));
        for _ in 0..3600 {
            advance(Duration::from_secs(1)).await;
            often.now();
        }
        assert_eq!(often.now(), once.now());
        let stalls = hour.saturating_sub(often.now()).as_secs_f64() / STALL.length.as_secs_f64();
        assert!((550.0..760.0).contains(&stalls), "3600 s hold 655 times 5.5 s on average: {stalls}");
    }
}

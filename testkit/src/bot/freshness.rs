//! For how long one player had nothing fresh: its newest snapshot was older than some ticks.
//!
//! Gaps cannot say that. A server that stands still for three seconds makes one late gap among
//! thousands, and yet its players saw nothing new for three seconds. So time is counted, not gaps:
//! as long as it lasts, and also if it never ends.
//!
//! A snapshot counts from when it reached this machine. What `--network` then does to it is no
//! fault of the server.

use std::time::Duration;

use tickwire_protocol::Tick;
use tokio::time::Instant;

/// A snapshot is fresh until it is so many ticks old: longer, and a page has nothing left to draw
/// between.
pub const FRESH_TICKS: u32 = 3;

/// One player's clock.
#[derive(Clone, Debug)]
pub(super) struct Freshness {
    interval: Duration,
    /// Of the newest snapshot.
    tick: Option<Tick>,
    /// When the newest snapshot came.
    newest: Instant,
    counted_until: Instant,
    watched: Watched,
    /// The player has left, and what comes now is for nobody.
    is_over: bool,
}

/// What was counted since this was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Watched {
    /// Time that the player looked on.
    pub(super) time: Duration,
    /// Of that, without a fresh snapshot.
    pub(super) stale: Duration,
    /// Ticks between the snapshots that came.
    pub(super) ticks: u32,
    /// Time between the snapshots that came.
    pub(super) between: Duration,
}

impl Freshness {
    /// A player who has just seen its first snapshot, of `tick`.
    pub(super) fn new(interval: Duration, tick: Option<Tick>, now: Instant) -> Self {
        Self { interval, tick, newest: now, counted_until: now, watched: Watched::default(), is_over: false }
    }

    /// The snapshot of `tick` is here. What was read with it came from `first` to `last`: the
    /// snapshots of one read are not told apart.
    pub(super) fn arrived(&mut self, tick: Tick, first: Instant, last: Instant) {
        if self.is_over {
            return;
        }
        self.count(first);
        self.watched.ticks += self.tick.replace(tick).map_or(0, |before| tick.since(before).max(0) as u32);
        self.watched.between += last.saturating_duration_since(self.newest);
        self.newest = self.newest.max(last);
        self.count(last);
    }

    /// The player is still looking. Bytes that reached this machine at `under_way` and not yet the
    /// player are not judged.
    pub(super) fn look(&mut self, now: Instant, under_way: Option<Instant>) {
        if !self.is_over {
            self.count(under_way.map_or(now, |came| came.min(now)));
        }
    }

    /// The player has left.
    pub(super) fn end(&mut self) {
        self.is_over = true;
    }

    /// What was counted since this was last asked.
    pub(super) fn take(&mut self) -> Watched {
        std::mem::take(&mut self.watched)
    }

    fn count(&mut self, until: Instant) {
        if until <= self.counted_until {
            return;
        }
        let stale_from = (self.newest + self.interval * FRESH_TICKS).max(self.counted_until);
        self.watched.stale += until.saturating_duration_since(stale_from);
        self.watched.time += until - self.counted_until;
        self.counted_until = until;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(100);

    fn begin() -> (Freshness, Instant) {
        let start = Instant::now();
        (Freshness::new(TICK, Some(Tick(0)), start), start)
    }

    /// Snapshots at these ticks' times after the start, each a tick after the one before.
    fn after(ticks: &[f64]) -> Watched {
        let (mut freshness, start) = begin();
        for (nth, at) in ticks.iter().map(|&at| start + TICK.mul_f64(at)).enumerate() {
            freshness.arrived(Tick(nth as u32 + 1), at, at);
        }
        freshness.take()
    }

    #[test]
    fn a_snapshot_each_tick_is_always_fresh_and_one_late_gap_costs_what_it_lasts() {
        let steady = after(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!((steady.stale, steady.time, steady.ticks), (Duration::ZERO, 4 * TICK, 4));
        assert_eq!(after(&[1.0, 4.0]).stale, Duration::ZERO, "three ticks old at most");
        let frozen = after(&[1.0, 31.0, 32.0]);
        assert_eq!((frozen.stale, frozen.time, frozen.ticks, frozen.between), (27 * TICK, 32 * TICK, 3, 32 * TICK));
    }

    #[test]
    fn a_wait_that_never_ends_is_counted_as_it_grows() {
        let (mut freshness, start) = begin();
        let looks: Vec<Duration> = [2, 4, 14, 24]
            .map(|at| {
                freshness.look(start + TICK * at, None);
                freshness.take().stale
            })
            .into();
        assert_eq!(looks, [Duration::ZERO, TICK, 10 * TICK, 10 * TICK]);
    }

    #[test]
    fn what_the_players_own_network_holds_back_is_not_the_servers_delay() {
        let (mut freshness, start) = begin();
        // It was here in time, and reached the player twenty ticks later.
        freshness.look(start + 20 * TICK, Some(start + TICK));
        freshness.arrived(Tick(1), start + TICK, start + 2 * TICK);
        freshness.arrived(Tick(2), start + 2 * TICK, start + 2 * TICK);
        assert_eq!(freshness.take(), Watched { time: 2 * TICK, stale: Duration::ZERO, ticks: 2, between: 2 * TICK });
        freshness.look(start + 20 * TICK, None);
        assert_eq!(freshness.take().stale, 15 * TICK, "and nothing has come since");
    }

    #[test]
    fn who_has_left_waits_for_nothing() {
        let (mut freshness, start) = begin();
        freshness.end();
        freshness.look(start + 50 * TICK, None);
        freshness.arrived(Tick(50), start + 50 * TICK, start + 50 * TICK);
        assert_eq!(freshness.take(), Watched::default());
    }
}

//! When ticks reach one client: how late a snapshot is, how old the newest state, and which tick an input sent now can make.
//!
//! The server's ticks are evenly spaced, so their arrivals are too, but for delays that only add: the earliest arrival of the
//! last seconds, moved on by whole intervals, is when every other tick would arrive if nothing were late. Only of the last
//! seconds, because clocks drift, ways change, and a server that fell behind does not catch up.

use std::time::Duration;

use tickwire_protocol::Tick;
use tokio::time::Instant;

/// An input aims to arrive this long before its tick, at first and at least.
const SAFETY_MIN: Duration = Duration::from_millis(1);
/// See [`SAFETY_MIN`]; at first.
const SAFETY_START: Duration = Duration::from_millis(3);
/// Most that an input is sent ahead for safety, ticks.
const SAFETY_MAX_TICKS: u32 = 8;

/// Snapshots in a window; the earliest arrival is that of this window and the one before.
const WINDOW: u32 = 32;

/// One client's clock.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    interval: Duration,
    /// The earliest arrivals of this window and the one before, each with its tick.
    earliest: [Option<(Tick, Instant)>; 2],
    /// Snapshots in this window.
    in_window: u32,
    newest: Tick,
    round_trip: Option<Duration>,
    safety: Duration,
}

impl Timeline {
    /// Of a match with `interval` between ticks.
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, earliest: [None; 2], in_window: 0, newest: Tick(0), round_trip: None, safety: SAFETY_START }
    }

    /// A snapshot of `tick` came. Returns how late it is.
    pub(super) fn arrived(&mut self, tick: Tick, at: Instant) -> Duration {
        self.newest = tick;
        let late = self.due(tick).map_or(Duration::ZERO, |due| at.saturating_duration_since(due));
        if self.in_window >= WINDOW {
            self.earliest = [None, self.earliest[0]];
            self.in_window = 0;
        }
        self.in_window += 1;
        let [current, _] = &mut self.earliest;
        if current.is_none_or(|earliest| due_at(earliest, tick, self.interval).is_none_or(|due| at < due)) {
            *current = Some((tick, at));
        }
        late
    }

    /// A pong came back after `round_trip`. `margin` is the least time between an input's arrival and its tick, in 1/256 tick.
    pub(super) fn ponged(&mut self, round_trip: Duration, margin: Option<i16>) {
        self.round_trip = Some(self.round_trip.map_or(round_trip, |least| least.min(round_trip)));
        match margin {
            Some(margin) if margin < 0 => {
                let late = self.interval * u32::from(margin.unsigned_abs()) / 256;
                self.safety = (self.safety + late + SAFETY_MIN).min(self.interval * SAFETY_MAX_TICKS);
            }
            _ => self.safety = (self.safety * 63 / 64).max(SAFETY_MIN),
        }
    }

    /// How old the newest state is: the time since its tick, as far as a client can know it.
    pub(super) fn age(&self, now: Instant) -> Option<Duration> {
        let way_back = self.round_trip.unwrap_or_default() / 2;
        Some(now.saturating_duration_since(self.due(self.newest)?) + way_back)
    }

    /// The first tick that an input sent `now` can be meant for. `None` before the first snapshot and pong.
    pub(super) fn next_tick(&self, now: Instant) -> Option<Tick> {
        let way = self.round_trip? + self.safety;
        let ticks = |time: Duration| time.as_nanos().div_ceil(self.interval.as_nanos().max(1)) as u32;
        let ahead = ticks((now + way).saturating_duration_since(self.due(self.newest)?));
        // A server that stopped sending has most likely stopped ticking: it is no further ahead than it is away.
        Some(self.newest.plus(ahead.clamp(1, ticks(way) + 1)))
    }

    /// When `tick` arrives if nothing is late.
    fn due(&self, tick: Tick) -> Option<Instant> {
        self.earliest.iter().flatten().filter_map(|earliest| due_at(*earliest, tick, self.interval)).min()
    }
}

/// When `tick` arrives if it is as much on time as `other`, which arrived at `at`.
fn due_at((other, at): (Tick, Instant), tick: Tick, interval: Duration) -> Option<Instant> {
    let distance = tick.since(other);
    let way = interval * distance.unsigned_abs();
    if distance >= 0 { Some(at + way) } else { at.checked_sub(way) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(100);

    fn timeline_at(start: Instant) -> Timeline {
        let mut timeline = Timeline::new(TICK);
        assert_eq!(timeline.arrived(Tick(10), start), Duration::ZERO);
        timeline
    }

    #[test]
    fn a_snapshot_is_late_against_the_steadiest_of_its_stream() {
        let start = Instant::now();
        let mut timeline = timeline_at(start);
        assert_eq!(timeline.arrived(Tick(11), start + TICK + Duration::from_millis(40)), Duration::from_millis(40));
        // An early one moves the line; what was on time before is late now.
        assert_eq!(timeline.arrived(Tick(12), start + TICK), Duration::ZERO);
        assert_eq!(timeline.arrived(Tick(13), start + 3 * TICK), TICK);
    }

    #[test]
    fn a_server_that_fell_behind_is_late_for_two_windows_and_then_on_time() {
        let start = Instant::now();
        let mut timeline = timeline_at(start);
        let late: Vec<bool> = (1..200)
            .map(|nth| timeline.arrived(Tick(10 + nth), start + TICK * nth + Duration::from_millis(500)) > Duration::ZERO)
            .collect();
        assert!(late[0] && late.iter().filter(|late| **late).count() <= 2 * WINDOW as usize);
        assert!(!late[198]);
    }

    #[test]
    fn a_server_that_stands_still_is_not_run_away_from() {
        let start = Instant::now();
        let mut timeline = timeline_at(start);
        timeline.ponged(Duration::from_millis(20), None);
        assert_eq!(timeline.next_tick(start + 50 * TICK), Some(Tick(12)));
    }

    #[test]
    fn age_counts_from_the_tick_and_adds_the_way_here() {
        let start = Instant::now();
        let mut timeline = timeline_at(start);
        timeline.ponged(Duration::from_millis(20), Some(100));
        assert_eq!(timeline.age(start + Duration::from_millis(50)), Some(Duration::from_millis(60)));
    }

    #[test]
    fn an_input_is_meant_for_the_first_tick_it_can_reach() {
        let start = Instant::now();
        let mut timeline = timeline_at(start);
        assert_eq!(timeline.next_tick(start), None, "the way is not known");
        timeline.ponged(Duration::from_millis(20), None);
        assert_eq!(timeline.next_tick(start), Some(Tick(11)));
        assert_eq!(timeline.next_tick(start + Duration::from_millis(50)), Some(Tick(11)));
        assert_eq!(timeline.next_tick(start + Duration::from_millis(85)), Some(Tick(12)), "15 ms are less than the way and its safety");
        // A quarter of a tick late: from now on they go that much earlier.
        timeline.ponged(Duration::from_millis(20), Some(-64));
        assert_eq!(timeline.next_tick(start + Duration::from_millis(56)), Some(Tick(12)));
    }
}

//! Keeps an eye on all matches, so that what they counted is not lost with them, and so that rates
//! can be told.
//!
//! A match's figures live as long as the match; a monitoring system needs totals that never go
//! back. So the figures of a match that is gone are added to what is kept. A match that comes and
//! goes between two looks is missed: looks are a second apart, and a match lasts for seconds at
//! least.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use hdrhistogram::Histogram;
use tickwire_protocol::MatchId;

use crate::matches::handle::MatchInfo;
use crate::matches::stats::{MICROS_MAX, MatchStats};

/// What matches have counted, since the server started.
#[derive(Clone, Debug)]
pub(crate) struct Totals {
    /// Ticks that took longer than the interval.
    pub(crate) overruns: u64,
    /// Ticks that started more than an interval late.
    pub(crate) late_ticks: u64,
    /// Payload bytes sent to all clients, without the headers of WebSocket and TLS.
    pub(crate) bytes_sent: u64,
    /// Frames with a snapshot that were sent, one for each client and tick at most.
    pub(crate) frames_sent: u64,
    /// Inputs that came too late for their tick.
    pub(crate) inputs_late: u64,
    /// Time ticks took, microseconds.
    pub(crate) tick: Histogram<u64>,
    /// How late ticks started, microseconds.
    pub(crate) lateness: Histogram<u64>,
}

impl Default for Totals {
    fn default() -> Self {
        Self { overruns: 0, late_ticks: 0, bytes_sent: 0, frames_sent: 0, inputs_late: 0, tick: histogram(), lateness: histogram() }
    }
}

#[allow(clippy::expect_used)] // constants: 1 <= 10 s, two digits
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MICROS_MAX, 2).expect("the bounds are valid")
}

impl Totals {
    fn add(&mut self, stats: &MatchStats) {
        self.overruns += stats.overruns.load(Relaxed);
        self.late_ticks += stats.late_ticks.load(Relaxed);
        self.bytes_sent += stats.bytes_sent.load(Relaxed);
        self.frames_sent += stats.frames_sent.load(Relaxed);
        self.inputs_late += stats.inputs_late.load(Relaxed);
        let timings = stats.timings();
        for (sum, part) in [(&mut self.tick, timings.tick), (&mut self.lateness, timings.lateness)] {
            part.iter_recorded().for_each(|step| sum.saturating_record_n(step.value_iterated_to(), step.count_at_value().into()));
        }
    }
}

/// All matches there are, and the sum of those there were.
#[derive(Debug, Default)]
pub(crate) struct MatchWatch {
    alive: HashMap<MatchId, Watched>,
    gone: Totals,
}

#[derive(Debug)]
struct Watched {
    info: Arc<MatchInfo>,
    bytes: u64,
    seen: Instant,
    bytes_per_s: f64,
}

impl MatchWatch {
    /// Takes note of the matches there are now.
    pub(crate) fn look<'a>(&mut self, now: Instant, matches: impl Iterator<Item = &'a Arc<MatchInfo>>) {
        let mut before = std::mem::take(&mut self.alive);
        for info in matches {
            let watched = before.remove(&info.id).unwrap_or_else(|| Watched::new(info));
            self.alive.insert(info.id, watched.looked_at(now));
        }
        for watched in before.values() {
            self.gone.add(&watched.info.stats);
        }
    }

    /// Payload bytes per second of a match.
    pub(crate) fn bytes_per_s(&self, id: MatchId) -> f64 {
        self.alive.get(&id).map_or(0.0, |watched| watched.bytes_per_s)
    }

    /// Everything counted so far.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = self.gone.clone();
        self.alive.values().for_each(|watched| totals.add(&watched.info.stats));
        totals
    }
}

impl Watched {
    /// As it was when it was created.
    fn new(info: &Arc<MatchInfo>) -> Self {
        Self { info: Arc::clone(info), bytes: 0, seen: info.created, bytes_per_s: 0.0 }
    }

    /// With the rate since it was last looked at, unless that was a moment ago.
    fn looked_at(self, now: Instant) -> Self {
        let seconds = now.duration_since(self.seen).as_secs_f64();
        if seconds < 0.5 {
            return self;
        }
        let bytes = self.info.stats.bytes_sent.load(Relaxed);
        Self { bytes_per_s: bytes.saturating_sub(self.bytes) as f64 / seconds, bytes, seen: now, ..self }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tickwire_game::Mode;

    use super::*;
    use crate::matches::Settings;

    const MODE: Mode = Mode { id: "m", title: "M", max_players: 2, tick_rate: 30, live_seconds: 1, bots_fill: 0, stand_in: false };

    fn info(id: u8) -> Arc<MatchInfo> {
        Arc::new(MatchInfo {
            id: MatchId([id; 16]),
            code: "CODE".to_owned(),
            mode: MODE,
            mode_index: 0,
            settings: Settings::PUBLIC,
            created: Instant::now(),
            stats: MatchStats::default(),
        })
    }

    #[test]
    fn what_a_match_counted_outlives_it() {
        let (mut watch, start) = (MatchWatch::default(), Instant::now());
        let (first, second) = (info(1), info(2));
        watch.look(start, [&first, &second].into_iter());
        first.stats.bytes_sent.store(100, Relaxed);
        first.stats.record_tick(1_000, 10);
        second.stats.bytes_sent.store(7, Relaxed);
        watch.look(start + Duration::from_secs(1), std::iter::once(&second));
        let totals = watch.totals();
        assert_eq!((totals.bytes_sent, totals.tick.len()), (107, 1));
        watch.look(start + Duration::from_secs(2), std::iter::once(&second));
        assert_eq!(watch.totals().bytes_sent, 107, "and counts once");
    }

    #[test]
    fn rates_are_per_second() {
        let info = info(1);
        let (mut watch, start) = (MatchWatch::default(), info.created);
        watch.look(start, std::iter::once(&info));
        info.stats.bytes_sent.store(500, Relaxed);
        watch.look(start + Duration::from_millis(100), std::iter::once(&info));
        watch.look(start + Duration::from_secs(2), std::iter::once(&info));
        assert!((watch.bytes_per_s(info.id) - 250.0).abs() < 1e-9);
    }
}

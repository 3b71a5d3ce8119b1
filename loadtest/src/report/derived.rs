//! What can be computed from a report: shares, speeds, and the worst of its seconds.

use tickwire_testkit::bot::FRESH_TICKS;
use tickwire_testkit::measure::{Histogram, Measure, Quantiles};

use super::{Report, Second};

impl Report {
    /// All values of `measure`; none if it is not in the report, or not in a form that can be read.
    pub fn histogram(&self, measure: Measure) -> Histogram {
        self.measures.get(measure.name()).and_then(|report| report.decoded().ok()).unwrap_or_default()
    }

    /// What people read of `measure`; `None` if there are no values.
    pub fn quantiles(&self, measure: Measure) -> Option<Quantiles> {
        self.measures.get(measure.name()).map(|report| report.quantiles).filter(|quantiles| quantiles.count > 0)
    }

    /// Share of the gaps under 1.5 ticks, 0 to 1; `None` if there was no gap.
    pub fn gaps_within(&self) -> Option<f64> {
        let gaps = self.quantiles(Measure::Gap)?.count;
        Some(1.0 - self.counts.long_gaps.min(gaps) as f64 / gaps as f64)
    }

    /// The least share of their time that players had a fresh snapshot, 0 to 1, in any ten seconds
    /// of the run, and when those began; `None` if nobody looked on. However long a run is, one
    /// freeze shows here.
    pub fn worst_ten_seconds(&self) -> Option<(f64, f64)> {
        let window = |first: usize| {
            let seconds = self.series.iter().skip(first);
            let start = seconds.clone().next().map_or(0.0, |second| second.at - 1.0);
            let inside = seconds.take_while(|second| second.at - start < WINDOW_SECONDS + 0.5);
            let (watched, stale) =
                inside.fold((0.0, 0.0), |(watched, stale), second| (watched + second.watched_seconds, stale + second.stale_of_server()));
            (watched, stale, start.max(0.0))
        };
        // None that the end cuts off, for a shorter one would weigh what is in it more; but for a
        // run that is shorter itself.
        let last = self.series.last().map_or(0.0, |second| second.at);
        let is_whole = |(nth, second): (usize, &Second)| (nth == 0 || second.at - 1.0 + WINDOW_SECONDS <= last + 0.5).then_some(nth);
        let windows: Vec<(f64, f64, f64)> = self.series.iter().enumerate().filter_map(is_whole).map(window).collect();
        // A few stragglers after everyone has left are no share of the players.
        let most = windows.iter().map(|(watched, ..)| *watched).fold(0.0, f64::max);
        let full = windows.iter().filter(|(watched, ..)| *watched > 0.0 && *watched >= most / 10.0);
        let shares = full.map(|&(watched, stale, start)| ((1.0 - stale / watched).clamp(0.0, 1.0), start));
        shares.min_by(|one, other| one.0.total_cmp(&other.0))
    }

    /// How fast the game's time went, as players saw it: 1 is its tick rate; `None` if nobody saw
    /// it pass.
    pub fn game_speed(&self) -> Option<f64> {
        let seconds = self.counts.ticks_micros as f64 / 1e6;
        (seconds > 0.0).then(|| self.counts.ticks as f64 / (seconds * f64::from(self.run.tick_rate.max(1))))
    }

    /// From so old on a snapshot is not fresh, milliseconds.
    pub fn fresh_ms(&self) -> f64 {
        1000.0 * f64::from(FRESH_TICKS) / f64::from(self.run.tick_rate.max(1))
    }

    /// 1.5 ticks, milliseconds.
    pub fn long_gap_ms(&self) -> f64 {
        1500.0 / f64::from(self.run.tick_rate.max(1))
    }

    /// Ticks of the server that started more than an interval late; `None` if its metrics were not
    /// read.
    pub fn late_ticks(&self) -> Option<u64> {
        self.series.iter().filter_map(|second| second.server).map(|server| server.late_ticks).reduce(|sum, ticks| sum + ticks)
    }

    /// Whether views were compared with the server's, so that no divergence means something.
    pub fn is_checked(&self) -> bool {
        self.counts.checked + self.counts.divergences > 0
    }
}

/// See [`Report::worst_ten_seconds`].
const WINDOW_SECONDS: f64 = 10.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn no_gap_is_no_share() {
        let mut report = sample::full();
        assert!(report.gaps_within().is_some_and(|share| (0.9..1.0).contains(&share)));
        report.counts.long_gaps = u64::MAX;
        assert_eq!(report.gaps_within(), Some(0.0));
        assert_eq!(Report::default().gaps_within(), None);
    }

    /// So many seconds with `players`, of which those in `frozen` see nothing new.
    fn run(seconds: u32, players: f64, frozen: std::ops::Range<u32>, share: f64) -> Report {
        let second = |at: u32| Second {
            at: f64::from(at) + 1.0,
            watched_seconds: players,
            stale_seconds: if frozen.contains(&at) { players * share } else { 0.0 },
            ..Second::default()
        };
        Report { series: (0..seconds).map(second).collect(), ..Report::default() }
    }

    #[test]
    fn a_freeze_is_as_bad_in_a_long_run_as_in_a_short_one() {
        let worst = |report: Report| report.worst_ten_seconds().expect("players").0;
        assert!((worst(run(16, 20.0, 8..11, 1.0)) - 0.7).abs() < 1e-9);
        assert!((worst(run(3600, 20.0, 900..903, 1.0)) - 0.7).abs() < 1e-9);
        assert!((worst(run(3600, 20.0, 900..903, 0.01)) - 0.997).abs() < 1e-9, "one match of a hundred");
        assert!((worst(run(5, 20.0, 1..2, 1.0)) - 0.8).abs() < 1e-9, "a run of less than ten seconds is one window");
        assert_eq!(run(60, 5.0, 30..33, 1.0).worst_ten_seconds().map(|(_, at)| at), Some(23.0), "the first that holds all of it");
        assert_eq!(Report::default().worst_ten_seconds(), None);
    }

    #[test]
    fn who_stays_behind_alone_is_not_the_share_of_all() {
        let mut report = run(30, 100.0, 0..0, 1.0);
        report.series.extend((30..60).map(|at| Second {
            at: f64::from(at),
            watched_seconds: 0.5,
            stale_seconds: 0.5,
            ..Second::default()
        }));
        assert!(report.worst_ten_seconds().is_some_and(|(share, _)| share > 0.9));
    }

    #[test]
    fn the_games_time_goes_as_fast_as_its_ticks() {
        let mut report = Report::default();
        report.run.tick_rate = 20;
        assert_eq!(report.game_speed(), None);
        (report.counts.ticks, report.counts.ticks_micros) = (150, 10_000_000);
        assert_eq!(report.game_speed(), Some(0.75));
    }
}

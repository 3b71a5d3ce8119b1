//! What a run found: everything a person, a script or another process needs to know of it.
//!
//! Invariants: a report holds what was measured and nothing that can be computed from it later, but for what people look
//! up (quantiles); a report of a run that was cut short is a report.

mod bound;
pub mod compare;
pub mod console;
pub mod html;
pub mod json;
pub mod merge;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod words;

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

pub use bound::{Bound, Operator, Unit};

use crate::bot::FRESH_TICKS;
use crate::measure::{Counts, Histogram, Measure, Quantiles};
use compare::Comparison;

/// Version of the report's JSON.
pub const FORMAT: u32 = 2;

/// A whole run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: u32,
    /// What was run, and where.
    pub run: RunFacts,
    /// Whether it passed, and if not, why.
    pub verdict: Verdict,
    /// What was asked of it, and what it was.
    pub bounds: Vec<Bound>,
    /// Whether the generator kept up.
    pub generator: GeneratorFacts,
    /// Everything counted.
    pub counts: Counts,
    /// Everything timed, by [`crate::measure::Measure::name`].
    pub measures: std::collections::BTreeMap<String, MeasureReport>,
    /// Second by second.
    pub series: Vec<Second>,
    /// Views that differed from the server's, the first [`FINDINGS_MAX`].
    pub divergences: Vec<Divergence>,
    /// Matches whose players all waited too long for a snapshot, the first [`FINDINGS_MAX`].
    pub stalls: Vec<Stall>,
    /// How many there were, the ones not kept included.
    #[serde(default)]
    pub stall_count: u64,
    /// Errors of joining and playing with how often each came, the first [`FINDINGS_MAX`] kinds.
    pub errors: std::collections::BTreeMap<String, u64>,
    /// Seats that the server still held after everyone had left; `None` if that was not looked at.
    pub leaked_seats: Option<u64>,
    /// What a search for the server's capacity found.
    pub capacity: Option<Capacity>,
}

/// Most findings of a kind that are kept; more are counted.
pub const FINDINGS_MAX: usize = 100;

/// Makes the folder for reports if need be, and sees to it that files can be written there.
pub fn prepare(dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create the report folder {}", dir.display()))?;
    let probe = dir.join(".writable");
    std::fs::write(&probe, "").with_context(|| format!("cannot write into the report folder {}", dir.display()))?;
    // If it stays, it is empty and in nobody's way.
    let _ = std::fs::remove_file(&probe);
    Ok(())
}

/// Writes `report.json` and `report.html` into `dir`, which is made if need be, and returns their paths. The page shows an earlier run
/// beside this one if there is one to compare it with.
pub fn write_all(report: &Report, against: Option<&Comparison>, dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    prepare(dir)?;
    let (json, page) = (dir.join("report.json"), dir.join("report.html"));
    json::write(report, &json)?;
    std::fs::write(&page, html::page(report, against)).with_context(|| format!("cannot write {}", page.display()))?;
    Ok(vec![json, page])
}

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

    /// The least share of their time that players had a fresh snapshot, 0 to 1, in any ten seconds of the run, and when those began;
    /// `None` if nobody looked on. However long a run is, one freeze shows here.
    pub fn worst_ten_seconds(&self) -> Option<(f64, f64)> {
        let window = |first: usize| {
            let seconds = self.series.iter().skip(first);
            let start = seconds.clone().next().map_or(0.0, |second| second.at - 1.0);
            let inside = seconds.take_while(|second| second.at - start < WINDOW_SECONDS + 0.5);
            let (watched, stale) =
                inside.fold((0.0, 0.0), |(watched, stale), second| (watched + second.watched_seconds, stale + second.stale_of_server()));
            (watched, stale, start.max(0.0))
        };
        // None that the end cuts off, for a shorter one would weigh what is in it more; but for a run that is shorter itself.
        let last = self.series.last().map_or(0.0, |second| second.at);
        let is_whole = |(nth, second): (usize, &Second)| (nth == 0 || second.at - 1.0 + WINDOW_SECONDS <= last + 0.5).then_some(nth);
        let windows: Vec<(f64, f64, f64)> = self.series.iter().enumerate().filter_map(is_whole).map(window).collect();
        // A few stragglers after everyone has left are no share of the players.
        let most = windows.iter().map(|(watched, ..)| *watched).fold(0.0, f64::max);
        let full = windows.iter().filter(|(watched, ..)| *watched > 0.0 && *watched >= most / 10.0);
        let shares = full.map(|&(watched, stale, start)| ((1.0 - stale / watched).clamp(0.0, 1.0), start));
        shares.min_by(|one, other| one.0.total_cmp(&other.0))
    }

    /// How fast the game's time went, as players saw it: 1 is its tick rate; `None` if nobody saw it pass.
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

    /// Ticks of the server that started more than an interval late; `None` if its metrics were not read.
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

impl From<&Histogram> for MeasureReport {
    fn from(histogram: &Histogram) -> Self {
        Self { quantiles: histogram.quantiles(), histogram: histogram.to_text() }
    }
}

impl MeasureReport {
    /// All values.
    pub fn decoded(&self) -> Result<Histogram, String> {
        Histogram::from_text(&self.histogram)
    }
}

/// What was run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RunFacts {
    /// The command line.
    pub command: String,
    /// The server's address.
    pub server: String,
    /// The game it runs.
    pub game: String,
    /// The mode played.
    pub mode: String,
    /// Ticks per second.
    pub tick_rate: u8,
    /// When it began, seconds since 1970.
    pub began: u64,
    /// How long it lasted, seconds.
    pub seconds: f64,
    /// Users asked for.
    pub users: u64,
    /// Users that were sent: fewer if the run ended before all of them had been.
    pub users_started: u64,
    /// Of these, users that ever held a seat.
    pub users_played: u64,
    /// Most users that held a seat at once.
    pub users_at_once: u64,
    /// The scenarios and their weights.
    pub mix: String,
    /// The network conditions and their weights.
    pub network: String,
    /// Of all random choices.
    pub seed: u64,
    /// Version of this program.
    pub version: String,
    /// Processes that generated the load together.
    pub processes: u32,
}

/// Whether a run passed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether it did.
    pub passed: bool,
    /// It did not pass, but the generator was too slow to know whose fault that is.
    pub inconclusive: bool,
    /// What most likely made it fail, in a sentence; empty if it passed.
    pub cause: String,
    /// A sentence for each reason it did not.
    pub failures: Vec<String>,
    /// A sentence for each thing a reader must know to believe the rest.
    pub warnings: Vec<String>,
}

/// How the generator itself did.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct GeneratorFacts {
    /// The machine in words: its name, processor and system.
    #[serde(default)]
    pub machine: String,
    /// It fell behind so far that what it measured is not the server's doing.
    pub saturated: bool,
    /// Why it is thought so.
    pub reasons: Vec<String>,
    /// How late its own timers ran, milliseconds.
    pub lateness_ms: Quantiles,
    /// Share of the machine's cores it used while all users played, 0 to 1.
    pub cpu_share: f64,
    /// The machine's cores.
    pub cores: u32,
    /// Most resident memory, bytes.
    pub memory_bytes: u64,
    /// Most open descriptors allowed.
    pub descriptors_max: u64,
}

/// One measure over the whole run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MeasureReport {
    /// What people read, milliseconds.
    #[serde(flatten)]
    pub quantiles: Quantiles,
    /// All values: HdrHistogram V2, base 64, microseconds.
    pub histogram: String,
}

/// One second of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Seconds since the run began.
    pub at: f64,
    /// Users that hold a seat.
    pub users: u64,
    /// Player-seconds with a seat.
    pub player_seconds: f64,
    /// Player-seconds that players should have had a seat and did not.
    pub absent_seconds: f64,
    /// Player-seconds that players looked on.
    pub watched_seconds: f64,
    /// Of these, without a fresh snapshot.
    pub stale_seconds: f64,
    /// Of these, at most so many by the generator's doing.
    pub stale_by_generator_seconds: f64,
    /// Sessions that ended though no player asked for it.
    pub closes: u64,
    /// Snapshots received.
    pub snapshots: u64,
    /// Payload received, bytes.
    pub payload_bytes: u64,
    /// Gap between snapshots, milliseconds; `None` if there was none.
    pub gap_p50_ms: Option<f64>,
    /// Same.
    pub gap_p99_ms: Option<f64>,
    /// Input to view, milliseconds.
    pub input_to_view_p50_ms: Option<f64>,
    /// Same.
    pub input_to_view_p99_ms: Option<f64>,
    /// Divergences so far.
    pub divergences: u64,
    /// 99th percentile of how late the generator's own timers ran, milliseconds.
    pub generator_late_p99_ms: f64,
    /// Cores the generator used.
    pub generator_cpu: f64,
    /// For how long the generator stood still, milliseconds.
    pub generator_stood_ms: f64,
    /// What the server says of itself; `None` if its metrics were not read.
    pub server: Option<ServerSecond>,
}

impl Second {
    /// Player-seconds without a fresh snapshot that the generator does not explain.
    pub fn stale_of_server(&self) -> f64 {
        (self.stale_seconds - self.stale_by_generator_seconds).max(0.0)
    }
}

/// The server's own figures of one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerSecond {
    /// Cores it used.
    pub cpu: f64,
    /// Mean duration of its ticks, milliseconds.
    pub tick_mean_ms: f64,
    /// 99th percentile, milliseconds.
    pub tick_p99_ms: f64,
    /// Ticks that started more than an interval late.
    pub late_ticks: u64,
    /// Resident memory, bytes.
    pub memory_bytes: u64,
    /// Seats held.
    pub players: u64,
    /// Matches.
    pub matches: u64,
}

/// A view that differed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    /// The match.
    pub match_id: String,
    /// The tick.
    pub tick: u32,
    /// The component.
    pub component: String,
    /// The user whose view it was.
    pub user: u64,
}

/// A match that stood still.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stall {
    /// The match.
    pub match_id: String,
    /// The first tick that came late.
    pub tick: u32,
    /// The longest gap, milliseconds.
    pub gap_ms: f64,
    /// Players who saw it.
    pub players: u32,
    /// The generator itself was late at that moment: it may have been its own doing.
    pub generator_was_late: bool,
}

/// What a search for the capacity found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// Most users for whom the service level held.
    pub users: u64,
    /// Users at which it broke; `None` if it never did.
    pub broke_at: Option<u64>,
    /// Which part of the service level broke, in a sentence.
    pub reason: String,
    /// Whether it is the server's limit, as far as the generator can tell.
    pub is_server_limit: bool,
    /// Each plateau.
    pub steps: Vec<CapacityStep>,
}

/// One plateau of a search.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CapacityStep {
    /// Users.
    pub users: u64,
    /// Share of gaps under 1.5 ticks, 0 to 1.
    pub gaps_within: f64,
    /// Share of the time with a fresh snapshot, 0 to 1.
    pub fresh_share: f64,
    /// 99th percentile of the gap, milliseconds.
    pub gap_p99_ms: f64,
    /// Divergences.
    pub divergences: u64,
    /// Whether the generator was saturated.
    pub saturated: bool,
    /// Whether the service level held.
    pub held: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_written_into_a_new_folder_or_says_why_not() {
        let place = tempfile::tempdir().expect("a folder");
        let paths = write_all(&sample::full(), None, &place.path().join("a/b")).expect("written");
        assert!(paths.iter().all(|path| path.is_file()), "{paths:?}");
        assert_eq!(std::fs::read_dir(place.path().join("a/b")).expect("a folder").count(), 2, "nothing else is left there");
        let file = place.path().join("file");
        std::fs::write(&file, "").expect("written");
        let error = format!("{:#}", write_all(&sample::full(), None, &file.join("x")).expect_err("a file is no folder"));
        assert!(error.starts_with("cannot create the report folder") && error.lines().count() == 1, "{error}");
    }

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

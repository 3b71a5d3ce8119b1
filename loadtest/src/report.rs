//! What a run found: everything a person, a script or another process needs to know of it.
//!
//! Invariants: a report holds what was measured and nothing that can be computed from it later, but for what people look
//! up (quantiles); a report of a run that was cut short is a report.

mod bound;
mod derived;
pub mod json;
#[cfg(test)]
pub(crate) mod sample;
mod second;

use serde::{Deserialize, Serialize};
use tickwire_testkit::comeback::Wrong;
use tickwire_testkit::measure::{Counts, Histogram, Quantiles};

pub use bound::{Bound, Operator, Unit};
pub use second::{Second, ServerSecond};

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
    /// Everything timed, by [`tickwire_testkit::measure::Measure::name`].
    pub measures: std::collections::BTreeMap<String, MeasureReport>,
    /// Second by second.
    pub series: Vec<Second>,
    /// Views that differed from the server's, the first [`FINDINGS_MAX`].
    pub divergences: Vec<Divergence>,
    /// Players that came back after their connection broke, the first [`FINDINGS_MAX`]; those that
    /// found something wrong go first.
    #[serde(default)]
    pub returns: Vec<Return>,
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

/// A player that came back to its seat after its connection broke.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Return {
    /// The user.
    pub user: u64,
    /// Its match.
    pub match_id: String,
    /// The newest tick that it had seen before.
    pub tick_before: u32,
    /// The first that it saw after.
    pub tick_after: u32,
    /// Between the two, milliseconds.
    pub ms: f64,
    /// What was wrong with it.
    pub wrong: Option<Wrong>,
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

//! One second of a run: what players felt in it, how the generator did, and what the server said of
//! itself.

use serde::{Deserialize, Serialize};

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
    /// Adds what came after it and is no second of its own.
    pub fn absorb(&mut self, rest: &Self) {
        self.player_seconds += rest.player_seconds;
        self.absent_seconds += rest.absent_seconds;
        self.watched_seconds += rest.watched_seconds;
        self.stale_seconds += rest.stale_seconds;
        self.closes += rest.closes;
        self.snapshots += rest.snapshots;
        self.payload_bytes += rest.payload_bytes;
        self.generator_stood_ms += rest.generator_stood_ms;
        self.divergences = rest.divergences;
    }

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

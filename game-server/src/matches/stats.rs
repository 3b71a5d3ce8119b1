//! A match's figures, for the lists, the dashboard and the metrics. The match writes, anyone reads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

use hdrhistogram::Histogram;
use tickwire_protocol::schema::Phase;

/// Highest value of the timing histograms, microseconds; longer counts as this.
pub const MICROS_MAX: u64 = 10_000_000;

/// What a match tells of itself.
#[derive(Debug)]
pub struct MatchStats {
    /// A [`Phase`] as a number.
    phase: AtomicU8,
    /// Seats held by people: connected, away, or reserved. So many are not free.
    pub held: AtomicU32,
    /// Of these, connected.
    pub connected: AtomicU32,
    /// Of these, kept for a ticket.
    pub reserved: AtomicU32,
    /// Seats played by bots.
    pub bots: AtomicU32,
    /// Those watching.
    pub spectators: AtomicU32,
    /// The tick last simulated.
    pub tick: AtomicU32,
    /// Ticks that took longer than the interval.
    pub overruns: AtomicU64,
    /// Ticks that started more than an interval late.
    pub late_ticks: AtomicU64,
    /// Bytes kept for clients that have not taken them.
    pub kept_bytes: AtomicU64,
    /// Payload bytes sent to all clients, without the headers of WebSocket and TLS.
    pub bytes_sent: AtomicU64,
    /// Frames with a snapshot that were sent, one for each client and tick at most.
    pub frames_sent: AtomicU64,
    /// Inputs that came too late for their tick.
    pub inputs_late: AtomicU64,
    timings: Mutex<Timings>,
}

/// Timing histograms, microseconds, exact to a sixteenth: a match keeps two, and there are
/// thousands of matches.
#[derive(Debug, Clone)]
pub struct Timings {
    /// Simulate, capture, encode and send.
    pub tick: Histogram<u32>,
    /// How long after its deadline a tick started.
    pub lateness: Histogram<u32>,
}

impl Default for MatchStats {
    fn default() -> Self {
        Self {
            phase: AtomicU8::new(Phase::Waiting as u8),
            held: AtomicU32::default(),
            connected: AtomicU32::default(),
            reserved: AtomicU32::default(),
            bots: AtomicU32::default(),
            spectators: AtomicU32::default(),
            tick: AtomicU32::default(),
            overruns: AtomicU64::default(),
            late_ticks: AtomicU64::default(),
            kept_bytes: AtomicU64::default(),
            bytes_sent: AtomicU64::default(),
            frames_sent: AtomicU64::default(),
            inputs_late: AtomicU64::default(),
            timings: Mutex::new(Timings { tick: histogram(), lateness: histogram() }),
        }
    }
}

#[allow(clippy::expect_used)] // constants: 1 µs to 10 s, one digit
fn histogram() -> Histogram<u32> {
    Histogram::new_with_bounds(1, MICROS_MAX, 1).expect("the bounds are valid")
}

impl MatchStats {
    /// The phase of the match.
    pub fn phase(&self) -> Phase {
        self.phase.load(Relaxed).into()
    }

    /// Publishes the phase.
    pub fn set_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
    }

    /// Counts one tick: how long it took and how late it started, both in microseconds.
    pub fn record_tick(&self, took_us: u64, late_us: u64) {
        let mut timings = self.timings.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        timings.tick.saturating_record(took_us.max(1));
        timings.lateness.saturating_record(late_us.max(1));
    }

    /// A copy of the timing histograms.
    pub fn timings(&self) -> Timings {
        self.timings.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

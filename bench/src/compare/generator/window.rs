//! What is counted while players play: everything since the window was opened.

use std::time::{Duration, Instant};

use anyhow::Result;
use tickwire_testkit::measure::Histogram;
use tickwire_testkit::usage::{self, Cpu};

/// Counters of a stretch of time.
pub(crate) struct Window {
    opened: Instant,
    cpu: Cpu,
    /// Of the whole machine.
    busy: Duration,
    /// Updates received.
    pub(crate) updates: u64,
    /// Of all messages, whether updates or not.
    pub(crate) payload_bytes: u64,
    /// Of all frames, pings and all.
    pub(crate) wire_bytes: u64,
    /// Between two updates of a player, microseconds.
    pub(crate) gaps: Histogram,
    /// How long after its time an input was sent, microseconds.
    pub(crate) lateness: Histogram,
}

/// How the generator itself did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Health {
    /// Its CPU time over the time passed: 1 is a core.
    pub(crate) cpu_share: f64,
    /// 99 of 100 inputs were sent no later than this after their time.
    pub(crate) late_ms_p99: f64,
    /// What everything but server and generator used of the machine, in cores.
    pub(crate) others_cpu_share: f64,
}

impl Window {
    pub(crate) fn open() -> Result<Self> {
        let (updates, payload_bytes, wire_bytes) = (0, 0, 0);
        Ok(Self {
            opened: Instant::now(),
            cpu: usage::own_cpu()?,
            busy: usage::machine_busy()?,
            updates,
            payload_bytes,
            wire_bytes,
            gaps: Histogram::default(),
            lateness: Histogram::default(),
        })
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.opened.elapsed()
    }

    pub(crate) fn gap_ms_p99(&self) -> f64 {
        self.gaps.ms_at(0.99)
    }

    /// `server` is what the server used meanwhile.
    pub(crate) fn health(&self, server: Duration) -> Result<Health> {
        let used = usage::own_cpu()?.since(self.cpu).total();
        let others = usage::machine_busy()?.saturating_sub(self.busy).saturating_sub(used + server);
        let seconds = self.elapsed().as_secs_f64().max(1e-9);
        let late_ms_p99 = self.lateness.ms_at(0.99);
        Ok(Health { cpu_share: used.as_secs_f64() / seconds, late_ms_p99, others_cpu_share: others.as_secs_f64() / seconds })
    }
}

//! How the generator itself does: its CPU, its memory, and how late its own timers run. A generator that cannot keep up
//! measures itself, not the server.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tickwire_testkit::bot::{FRESH_TICKS, micros};
use tickwire_testkit::measure::Histogram;
use tickwire_testkit::usage::{self, Cpu};
use tokio::time::Instant;

use crate::report::GeneratorFacts;

/// Time between looks at the clock.
const BEAT: Duration = Duration::from_millis(10);
/// A timer this late, in ticks, makes a bot's figures its own fault.
const LATE_TICKS: f64 = 0.25;
/// From so many ticks on a late timer may be why a player's newest snapshot is no longer fresh.
const STOOD_TICKS: f64 = FRESH_TICKS as f64 / 2.0;
/// More of the machine than this leaves nothing to spare.
const CPU_SHARE_MAX: f64 = 0.95;

/// Less of it is little.
const CPU_SHARE_LITTLE: f64 = 0.3;

/// Watches this process.
#[derive(Debug)]
pub struct Own {
    pulse: Arc<Pulse>,
    interval: Duration,
    cpu: Cpu,
    looked: Instant,
    lateness: Histogram,
    cpu_share_max: f64,
    memory_max: u64,
    late_seconds: u32,
    seconds: u32,
}

/// How late the timers of this process's runtime run.
#[derive(Debug, Default)]
pub struct Pulse {
    second: Mutex<Histogram>,
    /// A timer ran late a moment ago.
    pub is_late: Arc<AtomicBool>,
}

/// One second of the generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnSecond {
    /// Cores used.
    pub cpu: f64,
    /// 99th percentile of the timers' lateness, milliseconds.
    pub late_p99_ms: f64,
    /// For how long it stood still, all in all: long enough that players saw nothing new in it.
    pub stood_ms: f64,
    /// It fell behind.
    pub is_saturated: bool,
}

impl Pulse {
    /// Looks at the clock for ever. Run it on the runtime that the bots run on.
    pub async fn beat(self: Arc<Self>, interval: Duration) {
        let late_at = interval.mul_f64(LATE_TICKS);
        let mut next = Instant::now() + BEAT;
        loop {
            tokio::time::sleep_until(next).await;
            let now = Instant::now();
            let late = now.saturating_duration_since(next);
            self.is_late.store(late >= late_at, Relaxed);
            self.with(|second| second.record(micros(late)));
            // Beats that were missed were as late as this one, or nearly.
            next += BEAT * (1 + (late.as_nanos() / BEAT.as_nanos()) as u32);
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Histogram) -> T) -> T {
        act(&mut self.second.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Own {
    /// Watches from now on. `interval` is a tick.
    pub fn new(pulse: Arc<Pulse>, interval: Duration) -> Self {
        Self {
            pulse,
            interval,
            cpu: usage::own_cpu().unwrap_or_default(),
            looked: Instant::now(),
            lateness: Histogram::default(),
            cpu_share_max: 0.0,
            memory_max: 0,
            late_seconds: 0,
            seconds: 0,
        }
    }

    /// What happened since this was last asked. `counts` says whether everyone was playing: arrivals are not judged.
    pub fn look(&mut self, counts: bool) -> OwnSecond {
        let lateness = self.pulse.with(std::mem::take);
        let cpu = usage::own_cpu().unwrap_or_default();
        let elapsed = self.looked.elapsed().as_secs_f64().max(1e-3);
        let used = cpu.since(self.cpu).total().as_secs_f64() / elapsed;
        (self.cpu, self.looked) = (cpu, Instant::now());
        self.memory_max = self.memory_max.max(usage::resident_bytes(std::process::id()).unwrap_or_default());
        self.judge(&lateness, used, counts)
    }

    /// One second in which the timers ran so late and so many cores were used.
    fn judge(&mut self, lateness: &Histogram, used: f64, counts: bool) -> OwnSecond {
        let late_p99_ms = lateness.ms_at(0.99);
        let is_late = late_p99_ms >= self.interval.as_secs_f64() * 1000.0 * LATE_TICKS;
        let share = used / f64::from(cores());
        if counts {
            self.lateness.add(lateness);
            self.cpu_share_max = self.cpu_share_max.max(share);
            self.late_seconds += u32::from(is_late);
            self.seconds += 1;
        }
        let stood_ms = lateness.sum_from(micros(self.interval.mul_f64(STOOD_TICKS))) / 1000.0;
        OwnSecond { cpu: used, late_p99_ms, stood_ms, is_saturated: is_late || share > CPU_SHARE_MAX }
    }

    /// The generator over the whole run.
    pub fn facts(&self, descriptors_max: u64) -> GeneratorFacts {
        let mut reasons = Vec::new();
        // A second of bad luck is no saturation; a twentieth of a run is.
        if self.late_seconds > 1 && self.late_seconds * 20 > self.seconds {
            let limit = self.interval.as_secs_f64() * 1000.0 * LATE_TICKS;
            // Who is late and works little is kept from working.
            let others = if self.cpu_share_max < CPU_SHARE_LITTLE {
                ", though it used little CPU: something else keeps this machine busy"
            } else {
                ""
            };
            reasons.push(format!(
                "its timers ran more than {limit:.1} ms (a quarter of a tick) late in {} of {} s{others}",
                self.late_seconds, self.seconds
            ));
        }
        if self.cpu_share_max > CPU_SHARE_MAX {
            reasons.push(format!("it used {:.0} % of the machine", self.cpu_share_max * 100.0));
        }
        GeneratorFacts {
            saturated: !reasons.is_empty(),
            reasons,
            lateness_ms: self.lateness.quantiles(),
            cpu_share: self.cpu_share_max,
            cores: cores(),
            machine: machine(),
            memory_bytes: self.memory_max,
            descriptors_max,
        }
    }
}

/// The machine's cores.
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32)
}

/// The machine in a line: its name, processor and kernel, as far as the system tells.
fn machine() -> String {
    let host = usage::host();
    let parts = [host.name.as_str(), &host.cpu, std::env::consts::OS, &host.kernel];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The generator after seconds in which its timers ran so late and it used `share` of the machine.
    fn watched(lates_ms: &[u64], share: f64) -> GeneratorFacts {
        let mut own = Own::new(Arc::default(), Duration::from_millis(33));
        for late in lates_ms {
            let mut lateness = Histogram::default();
            lateness.record(late * 1000);
            own.judge(&lateness, share * f64::from(cores()), true);
        }
        own.facts(1024)
    }

    #[test]
    fn a_generator_that_is_late_now_and_then_is_believed_and_one_that_is_often_late_is_not() {
        let mut lates = [1; 40];
        lates[7] = 200;
        assert!(!watched(&lates, 0.5).saturated);
        lates[8..12].fill(9);
        let facts = watched(&lates, 0.5);
        assert!(facts.saturated && facts.reasons[0].ends_with("in 5 of 40 s"), "{facts:?}");
        assert!(watched(&lates, 0.1).reasons[0].ends_with("something else keeps this machine busy"));
    }

    #[test]
    fn a_generator_stands_still_when_it_misses_ticks_not_when_it_is_a_little_late() {
        let mut own = Own::new(Arc::default(), Duration::from_millis(100));
        let mut lateness = Histogram::default();
        (0..90).for_each(|_| lateness.record(40_000));
        assert!(own.judge(&lateness, 0.1, true).stood_ms.abs() < f64::EPSILON);
        lateness.record(1_200_000);
        assert!((own.judge(&lateness, 0.1, true).stood_ms / 1200.0 - 1.0).abs() < 0.01);
    }

    #[test]
    fn a_generator_that_has_nothing_to_spare_is_not_believed() {
        assert!(!watched(&[1; 40], 0.9).saturated);
        let facts = watched(&[1; 40], 0.96);
        assert!(facts.saturated && facts.reasons[0].contains("96 %"), "{facts:?}");
    }
}

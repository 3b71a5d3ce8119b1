//! How much of a worker's time is left, and who may use it.
//!
//! A match costs something while somebody is connected to it, and nothing before. So what is asked
//! for is asked when a match is woken: is there room beside what the worker does already?
//!
//! What it does is measured: the part of two seconds in which it did not sleep, and the ticks that
//! started late. A crowd that wakes a hundred matches within one measurement is caught as well:
//! each adds what a match of its mode costs, as measured, until the measurement shows it.
//!
//! Invariants: a match that is awake is never put to sleep for want of room; a worker that runs no
//! match takes the first one, however slow the machine is; nobody loses a seat here.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::HeadroomConfig;

/// How often a worker looks at itself.
pub const BEAT: Duration = Duration::from_millis(250);
/// Beats that a measurement goes over.
const BEATS: usize = 8;
/// A whole worker, in the unit of what things cost.
const WHOLE: u32 = 1_000_000;
/// What a match is taken to cost before one of its mode has been measured.
const UNKNOWN_COST: u32 = WHOLE / 10;
/// Who comes back to a match that was awake before may use this much more.
const FOR_RETURNING: u32 = WHOLE / 10;
/// A worker that was full has room again when it is less busy by this much.
const HYSTERESIS: u32 = WHOLE / 10;
/// With fewer ticks than this nothing is said of how many are late.
const TICKS_TOLD_MIN: u64 = 20;
/// Modes whose cost is told apart; further ones count as the last.
const MODES_MAX: usize = 32;

/// Who wakes a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comer {
    /// Somebody who has not been there.
    New,
    /// Somebody whose seat was kept.
    Returning,
}

/// What a worker does, as its own thread notes it and anybody may read it.
#[derive(Debug)]
pub struct Load {
    limits: HeadroomConfig,
    /// Matches that are awake.
    awake: AtomicUsize,
    /// Microseconds that the thread slept and was not due to be woken, in all.
    idle_us: AtomicU64,
    ticks: AtomicU64,
    late_ticks: AtomicU64,
    /// What a match of each mode costs, a moving average; 0 while that is unknown.
    costs: [AtomicU32; MODES_MAX],
    /// As last measured, with what was promised before that.
    measured: AtomicU32,
    /// What matches that were woken since will cost.
    promised: AtomicU32,
    is_late: AtomicBool,
    is_full: AtomicBool,
}

impl Load {
    /// Of a worker that has done nothing.
    pub fn new(limits: HeadroomConfig) -> Arc<Self> {
        Arc::new(Self {
            limits,
            awake: AtomicUsize::default(),
            idle_us: AtomicU64::default(),
            ticks: AtomicU64::default(),
            late_ticks: AtomicU64::default(),
            costs: [const { AtomicU32::new(0) }; MODES_MAX],
            measured: AtomicU32::default(),
            promised: AtomicU32::default(),
            is_late: AtomicBool::default(),
            is_full: AtomicBool::default(),
        })
    }

    /// The worker's thread slept for so long of its own will.
    pub fn slept(&self, time: Duration) {
        self.idle_us.fetch_add(micros(time), Relaxed);
    }

    /// A match of this mode ticked.
    pub fn ticked(&self, mode_index: u8, took: Duration, interval: Duration, is_late: bool) {
        self.ticks.fetch_add(1, Relaxed);
        self.late_ticks.fetch_add(u64::from(is_late), Relaxed);
        let cost = micros(took).saturating_mul(u64::from(WHOLE)) / micros(interval).max(1);
        let cost = i64::try_from(cost).unwrap_or(i64::MAX).clamp(1, 4 * i64::from(WHOLE));
        let known = self.cost_of(mode_index);
        let before = i64::from(known.load(Relaxed));
        let after = if before == 0 { cost } else { before + (cost - before) / 32 };
        known.store(after.max(1) as u32, Relaxed);
    }

    /// Whether a match of this mode may be woken.
    pub fn has_room(&self, mode_index: u8, comer: Comer) -> bool {
        if self.awake.load(Relaxed) == 0 {
            return true;
        }
        let returning = if comer == Comer::Returning { FOR_RETURNING } else { 0 };
        if comer == Comer::New && self.is_full.load(Relaxed) || self.is_late.load(Relaxed) {
            return false;
        }
        let expected = self.expected().saturating_add(self.expected_cost(mode_index));
        percent(self.limits.busy_percent).is_none_or(|most| expected <= most + returning)
    }

    /// A match of this mode is awake until what is returned is dropped.
    pub fn wake(self: &Arc<Self>, mode_index: u8) -> Awake {
        self.awake.fetch_add(1, Relaxed);
        self.promised.fetch_add(self.expected_cost(mode_index), Relaxed);
        Awake(Arc::clone(self))
    }

    /// What the worker does, and what it has taken on, in millionths of its time.
    pub fn expected(&self) -> u32 {
        self.measured.load(Relaxed).saturating_add(self.promised.load(Relaxed))
    }

    /// What is used of what may be, in thousandths: a full worker has used all of it.
    pub fn used_permille(&self) -> u16 {
        if self.is_full() {
            return 1_000;
        }
        let most = percent(self.limits.busy_percent).unwrap_or(WHOLE).max(1);
        (u64::from(self.expected()) * 1_000 / u64::from(most)).min(1_000) as u16
    }

    /// Whether nobody new wakes a match here: it was too busy, and is not much less so by now.
    pub fn is_full(&self) -> bool {
        self.awake.load(Relaxed) > 0 && (self.is_full.load(Relaxed) || self.is_late.load(Relaxed))
    }

    /// Matches that are awake.
    pub fn awake(&self) -> usize {
        self.awake.load(Relaxed)
    }

    /// What a match of this mode costs, as far as that is known.
    fn expected_cost(&self, mode_index: u8) -> u32 {
        match self.cost_of(mode_index).load(Relaxed) {
            0 => UNKNOWN_COST,
            known => known,
        }
    }

    fn cost_of(&self, mode_index: u8) -> &AtomicU32 {
        let [first, ..] = &self.costs;
        self.costs.get(usize::from(mode_index).min(MODES_MAX - 1)).unwrap_or(first)
    }
}

/// The load of a match that no worker runs, as in tests.
pub fn nobody() -> Arc<Load> {
    static NOBODY: OnceLock<Arc<Load>> = OnceLock::new();
    Arc::clone(NOBODY.get_or_init(|| Load::new(HeadroomConfig::NONE)))
}

/// A match that is awake.
#[derive(Debug)]
pub struct Awake(Arc<Load>);

impl Drop for Awake {
    fn drop(&mut self) {
        self.0.awake.fetch_sub(1, Relaxed);
    }
}

/// A worker's look at itself, once a beat.
#[derive(Debug)]
pub struct Gauge {
    beats: VecDeque<Beat>,
    last: Instant,
    idle_us: u64,
    ticks: u64,
    late_ticks: u64,
}

/// What happened in a beat.
#[derive(Clone, Copy, Debug)]
struct Beat {
    took_us: u64,
    idle_us: u64,
    ticks: u64,
    late_ticks: u64,
    promised: u32,
}

impl Gauge {
    /// Begins at `now`.
    pub fn new(now: Instant) -> Self {
        Self { beats: VecDeque::with_capacity(BEATS), last: now, idle_us: 0, ticks: 0, late_ticks: 0 }
    }

    /// Measures what `load` has noted since the last beat.
    pub fn beat(&mut self, now: Instant, load: &Load) {
        let (idle, ticks, late) = (load.idle_us.load(Relaxed), load.ticks.load(Relaxed), load.late_ticks.load(Relaxed));
        if self.beats.len() == BEATS {
            self.beats.pop_front();
        }
        self.beats.push_back(Beat {
            took_us: micros(now.saturating_duration_since(self.last)),
            idle_us: idle.saturating_sub(self.idle_us),
            ticks: ticks.saturating_sub(self.ticks),
            late_ticks: late.saturating_sub(self.late_ticks),
            promised: load.promised.swap(0, Relaxed),
        });
        (self.last, self.idle_us, self.ticks, self.late_ticks) = (now, idle, ticks, late);
        self.judge(load);
    }

    fn judge(&self, load: &Load) {
        let sum = |part: fn(&Beat) -> u64| self.beats.iter().map(part).sum::<u64>();
        let (took, idle) = (sum(|beat| beat.took_us), sum(|beat| beat.idle_us));
        let busy = (took.saturating_sub(idle) * u64::from(WHOLE)).checked_div(took).unwrap_or_default();
        // What was promised shows in the measurement by and by: in the last beat not at all yet.
        let ages = self.beats.iter().rev().enumerate();
        let promised: u64 = ages.map(|(age, beat)| u64::from(beat.promised) * (BEATS - age) as u64 / BEATS as u64).sum();
        let expected = u32::try_from(busy + promised).unwrap_or(u32::MAX);
        load.measured.store(expected, Relaxed);

        let full = percent(load.limits.busy_percent).is_some_and(|most| {
            let most = if load.is_full.load(Relaxed) { most.saturating_sub(HYSTERESIS) } else { most };
            expected > most
        });
        load.is_full.store(full, Relaxed);
        let (ticks, late_ticks) = (sum(|beat| beat.ticks), sum(|beat| beat.late_ticks));
        let late = percent(load.limits.late_percent).is_some_and(|most| {
            let most = if load.is_late.load(Relaxed) { most / 2 } else { most };
            ticks >= TICKS_TOLD_MIN && late_ticks * u64::from(WHOLE) > ticks * u64::from(most)
        });
        load.is_late.store(late, Relaxed);
    }
}

/// Of a whole worker. `None` for no limit.
fn percent(percent: u8) -> Option<u32> {
    (percent > 0).then(|| u32::from(percent) * (WHOLE / 100))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

//! How much of the memory that this process may have is in use, and whether that is too much. A
//! leaf: it imports the settings and nothing else of ours.
//!
//! [`usage`] is what the system says. What follows, others do: the gateway lets nobody new in, and
//! the directory sheds who takes most.

mod usage;

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};

use crate::config::MemoryConfig;
use usage::{Source, Usage};

/// A brake is let go when so much less is in use, in thousandths.
const HYSTERESIS: u32 = 50;

/// How short of memory this process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Pressure {
    /// There is enough.
    None,
    /// Nobody new is let in.
    Brake,
    /// What takes most is shed.
    Shed,
}

/// Says when memory runs short.
#[derive(Debug)]
pub(crate) struct Brake {
    source: Source,
    halt_over: Option<u32>,
    shed_over: Option<u32>,
    pressure: AtomicU8,
    /// Thousandths in use, as last seen; `u32::MAX` while nobody knows.
    used: AtomicU32,
}

impl Brake {
    /// With limits as the operator set them.
    pub(crate) fn new(config: &MemoryConfig) -> Self {
        let limit = |percent: u8| (percent > 0).then(|| u32::from(percent) * 10);
        let [halt_over, shed_over] = [limit(config.brake_percent), limit(config.shed_percent)];
        let source = Source::new("/", config.limit_bytes);
        Self { source, halt_over, shed_over, pressure: AtomicU8::new(Pressure::None as u8), used: AtomicU32::new(u32::MAX) }
    }

    /// Looks at what is in use.
    pub(crate) fn look(&self) -> Pressure {
        self.judge(self.source.read())
    }

    /// Takes note of what is in use. Where that is unknown, nothing is too much.
    fn judge(&self, usage: Option<Usage>) -> Pressure {
        let used = usage.map(Usage::thousandths);
        self.used.store(used.unwrap_or(u32::MAX), Relaxed);
        let is_over = |limit: Option<u32>, slack: u32| limit.zip(used).is_some_and(|(limit, used)| used >= limit.saturating_sub(slack));
        let slack = if self.is_on() { HYSTERESIS } else { 0 };
        let pressure = if is_over(self.shed_over, 0) {
            Pressure::Shed
        } else if is_over(self.halt_over, slack) {
            Pressure::Brake
        } else {
            Pressure::None
        };
        self.pressure.store(pressure as u8, Relaxed);
        pressure
    }

    /// How short of memory this process was when it was last looked at.
    pub(crate) fn pressure(&self) -> Pressure {
        let pressure = self.pressure.load(Relaxed);
        [Pressure::Shed, Pressure::Brake].into_iter().find(|known| *known as u8 == pressure).unwrap_or(Pressure::None)
    }

    /// Whether nobody new is let in.
    pub(crate) fn is_on(&self) -> bool {
        self.pressure() > Pressure::None
    }

    /// The part in use, as last seen, if that is known.
    pub(crate) fn used(&self) -> Option<f64> {
        let used = self.used.load(Relaxed);
        (used < u32::MAX).then(|| f64::from(used) / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(percent: u64) -> Usage {
        Usage { used: percent, limit: 100 }
    }

    #[test]
    fn the_brake_is_let_go_when_there_is_clearly_enough_and_shedding_stops_at_once() {
        let brake = Brake::new(&MemoryConfig::default());
        let seen = [84, 85, 94, 95, 99, 94, 81, 80, 79, 84].map(|used| brake.judge(Some(percent(used))) as u8);
        assert_eq!(seen, [0, 1, 1, 2, 2, 1, 1, 1, 0, 0]);
        assert_eq!((brake.is_on(), brake.used()), (false, Some(0.84)));
    }

    #[test]
    fn where_nobody_knows_or_nobody_asks_nothing_is_too_much() {
        let brake = Brake::new(&MemoryConfig::default());
        assert_eq!((brake.judge(Some(percent(99))), brake.judge(None)), (Pressure::Shed, Pressure::None));
        assert_eq!(brake.used(), None);
        let off = Brake::new(&MemoryConfig { brake_percent: 0, shed_percent: 0, ..MemoryConfig::default() });
        assert_eq!(off.judge(Some(percent(100))), Pressure::None);
    }
}

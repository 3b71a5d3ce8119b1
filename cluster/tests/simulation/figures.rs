//! What happened in simulated clusters, in numbers.

use std::fmt;

/// What happened, in numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) seeds: u64,
    pub(crate) ticks: u64,
    pub(crate) takeovers: u64,
    pub(crate) hand_overs: u64,
    pub(crate) crashes: u64,
    pub(crate) faults: u64,
    /// Matches whose newest ticks went with the store and their owner.
    pub(crate) excused: u64,
    /// From a node's crash until one of its matches went on elsewhere, milliseconds.
    pub(crate) back_ms: Vec<u64>,
}

impl Figures {
    pub(crate) fn add(&mut self, other: &Self) {
        self.seeds += 1;
        self.ticks += other.ticks;
        self.takeovers += other.takeovers;
        self.hand_overs += other.hand_overs;
        self.crashes += other.crashes;
        self.faults += other.faults;
        self.excused += other.excused;
        self.back_ms.extend(&other.back_ms);
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut back = self.back_ms.clone();
        back.sort_unstable();
        let part = |thousandths: usize| {
            back.get((back.len() * thousandths / 1_000).min(back.len().saturating_sub(1))).copied().unwrap_or_default()
        };
        write!(
            formatter,
            "{} seeds: {} ticks told, {} faults, {} takeovers, {} hand-overs, ",
            self.seeds, self.ticks, self.faults, self.takeovers, self.hand_overs
        )?;
        write!(formatter, "{} set back with the store and their owner; {} lone crashes, ", self.excused, self.crashes)?;
        write!(
            formatter,
            "their {} matches go on elsewhere after {} ms (median), {} ms (99 %), {} ms (longest)",
            back.len(),
            part(500),
            part(990),
            part(1_000)
        )
    }
}

//! What a run does.

use std::time::Duration;

use crate::arm::Arm;

/// What to run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) arms: Vec<Arm>,
    /// Player counts, rising.
    pub(crate) players: Vec<usize>,
    pub(crate) repeats: usize,
    pub(crate) window: Duration,
    /// How capacity is looked for; `None` to leave it out.
    pub(crate) capacity: Option<Search>,
    /// As the reader would repeat it.
    pub(crate) command: String,
}

/// How to look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Search {
    /// Players are multiplied by this until the arm breaks.
    pub(crate) growth: f64,
    /// How often the last step is halved then.
    pub(crate) halvings: u32,
    /// How long each trial counts.
    pub(crate) window: Duration,
}

impl Search {
    /// The share of a capacity that it is known to.
    pub(crate) fn resolution(self) -> f64 {
        (self.growth - 1.0) / f64::from(1 << self.halvings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resolution_is_the_last_step() {
        let search = Search { growth: 1.3, halvings: 2, window: Duration::from_secs(1) };
        assert!((search.resolution() - 0.075).abs() < 1e-9);
    }
}

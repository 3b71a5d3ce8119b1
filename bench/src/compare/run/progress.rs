//! A line per step: what runs, what came out of it, and how long the rest may take.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::plan::Plan;
use crate::trial::SETTLE;

/// What a step takes besides counting: a server starts, players join, a server ends.
const OVERHEAD: Duration = Duration::from_millis(1800);
/// How many trials a search for capacity takes, about.
const CAPACITY_TRIALS: u32 = 7;

/// Prints the steps of a run.
pub(super) struct Progress {
    began: Instant,
    done: usize,
    /// Expected lengths of all steps, in order; the search for capacity may take more or fewer.
    steps: Vec<Duration>,
}

impl Progress {
    pub(super) fn new(plan: &Plan) -> Self {
        let check = Duration::from_secs(8);
        let measured = plan.window + SETTLE + OVERHEAD;
        let mut steps = vec![check; plan.arms.len()];
        steps.extend(vec![measured; plan.repeats * plan.arms.len() * plan.players.len()]);
        if let Some(search) = plan.capacity {
            let trial = search.window + SETTLE + OVERHEAD;
            steps.extend(vec![trial; plan.arms.len() * CAPACITY_TRIALS as usize]);
        }
        Self { began: Instant::now(), done: 0, steps }
    }

    /// Says what is run now.
    pub(super) fn begin(&self, what: &str) {
        let left: Duration = self.steps.iter().skip(self.done).sum();
        let minutes = left.as_secs().div_ceil(60);
        say(&format!("[{:>5.0} s, about {minutes} min left] {what} ... ", self.began.elapsed().as_secs_f64()));
    }

    /// Says something in between.
    pub(super) fn say(what: &str) {
        say(&format!("{what} ... "));
    }

    /// Says why nothing came out of it.
    pub(super) fn fail(error: &anyhow::Error) {
        say(&format!("failed: {error:#}\n"));
    }

    /// Says what came out of it.
    pub(super) fn end(&mut self, what: &str) {
        say(&format!("{what}\n"));
        self.done += 1;
    }
}

fn say(words: &str) {
    let mut out = std::io::stdout().lock();
    // Where nobody reads any more there is nobody to tell.
    let _ = out.write_all(words.as_bytes()).and_then(|()| out.flush());
}

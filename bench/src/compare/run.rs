//! A whole run: the workload is checked, then every arm at every player count, again and again, then what each arm holds.
//!
//! Arms take turns within a repeat, so that a machine that grows slower in an hour slows all of them alike. Ctrl-C ends the run with
//! the figures there are.

mod capacity;
mod check;
mod progress;
mod state;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Result, bail};

use crate::arm::Arm;
use crate::generator::Watch;
use crate::plan::Plan;
use crate::report::Report;
use crate::server::Programs;
use crate::workload::Interrupted;
use progress::Progress;
use state::Run;

/// How a run ended, and what it brought.
pub(crate) struct Outcome {
    pub(crate) report: Report,
    /// Why it ended early, if it did.
    pub(crate) error: Option<anyhow::Error>,
}

/// Runs the plan as far as it goes.
pub(crate) fn run(plan: &Plan, programs: &Programs, interrupted: Arc<AtomicBool>) -> Outcome {
    let mut run = Run::new(plan, programs, interrupted);
    let error = run.everything().err();
    if error.as_ref().is_some_and(|error| error.is::<Interrupted>() || error.root_cause().is::<Interrupted>()) {
        run.notes.push("interrupted: these are the figures of the part that was run".to_owned());
    }
    Outcome { report: run.into_report(), error }
}

impl Run<'_> {
    fn everything(&mut self) -> Result<()> {
        check::workload(self)?;
        for repeat in 0..self.plan.repeats {
            for arm in self.plan.arms.clone() {
                self.measure_or_note(arm, repeat)?;
            }
        }
        if let Some(search) = self.plan.capacity {
            for arm in self.plan.arms.clone() {
                capacity::find(self, arm, search)?;
            }
        }
        if self.has_failed {
            bail!("an arm failed; the notes say how");
        }
        Ok(())
    }

    /// A failure costs an arm one repeat, not everybody the run; a second one in a row is noted.
    fn measure_or_note(&mut self, arm: Arm, repeat: usize) -> Result<()> {
        for is_last in [false, true] {
            let Err(error) = self.measure(arm, repeat) else { return Ok(()) };
            if error.root_cause().is::<Interrupted>() {
                return Err(error);
            }
            self.samples.entry(arm).or_default().pop();
            Progress::fail(&error);
            if is_last {
                self.notes.push(format!("failed in repeat {}: {error:#}", repeat + 1));
                self.has_failed = true;
            }
        }
        Ok(())
    }

    /// One repeat of one arm: one server, and more and more players on it.
    fn measure(&mut self, arm: Arm, repeat: usize) -> Result<()> {
        self.samples.entry(arm).or_default().push(Vec::new());
        // The updates of the other servers were looked at when the workload was checked: to decode
        // them again would only keep this program busy.
        let watch = if arm.transport().is_some() { Watch::OnePerMatch } else { Watch::Nobody };
        let mut trial = self.start(arm, watch)?;
        for players in self.plan.players.clone() {
            self.progress.begin(&format!("{}, {players} players, repeat {} of {}", arm.name(), repeat + 1, self.plan.repeats));
            trial.grow_to(players)?;
            let sample = trial.measure(self.plan.window)?;
            self.progress.end(&format!(
                "{:.1} µs an update, gap p99 {:.1} ms, {:.1} Hz",
                sample.cpu_us_per_update(),
                sample.gap_ms_p99,
                sample.delivered_hz
            ));
            // At once: what is measured is kept, however the run ends.
            if let Some(repeat) = self.samples.entry(arm).or_default().last_mut() {
                repeat.push(sample);
            }
        }
        if arm == Arm::Tickwire {
            self.tally.add(trial.tally());
        }
        Ok(())
    }
}

//! A whole run: the workload is checked, then every arm at every player count, again and again, then what each arm holds.
//!
//! Arms take turns within a repeat, so that a machine that grows slower in an hour slows all of them alike. Ctrl-C ends the run with
//! the figures there are.

mod capacity;
mod check;
mod progress;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Result, bail};

use tickwire_bench::checkout;

use crate::Interrupted;
use crate::arm::Arm;
use crate::generator::Watch;
use crate::report::{self, Machine, Report, Samples, Settings};
use crate::server::Programs;
use crate::trial::Trial;
use crate::watch::{Means, Tally};
use progress::Progress;

/// What to run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) arms: Vec<Arm>,
    /// Player counts, rising.
    pub(crate) players: Vec<usize>,
    pub(crate) repeats: usize,
    pub(crate) window: Duration,
    /// How capacity is looked for; `None` to leave it out.
    pub(crate) capacity: Option<capacity::Search>,
    /// As the reader would repeat it.
    pub(crate) command: String,
}

pub(crate) use capacity::Search;

/// How a run ended, and what it brought.
pub(crate) struct Outcome {
    pub(crate) report: Report,
    /// Why it ended early, if it did.
    pub(crate) error: Option<anyhow::Error>,
}

/// A run under way.
struct Run<'a> {
    plan: &'a Plan,
    programs: &'a Programs,
    interrupted: Arc<AtomicBool>,
    progress: Progress,
    /// What the floor writes: as much as Tickwire does.
    floor_payload_bytes: usize,
    workload: BTreeMap<String, Means>,
    /// Tickwire's updates while it was measured.
    tally: Tally,
    samples: Samples,
    capacities: BTreeMap<Arm, usize>,
    notes: Vec<String>,
    /// A measurement is missing.
    has_failed: bool,
}

/// Runs the plan as far as it goes.
pub(crate) fn run(plan: &Plan, programs: &Programs, interrupted: Arc<AtomicBool>) -> Outcome {
    let mut run = Run {
        plan,
        programs,
        interrupted,
        progress: Progress::new(plan),
        floor_payload_bytes: FLOOR_PAYLOAD_BYTES,
        workload: BTreeMap::new(),
        tally: Tally::default(),
        samples: Samples::new(),
        capacities: BTreeMap::new(),
        notes: Vec::new(),
        has_failed: false,
    };
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
        let mut trial = self.start(arm, Watch::OnePerMatch)?;
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

    /// Only Tickwire's updates are worth decoding while others are measured: the others' were looked at when the workload was
    /// checked.
    fn start(&self, arm: Arm, watch: Watch) -> Result<Trial> {
        let watch = if arm.transport().is_some() { watch } else { Watch::Nobody };
        Trial::start(self.programs, arm, self.floor_payload_bytes, watch, Arc::clone(&self.interrupted))
    }

    fn into_report(mut self) -> Report {
        if let Some(means) = self.tally.means() {
            self.workload.insert(Arm::Tickwire.name().to_owned(), means);
        }
        let arms = report::arms(&self.samples, &self.capacities);
        self.notes.extend(report::bottlenecks(&arms));
        Report {
            ratios: report::ratios(&arms),
            arms,
            commit: checkout::commit(),
            machine: Machine::this(),
            workload: self.workload,
            settings: Settings {
                command: self.plan.command.clone(),
                repeats: self.plan.repeats,
                window_seconds: self.plan.window.as_secs_f64(),
                capacity_step: self.plan.capacity.map_or(0.0, Search::resolution),
            },
            notes: self.notes,
        }
    }
}

/// What the floor writes when there is no Tickwire to match.
const FLOOR_PAYLOAD_BYTES: usize = 100;

//! A run under way: what it is made of, and what it has brought so far.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use tickwire_bench::checkout;

use super::progress::Progress;
use crate::arm::Arm;
use crate::generator::Watch;
use crate::plan::{Plan, Search};
use crate::report::{self, Machine, Report, Samples, Settings};
use crate::server::Programs;
use crate::trial::Trial;
use crate::watch::{Means, Tally};

/// A run under way.
pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) programs: &'a Programs,
    pub(super) interrupted: Arc<AtomicBool>,
    pub(super) progress: Progress,
    /// What the floor writes: as much as Tickwire does.
    pub(super) floor_payload_bytes: usize,
    pub(super) workload: BTreeMap<String, Means>,
    /// Tickwire's updates while it was measured.
    pub(super) tally: Tally,
    pub(super) samples: Samples,
    pub(super) capacities: BTreeMap<Arm, usize>,
    pub(super) notes: Vec<String>,
    /// A measurement is missing.
    pub(super) has_failed: bool,
}

impl<'a> Run<'a> {
    /// Nothing measured yet.
    pub(super) fn new(plan: &'a Plan, programs: &'a Programs, interrupted: Arc<AtomicBool>) -> Self {
        Self {
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
        }
    }

    /// Starts `arm` with nobody on it.
    pub(super) fn start(&self, arm: Arm, watch: Watch) -> Result<Trial> {
        Trial::start(self.programs, arm, self.floor_payload_bytes, watch, Arc::clone(&self.interrupted))
    }

    /// What it brought.
    pub(super) fn into_report(mut self) -> Report {
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

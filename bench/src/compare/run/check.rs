//! Before anything is measured: does every arm do the work? A few matches are played and looked into.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::state::Run;
use crate::arm::Arm;
use crate::generator::Watch;
use crate::trial::Trial;
use crate::watch::Means;
use crate::workload::MATCH_SEATS;

/// Matches that are looked into.
const MATCHES: usize = 4;
/// For as long as a measurement is, within these bounds, whole seconds.
const LOOK_SECONDS_MIN: u64 = 2;
const LOOK_SECONDS_MAX: u64 = 4;
/// Fewer movers in the mean are no arena-16.
const MOVERS_MIN: f64 = 12.0;

/// Fewer states reached the SDK's client only if something is wrong.
const STATES_A_SECOND_MIN: u64 = 10;

/// What the SDK's own client saw.
#[derive(Deserialize)]
struct Canary {
    states: u64,
    movers: f64,
    turners: f64,
    shots: f64,
    /// The share of its own ticks in which it moved as it asked to.
    obeyed: f64,
}

/// Looks into every arm, and finds out how much Tickwire sends, for the floor to send as much.
pub(super) fn workload(run: &mut Run<'_>) -> Result<()> {
    for arm in run.plan.arms.clone().into_iter().filter(|arm| *arm != Arm::Floor) {
        run.progress.begin(&format!("{}: looking into its updates", arm.name()));
        let means = look(run, arm)?;
        run.progress.end(&format!("{:.1} movers, {:.1} turners, {:.1} shots", means.movers, means.turners, means.shots));
        if means.movers < MOVERS_MIN {
            bail!("{} is not doing the work: {:.1} of {MATCH_SEATS} fighters move in an update", arm.name(), means.movers);
        }
        run.workload.insert(arm.name().to_owned(), means);
    }
    Ok(())
}

fn look(run: &mut Run<'_>, arm: Arm) -> Result<Means> {
    let is_colyseus = matches!(arm, Arm::Colyseus | Arm::ColyseusMessages);
    // The last seat is the canary's.
    let players = MATCHES * MATCH_SEATS - usize::from(is_colyseus);
    let mut trial = Trial::start(run.programs, arm, 0, Watch::OnePerMatch, Arc::clone(&run.interrupted))?;
    trial.grow_to(players)?;
    if is_colyseus {
        return ask_canary(run, arm, &mut trial);
    }
    let sample = trial.measure(Duration::from_secs(look_seconds(run)))?;
    if arm == Arm::Tickwire {
        run.floor_payload_bytes = sample.payload_bytes_per_update.round() as usize;
    }
    trial.tally().means().with_context(|| format!("{} sent nothing that could be decoded", arm.name()))
}

fn look_seconds(run: &Run<'_>) -> u64 {
    run.plan.window.as_secs().clamp(LOOK_SECONDS_MIN, LOOK_SECONDS_MAX)
}

fn ask_canary(run: &Run<'_>, arm: Arm, trial: &mut Trial) -> Result<Means> {
    let seconds = look_seconds(run);
    let mut node = Command::new("node");
    node.arg(run.programs.arms.join("canary.js")).arg(format!("http://{}", trial.address())).arg(seconds.to_string()).arg(arm.name());
    let child = node.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot start the canary")?;
    // The others play on meanwhile; the canary takes a while to start.
    trial.run_for(Duration::from_secs(seconds + 2))?;
    let output = child.wait_with_output()?;
    let seen: Canary = serde_json::from_slice(&output.stdout).with_context(|| format!("the canary of {} failed", arm.name()))?;
    if seen.states < STATES_A_SECOND_MIN * seconds || seen.obeyed < 0.8 {
        bail!("{} does not obey: {} states in {seconds} s, {:.0} % of inputs followed", arm.name(), seen.states, seen.obeyed * 100.0);
    }
    Ok(Means { movers: seen.movers, turners: seen.turners, shots: seen.shots })
}

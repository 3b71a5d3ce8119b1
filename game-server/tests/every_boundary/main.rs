//! A match whose process ends at any moment: at every write, sync, rename and removal of a short
//! match, and at random ones of random matches. What a player was shown is still so, and everybody
//! is in their seat again.
//!
//! The match's own task runs, on a simulated disk, with connections within the process and a clock
//! that stands still until it is moved. Between two changes of the disk nothing that a process does
//! outlives it, so to end it at each of them is to end it at each frame, too: what is sent before
//! that moment has come, what is sent later never does.
//!
//! `TICKWIRE_KILLS=10000` tries so many random moments, and `TICKWIRE_SEED=7` one of them.

#![allow(clippy::expect_used, clippy::panic)] // a test fails by panicking

mod machine;
mod player;
mod script;

use std::env;

use machine::{Crash, Machine};
use tickwire_journal::Durability;
use tickwire_journal::sim::{Planted, Survivors};

/// The process ends at `boundary`, if there is one, and two others go on. Whether it ended there.
fn end_at(boundary: Option<u64>, durability: Durability, crash: Crash, planted: Option<Planted>) -> Result<bool, String> {
    let mut machine = Machine::new(durability, 4);
    if let Some(planted) = planted {
        machine.sim.plant(planted);
    }
    if let Some(boundary) = boundary {
        machine.sim.end_at(boundary);
    }
    machine.live(&script::a_match())?;
    let has_ended = machine.sim.has_ended();
    for _ in 0..2 {
        machine.crash(crash);
        machine.live(&script::everybody_returns(&machine))?;
        machine.everybody_plays()?;
    }
    Ok(has_ended)
}

/// How many boundaries the match has.
fn boundaries(durability: Durability) -> u64 {
    let mut machine = Machine::new(durability, 4);
    machine.live(&script::a_match()).expect("a match that nothing happens to");
    machine.everybody_plays().expect("everybody plays");
    machine.sim.boundaries()
}

/// What is wrong when the process ends at each `step`th boundary.
fn violations(durability: Durability, crash: Crash, planted: Option<Planted>, step: usize) -> Vec<String> {
    let all = (0..boundaries(durability)).step_by(step);
    let wrong = all.filter_map(|boundary| {
        let wrong = match end_at(Some(boundary), durability, crash, planted) {
            Ok(true) => return None,
            Ok(false) => "the process did not end there".to_owned(),
            Err(wrong) => wrong,
        };
        Some(format!("{durability:?}, boundary {boundary}, {crash:?}: {wrong}"))
    });
    wrong.collect()
}

fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "{} violations, such as\n{}", violations.len(), violations[..violations.len().min(5)].join("\n"));
}

#[test]
fn wherever_the_process_ends_the_match_goes_on() {
    let boundaries = boundaries(Durability::Process);
    assert!(boundaries > 120, "the match has only {boundaries} boundaries");
    println!("{boundaries} boundaries");
    assert_none(&violations(Durability::Process, Crash::Process, None, 1));
}

#[test]
fn wherever_the_power_goes_the_match_goes_on_if_each_tick_is_synced() {
    for (nth, survivors) in [Survivors::None, Survivors::All, Survivors::Zeros, Survivors::Some(7)].into_iter().enumerate() {
        // Each boundary with one of them at least, the first with all.
        let step = if nth == 0 { 1 } else { 3 };
        assert_none(&violations(Durability::Tick, Crash::Power(survivors), None, step));
    }
}

#[test]
fn whenever_the_process_ends_the_match_goes_on() {
    if let Some(seed) = number("TICKWIRE_SEED") {
        return script::random(seed).unwrap_or_else(|wrong| panic!("TICKWIRE_SEED={seed}: {wrong}"));
    }
    let kills = number("TICKWIRE_KILLS").unwrap_or(500);
    let wrong = |seed| script::random(seed).err().map(|wrong| format!("TICKWIRE_SEED={seed}: {wrong}"));
    assert_none(&(0..kills).filter_map(wrong).collect::<Vec<_>>());
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// The checks can fail: each of these is noticed, most of the times.
#[test]
fn what_is_wrong_on_purpose_is_noticed() {
    let durability = Durability::Process;
    let noticed = |planted| violations(durability, Crash::Process, Some(planted), 16).len();
    let all = (boundaries(durability) as usize).div_ceil(16);
    assert_eq!(noticed(Planted::NoEnd), all, "a kill that is left out");
    assert!(noticed(Planted::HalfReads) > all / 2, "a restore that forgets the newest half");
    assert!(noticed(Planted::NoWrites) > all / 2, "a journal that is not written");
    let unsynced = violations(Durability::Tick, Crash::Power(Survivors::None), Some(Planted::NoFileSyncs), 16).len();
    assert!(unsynced > all / 2, "a journal that is not synced");
    assert!(
        violations(Durability::Process, Crash::Power(Survivors::None), None, 16).len() > all / 2,
        "a power loss that nothing is promised for"
    );
}

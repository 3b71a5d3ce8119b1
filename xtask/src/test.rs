//! `cargo xtask test`: every check there is, one after another; a failure stops nothing but is shown, counted and remembered.
//!
//! The last line of the output is always `N passed, N failed`. Tests count one by one, by their runner's own summary; any other check
//! counts as one.

mod checks;

use crate::console::Console;
use anyhow::{Result, bail};
use checks::CHECKS;
use std::process::ExitCode;
use std::time::Instant;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Leave out the browser tests and the instruction counts
    #[arg(long)]
    fast: bool,
    /// Only checks with this in their name, such as `rust` or `page`
    #[arg(long, value_name = "PART")]
    filter: Option<String>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<ExitCode> {
    let is_wanted = |name: &str| args.filter.as_ref().is_none_or(|part| name.contains(part.as_str()));
    let selected: Vec<_> = CHECKS.iter().filter(|check| is_wanted(check.name) && !(args.fast && check.is_slow)).collect();
    if selected.is_empty() {
        let names: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
        bail!("no check is called that; there are: {}", names.join(", "));
    }

    let started = Instant::now();
    let (mut passed, mut failed) = (0, 0);
    let mut failures = Vec::new();
    for check in selected {
        let mut step = console.begin(check.name)?;
        match (check.run)(&mut step) {
            Ok(tally) => {
                if check.counts_tests || tally.failed > 0 {
                    step.note(&tally.to_string());
                }
                step.end(if tally.failed == 0 { "ok, " } else { "FAILED, " });
                passed += tally.passed;
                failed += tally.failed;
                if tally.failed > 0 {
                    console.print_log(&step);
                    failures.push(format!("{}: {tally}", check.name));
                }
            }
            Err(error) => {
                step.end("FAILED, ");
                console.print_failure(&error);
                println!("{error:#}");
                failed += 1;
                failures.push(format!("{}: {error:#}", check.name));
            }
        }
    }

    println!("\nChecked in {:.0} s.", started.elapsed().as_secs_f64());
    for failure in &failures {
        println!("failed: {failure}");
    }
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

//! `cargo xtask test`: every check there is, one after another; a failure stops nothing but is
//! shown, counted and remembered.
//!
//! The last line of the output is always `N passed, N failed`. Tests count one by one, by their
//! runner's own summary; any other check counts as one.

mod checks;
mod platforms;

use crate::console::Console;
use crate::machine::Machine;
use crate::summaries::Tally;
use crate::wasm::Compiler;
use crate::{plan, server, tools};
use anyhow::{Result, bail};
use checks::{CHECKS, Check};
use std::process::ExitCode;
use std::time::Instant;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Leave out the load test, the browser tests, and what else takes minutes
    #[arg(long)]
    fast: bool,
    /// Only checks with this in their name, such as `rust` or `page`
    #[arg(long, value_name = "PART")]
    filter: Option<String>,
}

/// `commands` are those that this program has.
pub(crate) fn run(console: &Console, args: &Args, commands: &clap::Command) -> Result<ExitCode> {
    let is_wanted = |name: &str| args.filter.as_ref().is_none_or(|part| name.contains(part.as_str()));
    let selected: Vec<&Check> = CHECKS.iter().filter(|check| is_wanted(check.name) && !(args.fast && check.is_slow)).collect();
    if selected.is_empty() {
        let names: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
        bail!("no check is called that; there are: {}", names.join(", "));
    }

    console.say(&format!("{}\n", outline(&selected, &Found::look(&selected))));
    let started = Instant::now();
    let (mut passed, mut failed) = (0, 0);
    let (mut failures, mut skipped) = (Vec::new(), Vec::new());
    for check in selected {
        let mut step = console.begin(check.name)?;
        match check.run.call(&mut step, commands) {
            Ok(tally) => {
                let is_skipped = tally == Tally::none();
                if is_skipped {
                    skipped.push(check.name);
                } else if check.counts_tests || tally.failed > 0 {
                    step.note(&tally.to_string());
                }
                step.end(if is_skipped {
                    "skipped, "
                } else if tally.failed == 0 {
                    "ok, "
                } else {
                    "FAILED, "
                });
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
    for name in &skipped {
        println!("skipped: {name}");
    }
    for failure in &failures {
        println!("failed: {failure}");
    }
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What there is to begin with.
struct Found {
    /// The workspace was built here before.
    is_built: bool,
    /// What the checks install first, by its name for a person.
    missing: Vec<&'static str>,
}

impl Found {
    fn look(checks: &[&Check]) -> Self {
        let machine = Machine::this();
        let some_check = |part: &str| checks.iter().any(|check| check.name.contains(part));
        let mut missing = Vec::new();
        if (some_check("browser") || some_check("page")) && Compiler::find(&machine).is_none() {
            missing.push("a compiler for WebAssembly");
        }
        if some_check("browser tests") && !tools::seems_to_have_chromium(&machine) {
            missing.push("Chromium");
        }
        if some_check("browser tests") && !tools::missing_proxies(&machine).is_empty() {
            missing.push("reverse proxies");
        }
        if some_check("rust tests") && !tools::missing_redis(&machine).is_empty() {
            missing.push("Redis");
        }
        if some_check("protocol") && machine.program("python3").is_none() {
            missing.push("Python");
        }
        Self { is_built: server::binary_for_tests().is_file(), missing }
    }
}

/// What is going to happen, and how long that takes.
fn outline(checks: &[&Check], found: &Found) -> String {
    let total = |seconds: fn(&Check) -> u32| checks.iter().map(|check| seconds(check)).sum();
    let (cold, warm) = (plan::duration(total(|check| check.seconds.0)), plan::duration(total(|check| check.seconds.1)));
    let names = checks.iter().map(|check| check.name).collect::<Vec<_>>().join(", ");
    let work = match checks.len() {
        1 => format!("Runs one check: {names}."),
        count => format!("Runs {count} checks, and goes on after a failure: {names}."),
    };
    let time = if cold == warm {
        format!("That takes {warm} on two cores.")
    } else if found.is_built {
        format!("That takes {warm} on two cores, more if much has changed since the last time.")
    } else {
        format!("That takes {cold} on two cores, because everything is compiled for the first time; later {warm}.")
    };
    let installs = format!("What is missing is installed when a check needs it: {}.", found.missing.join(", "));
    let paragraphs = [work.as_str(), time.as_str(), installs.as_str()];
    plan::lines(if found.missing.is_empty() { &paragraphs[..2] } else { &paragraphs })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline_of(is_built: bool, missing: Vec<&'static str>, is_wanted: fn(&Check) -> bool) -> String {
        let checks: Vec<&Check> = CHECKS.iter().filter(|check| is_wanted(check)).collect();
        outline(&checks, &Found { is_built, missing }).replace('\n', " ")
    }

    #[test]
    fn the_outline_says_what_runs_and_how_long_it_takes() {
        let cold = outline_of(false, vec!["Chromium", "Python"], |_| true);
        assert!(cold.starts_with(&format!("Runs {} checks", CHECKS.len())), "{cold}");
        assert!(CHECKS.iter().all(|check| cold.contains(check.name)), "{cold}");
        assert!(cold.contains("minutes on two cores, because everything is compiled for the first time"), "{cold}");
        assert!(cold.ends_with("is installed when a check needs it: Chromium, Python."), "{cold}");
    }

    #[test]
    fn the_outline_of_what_was_built_before_and_of_few_checks_is_shorter() {
        let warm = outline_of(true, vec![], |check| check.name.contains("clippy") || check.name == "tidy");
        assert_eq!(
            warm,
            "Runs 2 checks, and goes on after a failure: tidy, clippy. \
             That takes a few seconds on two cores, more if much has changed since the last time."
        );
        let one = outline_of(false, vec![], |check| check.name == "rustfmt");
        assert_eq!(one, "Runs one check: rustfmt. That takes a few seconds on two cores.");
    }
}

//! `cargo xtask instructions`: how many instructions the hot paths take, counted by valgrind's
//! callgrind. Unlike a time, the count is the same on a busy machine as on an idle one, so two
//! commits can be compared by it. Nothing is asserted: a number is for somebody to look at.

use crate::console::{Console, Step};
use crate::machine::Machine;
use crate::summaries::Tally;
use crate::workspace;
use anyhow::{Context, Result};
use std::process::{Command, ExitCode};

/// A program that does something in a function named `measured`.
struct Program {
    package: &'static str,
    /// Its features that are needed for it.
    features: &'static [&'static str],
    example: &'static str,
    /// Its arguments, for each thing that is counted.
    subjects: &'static [&'static [&'static str]],
}

/// What a match of sixteen costs: a minute.
const SMALL: Program = Program {
    package: "arena",
    features: &[],
    example: "instructions",
    subjects: &[&["encode"], &["apply"], &["capture"], &["tick"], &["decode"]],
};
/// A thousand players: some minutes more, so `cargo xtask test` leaves it out.
const LARGE: Program =
    Program { package: "tickwire-server", features: &[], example: "royale_cost", subjects: &[&["count", "small"], &["count", "spread"]] };
/// What installs valgrind.
pub(crate) const INSTALL_COMMAND: &str = "apt-get install valgrind";
const NO_VALGRIND: &str = "valgrind is not installed; `apt-get install valgrind` installs it";

/// Instructions of one thing done once.
#[derive(Debug, PartialEq)]
struct Count {
    each: f64,
    what: String,
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.0} per {}", self.each, self.what)
    }
}

pub(crate) fn run(console: &Console) -> Result<ExitCode> {
    let counts = console.step("Counting instructions", |step| count(step, &[SMALL, LARGE]))?;
    match counts {
        Some(counts) => counts.iter().for_each(|count| println!("{count}")),
        None => println!("skipped: {NO_VALGRIND}"),
    }
    Ok(ExitCode::SUCCESS)
}

/// The last step of `cargo xtask test`: says the counts, and passes whatever they are.
pub(crate) fn say(step: &mut Step) -> Result<Tally> {
    if let Some(counts) = count(step, &[SMALL])? {
        counts.iter().for_each(|count| step.note(&count.to_string()));
        Ok(Tally::one())
    } else {
        step.note(NO_VALGRIND);
        Ok(Tally::none())
    }
}

/// `None` without valgrind.
fn count(step: &mut Step, programs: &[Program]) -> Result<Option<Vec<Count>>> {
    let Some(valgrind) = Machine::this().program("valgrind") else { return Ok(None) };
    let mut counts = Vec::new();
    for Program { package, features, example, subjects } in programs {
        let mut cargo = workspace::cargo();
        cargo.args(["build", "--release", "-p", package, "--example", example]);
        cargo.arg("--features").arg(features.join(",")).args(workspace::lock_flag());
        step.must("building what is counted", &mut cargo)?;
        let program = workspace::target_dir().join("release/examples").join(example);
        for arguments in *subjects {
            let mut command = Command::new(&valgrind);
            command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no", "--toggle-collect=*measured*"]);
            let output = step.must("callgrind", command.arg(&program).args(*arguments))?;
            counts.push(read(&output).with_context(|| format!("callgrind says nothing of `{arguments:?}` that can be read"))?);
        }
    }
    Ok(Some(counts))
}

/// The program's "1800 tick of a match" and callgrind's "==7== Collected : 12345", among whatever
/// else they say.
fn read(output: &str) -> Option<Count> {
    let (times, what) =
        output.lines().filter_map(|line| line.split_once(' ')).find_map(|(n, what)| Some((n.parse::<u32>().ok()?, what)))?;
    let collected = output.lines().find_map(|line| line.split_once("Collected :"))?.1.trim().parse::<f64>().ok()?;
    (times > 0 && collected > 0.0).then(|| Count { each: collected / f64::from(times), what: what.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "==7== Callgrind, a call-graph generating cache profiler\n==7== Command: instructions tick\n200 tick of a match\n\
                          ==7== Events    : Ir\n==7== Collected : 4100\n==7==\n==7== I   refs:      4,100\n";

    #[test]
    fn both_voices_are_read() {
        let count = read(OUTPUT).expect("both are there");
        assert_eq!(count, Count { each: 20.5, what: "tick of a match".to_string() });
    }

    #[test]
    fn a_count_of_nothing_is_none() {
        assert_eq!(read("==7== Collected : 4100\n"), None);
        assert_eq!(read(&OUTPUT.replace("4100", "0")), None, "the function was not found");
        assert_eq!(read(&OUTPUT.replace("200 tick", "0 tick")), None);
    }
}

//! `cargo xtask fuzz`: each target under fuzz/ attacked for a while. fuzz/ is a workspace of its own, so that nobody who does not
//! fuzz builds what fuzzing needs.

use crate::console::Console;
use crate::process::ask;
use crate::workspace;
use anyhow::{Context, Result, bail};
use std::process::{Command, ExitCode};
use std::time::Duration;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long to attack each target
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Only this target
    target: Option<String>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<ExitCode> {
    if find_cargo_fuzz().is_none() {
        bail!("cargo-fuzz is not installed: run `{INSTALL_COMMAND}`");
    }
    let targets: Vec<String> = targets()?.into_iter().filter(|name| args.target.as_ref().is_none_or(|wanted| wanted == name)).collect();
    if targets.is_empty() {
        bail!("no such fuzz target; there are: {}", self::targets()?.join(", "));
    }
    for target in targets {
        console.step(&format!("Fuzzing {target} for {} s", args.seconds), |step| {
            let mut command = cargo();
            command.args(["fuzz", "run", "--fuzz-dir", "fuzz", &target, "--"]).arg(format!("-max_total_time={}", args.seconds));
            let finished = step.run_for(&mut command, Duration::from_secs(args.seconds) + BUILD_LIMIT)?;
            if finished.success {
                step.note(last_progress(&finished.output));
                return Ok(());
            }
            let summary =
                format!("fuzz target {target} failed ({}); the input that did it is under fuzz/artifacts/{target}", finished.ending);
            Err(step.failure(summary, finished.output).into())
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn find_cargo_fuzz() -> Option<String> {
    ask(Command::new("cargo-fuzz").arg("--version"))
}

/// The nightly toolchain if it is installed; else the active one, told to accept what only nightly may.
fn cargo() -> Command {
    // By its plain name: only a toolchain manager's cargo understands `+nightly`.
    let plain = || {
        let mut command = Command::new("cargo");
        command.current_dir(workspace::root()).env("RUSTUP_AUTO_INSTALL", "0").env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
        for name in workspace::variables_of_cargo_run() {
            command.env_remove(name);
        }
        command
    };
    if ask(plain().args(["+nightly", "--version"])).is_some() {
        let mut command = plain();
        command.arg("+nightly");
        return command;
    }
    let mut command = plain();
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}

fn targets() -> Result<Vec<String>> {
    let dir = workspace::root().join("fuzz/fuzz_targets");
    let entries = dir.read_dir().with_context(|| format!("cannot read {}", dir.display()))?;
    let files = entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let mut names: Vec<String> = files.filter_map(|path| Some(path.file_stem()?.to_str()?.to_string())).collect();
    names.sort();
    Ok(names)
}

/// libFuzzer's last word: "Done 123456 runs in 31 second(s)".
fn last_progress(output: &str) -> &str {
    output.lines().rev().find(|line| line.starts_with("Done ")).unwrap_or("done")
}

/// What installs cargo-fuzz.
pub(crate) const INSTALL_COMMAND: &str = "cargo install cargo-fuzz";
const BUILD_LIMIT: Duration = Duration::from_mins(15);

#[cfg(test)]
mod tests {
    use super::last_progress;

    #[test]
    fn the_note_is_the_fuzzers_last_word() {
        assert_eq!(last_progress("#1 INITED\nDone 42 runs in 1 second(s)\n"), "Done 42 runs in 1 second(s)");
    }
}

//! `cargo xtask fuzz`: each target under fuzz/ attacked for a while. fuzz/ is a workspace of its
//! own, so that nobody who does not fuzz builds what fuzzing needs.

use crate::console::{Console, Step};
use crate::process::ask;
use crate::workspace;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long to attack each target [default: half a minute]
    #[arg(long, value_name = "N")]
    minutes: Option<f64>,
    /// Afterwards, keep what reaches further than the corpus did: writes fuzz/corpus/ again
    #[arg(long)]
    keep: bool,
    /// Only this target
    target: Option<String>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<ExitCode> {
    if find_cargo_fuzz().is_none() {
        bail!("cargo-fuzz is not installed: run `{INSTALL_COMMAND}` (what was found before is tried without: `{REPLAY_COMMAND}`)");
    }
    let targets: Vec<String> = targets()?.into_iter().filter(|name| args.target.as_ref().is_none_or(|wanted| wanted == name)).collect();
    if targets.is_empty() {
        bail!("no such fuzz target; there are: {}", self::targets()?.join(", "));
    }
    let time = args.minutes.map_or(Ok(DEFAULT_TIME), |minutes| Duration::try_from_secs_f64(minutes * 60.0)).context("--minutes")?;
    for (index, target) in targets.iter().enumerate() {
        let seconds = time.as_secs().max(1);
        console
            .step(&format!("Fuzzing {target} for {seconds} s ({} of {})", index + 1, targets.len()), |step| fuzz(step, target, seconds))?;
        if args.keep {
            console.step(&format!("Choosing the corpus of {target}"), |step| keep(step, target))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn fuzz(step: &mut Step, target: &str, seconds: u64) -> Result<()> {
    let found = found(target);
    fs::create_dir_all(&found).with_context(|| format!("cannot create {}", found.display()))?;
    let mut command = cargo();
    // What is new goes into the first folder; the other one is read only.
    command.args(["fuzz", "run", "--fuzz-dir", "fuzz", target]).args([&found, &corpus(target)]).arg("--");
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={INPUT_BYTES_MAX}"));
    let finished = step.run_for(&mut command, Duration::from_secs(seconds) + BUILD_LIMIT)?;
    if finished.success {
        step.note(&last_progress(&finished.output));
        return Ok(());
    }
    let summary = format!("fuzz target {target} failed ({}); the input that did it is under fuzz/artifacts/{target}", finished.ending);
    Err(step.failure(summary, finished.output).into())
}

/// Puts the fewest and smallest files that reach all that was reached into the corpus; an even
/// choice of them where there are too many.
fn keep(step: &mut Step, target: &str) -> Result<()> {
    let (corpus, chosen) = (corpus(target), found(target).with_extension("chosen"));
    // What an earlier choice left.
    let _ = fs::remove_dir_all(&chosen);
    fs::create_dir_all(&chosen).with_context(|| format!("cannot create {}", chosen.display()))?;
    let mut command = cargo();
    command.args(["fuzz", "run", "--fuzz-dir", "fuzz", target]).args([&chosen, &corpus, &found(target)]).arg("--");
    command.args(["-set_cover_merge=1", &format!("-max_len={FILE_BYTES_MAX}")]);
    step.must("the fuzzer, which was to choose among what it found", &mut command)?;
    let mut files: Vec<(u64, PathBuf)> = Vec::new();
    for entry in chosen.read_dir().with_context(|| format!("cannot read {}", chosen.display()))? {
        let entry = entry?;
        files.push((entry.metadata()?.len(), entry.path()));
    }
    files.sort();
    let before = (corpus.read_dir()?.count(), files.len());
    fs::remove_dir_all(&corpus)?;
    fs::create_dir_all(&corpus)?;
    for (_, file) in evenly(&files, FILES_MAX) {
        let name = file.file_name().context("a file without a name")?;
        fs::copy(file, corpus.join(name)).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    step.note(&format!("{} files, of {} that reach something; there were {}", files.len().min(FILES_MAX), before.1, before.0));
    Ok(())
}

/// `count` of these at most, from the first to the last.
fn evenly<T>(all: &[T], count: usize) -> impl Iterator<Item = &T> {
    let chosen = all.len().min(count);
    (0..chosen).filter_map(move |index| all.get(index * all.len() / chosen))
}

/// What a target starts from.
fn corpus(target: &str) -> PathBuf {
    workspace::root().join("fuzz/corpus").join(target)
}

/// What it finds.
fn found(target: &str) -> PathBuf {
    workspace::root().join("target/fuzz").join(target)
}

pub(crate) fn find_cargo_fuzz() -> Option<String> {
    ask(Command::new("cargo-fuzz").arg("--version"))
}

/// The nightly toolchain if it is installed; else the active one, told to accept what only nightly
/// may.
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

/// libFuzzer's last words: "Done 123456 runs in 31 second(s)", and how many places it has reached.
fn last_progress(output: &str) -> String {
    let done = output.lines().rev().find(|line| line.starts_with("Done ")).unwrap_or("done");
    let reached = output.lines().rev().find_map(|line| line.split_once(" cov: ")?.1.split(' ').next());
    reached.map_or_else(|| done.to_owned(), |reached| format!("{done}, {reached} places reached"))
}

/// What installs cargo-fuzz.
pub(crate) const INSTALL_COMMAND: &str = "cargo install cargo-fuzz --locked";
/// What tries what was found before.
const REPLAY_COMMAND: &str = "cargo test -p tickwire-fuzz-bodies";
const BUILD_LIMIT: Duration = Duration::from_mins(30);
const DEFAULT_TIME: Duration = Duration::from_secs(30);
/// More than any target looks at.
const INPUT_BYTES_MAX: usize = 8 * 1024;
/// `fuzz/bodies/tests/corpus.rs` wants no larger corpus.
const FILES_MAX: usize = 64;
const FILE_BYTES_MAX: usize = 4 * 1024;

#[cfg(test)]
mod tests {
    use super::{evenly, last_progress};

    #[test]
    fn the_note_is_the_fuzzers_last_word() {
        assert_eq!(last_progress("#1 INITED\nDone 42 runs in 1 second(s)\n"), "Done 42 runs in 1 second(s)");
        let output = "#2\tINITED cov: 12 ft: 13\n#9\tDONE   cov: 345 ft: 678 corp: 3/4b\nDone 9 runs in 1 second(s)\n";
        assert_eq!(last_progress(output), "Done 9 runs in 1 second(s), 345 places reached");
    }

    #[test]
    fn an_even_choice_is_all_or_some_of_each_size() {
        assert_eq!(evenly(&[1, 2, 3], 9).collect::<Vec<_>>(), [&1, &2, &3]);
        assert_eq!(evenly(&[1, 2, 3, 4, 5, 6], 3).collect::<Vec<_>>(), [&1, &3, &5]);
        assert_eq!(evenly::<u8>(&[], 3).count(), 0);
    }
}

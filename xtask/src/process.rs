//! Runs one program: its output goes to a log file, it may not read from the terminal, it has a
//! time limit, and it dies with us.
//!
//! Each program leads a process group of its own, so that a signal reaches it and everything it
//! started; Ctrl-C and SIGTERM are caught here and passed on for the same reason.

use anyhow::{Context, Result};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How a program ended.
pub(crate) struct Finished {
    pub(crate) success: bool,
    /// "exit status: 101", or why it was stopped.
    pub(crate) ending: String,
    /// All it wrote, both streams in the order written.
    pub(crate) output: String,
}

/// A program's failure, with the output that explains it; `Console::print_failure` shows that
/// before the error line.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) summary: String,
    pub(crate) output: String,
    pub(crate) log: PathBuf,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.summary)
    }
}

impl std::error::Error for Failure {}

/// Catches SIGINT and SIGTERM from now on, so that `run` can end what it started.
pub(crate) fn watch_signals() -> Result<()> {
    let flag = INTERRUPTED.get_or_init(|| Arc::new(AtomicBool::new(false)));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // A second signal while the first is being obeyed ends this process at once.
        signal_hook::flag::register_conditional_shutdown(signal, EXIT_INTERRUPTED, Arc::clone(flag)).context("cannot catch signals")?;
        signal_hook::flag::register(signal, Arc::clone(flag)).context("cannot catch signals")?;
    }
    Ok(())
}

/// Runs `command` to its end, appending to `log`. `watch` sees new output as it comes, and is
/// called several times a second anyway.
pub(crate) fn run(command: &mut Command, log: &Path, limit: Duration, mut watch: impl FnMut(&str)) -> Result<Finished> {
    let mut writer = OpenOptions::new().create(true).append(true).open(log).with_context(|| format!("cannot write {}", log.display()))?;
    writeln!(writer, "$ {}", shown(command)).with_context(|| format!("cannot write {}", log.display()))?;
    let mut reader = File::open(log)?;
    reader.seek(SeekFrom::End(0))?;

    // A runner that colours its output would hide its summary from `summaries`.
    command.env("NO_COLOR", "1").env("CARGO_TERM_COLOR", "never").env_remove("FORCE_COLOR").env_remove("CLICOLOR_FORCE");
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start `{}`", command.get_program().to_string_lossy()))?;

    let mut bytes = Vec::new();
    let mut seen = 0;
    let (status, stopped) = loop {
        if let Some(status) = child.try_wait()? {
            break (status, None);
        }
        if INTERRUPTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            stop(&mut child)?;
            eprintln!("\ninterrupted");
            std::process::exit(EXIT_INTERRUPTED);
        }
        if started.elapsed() > limit {
            break (stop(&mut child)?, Some(format!("stopped: it took longer than {} s", limit.as_secs())));
        }
        thread::sleep(POLL_INTERVAL);
        reader.read_to_end(&mut bytes)?;
        watch(&String::from_utf8_lossy(&bytes[seen..]));
        seen = bytes.len();
    };
    reader.read_to_end(&mut bytes)?;
    watch(&String::from_utf8_lossy(&bytes[seen..]));
    Ok(Finished {
        success: status.success() && stopped.is_none(),
        ending: stopped.unwrap_or_else(|| status.to_string()),
        output: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

/// What a short question to a program answers, trimmed; `None` if it cannot be started or fails.
pub(crate) fn ask(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// A command as a person would type it, near enough for a log.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Asks the program and all it started to end, and makes them if they will not.
fn stop(child: &mut Child) -> Result<ExitStatus> {
    signal_group(child, "TERM");
    let asked = Instant::now();
    while asked.elapsed() < STOP_PATIENCE {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        thread::sleep(POLL_INTERVAL);
    }
    signal_group(child, "KILL");
    child.kill().context("cannot end a program that ignores its signals")?;
    Ok(child.wait()?)
}

/// `kill` is built into every shell, whereas the program of that name is not installed everywhere.
fn signal_group(child: &Child, signal: &str) {
    let script = format!("kill -{signal} -{}", child.id());
    // The group may be gone already: nothing to do then.
    let _ = Command::new("sh").args(["-c", &script]).stderr(Stdio::null()).status();
}

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// What a shell reports for a program ended by Ctrl-C.
const EXIT_INTERRUPTED: i32 = 130;
const POLL_INTERVAL: Duration = Duration::from_millis(25);
/// Long enough for a server to drain and a browser to close.
const STOP_PATIENCE: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Finished {
        let dir = tempfile::tempdir().expect("a temporary folder");
        run(Command::new("sh").args(["-c", script]), &dir.path().join("log"), limit, |_| ()).expect("the shell starts")
    }

    #[test]
    fn both_streams_are_kept_in_order() {
        let finished = shell("echo one; echo two >&2; echo three; exit 3", Duration::from_secs(20));
        assert_eq!(finished.output, "one\ntwo\nthree\n");
        assert!(!finished.success);
        assert_eq!(finished.ending, "exit status: 3");
    }

    #[test]
    fn a_program_over_its_limit_is_stopped_with_what_it_started() {
        let started = Instant::now();
        let finished = shell("echo begun; sleep 60; echo never", Duration::from_millis(300));
        assert!(!finished.success);
        assert!(finished.ending.starts_with("stopped"), "{}", finished.ending);
        assert_eq!(finished.output, "begun\n");
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_missing_program_is_named() {
        let log = tempfile::tempdir().expect("a temporary folder");
        let result = run(&mut Command::new("no-such-program"), &log.path().join("log"), Duration::from_secs(1), |_| ());
        assert!(result.is_err_and(|error| error.to_string().contains("no-such-program")));
    }
}

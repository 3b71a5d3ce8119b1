//! What the developer sees while a command works: one line per step, `Building the server ... 41.3 s`, and a program's output
//! only when it failed (or with `--verbose`). On a terminal the line counts the seconds and shows the last line of output.

use crate::process::{self, Failure, Finished};
use crate::workspace;
use anyhow::{Context, Result};
use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Prints steps.
pub(crate) struct Console {
    verbose: bool,
    /// Standard output is a terminal, so a line may be rewritten while its step runs.
    live: bool,
}

impl Console {
    pub(crate) fn new(verbose: bool) -> Self {
        Self { verbose, live: !verbose && std::io::stdout().is_terminal() }
    }

    /// Does one step of a command: `label` says what is being done, and the work may leave a note for the end of the line.
    pub(crate) fn step<T>(&self, label: &str, work: impl FnOnce(&mut Step) -> Result<T>) -> Result<T> {
        let mut step = self.begin(label)?;
        let result = work(&mut step);
        step.end(if result.is_ok() { "" } else { "FAILED after " });
        result
    }

    /// Starts a step whose end the caller announces.
    pub(crate) fn begin(&self, label: &str) -> Result<Step<'_>> {
        let dir = workspace::state_dir()?.join("logs");
        fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let name: String = label.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let log = dir.join(format!("{name}.log"));
        fs::write(&log, "").with_context(|| format!("cannot write {}", log.display()))?;
        let step = Step {
            console: self,
            label: label.to_string(),
            started: Instant::now(),
            drawn_at: None,
            detail: String::new(),
            log,
            note: String::new(),
        };
        print!("{label} ... {}", if self.verbose { "\n" } else { "" });
        let _ = std::io::stdout().flush();
        Ok(step)
    }

    /// The output behind an error, if a program's failure is what it was.
    pub(crate) fn print_failure(&self, error: &anyhow::Error) {
        let Some(failure) = error.downcast_ref::<Failure>() else { return };
        if !self.verbose {
            print_excerpt(&failure.output, &failure.log);
        }
    }

    /// What a step's programs said, for a step whose failure is in their summary.
    pub(crate) fn print_log(&self, step: &Step) {
        if !self.verbose {
            print_excerpt(&fs::read_to_string(&step.log).unwrap_or_default(), &step.log);
        }
    }
}

/// One step under way.
pub(crate) struct Step<'c> {
    console: &'c Console,
    label: String,
    started: Instant,
    /// When the live line was last redrawn.
    drawn_at: Option<Instant>,
    /// The last line of output, for the live line.
    detail: String,
    log: PathBuf,
    note: String,
}

impl Step<'_> {
    /// Runs a program that may fail; the caller judges how it ended.
    pub(crate) fn run(&mut self, command: &mut Command) -> Result<Finished> {
        self.run_for(command, COMMAND_LIMIT)
    }

    /// Like `run`, with a time limit of its own.
    pub(crate) fn run_for(&mut self, command: &mut Command, limit: Duration) -> Result<Finished> {
        let log = self.log.clone();
        if self.console.verbose {
            println!("$ {}", process::shown(command));
        }
        process::run(command, &log, limit, |output| self.watch(output))
    }

    /// Runs a program that must succeed. `what` names the work in the error: "`what` failed".
    pub(crate) fn must(&mut self, what: &str, command: &mut Command) -> Result<String> {
        let finished = self.run(command)?;
        if finished.success {
            return Ok(finished.output);
        }
        Err(self.failure(format!("{what} failed ({}); its output is above", finished.ending), finished.output).into())
    }

    /// A failure of this step, explained by a program's output.
    pub(crate) fn failure(&self, summary: String, output: String) -> Failure {
        Failure { summary, output, log: self.log.clone() }
    }

    /// Says something at the end of the step's line, after what was said before.
    pub(crate) fn note(&mut self, text: &str) {
        let separator = if self.note.is_empty() { "" } else { "; " };
        self.note = format!("{}{separator}{text}", self.note);
    }

    /// Finishes the line: `verdict`, how long it took, and the note.
    pub(crate) fn end(&self, verdict: &str) {
        let note = if self.note.is_empty() { String::new() } else { format!(" ({})", self.note) };
        let rest = format!("{verdict}{:.1} s{note}", self.started.elapsed().as_secs_f64());
        if self.console.live {
            println!("\r\x1b[K{} ... {rest}", self.label);
        } else if self.console.verbose {
            println!("{} ... {rest}", self.label);
        } else {
            println!("{rest}");
        }
    }

    fn watch(&mut self, output: &str) {
        if self.console.verbose {
            print!("{output}");
        }
        if let Some(last) = output.lines().rev().map(str::trim).find(|line| !line.is_empty()) {
            self.detail = last.chars().filter(|c| !c.is_control()).take(LIVE_DETAIL_CHARS).collect();
        }
        if self.console.live && self.drawn_at.is_none_or(|at| at.elapsed() >= REDRAW_INTERVAL) {
            print!("\r\x1b[K{} ... {} s  {}", self.label, self.started.elapsed().as_secs(), self.detail);
            self.drawn_at = Some(Instant::now());
        }
        let _ = std::io::stdout().flush();
    }
}

fn print_excerpt(output: &str, log: &Path) {
    let shown = excerpt(output);
    println!("{shown}");
    if shown.len() < output.trim_end().len() {
        println!("(all of it: {})", log.display());
    }
}

/// What of a failing program's output is worth a screen: without the lines that report success, and not without end.
fn excerpt(output: &str) -> String {
    let telling: Vec<&str> = output.lines().filter(|line| !reports_success(line)).collect();
    if telling.len() <= EXCERPT_HEAD_LINES + EXCERPT_TAIL_LINES {
        return telling.join("\n");
    }
    let left_out = telling.len() - EXCERPT_HEAD_LINES - EXCERPT_TAIL_LINES;
    let (head, tail) = (&telling[..EXCERPT_HEAD_LINES], &telling[telling.len() - EXCERPT_TAIL_LINES..]);
    format!("{}\n... {left_out} lines left out ...\n{}", head.join("\n"), tail.join("\n"))
}

fn reports_success(line: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default();
    (line.starts_with("test ") && line.ends_with("... ok"))
        || (line.starts_with(' ') && matches!(word, "Compiling" | "Checking" | "Downloaded" | "Downloading" | "Locking" | "Documenting"))
}

/// No program run here should need longer, even from a cold cache on a small machine.
const COMMAND_LIMIT: Duration = Duration::from_mins(25);
const REDRAW_INTERVAL: Duration = Duration::from_millis(250);
const LIVE_DETAIL_CHARS: usize = 60;
const EXCERPT_HEAD_LINES: usize = 60;
const EXCERPT_TAIL_LINES: usize = 240;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_drops_what_went_well() {
        let output = "   Compiling arena v0.1.0\ntest a ... ok\ntest b ... FAILED\n\nfailures: b";
        assert_eq!(excerpt(output), "test b ... FAILED\n\nfailures: b");
    }

    #[test]
    fn a_long_excerpt_keeps_both_ends() {
        let lines: Vec<String> = (0..1000).map(|n| format!("line {n}")).collect();
        let short = excerpt(&lines.join("\n"));
        assert!(short.starts_with("line 0\n") && short.ends_with("line 999"));
        assert!(short.contains("... 700 lines left out ..."));
    }
}

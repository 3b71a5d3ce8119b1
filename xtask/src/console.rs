//! What the developer sees while a command works: one line per step,
//! `Building the server ... 41.3 s`, and a program's output only when it failed (or with
//! `--verbose`). On a terminal the line counts the seconds and shows the last line of output; in a
//! log, a step that takes long says so once a minute.

mod excerpt;

use crate::process::{self, Failure, Finished};
use crate::workspace;
use anyhow::{Context, Result};
#[cfg(test)]
use std::cell::RefCell;
use std::fs;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// Prints steps.
pub(crate) struct Console {
    verbose: bool,
    /// Standard output is a terminal, so a line may be rewritten while its step runs.
    live: bool,
    /// How often a step under way shows how far it is.
    interval: Duration,
    /// Where logs go, if not where they always do.
    logs: Option<PathBuf>,
    output: Output,
}

/// Where lines go.
enum Output {
    Standard,
    /// Kept, for a test to read.
    #[cfg(test)]
    Kept(RefCell<String>),
}

impl Console {
    pub(crate) fn new(verbose: bool) -> Self {
        let live = !verbose && std::io::stdout().is_terminal();
        Self { verbose, live, interval: if live { REDRAW_INTERVAL } else { LOG_INTERVAL }, logs: None, output: Output::Standard }
    }

    /// One that prints as into a log and keeps what it prints.
    #[cfg(test)]
    pub(crate) fn kept(logs: PathBuf) -> Self {
        Self { verbose: false, live: false, interval: LOG_INTERVAL, logs: Some(logs), output: Output::Kept(RefCell::default()) }
    }

    /// All that was printed.
    #[cfg(test)]
    pub(crate) fn told(&self) -> String {
        match &self.output {
            Output::Standard => String::new(),
            Output::Kept(kept) => kept.borrow().clone(),
        }
    }

    /// Prints lines that belong to no step.
    pub(crate) fn say(&self, lines: &str) {
        self.print(&format!("{lines}\n"));
    }

    fn print(&self, text: &str) {
        match &self.output {
            Output::Standard => {
                print!("{text}");
                let _ = std::io::stdout().flush();
            }
            #[cfg(test)]
            Output::Kept(kept) => kept.borrow_mut().push_str(text),
        }
    }

    /// Does one step of a command: `label` says what is being done, and the work may leave a note
    /// for the end of the line.
    pub(crate) fn step<T>(&self, label: &str, work: impl FnOnce(&mut Step) -> Result<T>) -> Result<T> {
        let mut step = self.begin(label)?;
        let result = work(&mut step);
        step.end(if result.is_ok() { "" } else { "FAILED after " });
        result
    }

    /// Starts a step whose end the caller announces.
    pub(crate) fn begin(&self, label: &str) -> Result<Step<'_>> {
        let dir = self.logs.clone().map_or_else(|| workspace::state_dir().map(|dir| dir.join("logs")), Ok)?;
        fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let name: String = label.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let log = dir.join(format!("{name}.log"));
        fs::write(&log, "").with_context(|| format!("cannot write {}", log.display()))?;
        let step = Step {
            console: self,
            label: label.to_string(),
            started: Instant::now(),
            shown_at: Instant::now(),
            is_line_open: !self.verbose,
            compiled: 0,
            detail: String::new(),
            log,
            note: String::new(),
        };
        self.print(&format!("{label} ... {}", if self.verbose { "\n" } else { "" }));
        Ok(step)
    }

    /// The output behind an error, if a program's failure is what it was.
    pub(crate) fn print_failure(&self, error: &anyhow::Error) {
        let Some(failure) = error.downcast_ref::<Failure>() else { return };
        if !self.verbose {
            excerpt::print(&failure.output, &failure.log);
        }
    }

    /// What a step's programs said, for a step whose failure is in their summary.
    pub(crate) fn print_log(&self, step: &Step) {
        if !self.verbose {
            excerpt::print(&fs::read_to_string(&step.log).unwrap_or_default(), &step.log);
        }
    }
}

/// One step under way.
pub(crate) struct Step<'c> {
    console: &'c Console,
    label: String,
    started: Instant,
    /// When it was last shown how far this is.
    shown_at: Instant,
    /// The step's label is the last thing printed, with its line not ended.
    is_line_open: bool,
    /// How many crates cargo has begun to compile.
    compiled: u32,
    /// The last line of output.
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
        (self.compiled, self.detail) = (0, String::new());
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

    /// Says something at once, on a line of its own below the step's.
    pub(crate) fn say(&mut self, text: &str) {
        self.end_line();
        self.console.print(&format!("  {text}\n"));
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
            self.console.print(&format!("{CLEAR_LINE}{} ... {rest}\n", self.label));
        } else if self.is_line_open {
            self.console.print(&format!("{rest}\n"));
        } else {
            self.console.print(&format!("{} ... {rest}\n", self.label));
        }
    }

    fn end_line(&mut self) {
        if self.console.live {
            // The line may show how far the work was a moment ago.
            let label = if self.is_line_open { format!("{} ...\n", self.label) } else { String::new() };
            self.console.print(&format!("{CLEAR_LINE}{label}"));
        } else if self.is_line_open {
            self.console.print("\n");
        }
        self.is_line_open = false;
    }

    fn watch(&mut self, output: &str) {
        if self.console.verbose {
            self.console.print(output);
        }
        self.compiled += output.lines().filter(|line| is_compiling(line)).count() as u32;
        if let Some(last) = output.lines().rev().map(str::trim).find(|line| !line.is_empty()) {
            self.detail = last.chars().filter(|c| !c.is_control()).take(DETAIL_CHARS).collect();
        }
        if self.console.verbose || self.shown_at.elapsed() < self.console.interval {
            return;
        }
        self.shown_at = Instant::now();
        if self.console.live {
            self.console.print(&format!("{CLEAR_LINE}{NO_WRAP}{} ... {}{WRAP}", self.label, self.progress()));
        } else {
            let progress = self.progress();
            self.say(&progress);
        }
    }

    /// How long it has taken, and what it is at.
    fn progress(&self) -> String {
        let mut text = format!("{} s so far", self.started.elapsed().as_secs());
        let crates = if self.compiled > 1 { format!("{} crates, ", self.compiled) } else { String::new() };
        if !self.detail.is_empty() {
            text = format!("{text}: {crates}{}", self.detail);
        }
        text
    }
}

/// Whether cargo says by this line that it begins with one more crate.
fn is_compiling(line: &str) -> bool {
    let mut words = line.split_whitespace();
    line.starts_with(' ') && matches!(words.next(), Some("Compiling" | "Checking" | "Documenting"))
}

/// No program run here should need longer, even from a cold cache on a small machine.
const COMMAND_LIMIT: Duration = Duration::from_mins(25);
const REDRAW_INTERVAL: Duration = Duration::from_millis(250);
/// How often a log is told that a step goes on: whoever waits for a silent program must not take it
/// for dead.
const LOG_INTERVAL: Duration = Duration::from_mins(1);
const DETAIL_CHARS: usize = 60;
const CLEAR_LINE: &str = "\r\x1b[K";
/// What is too long for the terminal's line is cut off: wrapped, it could not be cleared any more.
const NO_WRAP: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";

#[cfg(test)]
mod tests {
    use super::*;

    /// What a console prints, with every duration as `#`.
    fn told(live: bool, work: impl FnOnce(&mut Step)) -> String {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let console = Console { live, interval: Duration::ZERO, ..Console::kept(dir.path().to_path_buf()) };
        let mut step = console.begin("Building").expect("a step");
        work(&mut step);
        step.end("");
        console.told().replace(|c: char| c.is_ascii_digit(), "#")
    }

    #[test]
    fn a_step_is_one_line() {
        assert_eq!(told(false, |step| step.note("up to date")), "Building ... #.# s (up to date)\n");
        assert_eq!(told(true, |_| ()), "Building ... \r\x1b[KBuilding ... #.# s\n");
    }

    #[test]
    fn what_a_step_says_stands_below_it_and_its_end_names_it_again() {
        let said = |step: &mut Step| ["one", "two"].into_iter().for_each(|text| step.say(text));
        assert_eq!(told(false, said), "Building ... \n  one\n  two\nBuilding ... #.# s\n");
        assert_eq!(told(true, said), "Building ... \r\x1b[KBuilding ...\n  one\n\r\x1b[K  two\n\r\x1b[KBuilding ... #.# s\n");
    }

    #[test]
    fn a_step_that_goes_on_says_so() {
        let wait = |step: &mut Step| step.watch("   Compiling one v1.0.0\n   Compiling two v1.0.0\n\n");
        assert_eq!(told(false, wait), "Building ... \n  # s so far: # crates, Compiling two v#.#.#\nBuilding ... #.# s\n");
        let live = told(true, wait);
        assert!(live.contains("\r\x1b[K\x1b[?#lBuilding ... # s so far: # crates, Compiling two v#.#.#\x1b[?#h"), "{live:?}");
    }
}

//! Runs a load test and prints what was found: exit code 0 if it passed, 1 if not, 2 if it could not be run.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use arena::Arena;
use clap::Parser;
use tag::Tag;
use tickwire_loadtest::options::{Cli, Command, Options};
use tickwire_loadtest::report::{self, Report, console};
use tickwire_loadtest::run::{Facts, PreflightError, Progress, run};
use tickwire_loadtest::thresholds::Thresholds;

/// Seconds between lines where standard error is no terminal.
const QUIET_SECONDS: u64 = 10;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Some(Command::Merge { reports, report_dir }) => merge(&reports, &report_dir),
        None => test(&cli.options).await,
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("tickwire-loadtest: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn test(options: &Options) -> anyhow::Result<bool> {
    let thresholds = match &options.thresholds {
        Some(path) => Thresholds::read(path)?,
        None => Thresholds::default_level(),
    };
    if let Some(dir) = &options.report_dir {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot create the report folder {}", dir.display()))?;
    }
    let facts = Facts::ask(options).await?;
    let mut report = run_game(options, &facts).await?;
    report.verdict.warnings.extend(facts.ops_missing.clone());
    // A search ends where the level breaks: that is what it is for.
    if report.capacity.is_none() {
        thresholds.judge(&mut report);
    } else {
        report.verdict.passed = report.verdict.failures.is_empty();
    }
    print!("{}", console::summary(&report, console::colour()));
    if let Some(dir) = &options.report_dir {
        for path in report::write_all(&report, dir)? {
            println!("wrote {}", path.display());
        }
    }
    Ok(report.verdict.passed)
}

/// Plays the server's game, one of those that this program has bots for.
async fn run_game(options: &Options, facts: &Facts) -> Result<Report, PreflightError> {
    if facts.is_of::<Arena>()? {
        run::<Arena>(options, facts, progress(options)).await
    } else if facts.is_of::<Tag>()? {
        run::<Tag>(options, facts, progress(options)).await
    } else {
        Err(PreflightError::UnknownGame { game: facts.game.clone() })
    }
}

/// A line that is written over on a terminal, and a line now and then elsewhere.
fn progress(options: &Options) -> Progress {
    let (is_quiet, is_terminal, users) = (options.quiet, std::io::stderr().is_terminal(), u64::from(options.users));
    let mut seconds = 0;
    Box::new(move |second, left| {
        seconds += 1;
        if is_quiet || (!is_terminal && seconds % QUIET_SECONDS != 1) {
            return;
        }
        let line = console::progress_line(second, users, left);
        let (begin, end) = if is_terminal { ("\r\x1b[2K", if left == Some(0) { "\n" } else { "" }) } else { ("", "\n") };
        let mut stderr = std::io::stderr().lock();
        // Nobody to tell is no reason to stop.
        let _ = write!(stderr, "{begin}{line}{end}").and_then(|()| stderr.flush());
    })
}

fn merge(paths: &[std::path::PathBuf], dir: &std::path::Path) -> anyhow::Result<bool> {
    let reports = paths.iter().map(|path| report::json::read(path)).collect::<Result<Vec<_>, _>>()?;
    let merged = report::merge::merge(reports)?;
    print!("{}", console::summary(&merged, console::colour()));
    for path in report::write_all(&merged, dir)? {
        println!("wrote {}", path.display());
    }
    Ok(merged.verdict.passed)
}

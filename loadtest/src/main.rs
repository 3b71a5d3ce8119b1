//! Runs a load test and prints what was found: exit code 0 if it passed, 1 if not, 2 if it could
//! not be run, 3 if the generator was too slow to tell.

use std::process::ExitCode;

use clap::Parser;
use futures_util::future::LocalBoxFuture;
use tickwire_game::{Game, GameVisitor};
use tickwire_loadtest::compare::{Comparison, Kind};
use tickwire_loadtest::merge;
use tickwire_loadtest::options::{Cli, Command, Options};
use tickwire_loadtest::progress;
use tickwire_loadtest::report::{Report, Verdict, json};
use tickwire_loadtest::run::{Facts, PreflightError, run};
use tickwire_loadtest::show::{self, console};
use tickwire_loadtest::thresholds::Thresholds;

/// The generator was too slow to tell whether the run passed.
const INCONCLUSIVE: u8 = 3;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Some(Command::Merge { reports, report_dir }) => add_up(&reports, &report_dir),
        None => test(&cli.options).await,
    };
    match outcome {
        Ok(verdict) if verdict.passed => ExitCode::SUCCESS,
        Ok(verdict) if verdict.inconclusive => ExitCode::from(INCONCLUSIVE),
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("tickwire-loadtest: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn test(options: &Options) -> anyhow::Result<Verdict> {
    let thresholds = match &options.thresholds {
        Some(path) => Thresholds::read(path)?,
        None => Thresholds::default_level(options.network.is_ideal()),
    };
    if let Some(dir) = &options.report_dir {
        show::prepare(dir)?;
    }
    let facts = Facts::ask(options).await?;
    let kind = Kind { game: &facts.game, mode: &facts.mode.id, tick_rate: facts.mode.tick_rate, is_search: options.find_capacity };
    let against = options.against.as_deref().map(|path| Comparison::read(path, &kind)).transpose()?;
    let mut report = run_game(options, &facts).await?;
    report.verdict.warnings.extend(facts.warnings.iter().cloned());
    // A search ends where the level breaks: that is what it is for.
    if report.capacity.is_none() {
        thresholds.judge(&mut report);
    } else {
        report.verdict.passed = report.verdict.failures.is_empty();
    }
    print!("{}", console::summary(&report, against.as_ref(), console::colour()));
    if let Some(dir) = &options.report_dir {
        for path in show::write_all(&report, against.as_ref(), dir)? {
            println!("wrote {}", path.display());
        }
    }
    Ok(report.verdict)
}

/// Plays the server's game, one of those that this program has bots for.
async fn run_game(options: &Options, facts: &Facts) -> Result<Report, PreflightError> {
    let unknown = || PreflightError::UnknownGame { game: facts.game.clone() };
    let report = games::with(&facts.game, Play { options, facts }).ok_or_else(unknown)?.await;
    progress::end_line(options.quiet);
    report
}

/// Plays a game, if the server has this version of it.
struct Play<'a> {
    options: &'a Options,
    facts: &'a Facts,
}

impl<'a> GameVisitor for Play<'a> {
    type Output = LocalBoxFuture<'a, Result<Report, PreflightError>>;

    fn visit<G: Game>(self) -> Self::Output {
        let Self { options, facts } = self;
        Box::pin(async move {
            facts.check_schema::<G>()?;
            run::<G>(options, facts, progress::to_stderr(u64::from(options.users), options.quiet)).await
        })
    }
}

fn add_up(paths: &[std::path::PathBuf], dir: &std::path::Path) -> anyhow::Result<Verdict> {
    let reports = paths.iter().map(|path| json::read(path)).collect::<Result<Vec<_>, _>>()?;
    let merged = merge::merge(reports)?;
    print!("{}", console::summary(&merged, None, console::colour()));
    for path in show::write_all(&merged, None, dir)? {
        println!("wrote {}", path.display());
    }
    Ok(merged.verdict)
}

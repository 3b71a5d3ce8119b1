//! A whole load test: looks whether it can work, runs goose, and puts together what was found.
//!
//! Invariant: whatever ends a run, what was measured until then is reported.

mod preflight;
mod seats;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use goose::GooseAttack;
use goose::config::GooseConfiguration;
use goose::goose::Scenario as GooseScenario;
use goose::prelude::GooseError;
use tickwire_game::Game;
use tickwire_testkit::measure::Measure;
use tickwire_testkit::recording::Recording;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::board::Board;
use crate::capacity::{self, Search};
use crate::entrance::{Entrance, Setup, WatchAccess};
use crate::monitor::{Monitor, Own, Pulse, Scraper, Watched};
use crate::options::Options;
use crate::player::{self, Field};
use crate::report::{FORMAT, MeasureReport, Report, RunFacts, Second};
use crate::scenario::Door;

pub use preflight::{Facts, PreflightError};
use seats::{Cut, Seats};

/// How it goes.
#[derive(Clone, Copy, Debug)]
pub enum News<'a> {
    /// A second of the run is over.
    Second {
        /// What happened in it.
        second: &'a Second,
        /// How long the whole run lasts, seconds, if that is known.
        of: Option<u64>,
    },
    /// Everyone has left, and the server still holds so many seats.
    Seats(u64),
}

/// Says how it goes.
pub type Progress = Arc<Mutex<dyn FnMut(News) + Send>>;

/// Runs the load test that `options` describe against a server of game `G`, which preflight found there.
pub async fn run<G: Game>(options: &Options, facts: &Facts, progress: Progress) -> Result<Report, PreflightError> {
    let users = options.users as usize;
    let descriptors_max = preflight::provide_descriptors(users)?;
    let recording = options.replay.as_deref().map(Recording::read::<G>).transpose()?.map(Arc::new);
    let interval = Duration::from_secs(1) / u32::from(facts.mode.tick_rate.max(1));
    let pulse = Arc::new(Pulse::default());
    let field = Arc::new(Field::<G> {
        entrance: entrance(options, facts)?,
        board: Arc::new(Board::default()),
        generator_is_late: Arc::clone(&pulse.is_late),
        recording,
        return_within: options.return_within,
        seed: options.seed.wrapping_add(u64::from(options.process) << 32),
        left_unanswered: AtomicU64::new(0),
    });
    let plan = options.find_capacity.then(|| capacity::plan(options.capacity_from, options.users));
    let attack = attack(options, facts, plan.as_deref(), &field).map_err(|error| PreflightError::Goose(goose_failure(&error)))?;

    let began = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let started = Instant::now();
    let scraper = facts.ops.clone().map(Scraper::new);
    let seats_before = match &scraper {
        Some(scraper) => scraper.players().await.ok(),
        None => None,
    };
    let beating = tokio::spawn(Arc::clone(&pulse).beat(interval));
    let monitor = Monitor {
        board: Arc::clone(&field.board),
        own: Own::new(pulse, interval),
        scraper,
        users_wanted: u64::from(options.users),
        search: plan.map(|plan| Search::new(plan, options.capacity_hold, interval)),
        progress: of_seconds(options, &progress),
    };
    let (stop, stopped) = mpsc::channel(1);
    let watching = tokio::spawn(monitor.watch(stopped));
    let outcome = Box::pin(attack.execute()).await;
    let was_cut_short = !options.find_capacity && goose::is_killswitch_triggered();
    let lasted = started.elapsed();
    drop(stop);
    beating.abort();
    let watched = watching.await.map_err(|error| PreflightError::Internal(error.to_string()))?;
    let seats = match (&facts.ops, seats_before) {
        (Some(ops), Some(before)) if !options.shared_server => {
            let cut = Cut { off: cut_off(&field, &watched), grace: facts.grace };
            Some(seats::wait(&Scraper::new(ops.clone()), before, cut, |held| tell(&progress, News::Seats(held))).await)
        }
        _ => None,
    };
    let run = RunFacts {
        command: command_line(),
        server: facts.place.authority.clone(),
        game: G::NAME.to_owned(),
        mode: facts.mode.id.clone(),
        tick_rate: facts.mode.tick_rate,
        began,
        seconds: lasted.as_secs_f64(),
        users: u64::from(options.users),
        users_started: field.board.sent(),
        users_played: field.board.played(),
        users_at_once: watched.users_max,
        mix: options.mix.to_string(),
        network: options.network.to_string(),
        seed: options.seed,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        processes: 1,
    };
    let mut report = assemble(run, watched, &field.board, descriptors_max);
    match seats {
        Some(Seats::Leaked(seats)) => report.leaked_seats = Some(seats),
        Some(Seats::Kept(held)) => report.verdict.warnings.push(kept_seats(held, facts.grace)),
        Some(Seats::Unknown) | None => {}
    }
    if was_cut_short {
        report.verdict.warnings.push(cut_short(options, lasted));
    }
    match outcome {
        Err(error) if field.board.sent() == 0 => Err(PreflightError::Goose(goose_failure(&error))),
        Err(error) => {
            // What was measured until then stands, and the verdict says what happened.
            report.verdict.failures.push(goose_failure(&error));
            Ok(report)
        }
        Ok(_) => Ok(report),
    }
}

fn entrance(options: &Options, facts: &Facts) -> Result<Entrance, PreflightError> {
    let watch = match (&options.admin_token_file, &facts.admin) {
        _ if !options.mix.uses(Door::Watch) => None,
        (Some(file), Some(admin)) => Some(WatchAccess { admin: admin.clone(), token: preflight::read_token(file)? }),
        _ => return Err(PreflightError::SpectateNeedsToken),
    };
    let setup = Setup {
        server: facts.place.clone(),
        mode: facts.mode.id.clone(),
        network: options.network.clone(),
        reading: options.transport.reading(),
        seed: options.seed,
        users: options.users as usize,
        users_per_address: options.users_per_address as usize,
        first_user: options.process as usize * options.users as usize,
        watch,
    };
    Entrance::new(setup).map_err(|error| PreflightError::Internal(error.to_string()))
}

fn attack<G: Game>(options: &Options, facts: &Facts, plan: Option<&[u32]>, field: &Arc<Field<G>>) -> Result<GooseAttack, GooseError> {
    // Goose's remote control listens on a fixed port, which a second process would find taken.
    let quiet = ["--no-print-metrics", "-qq", "--no-telnet"];
    let mut arguments: Vec<String> = ["--host", &facts.place.url("")].into_iter().chain(quiet).map(str::to_owned).collect();
    if let Some(plan) = plan {
        arguments.extend(["--test-plan".to_owned(), capacity::test_plan(plan, options.capacity_hold)]);
    } else {
        let seconds = |time: Duration| format!("{}s", time.as_secs().max(1));
        arguments.push("--no-reset-metrics".to_owned());
        arguments.extend(["--users", &options.users.to_string(), "--run-time", &seconds(options.run_time)].map(str::to_owned));
        arguments.extend(["--increase-time".to_owned(), seconds(options.arrival_time())]);
    }
    if let Some(dir) = &options.report_dir {
        for file in ["goose.html", "goose.json"] {
            arguments.extend(["--report-file".to_owned(), dir.join(file).display().to_string()]);
        }
    }
    arguments.extend(options.goose.iter().cloned());
    let mut attack = GooseAttack::initialize_with_config(GooseConfiguration::parse_args_default(&arguments)?)?;
    for (scenario, weight) in options.mix.parts() {
        let transactions = player::transactions(field, *scenario);
        let goose_scenario = GooseScenario::new(scenario.name).set_weight(*weight as usize)?;
        attack = attack.register_scenario(transactions.into_iter().fold(goose_scenario, GooseScenario::register_transaction));
    }
    Ok(attack)
}

/// Tells of each second, and of how many there will be.
fn of_seconds(options: &Options, progress: &Progress) -> Box<dyn FnMut(&Second) + Send> {
    let of = (!options.find_capacity).then(|| (options.arrival_time() + options.run_time).as_secs());
    let progress = Arc::clone(progress);
    Box::new(move |second| tell(&progress, News::Second { second, of }))
}

fn tell(progress: &Progress, news: News) {
    // Whoever panicked while it spoke left a line unfinished, and nothing else.
    progress.lock().unwrap_or_else(PoisonError::into_inner)(news);
}

/// Players for whom the server may keep a seat: their connection broke, and they did not come back.
fn cut_off<G: Game>(field: &Field<G>, watched: &Watched) -> u64 {
    let counts = &watched.total.counts;
    let diverged = counts.closes.get("diverged").copied().unwrap_or_default();
    let unasked = counts.unexplained_closes().saturating_sub(diverged);
    unasked + counts.resume_failures + counts.join_failures + field.left_unanswered.load(Relaxed)
}

fn kept_seats(held: u64, grace: Option<Duration>) -> String {
    let grace = grace.map_or_else(String::new, |grace| format!(" for up to {} s", grace.as_secs()));
    format!("the server holds {held} seats{grace} for players who were cut off: whether any leaks was not looked at")
}

fn cut_short(options: &Options, lasted: Duration) -> String {
    let whole = (options.arrival_time() + options.run_time).as_secs();
    format!("the run was ended after {} of {whole} s: everything here is of that time only", lasted.as_secs())
}

fn assemble(run: RunFacts, watched: Watched, board: &Board, descriptors_max: u64) -> Report {
    let findings = board.findings();
    let measures = Measure::ALL.iter().map(|measure| (measure.name().to_owned(), MeasureReport::from(watched.total.histogram(*measure))));
    Report {
        format: FORMAT,
        run,
        generator: watched.own.facts(descriptors_max),
        measures: measures.collect(),
        counts: watched.total.counts,
        series: watched.series,
        divergences: findings.divergences,
        stalls: findings.stalls,
        returns: findings.returns,
        stall_count: findings.stall_count,
        errors: findings.errors,
        capacity: watched.search.map(Search::finish),
        ..Report::default()
    }
}

fn goose_failure(error: &GooseError) -> String {
    match error {
        GooseError::ThresholdsFailed { failed, .. } => format!("goose's own thresholds failed: {}", failed.len()),
        GooseError::InvalidOption { option, value, detail } => format!("goose refuses {option} {value}: {detail}"),
        other => format!("goose stopped: {other}"),
    }
}

/// The command line, quoted so that it can be repeated.
fn command_line() -> String {
    let quoted = |word: String| if word.contains(char::is_whitespace) { format!("'{word}'") } else { word };
    let mut words = std::env::args();
    let program = words.next().map(|path| path.rsplit('/').next().unwrap_or_default().to_owned());
    program.into_iter().chain(words.map(quoted)).collect::<Vec<_>>().join(" ")
}

//! `tickwire-bench`: servers side by side, on one workload, under one load generator.
//!
//! The workload is **arena-16**: matches of 16 moving players and about 16 shots in flight, 30 ticks a second, an input from every player
//! in every tick. Each server (an *arm*) is a process of its own; one generator plays all of them in turn. `docs/BENCHMARKS.md` says
//! what the figures mean.

mod arm;
mod dialect;
mod floor;
mod frame;
mod generator;
mod plan;
mod report;
mod run;
mod seats;
mod server;
mod show;
mod statistics;
mod trace;
mod trial;
mod watch;
mod workload;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use tickwire_bench::checkout;

use arm::Arm;
use plan::{Plan, Search};
use report::Report;
use server::Programs;
use workload::{Interrupted, MATCH_SEATS};

/// Measures Tickwire beside other servers, on matches of 16 moving players at 30 ticks a second.
#[derive(Parser)]
#[command(name = "tickwire-bench", max_term_width = 100, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum Command {
    /// Write the tables and charts of a stored run into the documentation
    Render {
        /// What `--json` wrote
        json: PathBuf,
        /// The documentation's folder, with BENCHMARKS.md
        #[arg(long)]
        docs: PathBuf,
    },
    /// The arm `floor`, started by the benchmark: serves until standard input ends
    Floor {
        /// Bytes in each update
        #[arg(long)]
        payload_bytes: usize,
    },
}

#[derive(clap::Args)]
struct Options {
    /// Fewer repeats of shorter windows: under ten minutes in all
    #[arg(long)]
    quick: bool,
    /// Write the results here
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// Write tables and charts into this folder, into the marked part of its BENCHMARKS.md
    #[arg(long, value_name = "DIR")]
    docs: Option<PathBuf>,
    /// Servers to measure, separated by commas; default: floor,tickwire,tickwire-portable,tickwire-tls,ws-binary,ws-json,colyseus
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    arms: Vec<String>,
    /// Player counts to measure at, rising; whole matches of 16
    #[arg(long, value_delimiter = ',', default_value = "320,960", value_name = "COUNTS")]
    players: Vec<usize>,
    /// Times that every arm is measured [default: 5, with --quick 3]
    #[arg(long, value_name = "N")]
    repeats: Option<usize>,
    /// Length of each measurement [default: 10, with --quick 4]
    #[arg(long, value_name = "S")]
    window_seconds: Option<f64>,
    /// Leave out how many players each arm holds
    #[arg(long)]
    no_capacity: bool,
    /// The server's binary; default: `tickwire` beside this program
    #[arg(long, value_name = "FILE")]
    tickwire: Option<PathBuf>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Some(Command::Floor { payload_bytes }) => floor::serve(payload_bytes).map(|()| ExitCode::SUCCESS),
        Some(Command::Render { json, docs }) => render(&json, &docs).map(|()| ExitCode::SUCCESS),
        None => measure(&cli.options),
    };
    result.unwrap_or_else(|error| {
        eprintln!("tickwire-bench: {error:#}");
        ExitCode::FAILURE
    })
}

fn measure(options: &Options) -> Result<ExitCode> {
    let plan = plan(options)?;
    let descriptors = tickwire_testkit::descriptors::provide(DESCRIPTORS_WANTED);
    if descriptors < DESCRIPTORS_MIN {
        bail!("only {descriptors} file descriptors are allowed, {DESCRIPTORS_MIN} are needed: raise the hard limit (ulimit -Hn)");
    }
    let scratch = tempfile::tempdir().context("no temporary folder")?;
    let programs = Programs {
        tickwire: checkout::path_of_tickwire(options.tickwire.clone())?,
        arms: Path::new(env!("CARGO_MANIFEST_DIR")).join("arms"),
        scratch: scratch.path().to_owned(),
    };
    programs.check(&plan.arms)?;
    // Before minutes are spent on figures that cannot be kept.
    if let Some(path) = &options.json {
        let file = fs::OpenOptions::new().create(true).append(true).open(path);
        file.with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(docs) = &options.docs {
        show::docs::check(docs)?;
    }
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted)).context("cannot catch signals")?;
    }

    let outcome = run::run(&plan, &programs, interrupted);
    if let Some(path) = &options.json {
        let json = serde_json::to_string_pretty(&outcome.report)?;
        fs::write(path, json + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    }
    // Last, as whoever reads it may be gone.
    let _ = writeln!(std::io::stdout(), "\n{}", show::table(&outcome.report));
    match outcome.error {
        None => {
            if let Some(docs) = &options.docs {
                show::docs::write(&outcome.report, docs)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Some(error) if error.root_cause().is::<Interrupted>() => {
            eprintln!("tickwire-bench: interrupted");
            Ok(ExitCode::from(EXIT_INTERRUPTED))
        }
        Some(error) => Err(error),
    }
}

fn plan(options: &Options) -> Result<Plan> {
    let arms: Result<Vec<Arm>> = options.arms.iter().map(|name| name.parse()).collect();
    let mut arms = arms?;
    if arms.is_empty() {
        arms = Arm::USUAL.to_vec();
    }
    arms.sort_unstable();
    arms.dedup();
    // Tickwire first: what the floor writes is what Tickwire was seen to write.
    arms.sort_by_key(|arm| *arm != Arm::Tickwire);
    let mut players = options.players.clone();
    players.sort_unstable();
    players.dedup();
    if players.is_empty() || players.iter().any(|count| *count == 0 || count % MATCH_SEATS != 0) {
        bail!("--players takes whole matches of {MATCH_SEATS}, such as 320,960");
    }
    let (repeats, window_seconds) = if options.quick { (3, 4.0) } else { (5, 10.0) };
    let window_seconds = options.window_seconds.unwrap_or(window_seconds);
    if !(0.5..=600.0).contains(&window_seconds) {
        bail!("--window-seconds takes 0.5 to 600");
    }
    let search = if options.quick {
        Search { growth: 1.3, halvings: 2, window: Duration::from_secs(3) }
    } else {
        Search { growth: 1.2, halvings: 3, window: Duration::from_secs(6) }
    };
    Ok(Plan {
        arms,
        players,
        repeats: options.repeats.unwrap_or(repeats).max(1),
        window: Duration::from_secs_f64(window_seconds),
        capacity: (!options.no_capacity).then_some(search),
        command: command(options),
    })
}

/// As the reader repeats it: what decides the figures, without where they were written to.
fn command(options: &Options) -> String {
    let mut words = vec!["cargo xtask bench".to_owned()];
    words.extend(options.quick.then(|| "--quick".to_owned()));
    words.extend((!options.arms.is_empty()).then(|| format!("--arms {}", options.arms.join(","))));
    let players: Vec<String> = options.players.iter().map(ToString::to_string).collect();
    words.extend((players != ["320", "960"]).then(|| format!("--players {}", players.join(","))));
    words.extend(options.repeats.map(|repeats| format!("--repeats {repeats}")));
    words.extend(options.no_capacity.then(|| "--no-capacity".to_owned()));
    words.join(" ")
}

fn render(json: &Path, docs: &Path) -> Result<()> {
    let text = fs::read_to_string(json).with_context(|| format!("cannot read {}", json.display()))?;
    let report: Report = serde_json::from_str(&text).with_context(|| format!("{} is no result of this benchmark", json.display()))?;
    show::docs::write(&report, docs)
}

/// With fewer not even the smaller measurements can be made: one for each player, and the servers
/// that are started inherit the limit.
const DESCRIPTORS_MIN: u64 = 4096;
/// As many as the search for capacity may take, on either end.
const DESCRIPTORS_WANTED: u64 = 16_384;
/// What a shell reports for a program ended by Ctrl-C.
const EXIT_INTERRUPTED: u8 = 130;

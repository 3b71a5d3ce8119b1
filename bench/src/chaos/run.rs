//! A run: the server, the bots, the kills, and what the checker says of it.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use clap::Parser;
use tickwire_bench::checkout;
use tickwire_bench::stop::unless_stopped;
use tickwire_game::Rng;

use crate::check::check;
use crate::cluster::Cluster;
use crate::crowd::Crowd;
use crate::history::{self, Event, Recorder, What};
use crate::options::{Control, Fault, Options};
use crate::page;
use crate::patience::{ARRIVAL, FELT, PAUSE_MIN, SPARE, until};
use crate::report::{Quantiles, Report};
use crate::server::{self, Server, SmallDisk};

/// One for each bot.
const DESCRIPTORS_WANTED: u64 = 16_384;
/// What is away is away for so long, milliseconds.
const AWAY: std::ops::Range<u32> = 500..3_000;
/// A kill while the next server comes up is so long after its start, at most.
const AGAIN_MAX: Duration = Duration::from_millis(80);

/// The program.
pub(crate) fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tickwire-chaos: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<ExitCode> {
    let seed = options.seed.unwrap_or_else(random_seed);
    if let Some(path) = &options.check {
        let events = history::read(path)?;
        let seconds = events.last().map_or(0.0, |event| event.at as f64 / 1e6);
        return conclude(options, seed, seconds, &events, None);
    }
    tickwire_testkit::descriptors::provide(DESCRIPTORS_WANTED);
    let binary = checkout::tickwire(options.tickwire.clone())?;
    let scratch = tempfile::tempdir().context("no temporary folder")?;
    let recorder = Arc::new(Recorder::new());
    eprintln!("seed {seed}");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads")?;
    let conclude = |log: &Path| conclude(options, seed, recorder.elapsed().as_secs_f64(), &recorder.events(), Some(log));
    if options.nodes > 1 {
        if matches!(options.control, Some(Control::LoseTicks)) {
            bail!("of several servers the controls are no-kill and no-restore");
        }
        let cluster = runtime.block_on(unless_stopped(async {
            let mut cluster = Cluster::start(options, &binary, scratch.path(), &recorder).await?;
            cluster.torment(options, seed, &recorder).await?;
            Ok(cluster)
        }))?;
        return conclude(cluster.log());
    }
    if options.fault.is_of_several() {
        bail!("`{}` takes several servers: --nodes 3", options.fault.name());
    }
    let disk = if options.fault == Fault::FullDisk { Some(SmallDisk::mount(&scratch.path().join("state"))?) } else { None };
    let server = runtime.block_on(unless_stopped(async {
        let mut server = Server::start(&binary, scratch.path(), &options.server_flag, &recorder)?;
        torment(options, seed, &mut server, &recorder).await?;
        Ok(server)
    }))?;
    let concluded = conclude(server.log());
    drop((server, disk));
    concluded
}

/// Kills the server as often as it is asked for.
async fn torment(options: &Options, seed: u64, running: &mut Server, recorder: &Arc<Recorder>) -> Result<()> {
    let mut rng = Rng::new(seed);
    let (rollback_max, breaks) = (if options.fault == Fault::Corrupt { None } else { Some(0) }, options.fault == Fault::Corrupt);
    if !matches!(options.fault, Fault::Kill | Fault::Freeze) {
        recorder.note(What::Rules { nodes: 1, rollback_max, breaks });
    }
    let crowd = Crowd::send(vec![running.play], options.bots, options.return_within, seed, recorder);
    if !crowd.all_play(ARRIVAL).await {
        bail!("only {} of {} bots got a seat in {} s:\n{}", crowd.playing(), options.bots, ARRIVAL.as_secs(), running.log_tail());
    }
    let mut killed = (0, Instant::now());
    for nth in 1..=options.kills {
        let is_again = matches!(options.fault, Fault::Kill | Fault::Freeze) && options.control != Some(Control::NoKill);
        if nth > 1 && rng.below(100) < options.again && is_again {
            until(FELT, || running.pid() != killed.0).await;
            tokio::time::sleep(AGAIN_MAX.mul_f64(f64::from(rng.below(1000)) / 1000.0)).await;
        } else {
            if nth > 1 && !settle(options, &crowd, running, nth - 1, killed.1).await? {
                break;
            }
            let range = options.pause.saturating_sub(PAUSE_MIN).as_millis() as u32;
            tokio::time::sleep(PAUSE_MIN + Duration::from_millis(u64::from(rng.below(range.max(1))))).await;
        }
        killed = (running.pid(), Instant::now());
        recorder.note(What::Kill { nth, pid: killed.0 });
        match options.control {
            None => strike(options, nth, running, &mut rng, recorder).await?,
            Some(Control::NoKill) => continue,
            Some(Control::NoRestore) => running.kill_and(server::forget)?,
            Some(Control::LoseTicks) => running.kill_and(server::forget_the_newest)?,
        }
        if !matches!(options.fault, Fault::Stop | Fault::FullDisk) {
            until(FELT, || running.pid() != killed.0).await;
        }
    }
    if options.kills > 0 {
        settle(options, &crowd, running, options.kills, killed.1).await?;
    }
    crowd.leave().await;
    Ok(())
}

/// Does to the one server what is asked for.
async fn strike(options: &Options, nth: u32, running: &Server, rng: &mut Rng, recorder: &Recorder) -> Result<()> {
    let away = options.away(&AWAY, rng);
    match options.fault {
        Fault::Freeze => running.freeze(),
        Fault::Corrupt => running.kill_and(server::corrupt_the_newest),
        Fault::Stop => {
            running.stop()?;
            tokio::time::sleep(away).await;
            running.go_on()?;
            recorder.note(What::Healed { nth });
            Ok(())
        }
        Fault::FullDisk => {
            let filler = running.state().join("filler");
            server::fill(&filler)?;
            tokio::time::sleep(away).await;
            fs::remove_file(filler).context("the disk stays full")?;
            recorder.note(What::Healed { nth });
            Ok(())
        }
        _ => running.kill(),
    }
}

/// Waits until everyone plays again, and says so. `false` if somebody does not.
async fn settle(options: &Options, crowd: &Crowd, running: &mut Server, nth: u32, killed: Instant) -> Result<bool> {
    let all = crowd.all_play_since(killed, options.return_within + SPARE).await;
    if running.has_ended() {
        bail!("the supervisor has ended:\n{}", running.log_tail());
    }
    let took = killed.elapsed().as_millis();
    let who = if all { "everyone plays".to_owned() } else { format!("only {} of {} play", crowd.playing(), options.bots) };
    eprintln!("kill {nth} of {}: {who} after {took} ms", options.kills);
    Ok(all)
}

/// Says what the checker found, and writes it where it is wanted.
fn conclude(options: &Options, seed: u64, seconds: f64, events: &[Event], log: Option<&Path>) -> Result<ExitCode> {
    let findings = check(events);
    let report = Report {
        commit: checkout::commit(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        seed,
        fault: options.fault.name(),
        nodes: options.nodes,
        consistent: options.consistent,
        control: options.control.map(Control::name),
        bots: options.bots,
        kills: options.kills,
        seconds,
        passed: findings.are_clean(),
        back_ms: Quantiles::of(&findings.returns),
        stood_still_ms: Quantiles::of(&findings.waits),
        findings,
    };
    if let Some(dir) = &options.report_dir {
        let failed = || format!("cannot write into {}", dir.display());
        fs::create_dir_all(dir).with_context(failed)?;
        history::write(events, &dir.join("history.jsonl"))?;
        fs::write(dir.join("chaos.json"), serde_json::to_string_pretty(&report)? + "\n").with_context(failed)?;
        fs::write(dir.join("chaos.html"), page::page(&report, events)).with_context(failed)?;
        if let Some(log) = log {
            fs::copy(log, dir.join("server.log")).with_context(failed)?;
        }
    }
    println!("{}", report.summary());
    Ok(if report.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn random_seed() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos() as u64 % 1_000_000_000
}

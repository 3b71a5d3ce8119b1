//! One attack, or several at once, on a fresh server: peace, attack, and what is left afterwards.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tickwire_bench::stop::unless_stopped;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

use crate::attack::{Attack, Field, Tally};
use crate::honest::{Crowd, Felt};
use crate::server::{ADMIN_TOKEN, Held, Server};
use crate::wire::{Request, source};

/// What all trials have in common.
pub(crate) struct Plan {
    /// The server's program.
    pub(crate) binary: PathBuf,
    /// For its token and its log.
    pub(crate) scratch: PathBuf,
    /// Further flags for it.
    pub(crate) flags: Vec<String>,
    /// How many play honestly.
    pub(crate) players: usize,
    /// How long peace is measured, and how long each attack goes on.
    pub(crate) window: Duration,
}

/// Memory must be back after so long.
const RECOVERY: Duration = Duration::from_secs(10);
/// Resident memory that may be above what it was: what an allocator keeps for the next crowd.
const MEMORY_SLACK_BYTES: u64 = 16 << 20;
/// Descriptors that may be more than before: newcomers that are just entering.
const DESCRIPTORS_SLACK: usize = 24;
/// Players settle for so long before anything is measured.
const SETTLE: Duration = Duration::from_secs(3);
/// Threads of the attackers, and how nice they are: the attack gets what the server leaves, so that
/// what honest players miss is what the server spends on it.
const ATTACK_THREADS: usize = 2;
const NICENESS: i32 = 10;
/// First second part of an attacker's address.
const ATTACKERS_NET: u8 = 100;
/// Asks for metrics.
const WATCHER_NET: u8 = 8;

/// What one trial found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    /// Names of the attacks, joined by `+`.
    pub(crate) attack: String,
    /// What they do.
    pub(crate) what: String,
    /// Connections, requests or messages sent.
    pub(crate) sent: u64,
    /// Their bytes.
    pub(crate) sent_bytes: u64,
    /// What came of them, most often first.
    pub(crate) endings: Vec<(String, u64)>,
    /// Honest players' gaps between snapshots in peace and under attack, milliseconds.
    pub(crate) quiet_gap_p99_ms: f64,
    /// Under attack.
    pub(crate) gap_p99_ms: f64,
    /// The longest under attack.
    pub(crate) gap_max_ms: f64,
    /// How late this program itself woke under attack, 99th percentile: part of the gaps is its own.
    pub(crate) own_lag_p99_ms: f64,
    /// Snapshots under attack for each that came in peace.
    pub(crate) updates_ratio: f64,
    /// CPU the server used, cores, in peace and under attack.
    pub(crate) cpu_cores: [f64; 2],
    /// Newcomers that got in under attack, and that did not.
    pub(crate) newcomers: [u64; 2],
    /// Slowest of those, milliseconds, of which 400 are distance.
    pub(crate) newcomer_max_ms: f64,
    /// Before, at the end of the attack, and at most ten seconds later.
    pub(crate) held: [Held; 3],
    /// Seconds until memory, descriptors and connections were back; `None` if they were not.
    pub(crate) back_after_s: Option<f64>,
    /// What must never happen and did.
    pub(crate) breaches: Vec<String>,
}

impl Finding {
    /// How much longer honest gaps were, at their 99th percentile.
    pub(crate) fn slowdown(&self) -> f64 {
        self.gap_p99_ms / self.quiet_gap_p99_ms.max(0.001)
    }
}

/// Attacks a fresh server.
pub(crate) fn run(plan: &Plan, attacks: &[Attack]) -> Result<Finding> {
    let honest = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let attackers = attackers()?;
    let finding = honest.block_on(unless_stopped(attack(plan, attacks, &attackers)));
    attackers.shutdown_background();
    honest.shutdown_background();
    finding
}

fn attackers() -> Result<Runtime> {
    let mut runtime = Builder::new_multi_thread();
    runtime.worker_threads(ATTACK_THREADS).enable_all().on_thread_start(|| {
        // Not allowed everywhere; the attack is then the stronger.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS);
    });
    runtime.build().context("no threads for the attackers")
}

async fn attack(plan: &Plan, attacks: &[Attack], attackers: &Runtime) -> Result<Finding> {
    // This blocks, while nobody plays yet.
    let mut server = Server::start(&plan.binary, &plan.scratch, &plan.flags)?;
    let [play, admin, ops] = server.listeners.clone();
    let crowd = Crowd::gather(&play, plan.players).await?;
    tokio::time::sleep(SETTLE).await;
    let hold = async || -> Result<Held> {
        let metrics = ops.ask(source(WATCHER_NET, 0), &Request::get("/metrics")).await;
        server.held(&metrics.map(|answer| answer.body).unwrap_or_default())
    };

    let before = hold().await?;
    let cpu = server.cpu()?;
    crowd.felt()?;
    tokio::time::sleep(plan.window).await;
    let quiet = crowd.felt()?;
    let (cpu, quiet_cpu) = (server.cpu()?, server.cpu()?.since(cpu).total());

    let tally = Arc::new(Tally::default());
    let until = Instant::now() + plan.window;
    let works: Vec<_> = (attacks.iter().zip(ATTACKERS_NET..))
        .map(|(attack, net)| {
            let (play, admin, ops, tally) = (play.clone(), admin.clone(), ops.clone(), Arc::clone(&tally));
            let field = Field { play, admin, ops, admin_token: ADMIN_TOKEN.into(), net, until, tally };
            attackers.spawn((attack.run)(field))
        })
        .collect();
    tokio::time::sleep_until(until).await;
    let during = crowd.felt()?;
    let attack_cpu = server.cpu()?.since(cpu).total();
    let at_the_end = hold().await?;
    for work in works {
        work.abort();
    }

    let ended = Instant::now();
    let mut after = hold().await?;
    while !is_back(before, after) && ended.elapsed() < RECOVERY {
        tokio::time::sleep(Duration::from_millis(250)).await;
        after = hold().await?;
    }
    let back_after_s = is_back(before, after).then(|| ended.elapsed().as_secs_f64());
    let mut breaches = tally.breaches();
    if server.has_ended() {
        bail!("the server has ended under {}", names(attacks));
    }
    match server.panics() {
        0 => {}
        panics => breaches.push(format!("{panics} panics")),
    }
    breaches.extend(during.lost.iter().take(3).map(|why| format!("an honest player was lost: {why}")));
    breaches.extend(during.kept_out.iter().take(3).map(|why| format!("a newcomer was kept out: {why}")));
    drop(crowd);
    let seconds = plan.window.as_secs_f64();
    let (sent, sent_bytes) = tally.total();
    let mut endings: Vec<_> = tally.endings().into_iter().collect();
    endings.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Ok(Finding {
        attack: names(attacks),
        what: attacks.iter().map(|attack| attack.what).collect::<Vec<_>>().join("; "),
        sent,
        sent_bytes,
        endings,
        quiet_gap_p99_ms: ms(quiet.gaps.value_at_quantile(0.99)),
        gap_p99_ms: ms(during.gaps.value_at_quantile(0.99)),
        gap_max_ms: ms(during.gaps.max()),
        own_lag_p99_ms: ms(during.own_lag.value_at_quantile(0.99)),
        updates_ratio: ratio(&during, &quiet),
        cpu_cores: [quiet_cpu.as_secs_f64() / seconds, attack_cpu.as_secs_f64() / seconds],
        newcomers: [during.entered.len(), during.kept_out.len() as u64],
        newcomer_max_ms: ms(during.entered.max()),
        held: [before, at_the_end, after],
        back_after_s,
        breaches,
    })
}

fn is_back(before: Held, now: Held) -> bool {
    now.resident_bytes <= before.resident_bytes + MEMORY_SLACK_BYTES && now.descriptors <= before.descriptors + DESCRIPTORS_SLACK
}

fn names(attacks: &[Attack]) -> String {
    attacks.iter().map(|attack| attack.name).collect::<Vec<_>>().join("+")
}

fn ratio(during: &Felt, quiet: &Felt) -> f64 {
    during.gaps.len() as f64 / (quiet.gaps.len() as f64).max(1.0)
}

fn ms(microseconds: u64) -> f64 {
    microseconds as f64 / 1000.0
}

//! Several servers that share a store, and what is done to them while bots play.
//!
//! Invariant: what is done is undone before the next, and everyone plays again in between.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use tickwire_bench::process::{Listener, Process, START_PATIENCE, signal, tail};
use tickwire_game::Rng;
use tokio::time::sleep;

use crate::crowd::Crowd;
use crate::history::{Recorder, What};
use crate::options::{Control, Fault, Options};
use crate::patience::{ARRIVAL, FELT, PAUSE_MIN, SPARE, until};
use crate::server::{STOP_PATIENCE, tickwire};
use crate::store::{Gate, Redis};

/// What is away is away for so long: longer than a lease.
const AWAY: std::ops::Range<u32> = 2_000..4_000;
/// In the mode that does not wait for the store, so many ticks may be played again after a kill: what
/// was not flushed, and what was on its way.
const ROLLBACK_TICKS: u32 = 30;

/// The store and its nodes.
pub(crate) struct Cluster {
    nodes: Vec<Node>,
    redis: Redis,
    log: PathBuf,
}

/// One server.
struct Node {
    name: String,
    process: Process,
    gate: Gate,
    play: SocketAddr,
    ops: SocketAddr,
    /// What starts it.
    recipe: Recipe,
}

/// How a server is started.
#[derive(Clone)]
struct Recipe {
    binary: PathBuf,
    flags: Vec<String>,
    log: PathBuf,
}

impl Cluster {
    /// Starts the store and all nodes.
    pub(crate) async fn start(options: &Options, binary: &Path, scratch: &Path, recorder: &Recorder) -> Result<Self> {
        let redis = Redis::start(&options.redis, scratch)?;
        let log = scratch.join("server.log");
        File::create(&log).context("cannot write the servers' log")?;
        let mut flags = options.server_flag.clone();
        if options.consistent {
            flags.extend(["--set".to_owned(), "cluster.consistent_modes=[\"ffa\"]".to_owned()]);
        }
        let recipe = Recipe { binary: binary.to_owned(), flags, log: log.clone() };
        let mut nodes = Vec::new();
        for nth in 0..options.nodes {
            nodes.push(Node::start(format!("n{}", nth + 1), Gate::before(&redis).await?, recipe.clone(), recorder)?);
        }
        let cluster = Self { nodes, redis, log };
        let began = Instant::now();
        while !cluster.know_each_other() {
            if began.elapsed() > START_PATIENCE {
                bail!("the servers do not find each other:\n{}", cluster.log_tail());
            }
            sleep(Duration::from_millis(25)).await;
        }
        Ok(cluster)
    }

    /// Whether every server lets its page connect to every other: a player who comes before that is told
    /// of no other place.
    fn know_each_other(&self) -> bool {
        let knows = |node: &Node| {
            let head = answer(node.play, "/api/info").unwrap_or_default();
            self.nodes.iter().filter(|other| other.play != node.play).all(|other| head.contains(&format!("http://{}", other.play)))
        };
        self.nodes.iter().all(knows)
    }

    /// Where players connect.
    pub(crate) fn plays(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.play).collect()
    }

    /// The whole log of all of them.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Does what is asked for as often as it is.
    pub(crate) async fn torment(&mut self, options: &Options, seed: u64, recorder: &Arc<Recorder>) -> Result<()> {
        let mut rng = Rng::new(seed);
        recorder.note(What::Rules { nodes: options.nodes, rollback_max: rollback_max(options), breaks: breaks(options) });
        let crowd = Crowd::send(self.plays(), options.bots, options.return_within, seed, recorder);
        if !crowd.all_play(ARRIVAL).await {
            bail!("only {} of {} bots got a seat in {} s:\n{}", crowd.playing(), options.bots, ARRIVAL.as_secs(), self.log_tail());
        }
        let seats: Vec<String> = crowd.seats().into_iter().map(|(server, seats)| format!("{seats} on {server}")).collect();
        eprintln!("all {} bots play after {:.0} ms: {}", options.bots, recorder.elapsed().as_millis(), seats.join(", "));
        for nth in 1..=options.kills {
            let range = options.pause.saturating_sub(PAUSE_MIN).as_millis() as u32;
            sleep(PAUSE_MIN + Duration::from_millis(u64::from(rng.below(range.max(1))))).await;
            let began = Instant::now();
            self.strike(options, nth, &crowd, &mut rng, recorder).await?;
            let all = crowd.all_play(options.return_within + SPARE).await;
            let who = if all { "everyone plays".to_owned() } else { format!("only {} of {} play", crowd.playing(), options.bots) };
            eprintln!("{} {nth} of {}: {who} after {} ms", options.fault.name(), options.kills, began.elapsed().as_millis());
            if !all {
                break;
            }
        }
        crowd.leave().await;
        Ok(())
    }

    /// One fault, from its beginning to its end.
    async fn strike(&mut self, options: &Options, nth: u32, crowd: &Crowd, rng: &mut Rng, recorder: &Recorder) -> Result<()> {
        let index = self.victim(&crowd.seats(), rng);
        let away = options.away(&AWAY, rng);
        let Some(node) = self.nodes.get_mut(index) else { bail!("there is no node") };
        let pid = if options.fault.is_of_store() { self.redis.pid() } else { node.process.pid() };
        recorder.note(What::Kill { nth, pid });
        if options.control == Some(Control::NoKill) {
            return Ok(());
        }
        match options.fault {
            Fault::Kill => {
                node.kill()?;
                if options.control == Some(Control::NoRestore) {
                    self.redis.wipe()?;
                }
                until(FELT, || crowd.playing() < options.bots).await;
                // The others have its matches before it is back.
                crowd.all_play(options.return_within).await;
                self.start_again(index, recorder)?;
            }
            Fault::Stop => {
                signal(pid, Signal::STOP)?;
                sleep(away).await;
                signal(pid, Signal::CONT)?;
                recorder.note(What::Healed { nth });
            }
            Fault::Roll => {
                let count = self.nodes.len();
                for (turn, index) in (index..count).chain(0..index).enumerate() {
                    // Each that has players is a fault of its own, and the first was noted.
                    let pid = self.nodes.get(index).map_or(0, |node| node.process.pid());
                    if turn > 0 && self.has_players(index, &crowd.seats()) {
                        recorder.note(What::Kill { nth, pid });
                    }
                    self.roll(index, recorder).await?;
                    crowd.all_play(options.return_within).await;
                }
            }
            Fault::Partition => {
                node.gate.shut(true);
                sleep(away).await;
                node.gate.shut(false);
                recorder.note(What::Healed { nth });
            }
            Fault::StoreKill => {
                self.redis.kill()?;
                sleep(away).await;
                self.redis.restart()?;
                recorder.note(What::Started { pid: self.redis.pid() });
            }
            Fault::StoreWipe => {
                self.redis.wipe()?;
                recorder.note(What::Healed { nth });
            }
            Fault::StorePause => {
                self.redis.stop()?;
                sleep(away).await;
                self.redis.go_on()?;
                recorder.note(What::Healed { nth });
            }
            Fault::Freeze | Fault::Corrupt | Fault::FullDisk => bail!("`{}` is done to one server", options.fault.name()),
        }
        // What the nodes make of it comes within a lease.
        if options.fault != Fault::Kill {
            sleep(Duration::from_millis(u64::from(AWAY.start))).await;
        }
        Ok(())
    }

    /// A node on which somebody plays, so that it is felt.
    fn victim(&self, seats: &BTreeMap<String, u32>, rng: &mut Rng) -> usize {
        let with: Vec<usize> = (0..self.nodes.len()).filter(|index| self.has_players(*index, seats)).collect();
        with.get(rng.below(with.len().max(1) as u32) as usize).copied().unwrap_or(0)
    }

    fn has_players(&self, index: usize, seats: &BTreeMap<String, u32>) -> bool {
        self.nodes.get(index).and_then(|node| seats.get(&node.play.to_string())).is_some_and(|seats| *seats > 0)
    }

    /// As a new build comes: the server is asked to hand its matches over, and its successor starts.
    async fn roll(&mut self, index: usize, recorder: &Recorder) -> Result<()> {
        let Some(node) = self.nodes.get_mut(index) else { return Ok(()) };
        signal(node.process.pid(), Signal::USR2)?;
        let asked = Instant::now();
        while !node.process.has_ended() {
            if asked.elapsed() > STOP_PATIENCE {
                let name = node.name.clone();
                bail!("{name} was asked to make way and is still there:\n{}", self.log_tail());
            }
            sleep(Duration::from_millis(5)).await;
        }
        self.start_again(index, recorder)?;
        // As whoever rolls a deploy does: the next one makes way when this one takes matches over.
        let Some(ops) = self.nodes.get(index).map(|node| node.ops) else { return Ok(()) };
        let asked = Instant::now();
        while !answer(ops, "/readyz").is_ok_and(|head| head.starts_with("HTTP/1.1 200 ")) {
            if asked.elapsed() > START_PATIENCE {
                bail!("a server was started again and does not become ready:\n{}", self.log_tail());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    fn start_again(&mut self, index: usize, recorder: &Recorder) -> Result<()> {
        let Some(node) = self.nodes.get_mut(index) else { return Ok(()) };
        (node.process, _, node.ops) = node.recipe.spawn(&node.name, node.play.port(), &node.gate.url())?;
        recorder.note(What::Started { pid: node.process.pid() });
        Ok(())
    }

    fn log_tail(&self) -> String {
        tail(&self.log)
    }
}

/// The head of the answer to `GET` of `path`.
fn answer(server: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n")?;
    let lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// Whether each fault must break a connection.
fn breaks(options: &Options) -> bool {
    match options.fault {
        Fault::Kill | Fault::Roll | Fault::Stop => true,
        // Frames wait for a store that they cannot reach.
        Fault::Partition => options.consistent,
        _ => false,
    }
}

/// Ticks that a player may have seen and that are played again; `None`: it depends on how long a node
/// was cut off.
fn rollback_max(options: &Options) -> Option<u32> {
    match options.fault {
        _ if options.consistent => Some(0),
        Fault::Partition | Fault::Stop | Fault::StoreKill | Fault::StorePause => None,
        Fault::Roll | Fault::StoreWipe => Some(0),
        _ => Some(ROLLBACK_TICKS),
    }
}

impl Node {
    fn start(name: String, gate: Gate, recipe: Recipe, recorder: &Recorder) -> Result<Self> {
        let (process, play, ops) = recipe.spawn(&name, 0, &gate.url())?;
        recorder.note(What::Started { pid: process.pid() });
        Ok(Self { name, process, gate, play, ops, recipe })
    }

    fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }
}

impl Recipe {
    /// Starts a server and waits until it listens.
    fn spawn(&self, name: &str, port: u16, store: &str) -> Result<(Process, SocketAddr, SocketAddr)> {
        let mut command = tickwire(&self.binary);
        command.args(["--port", &port.to_string(), "--drain-seconds", "5", "--store", store, "--node-id", name]).args(&self.flags);
        // A fault may have stopped the server when this run ends: it would not hear that it is to
        // end, so it gets no time to.
        let mut process = Process::spawn(&mut command, Duration::ZERO)?;
        if let Ok(mut copy) = File::options().append(true).open(&self.log) {
            let name = name.to_owned();
            // The log is for people, when something has failed.
            process.each_error(move |line| drop(writeln!(copy, "{name} {line}")));
        }
        match process.told(Listener::in_line) {
            Some([play, ops]) => Ok((process, play.address, ops.address)),
            None => bail!("the server {name} did not come up: {}", std::fs::read_to_string(&self.log).unwrap_or_default()),
        }
    }
}

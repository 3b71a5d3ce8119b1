//! Stopping. To *drain* is to admit nobody, let matches finish for a while, tell everyone who is
//! left, and go. To *freeze* is to write every match as it stands, for the next process.

use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tickwire_cluster::NodeId;
use tickwire_protocol::{CloseReason, MatchId, WsUrl};

use crate::cluster::letter::Message;
use crate::cluster::{Cluster, Whereabouts};
use crate::matches::{Directory, Halt, MatchHandle};

/// When nobody has been connected for so long, nobody plays any more: those who lost their
/// connection had time to come back.
const QUIET: Duration = Duration::from_secs(3);
/// How often it is looked whether matches have ended.
const POLL: Duration = Duration::from_millis(20);
/// How often it is looked whether matches have frozen: players wait for it.
const FREEZE_POLL: Duration = Duration::from_millis(1);
/// How often matches are told to end: one whose queue was full the first time hears it the next.
const REPEAT: Duration = Duration::from_millis(200);
/// A match that has not ended so long after it was told to is left behind.
const ENDING_MAX: Duration = Duration::from_secs(3);
/// What is written of matches must be in the store after so long.
const GIVING_MAX: Duration = Duration::from_secs(1);
/// Other servers must have taken them over after so long.
const TAKING_MAX: Duration = Duration::from_secs(2);
/// So many matches are in a letter.
const TAKEN_MAX: usize = 1_024;
/// What a shell reports for a program ended by Ctrl-C.
const EXIT_FORCED: i32 = 130;

/// Refuses new players and tells those who play when it ends; waits up to `grace` for matches that
/// people play in; then ends all matches. Blocks until they have ended.
pub fn drain(directory: &Directory, grace: Duration) {
    directory.start_draining();
    let start = Instant::now();
    let until = start + grace;
    let mut untold = if grace.is_zero() { Vec::new() } else { directory.all() };
    let mut played = start;
    while is_held(directory) && played.elapsed() < QUIET && Instant::now() < until {
        untold.retain(|handle: &MatchHandle| !handle.announce_end(until));
        if is_played_in(directory) {
            played = Instant::now();
        }
        std::thread::sleep(POLL);
    }
    let start = Instant::now();
    let mut told: Option<Instant> = None;
    while !directory.is_empty() && start.elapsed() < ENDING_MAX {
        if told.is_none_or(|told| told.elapsed() >= REPEAT) {
            directory.end_all(CloseReason::Draining);
            told = Some(Instant::now());
        }
        std::thread::sleep(POLL);
    }
    if !directory.is_empty() {
        tracing::warn!(matches = directory.len(), "matches did not end in time and are left behind");
    }
}

/// Freezes all matches between two ticks: each is written, its clients are told to come back, and
/// it ends here. Blocks until they have.
pub fn freeze(directory: &Directory) {
    directory.start_draining();
    let start = Instant::now();
    let mut told: Option<Instant> = None;
    while !directory.is_empty() && start.elapsed() < ENDING_MAX {
        if told.is_none_or(|told| told.elapsed() >= REPEAT) {
            directory.end_all(CloseReason::Restarting);
            told = Some(Instant::now());
        }
        std::thread::sleep(FREEZE_POLL);
    }
    if !directory.is_empty() {
        tracing::warn!(matches = directory.len(), "matches did not freeze in time: they go on from their last step");
    }
}

/// Hands all matches to other servers, each written whole first, and tells their players where they
/// go on. What nobody takes ends here and is taken over when somebody can.
pub async fn hand_over(cluster: &Cluster, directory: &Directory) {
    directory.start_draining();
    let others: Vec<_> = cluster.for_newcomer().into_iter().filter(|node| node != cluster.node().id()).collect();
    if others.is_empty() {
        return;
    }
    let handles = directory.all();
    let frozen = join_all(handles.iter().map(MatchHandle::freeze)).await;
    let ids: Vec<_> = handles.iter().zip(frozen).filter(|(_, is_frozen)| *is_frozen).map(|(handle, _)| handle.info.id).collect();
    let given = cluster.node().hand_over(&ids, GIVING_MAX).await;
    tracing::info!(matches = given.len(), servers = others.len(), "matches are handed to other servers");
    for (nth, ids) in given.chunks(given.len().div_ceil(others.len()).clamp(1, TAKEN_MAX)).enumerate() {
        if let Some(node) = others.get(nth % others.len()) {
            cluster.tell(node, &Message::Take(ids.to_vec())).await;
        }
    }
    let deadline = Instant::now() + TAKING_MAX;
    let mut waiting = given;
    while !waiting.is_empty() && Instant::now() < deadline {
        let found = join_all(waiting.iter().map(|id| cluster.locate(*id))).await;
        let mut left = Vec::new();
        for (id, whereabouts) in waiting.into_iter().zip(found) {
            match whereabouts {
                Ok(Whereabouts::There(node)) => send_on(cluster, directory, id, &node),
                _ => left.push(id),
            }
        }
        waiting = left;
        tokio::time::sleep(POLL).await;
    }
    if !waiting.is_empty() {
        tracing::warn!(matches = waiting.len(), "nobody has taken these matches over yet: their players look for them");
    }
}

fn send_on(cluster: &Cluster, directory: &Directory, id: MatchId, node: &NodeId) {
    let ws_url = cluster.ws_url_of(node).and_then(|url| WsUrl::new(&url));
    if let (Some(handle), Some(ws_url)) = (directory.find(id), ws_url) {
        // A match that has ended meanwhile has told its players.
        let _ = handle.send(Halt::Move(ws_url));
    }
}

fn is_held(directory: &Directory) -> bool {
    directory.all().iter().any(|handle| handle.info.stats.held.load(Relaxed) > 0)
}

fn is_played_in(directory: &Directory) -> bool {
    directory.all().iter().any(|handle| handle.info.stats.connected.load(Relaxed) > 0)
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// SIGTERM, SIGINT: the matches end.
    Drain,
    /// SIGUSR2: the matches go on in the next process.
    Freeze,
}

/// The signals that ask a server to stop.
pub struct StopSignals {
    runtime: tokio::runtime::Runtime,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    freeze: tokio::signal::unix::Signal,
    /// Caught so that it ends nobody: a server without a certificate to look at has no use for it.
    #[cfg(unix)]
    _hangup: Option<tokio::signal::unix::Signal>,
}

impl StopSignals {
    /// Catches SIGTERM, SIGINT and SIGUSR2 from now on. SIGHUP, which a terminal sends when it is
    /// closed, ends the server no more where there is none: under a supervisor.
    pub fn catch(is_supervised: bool) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let context = runtime.enter();
            let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            let freeze = signal(SignalKind::user_defined2())?;
            let hangup = is_supervised.then(|| signal(SignalKind::hangup())).transpose()?;
            drop(context);
            Ok(Self { runtime, terminate, interrupt, freeze, _hangup: hangup })
        }
        #[cfg(not(unix))]
        {
            let _ = is_supervised;
            Ok(Self { runtime })
        }
    }

    /// Blocks until one comes.
    pub fn wait(&mut self) -> Stop {
        #[cfg(unix)]
        {
            let Self { runtime, terminate, interrupt, freeze, .. } = self;
            runtime.block_on(async {
                tokio::select! {
                    _ = terminate.recv() => Stop::Drain,
                    _ = interrupt.recv() => Stop::Drain,
                    _ = freeze.recv() => Stop::Freeze,
                }
            })
        }
        #[cfg(not(unix))]
        {
            if self.runtime.block_on(tokio::signal::ctrl_c()).is_err() {
                // Nothing will ever ask us to stop.
                std::thread::park();
            }
            Stop::Drain
        }
    }

    /// From now on the next one ends the process at once.
    pub fn force_on_next(mut self) -> io::Result<()> {
        let watch = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            self.wait();
            tracing::warn!("second signal: stopping at once");
            std::process::exit(EXIT_FORCED);
        });
        watch.map(drop)
    }
}

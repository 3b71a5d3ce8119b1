//! A worker: one thread, one current-thread runtime, some matches and all their sockets.
//!
//! Invariants: a match lives and dies on one worker, so its tick takes no lock and wakes no other
//! thread; a panic in one match ends that match only.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::FutureExt;
use tickwire_cluster::MatchLane;
use tickwire_game::Game;
use tickwire_handover::Handover;
use tickwire_protocol::{CloseReason, MatchId};
use tokio::sync::mpsc;
use tokio::task::LocalSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::handle::{MatchInfo, Order};
use super::headroom::{BEAT, Comer, Gauge, Load};
use super::kept::KeptConnection;
use super::match_task::{MatchTask, RevivalError, RevivedSeat};
use super::pacer::{self, Alarm, Pacer};
use crate::config::{HeadroomConfig, MatchConfig, SessionConfig};
use crate::journal::{Lane, MatchLog, Opening, Revival};

/// A match to be run.
pub struct Start {
    /// What it is.
    pub info: Arc<MatchInfo>,
    /// What it is asked.
    pub orders: mpsc::Receiver<Order>,
    /// Where it comes from.
    pub origin: Origin,
    /// Its part of the store that servers share.
    pub shared: Option<MatchLane>,
    /// Its entry in the directory, dropped when it ends.
    pub registration: Box<dyn Send>,
}

/// Where a match comes from.
pub enum Origin {
    /// Somebody has just asked for it: it begins from nothing.
    New {
        /// All randomness of the match follows from it.
        seed: u64,
    },
    /// Another process ran it.
    Kept {
        /// What it left.
        revival: Box<Revival>,
        /// Who waits for it to go on: told of the seats that people have, or why it does not.
        revived: std::sync::mpsc::Sender<Revived>,
        /// Of its clients, those that are still there.
        connections: Vec<KeptConnection>,
    },
}

/// What outlives the process of a worker's matches.
#[derive(Clone)]
struct Keep {
    lane: Option<Lane>,
    handover: Option<Handover>,
}

/// The match that goes on, with the seats that people have in it; or that does not, and why.
pub type Revived = Result<(MatchId, Vec<RevivedSeat>), (MatchId, RevivalError)>;

/// A worker, seen from outside. When the handle is dropped the worker ends with its last match.
pub struct WorkerHandle {
    /// Bounded by the directory: no more starts wait than there may be matches.
    starts: mpsc::UnboundedSender<Start>,
    shared: Arc<Shared>,
}

/// What a worker tells of itself.
#[derive(Debug)]
pub struct Shared {
    /// Matches it runs or is about to.
    matches: AtomicUsize,
    /// Rises four times a second while the worker is not stuck.
    beats: AtomicU64,
    load: Arc<Load>,
}

impl Shared {
    /// Rises four times a second while the worker is not stuck.
    pub fn beats(&self) -> u64 {
        self.beats.load(Relaxed)
    }

    /// How much of its time it uses.
    pub fn load(&self) -> &Arc<Load> {
        &self.load
    }
}

impl WorkerHandle {
    /// Matches it runs or is about to.
    pub fn matches(&self) -> usize {
        self.shared.matches.load(Relaxed)
    }

    /// How much of its time it uses.
    pub fn load(&self) -> &Arc<Load> {
        &self.shared.load
    }

    /// Whether a new match of this mode has room here.
    pub fn has_room(&self, mode_index: u8) -> bool {
        self.load().has_room(mode_index, Comer::New)
    }

    /// What the worker tells of itself, for health checks.
    pub fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Runs a match. If the worker is gone the match is too: its handle says so.
    pub fn start(&self, start: Start) {
        self.shared.matches.fetch_add(1, Relaxed);
        // A dead worker has dropped its receiver; the start, and with it the registration, is
        // dropped here.
        let _ = self.starts.send(start);
    }
}

/// Starts worker `index`. The thread ends when the handle is dropped and its last match has ended.
pub fn spawn<G: Game>(
    index: usize,
    session: SessionConfig,
    matches: MatchConfig,
    headroom: HeadroomConfig,
    journal: Option<Opening>,
    handover: Option<Handover>,
) -> std::io::Result<(WorkerHandle, JoinHandle<()>)> {
    let (starts, mut receiver) = mpsc::unbounded_channel::<Start>();
    let load = Load::new(headroom);
    let shared = Arc::new(Shared { matches: AtomicUsize::default(), beats: AtomicU64::default(), load: Arc::clone(&load) });
    let pacer = Arc::<Pacer>::default();
    let runtime = runtime(&pacer, load)?;
    let for_thread = Arc::clone(&shared);
    let thread = std::thread::Builder::new().name(format!("worker-{index}")).spawn(move || {
        pacer::sleep_exactly();
        let keep = Keep { lane: journal.map(|opening| Lane::open(&opening, index as u16)), handover };
        let tasks = LocalSet::new();
        let accept = async {
            let mut started = 0;
            let mut beat = tokio::time::interval(BEAT);
            beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut gauge = Gauge::new(Instant::now());
            loop {
                let start = tokio::select! {
                    _ = beat.tick() => {
                        for_thread.beats.fetch_add(1, Relaxed);
                        gauge.beat(Instant::now(), &for_thread.load);
                        keep.lane.iter().for_each(Lane::tidy);
                        continue;
                    }
                    start = receiver.recv() => start,
                };
                let Some(start) = start else { break };
                let offset = spread(started, start.info.mode.tick_rate);
                started += 1;
                let task = run::<G>(start, session.clone(), matches.clone(), offset, Arc::clone(&for_thread), keep.clone(), pacer.alarm());
                // A match carries out all commands that have come, however many, and tokio's budget
                // would have it pause among them.
                tokio::task::spawn_local(tokio::task::unconstrained(task));
            }
        };
        runtime.block_on(tasks.run_until(accept));
        runtime.block_on(tasks);
    })?;
    Ok((WorkerHandle { starts, shared }, thread))
}

/// A runtime that sleeps as its matches' alarms want it to, and notes for how long.
fn runtime(pacer: &Arc<Pacer>, load: Arc<Load>) -> std::io::Result<tokio::runtime::Runtime> {
    let (napping, parking) = (Arc::clone(pacer), Arc::<Parking>::default());
    let waking = Arc::clone(&parking);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(move || parking.begin(|| napping.timed_nap()))
        .on_thread_unpark(move || load.slept(waking.end()))
        .build()
}

/// A thread's sleep.
#[derive(Debug, Default)]
struct Parking(Mutex<Option<(Instant, Duration)>>);

impl Parking {
    /// It begins, with a nap that says how much too long it was.
    fn begin(&self, nap: impl FnOnce() -> Duration) {
        let began = Instant::now();
        let too_long = nap();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((began, too_long));
    }

    /// It is over. Returns how long it lasted, as far as it was meant to.
    fn end(&self) -> Duration {
        let began = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        began.map_or(Duration::ZERO, |(began, too_long)| began.elapsed().saturating_sub(too_long))
    }
}

async fn run<G: Game>(
    start: Start,
    session: SessionConfig,
    matches: MatchConfig,
    offset: Duration,
    shared: Arc<Shared>,
    keep: Keep,
    alarm: Alarm,
) {
    let (id, mode, code) = (start.info.id, start.info.mode.id, start.info.code.clone());
    let Start { info, orders, origin, shared: in_store, registration } = start;
    let Keep { lane, handover } = keep;
    let load = Arc::clone(&shared.load);
    let log = || lane.as_ref().map(|lane| MatchLog::of(lane, id)).unwrap_or_default();
    let built = std::panic::catch_unwind(AssertUnwindSafe(|| match origin {
        Origin::New { seed } => {
            let task = MatchTask::<G>::new(info, orders, seed, session, &matches, offset).on(load).handing_over(handover);
            Some(task.kept(log().shared(in_store)))
        }
        Origin::Kept { revival, revived, connections } => {
            let _attempt = lane.as_ref().map(|lane| lane.attempt(id, revival.attempt));
            let task = MatchTask::revive(info, orders, session, &matches, offset, &revival, connections);
            let task = match task {
                Ok(task) => Ok(task.on(load).handing_over(handover).kept(log().shared(in_store))),
                Err(error) => {
                    log().end();
                    // Another server may be able to: there it is not over.
                    if let Some(lane) = in_store {
                        lane.leave();
                    }
                    Err(error)
                }
            };
            // The waiter may have given up: the server stops.
            let _ = revived.send(task.as_ref().map(|task| (id, task.seats())).map_err(|error| (id, error.clone())));
            task.ok()
        }
    }));
    let reason = match built.map(|task| task.map(Box::new)) {
        Ok(Some(mut task)) => {
            tracing::info!(match_id = %id, mode, code, "match started");
            let reason = AssertUnwindSafe(task.run(alarm)).catch_unwind().await.unwrap_or(CloseReason::InternalError);
            task.close_all(reason);
            reason
        }
        Ok(None) => CloseReason::MatchGone,
        Err(_) => {
            log().end();
            CloseReason::InternalError
        }
    };
    drop(registration);
    shared.matches.fetch_sub(1, Relaxed);
    if reason == CloseReason::InternalError {
        tracing::error!(match_id = %id, "match failed; its players were told, other matches go on");
    } else {
        tracing::info!(match_id = %id, reason = reason.name(), "match ended");
    }
}

/// Where in the interval the `nth` match of a worker ticks: multiples of the golden ratio never
/// bunch up.
fn spread(nth: u32, tick_rate: u8) -> Duration {
    let fraction = nth.wrapping_mul(0x9e37_79b9);
    Duration::from_secs(1) / u32::from(tick_rate.max(1)) * (fraction >> 16) / (1 << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_spread_over_the_interval() {
        let mut offsets: Vec<_> = (0..8).map(|nth| spread(nth, 50).as_micros()).collect();
        offsets.sort_unstable();
        assert!(offsets.iter().all(|offset| *offset < 20_000));
        assert!(offsets.windows(2).all(|pair| matches!(pair, [a, b] if b - a > 1_000)), "{offsets:?} are apart");
    }
}

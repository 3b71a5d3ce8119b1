//! Which matches there are: by id, by code, and as a list. Creates them on the worker with the most
//! time left.
//!
//! Not on the tick path: a match task never asks the directory anything.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::time::Instant;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use tickwire_cluster::{Consistency, Epoch, MatchLane, Node};
use tickwire_game::Mode;
use tickwire_protocol::{CloseReason, MatchId};

use super::handle::{Command, Halt, MatchHandle, MatchInfo, Settings};
use super::headroom::Load;
use super::kept::KeptConnection;
use super::lost::Lost;
use super::stats::MatchStats;
use super::worker::{Origin, Revived, Start, WorkerHandle};
use crate::config::ClusterConfig;
use crate::journal::Revival;
use crate::journal::record::Identity;
use crate::secrets::random_bytes;

/// Letters and digits of match codes, without those that look alike.
const CODE_ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Characters of a code: a billion codes, against at most thousands of matches.
const CODE_CHARS: usize = 6;

/// Bytes kept for the clients of a match that are worth closing one of them: beyond what a few good
/// ones have on their way.
const KEPT_WORTH_SHEDDING: u64 = 64 * 1024;
/// Workers whose use of their time differs by less than this, in millionths, are about equally
/// busy.
const ABOUT_EQUALLY: u32 = 50_000;

/// All matches of this server.
pub struct Directory {
    modes: Box<[Mode]>,
    matches: DashMap<MatchId, MatchHandle>,
    lost: Lost,
    codes: DashMap<String, MatchId>,
    workers: Vec<WorkerHandle>,
    matches_max: usize,
    /// Matches alive or being created: the cap is checked against this, so simultaneous creations
    /// cannot pass it.
    alive: AtomicUsize,
    draining: AtomicBool,
    hasher: RandomState,
    /// The store that servers share, if there are several.
    shared: Option<Shared>,
}

/// The store that servers share.
pub struct Shared {
    node: Node,
    /// Modes whose frames wait until their tick is in the store.
    consistent: Vec<String>,
}

impl Shared {
    /// With what `node` has to write.
    pub fn new(node: Node, config: &ClusterConfig) -> Self {
        Self { node, consistent: config.consistent_modes.clone() }
    }

    fn open(&self, id: MatchId, epoch: Epoch, mode: &str) -> MatchLane {
        let is_consistent = self.consistent.iter().any(|consistent| consistent == mode);
        let consistency = if is_consistent { Consistency::Consistent } else { Consistency::Available };
        self.node.open(id, epoch, consistency)
    }
}

/// Why a match was not created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// As many matches as the config allows.
    #[error("the server has as many matches as it may have")]
    AtCapacity,
    /// No worker has time for another match of the mode.
    #[error("no worker has time for another match")]
    NoTime,
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Draining,
    /// The game has no mode with this id.
    #[error("there is no such mode")]
    NoSuchMode,
    /// What was to be the match's code is none.
    #[error("there is no such code")]
    BadCode,
    /// Another match has this code.
    #[error("another match has this code")]
    CodeTaken,
}

/// What whoever created a match is charged for it, given back when dropped: when the match has
/// ended, or was not created.
pub type Charge = Box<dyn Send>;

/// A match to be created.
pub struct MatchRequest<'a> {
    /// Of the game's modes.
    pub mode_id: &'a str,
    /// What its creator chose.
    pub settings: Settings,
    /// What it is to be called, if that is agreed already; random. `None` for a new name.
    pub id: Option<MatchId>,
    /// The code it shall have, in either case, as after a restart; `None` for a new one.
    pub code: Option<&'a str>,
    /// Held while the match lives.
    pub charge: Option<Charge>,
}

impl<'a> MatchRequest<'a> {
    /// Of mode `mode_id`, with a new code, at nobody's expense.
    pub fn new(mode_id: &'a str, settings: Settings) -> Self {
        Self { mode_id, settings, id: None, code: None, charge: None }
    }
}

impl Directory {
    /// Over these workers.
    pub fn new(modes: Box<[Mode]>, workers: Vec<WorkerHandle>, matches_max: usize, shared: Option<Shared>) -> Arc<Self> {
        Arc::new(Self {
            modes,
            matches: DashMap::new(),
            lost: Lost::default(),
            codes: DashMap::new(),
            workers,
            matches_max,
            alive: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            hasher: RandomState::new(),
            shared,
        })
    }

    /// The game's modes, as they are played here.
    pub fn modes(&self) -> &[Mode] {
        &self.modes
    }

    /// Creates a match.
    pub fn create(self: &Arc<Self>, new: MatchRequest<'_>) -> Result<MatchHandle, CreateError> {
        let MatchRequest { mode_id, settings, id, code, charge } = new;
        if self.is_draining() {
            return Err(CreateError::Draining);
        }
        let index = self.modes.iter().position(|mode| mode.id == mode_id).ok_or(CreateError::NoSuchMode)?;
        let mode = *self.modes.get(index).ok_or(CreateError::NoSuchMode)?;
        let worker = self.worker_for(index as u8)?;
        let place = MatchPlace::take(self)?;
        let id = id.unwrap_or_else(|| MatchId(random_bytes()));
        let code = code.map_or_else(|| Ok(self.reserve_code(id)), |code| self.take_code(code, id))?;
        let stats = MatchStats::default();
        let info = MatchInfo { id, code, mode, mode_index: index as u8, settings, created: Instant::now(), stats };
        Ok(self.start(worker, info, Origin::New { seed: u64::from_le_bytes(random_bytes()) }, Epoch(1), place, charge))
    }

    /// Brings a match back that another process ran, at the expense of whoever is charged. Its
    /// owner is the `epoch`th it has had. `revived` is told what came of it.
    ///
    /// # Errors
    /// If there is no room for it, or the game has no such mode any more.
    pub fn revive(
        self: &Arc<Self>,
        revival: Revival,
        epoch: Epoch,
        charge: Option<Charge>,
        revived: mpsc::Sender<Revived>,
        connections: Vec<KeptConnection>,
    ) -> Result<(), CreateError> {
        let Identity { mode, tick_rate, private, lobby, bots, .. } = &revival.identity;
        let index = self.modes.iter().position(|known| known.id == mode).ok_or(CreateError::NoSuchMode)?;
        let mode = Mode { tick_rate: *tick_rate, ..*self.modes.get(index).ok_or(CreateError::NoSuchMode)? };
        // It sleeps until somebody comes: whether there is time for it is asked then.
        let worker = self.workers.iter().min_by_key(|worker| worker.matches()).ok_or(CreateError::AtCapacity)?;
        let place = MatchPlace::take(self)?;
        let code = self.take_code(&revival.identity.code, revival.id)?;
        let settings = Settings { private: *private, lobby: *lobby, bots: *bots };
        let created = Instant::now().checked_sub(revival.age()).unwrap_or_else(Instant::now);
        let info = MatchInfo { id: revival.id, code, mode, mode_index: index as u8, settings, created, stats: MatchStats::default() };
        self.start(worker, info, Origin::Kept { revival: Box::new(revival), revived, connections }, epoch, place, charge);
        Ok(())
    }

    fn start(
        self: &Arc<Self>,
        worker: &WorkerHandle,
        info: MatchInfo,
        origin: Origin,
        epoch: Epoch,
        place: MatchPlace,
        charge: Option<Charge>,
    ) -> MatchHandle {
        let (handle, orders) = MatchHandle::new(Arc::new(info));
        let handle = handle.on(Arc::clone(worker.load()));
        self.matches.insert(handle.info.id, handle.clone());
        let registration = Box::new(Registration { directory: Arc::clone(self), handle: handle.clone(), _place: place, _charge: charge });
        let shared = self.shared.as_ref().map(|shared| shared.open(handle.info.id, epoch, handle.info.mode.id));
        worker.start(Start { info: Arc::clone(&handle.info), orders, origin, shared, registration });
        handle
    }

    /// The match with this id.
    pub fn find(&self, id: MatchId) -> Option<MatchHandle> {
        self.matches.get(&id).map(|handle| handle.clone())
    }

    /// The match with this code, in either case.
    pub fn find_code(&self, code: &str) -> Option<MatchHandle> {
        let id = *self.codes.get(&code.to_ascii_uppercase())?;
        self.find(id)
    }

    /// Matches that could not be brought back.
    pub fn lost(&self) -> &Lost {
        &self.lost
    }

    /// Some match, the same for as long as there are the same matches: asking it takes as long as
    /// asking the match with this id or code would, if there were one. Nobody outside can tell
    /// which it is.
    pub fn stand_in(&self, unknown: &impl Hash) -> Option<MatchHandle> {
        let count = self.matches.len().max(1);
        let nth = self.hasher.hash_one(unknown) as usize % count;
        self.matches.iter().nth(nth).map(|entry| entry.value().clone())
    }

    /// Every match, in no order.
    pub fn all(&self) -> Vec<MatchHandle> {
        self.matches.iter().map(|entry| entry.value().clone()).collect()
    }

    /// Number of matches.
    pub fn len(&self) -> usize {
        self.matches.len()
    }

    /// Whether there is no match.
    pub fn is_empty(&self) -> bool {
        self.matches.is_empty()
    }

    /// Number of workers.
    pub fn worker_count(&self) -> usize {
        self.workers.len()
    }

    /// Whether no worker takes a new match, of whichever mode.
    pub fn is_full(&self) -> bool {
        !self.workers.is_empty() && self.full_workers() == self.workers.len()
    }

    /// Workers that take no new match, of whichever mode.
    pub fn full_workers(&self) -> usize {
        let has_room = |worker: &&WorkerHandle| (0..self.modes.len()).any(|mode| worker.has_room(mode as u8));
        self.workers.len() - self.workers.iter().filter(has_room).count()
    }

    /// What each worker does, in the order of their numbers.
    pub fn loads(&self) -> impl Iterator<Item = &Arc<Load>> {
        self.workers.iter().map(WorkerHandle::load)
    }

    /// What of the workers' time may be used is, in thousandths.
    pub fn used_permille(&self) -> u16 {
        let used: u32 = self.loads().map(|load| u32::from(load.used_permille())).sum();
        (used / self.workers.len().max(1) as u32) as u16
    }

    /// Most matches.
    pub fn matches_max(&self) -> usize {
        self.matches_max
    }

    /// Whether there may be another match.
    pub fn has_place(&self) -> bool {
        self.alive.load(Relaxed) < self.matches_max
    }

    /// Whether new matches are refused.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// Refuses new matches from now on.
    pub fn start_draining(&self) {
        self.draining.store(true, Relaxed);
    }

    /// Ends every match with this reason.
    pub fn end_all(&self, reason: CloseReason) {
        for handle in self.all() {
            // A match that is gone or too busy to listen ends by itself.
            let _ = handle.send(Halt::End(reason));
        }
    }

    /// The worker for a new match. A match that sleeps costs nothing, so their number decides only
    /// between workers that are about equally busy.
    fn worker_for(&self, mode_index: u8) -> Result<&WorkerHandle, CreateError> {
        let with_room = self.workers.iter().filter(|worker| worker.has_room(mode_index));
        let least = with_room.min_by_key(|worker| (worker.load().expected() / ABOUT_EQUALLY, worker.load().awake(), worker.matches()));
        least.ok_or(if self.workers.is_empty() { CreateError::AtCapacity } else { CreateError::NoTime })
    }

    /// Memory runs short: whatever takes most has to go. Where clients are slow to take what is
    /// kept for them, that is one of these; else it is a match, one that nobody is connected to if
    /// there is one: the largest.
    pub fn shed(&self) {
        let matches = self.all();
        let kept = |handle: &&MatchHandle| handle.info.stats.kept_bytes.load(Relaxed);
        if let Some(handle) = matches.iter().max_by_key(kept).filter(|handle| kept(handle) >= KEPT_WORTH_SHEDDING) {
            let _ = handle.send(Command::Shed);
            return;
        }
        let size = |handle: &&MatchHandle| {
            let MatchStats { tick, held, bots, spectators, .. } = &handle.info.stats;
            let people = [held, bots, spectators].map(|count| count.load(Relaxed)).iter().sum::<u32>();
            // One that nobody has been connected to has no world.
            (tick.load(Relaxed) > 0, !handle.is_awake(), people)
        };
        let Some(handle) = matches.iter().filter(|handle| !handle.is_gone()).max_by_key(size) else { return };
        let (_, sleeps, people) = size(&handle);
        let mode = handle.info.mode.id;
        tracing::warn!(match_id = %handle.info.id, mode, sleeps, people, "memory runs short: the largest match was ended");
        let _ = handle.send(Halt::End(CloseReason::Overloaded));
    }

    /// Reserves this code, if it is one and free.
    fn take_code(&self, code: &str, id: MatchId) -> Result<String, CreateError> {
        let code = code.to_ascii_uppercase();
        if code.len() != CODE_CHARS || !code.bytes().all(|letter| CODE_ALPHABET.contains(&letter)) {
            return Err(CreateError::BadCode);
        }
        let Entry::Vacant(free) = self.codes.entry(code.clone()) else { return Err(CreateError::CodeTaken) };
        free.insert(id);
        Ok(code)
    }

    fn reserve_code(&self, id: MatchId) -> String {
        loop {
            let code: String = random_bytes::<CODE_CHARS>()
                .iter()
                .filter_map(|byte| CODE_ALPHABET.get(usize::from(byte % 32)))
                .map(|letter| char::from(*letter))
                .collect();
            if let Entry::Vacant(free) = self.codes.entry(code.clone()) {
                free.insert(id);
                return code;
            }
        }
    }
}

/// One of the places under `matches_max`, given back when dropped.
struct MatchPlace(Arc<Directory>);

impl MatchPlace {
    fn take(directory: &Arc<Directory>) -> Result<Self, CreateError> {
        directory
            .alive
            .fetch_update(Relaxed, Relaxed, |alive| (alive < directory.matches_max).then_some(alive + 1))
            .map(|_| Self(Arc::clone(directory)))
            .map_err(|_| CreateError::AtCapacity)
    }
}

impl Drop for MatchPlace {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Relaxed);
    }
}

/// A match's entry in the directory. Its task holds it, so the entry goes when the task ends,
/// however it ends.
struct Registration {
    directory: Arc<Directory>,
    handle: MatchHandle,
    _place: MatchPlace,
    _charge: Option<Charge>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.directory.codes.remove(&self.handle.info.code);
        self.directory.matches.remove(&self.handle.info.id);
    }
}

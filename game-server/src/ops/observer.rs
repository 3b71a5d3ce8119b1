//! Looks at a running server from outside: what operators and the monitoring system are told comes
//! from here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::gateway::{GameFacts, Gateway};
use crate::matches::{Directory, worker};
use crate::memory::Pressure;
use crate::tls::Keeper;

use super::audit::Audit;
use super::match_watch::MatchWatch;

/// How often it looks.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// A worker that shows no life for so long is stuck. It beats four times a second.
const STUCK_AFTER: Duration = Duration::from_secs(5);

/// What there is to look at.
pub(crate) struct Observer {
    /// The game being run.
    pub(crate) game: GameFacts,
    /// The gateway: connections, guests, tickets.
    pub(crate) gateway: Arc<Gateway>,
    /// All matches.
    pub(crate) directory: Arc<Directory>,
    /// What operators did.
    pub(crate) audit: Audit,
    /// The certificate, if there is TLS.
    pub(crate) tls: Option<Arc<Keeper>>,
    /// When the server started.
    pub(crate) started: Instant,
    watch: Mutex<MatchWatch>,
    pulses: Mutex<Vec<Pulse>>,
}

/// A worker's signs of life.
struct Pulse {
    worker: Arc<worker::Shared>,
    beats: u64,
    changed: Instant,
}

impl Observer {
    /// Over a server's parts.
    pub(crate) fn new(
        game: GameFacts,
        gateway: Arc<Gateway>,
        directory: Arc<Directory>,
        workers: Vec<Arc<worker::Shared>>,
        tls: Option<Arc<Keeper>>,
    ) -> Arc<Self> {
        let started = Instant::now();
        let pulses = workers.into_iter().map(|worker| Pulse { worker, beats: 0, changed: started }).collect();
        let (audit, watch) = (Audit::default(), Mutex::default());
        Arc::new(Self { game, gateway, directory, audit, tls, started, watch, pulses: Mutex::new(pulses) })
    }

    /// Looks once a second, for ever.
    pub(crate) async fn keep_looking(&self) {
        let mut interval = tokio::time::interval(LOOK_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            if self.gateway.brake().look() == Pressure::Shed {
                self.directory.shed();
            }
            drop(self.look());
            self.stuck_workers();
        }
    }

    /// The matches as they are now.
    pub(crate) fn look(&self) -> MutexGuard<'_, MatchWatch> {
        let handles = self.directory.all();
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        watch.look(Instant::now(), handles.iter().map(|handle| &handle.info));
        watch
    }

    /// How many workers have shown no life for a while.
    pub(crate) fn stuck_workers(&self) -> usize {
        let now = Instant::now();
        let mut pulses = self.pulses.lock().unwrap_or_else(PoisonError::into_inner);
        pulses.iter_mut().filter_map(|pulse| pulse.is_stuck(now).then_some(())).count()
    }
}

impl Pulse {
    fn is_stuck(&mut self, now: Instant) -> bool {
        let beats = self.worker.beats();
        if beats != self.beats {
            (self.beats, self.changed) = (beats, now);
        }
        now.duration_since(self.changed) > STUCK_AFTER
    }
}

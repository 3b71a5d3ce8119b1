//! Stopping. To *drain* is to admit nobody, let matches finish for a while, tell everyone who is
//! left, and go. To *freeze* is to write every match as it stands, for the next process.

use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tickwire_protocol::CloseReason;

use crate::matches::{Directory, MatchHandle};

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

/// Freezes all matches between two ticks: each is written, its clients are told to come back, and it
/// ends here. Blocks until they have.
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

//! A small process that keeps the server alive: it holds the listening sockets and, on Linux, the
//! players' connections, starts the server as its child, and starts it again when it dies.
//!
//! `restarts` decides when, `child` starts one, `players` holds connections. Invariants: there is
//! at most one child; it is in a process group of its own, so that a signal from the terminal
//! reaches it once; the sockets stay open for as long as the supervisor lives, so nobody who
//! connects meanwhile is refused.

mod child;
mod players;
mod restarts;

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::SuperviseConfig;
use crate::sockets::Sockets;
use child::Child;
use players::Players;
use restarts::{Next, Restarts};

pub use child::{Orphaned, enter};

/// A server that cannot start because of its settings ends with this (`EX_CONFIG`): starting it
/// again would not help.
pub const EXIT_SETTINGS: u8 = 78;
/// A server that was asked to freeze has left its matches to the next one, and ends with this
/// (`EX_TEMPFAIL`): the next one is started at once, of whatever build the program is by then.
pub const EXIT_FROZEN: u8 = 75;

/// Starts the server again whenever it dies, until a signal or its settings end it. It has so many
/// `connections` at most. `arguments` are the server's.
pub fn run(config: &SuperviseConfig, connections: usize, sockets: &Sockets, arguments: &[std::ffi::OsString]) -> io::Result<ExitCode> {
    // Asked once: of a file that was replaced, Linux says only that it is deleted.
    let program = std::env::current_exe()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut signals = Signals::catch()?;
        let mut restarts = Restarts::new(config.deaths_per_minute);
        let mut players = Players::new(connections);
        loop {
            let started = Instant::now();
            let mut child = Child::start(&program, sockets, players.give(), arguments)?;
            tracing::info!(pid = child.pid(), "server process started");
            let (status, is_stopping) = attend(&mut child, &mut signals).await?;
            let held = players.count();
            if let Some(code) = ending(status, is_stopping) {
                tracing::info!(pid = child.pid(), exit_code = code, "the server has ended, and so does its supervisor");
                return Ok(ExitCode::from(code));
            }
            let (signal, exit_code) = (status.signal(), status.code());
            if exit_code == Some(i32::from(EXIT_FROZEN)) {
                tracing::info!(pid = child.pid(), connections = held, "the server's matches are frozen: the next process takes them over");
                continue;
            }
            let lived = started.elapsed();
            match restarts.died(Instant::now(), lived) {
                Next::Start(pause) => {
                    let (lived_ms, pause_ms) = (lived.as_millis() as u64, pause.as_millis() as u64);
                    tracing::error!(
                        pid = child.pid(),
                        signal,
                        exit_code,
                        lived_ms,
                        pause_ms,
                        connections = held,
                        "server process died: starting another"
                    );
                    if signals.stop_within(pause).await {
                        return Ok(ExitCode::SUCCESS);
                    }
                }
                Next::GiveUp(deaths) => {
                    tracing::error!(
                        pid = child.pid(),
                        signal,
                        exit_code,
                        deaths,
                        "server process died too often within a minute: giving up"
                    );
                    eprintln!("tickwire: the server died {deaths} times within a minute and is not started again: its log says why");
                    return Ok(ExitCode::FAILURE);
                }
            }
        }
    })
}

/// What the supervisor ends with; `None` if the child is to be started again.
fn ending(status: ExitStatus, is_stopping: bool) -> Option<u8> {
    match (status.code(), status.signal()) {
        (Some(code), _) if is_stopping || code == 0 || code == i32::from(EXIT_SETTINGS) => Some(code as u8),
        // As a shell has it.
        (None, Some(signal)) if is_stopping => Some(128 + signal as u8),
        _ => None,
    }
}

/// Hands on signals until the child has ended, and says whether one asked it to.
async fn attend(child: &mut Child, signals: &mut Signals) -> io::Result<(ExitStatus, bool)> {
    let mut is_stopping = false;
    loop {
        tokio::select! {
            status = child.wait() => return Ok((status?, is_stopping)),
            signal = signals.next() => {
                is_stopping |= !matches!(signal, rustix::process::Signal::HUP | rustix::process::Signal::USR2);
                child.signal(signal);
            }
        }
    }
}

/// The signals that are handed on.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    freeze: Signal,
}

impl Signals {
    fn catch() -> io::Result<Self> {
        let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup(), SignalKind::user_defined2()];
        let [terminate, interrupt, hangup, freeze] = kinds.map(signal);
        Ok(Self { terminate: terminate?, interrupt: interrupt?, hangup: hangup?, freeze: freeze? })
    }

    async fn next(&mut self) -> rustix::process::Signal {
        tokio::select! {
            _ = self.terminate.recv() => rustix::process::Signal::TERM,
            _ = self.interrupt.recv() => rustix::process::Signal::INT,
            _ = self.hangup.recv() => rustix::process::Signal::HUP,
            _ = self.freeze.recv() => rustix::process::Signal::USR2,
        }
    }

    /// Waits, and says whether it was asked to stop meanwhile.
    async fn stop_within(&mut self, pause: Duration) -> bool {
        let stop = async { while matches!(self.next().await, rustix::process::Signal::HUP | rustix::process::Signal::USR2) {} };
        tokio::time::timeout(pause, stop).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_server_for_good() {
        let exit = |code: i32| ExitStatus::from_raw(code << 8);
        let killed = ExitStatus::from_raw(9);
        assert_eq!([0, 78].map(|code| ending(exit(code), false)), [Some(0), Some(78)]);
        assert_eq!([1, 75, 101, 130].map(|code| ending(exit(code), false)), [None; 4]);
        assert_eq!((ending(killed, false), ending(killed, true)), (None, Some(137)));
        assert_eq!(ending(exit(130), true), Some(130), "a second signal");
    }
}

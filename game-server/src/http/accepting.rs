//! What to do when a connection cannot be accepted: most likely the process has no descriptor left.

use std::io;
use std::time::{Duration, Instant};

use socket2::{SockRef, Socket};
use tokio::net::TcpListener;

use super::caps::Caps;
use crate::metrics;

/// Pause after a failure that nothing here mends: asking again at once would spin.
const PAUSE: Duration = Duration::from_millis(50);
/// What keeps a listener from accepting has a log line so often.
const TOLD_AGAIN: Duration = Duration::from_mins(1);

/// How a listener fares.
#[derive(Debug)]
pub(super) struct Accepting {
    /// A descriptor to be given up for one that is missing.
    spare: Option<Socket>,
    told: Option<Instant>,
}

impl Accepting {
    /// Nothing has failed yet.
    pub(super) fn new(listener: &TcpListener) -> Self {
        Self { spare: spare(listener), told: None }
    }

    /// A connection could not be accepted. Makes room for it, or turns it away, or waits.
    pub(super) async fn failed(&mut self, error: &io::Error, listener: &TcpListener, caps: &Caps) {
        metrics::count_reject(metrics::Reject::AcceptFailed);
        if is_lost(error) {
            return;
        }
        if self.told.is_none_or(|told| told.elapsed() > TOLD_AGAIN) {
            self.told = Some(Instant::now());
            tracing::warn!(%error, "cannot accept a connection");
        }
        if !is_out_of_descriptors(error) {
            tokio::time::sleep(PAUSE).await;
        } else if caps.make_room() {
            caps.fewer_leaving_than(1).await;
        } else {
            self.turn_one_away(listener).await;
        }
    }

    /// There is no stranger whose descriptor could be taken. One who waits is accepted with the
    /// spare one and closed: else whoever waits would wait until it gives up.
    async fn turn_one_away(&mut self, listener: &TcpListener) {
        if self.spare.take().is_some() {
            let accepted = tokio::time::timeout(PAUSE, listener.accept()).await;
            drop(accepted);
        } else {
            tokio::time::sleep(PAUSE).await;
        }
        self.spare = spare(listener);
    }
}

fn spare(listener: &TcpListener) -> Option<Socket> {
    SockRef::from(listener).try_clone().ok()
}

/// The peer went away before it was accepted: that is no reason to pause.
fn is_lost(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

/// The process, or the system, has as many open files as it may have.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error().is_some_and(|code| {
        use rustix::io::Errno;
        code == Errno::MFILE.raw_os_error() || code == Errno::NFILE.raw_os_error()
    });
    #[cfg(not(unix))]
    return error.kind() == io::ErrorKind::OutOfMemory;
}

//! The line in which handshakes wait for their turn to compute.
//!
//! Invariant: only `AT_ONCE` compute before everything else on their thread has had its turn.

use tokio::sync::Semaphore;

/// Handshakes that sign and agree on keys in one turn of their thread. One takes less than a
/// millisecond with an ECDSA key, so whoever waits behind a flood of them waits a few milliseconds
/// more a turn.
const AT_ONCE: usize = 4;

/// The line in which handshakes wait for their turn to compute, first come first served. As long
/// as there may be strangers.
#[derive(Debug)]
pub(super) struct Line(Semaphore);

impl Default for Line {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Line {
    /// Does `work` in its turn.
    pub(super) async fn compute<T>(&self, work: impl FnOnce() -> T) -> T {
        let turn = self.0.acquire().await;
        let done = work();
        // The others' turn, before the next in line gets this one.
        tokio::task::yield_now().await;
        drop(turn);
        done
    }
}

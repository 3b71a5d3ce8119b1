//! What SIGTERM and Ctrl-C do: the work ends at once, and the servers that it started end with it.

use anyhow::{Context, Result};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};

/// SIGTERM or Ctrl-C came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("stopped")]
pub struct Stopped;

/// Does `work`. If SIGTERM or Ctrl-C comes first, drops it, with every server that it owns.
///
/// # Errors
/// [`Stopped`] in that case; else what `work` says.
pub async fn unless_stopped<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    // From here on a signal waits for this, even while `work` blocks.
    let listen = |kind| signal(kind).context("signals cannot be caught");
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    tokio::select! {
        done = work => done,
        _ = terminate.recv() => Err(Stopped.into()),
        _ = interrupt.recv() => Err(Stopped.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustix::process::Signal;

    use super::*;
    use crate::process;

    #[tokio::test]
    async fn a_signal_ends_the_work_and_what_it_owns() {
        assert_eq!(unless_stopped(async { Ok(7) }).await.expect("nothing stops it"), 7);
        for signal in [Signal::TERM, Signal::INT] {
            let server = Arc::new(());
            let owned = Arc::clone(&server);
            let work = async move {
                process::signal(std::process::id(), signal)?;
                std::future::pending::<()>().await;
                drop(owned);
                Ok(())
            };
            let error = unless_stopped(work).await.expect_err("the work never ends by itself");
            assert!(error.is::<Stopped>(), "{error:#}");
            assert_eq!(Arc::strong_count(&server), 1);
        }
    }
}

//! Runtimes of the threads that are no workers.

use tokio::runtime::{Builder, Runtime};

use super::start_error::StartError;

/// Threads that read the page's files, per HTTP thread. A crowd that loads the page waits in line.
const FILE_THREADS: usize = 4;

/// Of a thread that serves HTTP, or that talks to other servers.
pub(super) fn runtime() -> Result<Runtime, StartError> {
    let mut runtime = Builder::new_current_thread();
    runtime.enable_all().max_blocking_threads(FILE_THREADS).build().map_err(StartError::Thread)
}

//! File descriptors: who plays many people needs one for each.

use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many as the programs that attack or kill a server ask for.
const WANTED: u64 = 16_384;

/// Raises this process's limit as far as is wanted and allowed.
///
/// # Errors
/// If the system refuses.
pub fn provide() -> Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < WANTED) {
        let wanted = maximum.map_or(WANTED, |maximum| maximum.min(WANTED));
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).context("cannot raise the limit of file descriptors")?;
    }
    Ok(())
}

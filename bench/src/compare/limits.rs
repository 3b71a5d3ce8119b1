//! File descriptors: the generator needs one per player, and so does the server it starts.

use anyhow::{Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// With fewer not even the smaller measurements can be made.
const DESCRIPTORS_MIN: u64 = 4096;
/// As many as the search for capacity may take, on either end.
const DESCRIPTORS_WANTED: u64 = 16_384;

/// Raises this process's limit as far as is wanted and allowed; the servers inherit it.
pub(crate) fn provide_descriptors() -> Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < DESCRIPTORS_WANTED) {
        let wanted = maximum.map_or(DESCRIPTORS_WANTED, |maximum| maximum.min(DESCRIPTORS_WANTED));
        // If it does not work, the limit stays what it is, and is judged below.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < DESCRIPTORS_MIN => {
            bail!("only {limit} file descriptors are allowed, {DESCRIPTORS_MIN} are needed: raise the hard limit (ulimit -Hn)")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_machine_has_enough() {
        provide_descriptors().expect("enough descriptors");
        assert!(getrlimit(Resource::Nofile).current.is_none_or(|limit| limit >= DESCRIPTORS_MIN));
    }
}

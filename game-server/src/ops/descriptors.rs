//! How many file descriptors there may be: every connection takes one.

#[cfg(unix)]
use rlimit::Resource;

/// Descriptors that are no player's: listeners, runtimes, files, operators.
const RESERVE: u64 = 512;

/// The limit leaves too few for the connections that the config promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "connections.total = {total} needs {needed} file descriptors, but only {limit} are allowed: raise the limit (ulimit -n, LimitNOFILE) \
     or lower connections.total"
)]
pub struct TooFew {
    total: usize,
    needed: u64,
    limit: u64,
}

/// Descriptors there may be; `None` if there is no limit or it cannot be known.
pub(crate) fn limit() -> Option<u64> {
    #[cfg(unix)]
    return Resource::NOFILE.get_soft().ok().filter(|limit| *limit != rlimit::INFINITY);
    #[cfg(not(unix))]
    None
}

/// Makes room for `total` connections, raising the process's own limit as far as it may.
pub fn provide(total: usize) -> Result<(), TooFew> {
    let needed = (total as u64).saturating_add(RESERVE);
    // If it does not work, the limit stays too low, and the error says so.
    let _ = rlimit::increase_nofile_limit(needed);
    match limit() {
        Some(limit) if limit < needed => Err(TooFew { total, needed, limit }),
        _ => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_system_allows_is_refused_with_the_numbers() {
        assert_eq!(provide(10), Ok(()));
        let maximum = Resource::NOFILE.get_hard().expect("Unix has this limit");
        if maximum != rlimit::INFINITY {
            let refused = provide(maximum as usize).expect_err("the reserve does not fit").to_string();
            assert!(refused.contains("connections.total") && refused.contains(&maximum.to_string()), "{refused}");
        }
    }
}

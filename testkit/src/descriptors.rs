//! File descriptors: who plays many people needs one or two for each.

/// Raises this process's limit to `wanted`, as far as the system allows. Returns what it is then:
/// [`u64::MAX`] is no limit.
pub fn provide(wanted: u64) -> u64 {
    // If the system refuses, the limit stays what it is, and who called judges it.
    rlimit::increase_nofile_limit(wanted).or_else(|_| rlimit::increase_nofile_limit(0)).unwrap_or(u64::MAX)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_and_never_lowered() {
        let before = provide(0);
        assert!(provide(before) >= before);
        assert_eq!(provide(1), provide(0));
    }
}

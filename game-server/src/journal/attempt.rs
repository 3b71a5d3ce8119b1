//! Which match is being brought back, for the next process to know if that ended this one. A match
//! that ended so many processes is left out, and all others go on. Fewer may be chance: whoever
//! kills a process does not ask what it is doing.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use tickwire_protocol::MatchId;

const PREFIX: &str = "reviving-";
/// A match whose return has ended so many processes, one after the other, is not tried again.
pub(super) const ATTEMPTS_MAX: u8 = 3;

/// A match is being brought back.
#[derive(Debug)]
pub struct Attempt(PathBuf);

impl Attempt {
    /// The `nth` time in a row. A disk that cannot be written leaves the next process ignorant.
    pub(super) fn begin(file: &Path, id: MatchId, nth: u8) -> Self {
        if let Err(error) = fs::write(file, format!("{id} {nth}")) {
            tracing::debug!(%error, "which match is brought back was not written down");
        }
        Self(file.to_owned())
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        // What cannot be removed is read as one attempt too many at the next start.
        let _ = fs::remove_file(&self.0);
    }
}

/// Where lane `number` writes it.
pub(super) fn file(dir: &Path, number: u16) -> PathBuf {
    dir.join(format!("{PREFIX}{number}"))
}

/// The matches whose return ended a former process, and how many in a row. Forgets them.
pub(super) fn take_all(dir: &Path) -> HashMap<MatchId, u8> {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let attempts = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    let read = attempts.filter_map(|entry| {
        let text = fs::read_to_string(entry.path()).ok()?;
        // What cannot be removed will be overwritten.
        let _ = fs::remove_file(entry.path());
        let (id, nth) = text.split_once(' ')?;
        Some((id.parse().ok()?, nth.parse().ok()?))
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_that_was_not_finished_is_known_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let [first, second] = [MatchId([1; 16]), MatchId([2; 16])];
        drop(Attempt::begin(&file(dir.path(), 0), first, 1));
        assert!(take_all(dir.path()).is_empty());
        std::mem::forget(Attempt::begin(&file(dir.path(), 1), second, 2));
        assert_eq!(take_all(dir.path()), HashMap::from([(second, 2)]));
        assert!(take_all(dir.path()).is_empty());
        fs::write(file(dir.path(), 0), "").expect("written");
        assert!(take_all(dir.path()).is_empty(), "the process ended before it had written");
    }
}

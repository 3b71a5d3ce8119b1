//! Which match is being brought back, for the next process to know if that ended this one: it does
//! not try again, and all others go on.

use std::fs;
use std::path::{Path, PathBuf};

use tickwire_protocol::MatchId;

const PREFIX: &str = "reviving-";

/// A match is being brought back.
#[derive(Debug)]
pub struct Attempt(PathBuf);

impl Attempt {
    /// A disk that cannot be written leaves the next process ignorant.
    pub(super) fn begin(file: &Path, id: MatchId) -> Self {
        if let Err(error) = fs::write(file, id.to_string()) {
            tracing::debug!(%error, "which match is brought back was not written down");
        }
        Self(file.to_owned())
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        // A match that was brought back and is said not to be would be lost at the next start only.
        let _ = fs::remove_file(&self.0);
    }
}

/// Where lane `number` writes it.
pub(super) fn file(dir: &Path, number: u16) -> PathBuf {
    dir.join(format!("{PREFIX}{number}"))
}

/// The matches whose return ended a former process. Forgets them.
pub(super) fn take_all(dir: &Path) -> Vec<MatchId> {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let attempts = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    let ids = attempts.filter_map(|entry| {
        let id = fs::read_to_string(entry.path()).ok()?.parse().ok();
        fs::remove_file(entry.path()).ok();
        id
    });
    ids.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_that_was_not_finished_is_known_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let [first, second] = [MatchId([1; 16]), MatchId([2; 16])];
        drop(Attempt::begin(&file(dir.path(), 0), first));
        assert_eq!(take_all(dir.path()), []);
        std::mem::forget(Attempt::begin(&file(dir.path(), 1), second));
        assert_eq!(take_all(dir.path()), [second]);
        assert_eq!(take_all(dir.path()), []);
    }
}

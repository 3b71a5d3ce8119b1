//! Matches that this server could not bring back, for those who look for them: they are told so,
//! and not that there is no such match.
//!
//! Bounded: the newest [`LOST_MAX`], each for an hour.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tickwire_protocol::MatchId;

use crate::journal::Loss;

/// Most matches that are remembered as lost. One more takes the place of the first.
pub const LOST_MAX: usize = 1_024;
/// For so long.
const REMEMBERED: Duration = Duration::from_hours(1);

/// Which matches were lost, and why.
#[derive(Debug, Default)]
pub struct Lost(Mutex<VecDeque<Entry>>);

#[derive(Debug)]
struct Entry {
    id: MatchId,
    /// Nothing if not even that could be read.
    code: String,
    loss: Loss,
    since: Instant,
}

impl Lost {
    /// Match `id` was lost, of which `code` is known or empty.
    pub fn note(&self, now: Instant, id: MatchId, code: &str, loss: Loss) {
        let mut entries = self.entries();
        if entries.len() >= LOST_MAX {
            entries.pop_front();
        }
        entries.push_back(Entry { id, code: code.to_ascii_uppercase(), loss, since: now });
    }

    /// Why match `id` was lost, if it was.
    pub fn find(&self, now: Instant, id: MatchId) -> Option<Loss> {
        self.newest(now, |entry| entry.id == id)
    }

    /// Why the match with this code, in either case of letters, was lost, if it was.
    pub fn find_code(&self, now: Instant, code: &str) -> Option<Loss> {
        self.newest(now, |entry| !code.is_empty() && entry.code.eq_ignore_ascii_case(code))
    }

    fn newest(&self, now: Instant, is_it: impl Fn(&Entry) -> bool) -> Option<Loss> {
        let mut entries = self.entries();
        while entries.front().is_some_and(|first| first.since + REMEMBERED <= now) {
            entries.pop_front();
        }
        entries.iter().rev().find(|entry| is_it(entry)).map(|entry| entry.loss)
    }

    fn entries(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_match_is_known_by_id_and_code_for_an_hour() {
        let (start, lost, id) = (Instant::now(), Lost::default(), MatchId([1; 16]));
        lost.note(start, id, "CODE42", Loss::Changed);
        lost.note(start, MatchId([2; 16]), "", Loss::Failed);
        assert_eq!((lost.find(start, id), lost.find_code(start, "code42")), (Some(Loss::Changed), Some(Loss::Changed)));
        assert_eq!((lost.find(start, MatchId([2; 16])), lost.find_code(start, "")), (Some(Loss::Failed), None));
        assert_eq!(lost.find(start, MatchId([3; 16])), None);
        assert_eq!(lost.find(start + REMEMBERED, id), None);
        assert!(lost.entries().is_empty());
    }

    #[test]
    fn the_newest_are_remembered() {
        let (now, lost) = (Instant::now(), Lost::default());
        let id = |number: usize| MatchId((number as u128).to_be_bytes());
        (0..=LOST_MAX).for_each(|number| lost.note(now, id(number), "", Loss::Failed));
        assert_eq!((lost.find(now, id(0)), lost.find(now, id(1))), (None, Some(Loss::Failed)));
    }
}

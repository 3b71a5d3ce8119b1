//! Where all bots of a process bring what they felt: the current second's tally, and the findings of the run.
//!
//! Invariants: a bot comes by once a second, so the lock is never contended for long; every list is bounded, what does not
//! fit is counted.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use tickwire_protocol::{MatchId, Tick};
use tickwire_testkit::bot::{Waited, micros};
use tickwire_testkit::measure::{Counts, Notes, Tally};

use crate::report::{Divergence, FINDINGS_MAX, Return, Stall};

/// Most stalls that are told apart while a run lasts.
const STALLS_MAX: usize = 10_000;

/// One process's board.
#[derive(Debug, Default)]
pub struct Board {
    inner: Mutex<Inner>,
    seated: AtomicU64,
    /// Players that were sent.
    sent: AtomicU64,
    /// Of these, players that ever had a seat.
    played: AtomicU64,
    /// The test is over for some.
    ends: AtomicBool,
}

#[derive(Debug, Default)]
struct Inner {
    second: Tally,
    divergences: Vec<Divergence>,
    returns: Vec<Return>,
    errors: BTreeMap<String, u64>,
    /// Long gaps by the match and the tick that ended them.
    waits: HashMap<(MatchId, Tick), Wait>,
    /// Bots in each match.
    population: HashMap<MatchId, u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Wait {
    players: u32,
    /// Of so many.
    of: u32,
    micros: u64,
    generator_was_late: bool,
}

/// Everything found out that is not a figure.
#[derive(Debug, Default)]
pub struct Findings {
    /// Views that differed, the first.
    pub divergences: Vec<Divergence>,
    /// Players that came back after their connection broke: the first, and first of all those that
    /// found something wrong.
    pub returns: Vec<Return>,
    /// Matches that stood still, the longest.
    pub stalls: Vec<Stall>,
    /// How many stood still in all.
    pub stall_count: u64,
    /// Errors and how often they came.
    pub errors: BTreeMap<String, u64>,
}

impl Board {
    /// Adds what a bot felt, and leaves its notes empty.
    pub fn add(&self, notes: &mut Notes) {
        self.with(|inner| inner.second.take(notes));
    }

    /// Counts something that no bot was there for.
    pub fn count(&self, what: impl FnOnce(&mut Counts)) {
        self.with(|inner| what(&mut inner.second.counts));
    }

    /// Takes what was added since this was last asked.
    pub fn take_second(&self) -> Tally {
        self.with(|inner| std::mem::take(&mut inner.second))
    }

    /// A bot has a seat in `match_id`.
    pub fn seated(&self, match_id: MatchId) {
        self.seated.fetch_add(1, Relaxed);
        self.with(|inner| *inner.population.entry(match_id).or_default() += 1);
    }

    /// It is gone from it.
    pub fn unseated(&self, match_id: MatchId) {
        self.seated.fetch_sub(1, Relaxed);
        self.with(|inner| {
            if let Some(count) = inner.population.get_mut(&match_id) {
                *count -= 1;
                if *count == 0 {
                    inner.population.remove(&match_id);
                }
            }
        });
    }

    /// A player was sent. Returns how many were before it.
    pub fn sent_one(&self) -> u64 {
        self.sent.fetch_add(1, Relaxed)
    }

    /// Players that were sent so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// A player has its first seat.
    pub fn one_plays(&self) {
        self.played.fetch_add(1, Relaxed);
    }

    /// Players that have ever had a seat.
    pub fn played(&self) -> u64 {
        self.played.load(Relaxed)
    }

    /// For a player the test is over.
    pub fn one_ends(&self) {
        self.ends.store(true, Relaxed);
    }

    /// Whether the test is over for some.
    pub fn ends(&self) -> bool {
        self.ends.load(Relaxed)
    }

    /// Bots that have a seat.
    pub fn users(&self) -> u64 {
        self.seated.load(Relaxed)
    }

    /// A bot waited long for a snapshot.
    pub fn waited(&self, match_id: MatchId, waits: impl Iterator<Item = Waited>, generator_was_late: bool) {
        self.with(|inner| {
            let of = inner.population.get(&match_id).copied().unwrap_or(1);
            for waited in waits {
                let is_known = inner.waits.contains_key(&(match_id, waited.tick));
                if !is_known && inner.waits.len() >= STALLS_MAX {
                    continue;
                }
                let wait = inner.waits.entry((match_id, waited.tick)).or_default();
                wait.players += 1;
                wait.of = wait.of.max(of);
                wait.micros = wait.micros.max(micros(waited.gap));
                wait.generator_was_late |= generator_was_late;
            }
        });
    }

    /// A view differed.
    pub fn diverged(&self, divergence: Divergence) {
        self.with(|inner| {
            inner.second.counts.divergences += 1;
            if inner.divergences.len() < FINDINGS_MAX {
                inner.divergences.push(divergence);
            }
        });
    }

    /// A player came back after its connection broke.
    pub fn returned(&self, found: Return) {
        self.with(|inner| {
            inner.second.counts.returns += 1;
            inner.second.counts.returns_wrong += u64::from(found.wrong.is_some());
            // What is wrong takes the place of what is not.
            let full = inner.returns.len() >= FINDINGS_MAX;
            let place = if full && found.wrong.is_some() { inner.returns.iter().position(|other| other.wrong.is_none()) } else { None };
            match place.and_then(|place| inner.returns.get_mut(place)) {
                Some(place) => *place = found,
                None if full => {}
                None => inner.returns.push(found),
            }
        });
    }

    /// Something failed. The text should not differ from one time to the next.
    pub fn failed(&self, error: String) {
        self.with(|inner| {
            if inner.errors.len() < FINDINGS_MAX || inner.errors.contains_key(&error) {
                *inner.errors.entry(error).or_default() += 1;
            }
        });
    }

    /// Everything found so far.
    pub fn findings(&self) -> Findings {
        self.with(|inner| {
            // A gap that most of a match's players saw is the match's; one that a few saw is theirs. Of one alone nothing can be told.
            let stalled = inner.waits.iter().filter(|(_, wait)| wait.players >= 2 && wait.players * 2 >= wait.of);
            let mut stalls: Vec<Stall> = stalled
                .map(|((match_id, tick), wait)| Stall {
                    match_id: match_id.to_string(),
                    tick: tick.0,
                    gap_ms: wait.micros as f64 / 1000.0,
                    players: wait.players,
                    generator_was_late: wait.generator_was_late,
                })
                .collect();
            stalls.sort_by(|a, b| b.gap_ms.total_cmp(&a.gap_ms).then_with(|| (&a.match_id, a.tick).cmp(&(&b.match_id, b.tick))));
            let stall_count = stalls.len() as u64;
            stalls.truncate(FINDINGS_MAX);
            let (divergences, returns, errors) = (inner.divergences.clone(), inner.returns.clone(), inner.errors.clone());
            Findings { divergences, returns, stalls, stall_count, errors }
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        // A bot that panicked while it held the lock left numbers behind, no broken invariant.
        act(&mut self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MATCH: MatchId = MatchId([1; 16]);

    #[test]
    fn a_gap_is_a_stall_of_the_match_if_at_least_half_of_its_players_saw_it() {
        let board = Board::default();
        (0..4).for_each(|_| board.seated(MATCH));
        let waited = |tick, ms| std::iter::once(Waited { tick: Tick(tick), gap: Duration::from_millis(ms) });
        board.waited(MATCH, waited(50, 210), false);
        assert_eq!(board.findings().stalls, [], "one of four: its own connection");
        board.waited(MATCH, waited(50, 233), false);
        board.waited(MATCH, waited(90, 400), false);
        let stalls = board.findings().stalls;
        let expected = Stall { match_id: MATCH.to_string(), tick: 50, gap_ms: 233.0, players: 2, generator_was_late: false };
        assert_eq!(stalls, [expected]);
    }

    #[test]
    fn lists_are_bounded() {
        let board = Board::default();
        for nth in 0..2 * FINDINGS_MAX {
            board.failed(nth.to_string());
            board.diverged(Divergence { match_id: String::new(), tick: nth as u32, component: String::new(), user: 0 });
        }
        let findings = board.findings();
        assert_eq!((findings.errors.len(), findings.divergences.len()), (FINDINGS_MAX, FINDINGS_MAX));
        assert_eq!(board.take_second().counts.divergences, 2 * FINDINGS_MAX as u64);
    }
}

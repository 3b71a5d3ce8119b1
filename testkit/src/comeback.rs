//! A player whose connection broke without a word from the server: most likely the server died, and
//! another one takes over. The player comes back to its seat, as the page does by itself, and what
//! it finds there must go on from what it had seen.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tickwire_game::Rng;
use tickwire_protocol::{MatchId, PlayerId, Tick};
use tokio::time::Instant;

/// The first wait is up to so long, and each one after it up to twice as long, as the page's.
const WAIT_FIRST: Duration = Duration::from_millis(500);
/// But never longer than this.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Waits between tries: exponential with full jitter, so that thousands do not return in step.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait before the next try.
    pub fn next(&mut self, rng: &mut Rng) -> Duration {
        let ceiling = WAIT_FIRST.saturating_mul(1 << self.failures.min(16)).min(WAIT_MAX);
        self.failures += 1;
        ceiling.mul_f64(f64::from(rng.below(1 << 16)) / f64::from(1 << 16))
    }
}

/// What a player had when its connection broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its match.
    pub match_id: MatchId,
    /// Its seat; `None` for a spectator.
    pub player: Option<PlayerId>,
    /// The newest tick it had seen.
    pub tick: Tick,
    /// What its whole view of that tick hashes to; `None` where what a player is shown depends on
    /// what it was shown before.
    pub hash: Option<u64>,
}

/// A connection that broke.
#[derive(Clone, Debug)]
pub struct Lost {
    /// What the player had.
    pub seen: Seen,
    /// When it broke.
    pub since: Instant,
    deadline: Instant,
    backoff: Backoff,
}

/// What is wrong with what a player came back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    /// It is another match.
    Match,
    /// It is somebody else's seat.
    Seat,
    /// It is before a tick that the player had seen.
    Earlier,
    /// It is the tick that the player had seen last, and looks otherwise.
    Otherwise,
}

impl Wrong {
    /// A sentence's end.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Match => "it came back to another match",
            Self::Seat => "it came back to another seat",
            Self::Earlier => "a tick that it had seen is gone",
            Self::Otherwise => "a tick that it had seen is another one now",
        }
    }
}

impl Lost {
    /// It broke just now, and its player tries for `patience` to come back.
    pub fn now(seen: Seen, patience: Duration) -> Self {
        let since = Instant::now();
        Self { seen, since, deadline: since + patience, backoff: Backoff::default() }
    }

    /// When to try next, after a pause that grows with the tries or after `pause`; `None` if that
    /// would be too late.
    pub fn next_try(&mut self, pause: Option<Duration>, rng: &mut Rng) -> Option<Instant> {
        let now = Instant::now();
        // One that would come after the deadline comes at it: the last one.
        let next = (now + pause.unwrap_or_else(|| self.backoff.next(rng))).min(self.deadline);
        (now < self.deadline).then_some(next)
    }

    /// What is wrong with what the player came back to.
    pub fn judge(&self, now: &Seen) -> Option<Wrong> {
        self.seen.judge(now)
    }
}

impl Seen {
    /// What is wrong with seeing `now` after this.
    pub fn judge(&self, now: &Self) -> Option<Wrong> {
        if now.match_id != self.match_id {
            return Some(Wrong::Match);
        }
        if now.player != self.player {
            return Some(Wrong::Seat);
        }
        match now.tick.since(self.tick) {
            ..0 => Some(Wrong::Earlier),
            0 if self.hash.is_some() && now.hash.is_some() && now.hash != self.hash => Some(Wrong::Otherwise),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_bound_and_differ() {
        let mut rng = Rng::new(7);
        for _ in 0..50 {
            let mut backoff = Backoff::default();
            for failures in 0..12 {
                let ceiling = (WAIT_FIRST * 2_u32.pow(failures)).min(WAIT_MAX);
                assert!(backoff.next(&mut rng) < ceiling);
            }
        }
        let firsts: std::collections::BTreeSet<Duration> = (0..50).map(|_| Backoff::default().next(&mut rng)).collect();
        assert!(firsts.len() > 40, "all at once: {firsts:?}");
    }

    #[test]
    fn what_a_player_comes_back_to_must_go_on_from_what_it_had_seen() {
        let seen = Seen { match_id: MatchId([1; 16]), player: Some(PlayerId(3)), tick: Tick(u32::MAX), hash: Some(7) };
        let after = Seen { tick: Tick(4), hash: Some(8), ..seen };
        assert_eq!(seen.judge(&seen), None);
        assert_eq!(seen.judge(&after), None, "ticks wrap");
        assert_eq!(after.judge(&seen), Some(Wrong::Earlier));
        assert_eq!(seen.judge(&Seen { hash: Some(8), ..seen }), Some(Wrong::Otherwise));
        assert_eq!(seen.judge(&Seen { player: Some(PlayerId(4)), ..after }), Some(Wrong::Seat));
        assert_eq!(seen.judge(&Seen { match_id: MatchId([2; 16]), ..after }), Some(Wrong::Match));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_not_back_in_time_gives_up() {
        let seen = Seen { match_id: MatchId::default(), player: None, tick: Tick(1), hash: None };
        let mut lost = Lost::now(seen, Duration::from_secs(5));
        let mut rng = Rng::new(1);
        let mut last = lost.since;
        while let Some(next) = lost.next_try(None, &mut rng) {
            tokio::time::sleep_until(next).await;
            last = next;
        }
        assert_eq!(last - lost.since, Duration::from_secs(5), "the last try is at the deadline");
    }
}

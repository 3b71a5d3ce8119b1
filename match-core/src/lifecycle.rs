//! Which phase a match is in: waiting, countdown, live, finished, and round again or over.
//!
//! Pure: ticks and head counts in, phases and verdicts out.

use tickwire_game::MatchClock;
use tickwire_protocol::Tick;
use tickwire_protocol::codec::{Decode, Encode};
use tickwire_protocol::schema::Phase;

use crate::rules::Rules;

/// One match's phases.
#[derive(Clone, Debug, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(crate) struct Lifecycle {
    phase: Phase,
    ends: Option<Tick>,
    countdown: u32,
    live: u32,
    results: u32,
}

/// What a lifecycle looks at each tick.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Census {
    /// Somebody is here, and nobody is waited for.
    pub may_begin: bool,
    /// People who are connected.
    pub connected: usize,
    /// Of these, those who voted for a rematch.
    pub votes: usize,
    /// People on their way in, for the rematch.
    pub coming: usize,
    /// The game says it is decided.
    pub decided: bool,
}

/// What must be done at this tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transition {
    /// Go on.
    Continue,
    /// The match has just finished: tell the results. Votes count until this tick.
    Finish(Tick),
    /// Start another round with those who voted.
    Rematch,
    /// End the match.
    Over,
}

impl Lifecycle {
    /// Waiting for the first player.
    pub(crate) fn new(rules: &Rules) -> Self {
        let Rules { countdown, live, results, .. } = *rules;
        Self { phase: Phase::Waiting, ends: None, countdown: countdown.max(1), live: live.max(1), results: results.max(1) }
    }

    /// The phase now.
    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// What the world is told.
    pub(crate) fn clock(&self, tick: Tick) -> MatchClock {
        MatchClock { tick, phase: self.phase, phase_ends: self.ends }
    }

    /// Moves on to `tick`.
    pub(crate) fn advance(&mut self, tick: Tick, census: Census) -> Transition {
        let due = self.ends.is_some_and(|ends| tick.since(ends) >= 0);
        match self.phase {
            Phase::Waiting if census.may_begin => self.enter(Phase::Countdown, tick.plus(self.countdown)),
            Phase::Countdown if due => self.enter(Phase::Live, tick.plus(self.live)),
            Phase::Live if due || census.decided => {
                let until = tick.plus(self.results);
                self.enter(Phase::Finished, until);
                return Transition::Finish(until);
            }
            Phase::Finished if census.connected > 0 && census.votes == census.connected => return self.rematch(tick),
            Phase::Finished if due && census.votes + census.coming > 0 => return self.rematch(tick),
            Phase::Finished if due => return Transition::Over,
            _ => {}
        }
        Transition::Continue
    }

    fn rematch(&mut self, tick: Tick) -> Transition {
        self.enter(Phase::Countdown, tick.plus(self.countdown));
        Transition::Rematch
    }

    fn enter(&mut self, phase: Phase, ends: Tick) {
        self.phase = phase;
        self.ends = Some(ends);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifecycle() -> Lifecycle {
        Lifecycle::new(&Rules { countdown: 10, live: 50, results: 20, ..Rules::default() })
    }

    fn census(connected: usize, votes: usize) -> Census {
        Census { may_begin: connected > 0, connected, votes, coming: 0, decided: false }
    }

    /// Advances through `ticks` and returns each tick at which something changed.
    fn run(lifecycle: &mut Lifecycle, ticks: std::ops::Range<u32>, census: Census) -> Vec<(u32, Phase, Transition)> {
        ticks
            .filter_map(|tick| {
                let before = lifecycle.phase();
                let transition = lifecycle.advance(Tick(tick), census);
                (before != lifecycle.phase() || transition != Transition::Continue).then_some((tick, lifecycle.phase(), transition))
            })
            .collect()
    }

    #[test]
    fn a_match_goes_from_waiting_to_results_to_a_rematch() {
        let mut lifecycle = lifecycle();
        let changes = run(&mut lifecycle, 0..65, census(2, 0));
        let expected = [
            (0, Phase::Countdown, Transition::Continue),
            (10, Phase::Live, Transition::Continue),
            (60, Phase::Finished, Transition::Finish(Tick(80))),
        ];
        assert_eq!(changes, expected);
        assert_eq!(run(&mut lifecycle, 65..70, census(2, 1)), [], "one of two has voted");
        assert_eq!(run(&mut lifecycle, 70..71, census(2, 2)), [(70, Phase::Countdown, Transition::Rematch)]);
    }

    #[test]
    fn when_the_time_for_votes_is_over_one_vote_is_enough_and_none_is_the_end() {
        for (votes, transition) in [(1, Transition::Rematch), (0, Transition::Over)] {
            let mut lifecycle = lifecycle();
            run(&mut lifecycle, 0..61, census(2, 0));
            let changes = run(&mut lifecycle, 61..81, census(2, votes));
            assert_eq!(changes.last().map(|change| (change.0, change.2)), Some((80, transition)));
        }
    }

    #[test]
    fn a_match_waits_for_whoever_it_waits_for() {
        let mut lifecycle = lifecycle();
        assert_eq!(run(&mut lifecycle, 0..100, Census { may_begin: false, ..census(2, 0) }), [], "somebody is not ready");
        assert_eq!(run(&mut lifecycle, 100..101, census(2, 0)), [(100, Phase::Countdown, Transition::Continue)]);
    }

    #[test]
    fn who_is_on_the_way_in_for_the_rematch_gets_it() {
        let mut lifecycle = lifecycle();
        run(&mut lifecycle, 0..61, census(2, 0));
        let changes = run(&mut lifecycle, 61..81, Census { coming: 1, ..census(2, 0) });
        assert_eq!(changes, [(80, Phase::Countdown, Transition::Rematch)]);
    }
}

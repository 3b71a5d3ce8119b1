//! What players are told about the timing of their inputs.

use tickwire_protocol::limits::INPUT_LEAD_MAX;
use tickwire_protocol::{InputSeq, PlayerId, Tick};

/// One for each player.
#[derive(Debug, Default)]
pub(super) struct Timings {
    /// A player's number is its place.
    players: Vec<Option<Timing>>,
}

/// The inputs of one session.
#[derive(Debug, Default)]
struct Timing {
    newest: Option<(InputSeq, Tick)>,
    /// The least time left to an input's tick since the last pong, in 1/256 tick.
    margin: Option<i16>,
    /// The session has said something that only a welcomed one can say.
    has_spoken: bool,
}

impl Timings {
    /// A session of `player` begins: its inputs are numbered anew.
    pub(super) fn reset(&mut self, player: PlayerId) {
        let place = usize::from(player.0);
        if place >= self.players.len() {
            self.players.resize_with(place + 1, || None);
        }
        if let Some(place) = self.players.get_mut(place) {
            *place = Some(Timing::default());
        }
    }

    /// An input came for `tick`, when `next` was the tick to be simulated next. `margin` is the
    /// time left to the input's own tick in 1/256 tick, if it is known. Says whether the input is
    /// to be passed on: one that is not newer than those before, or meant for a tick too far ahead,
    /// is not.
    pub(super) fn note(&mut self, player: PlayerId, seq: InputSeq, tick: Tick, next: Tick, margin: Option<i32>) -> bool {
        let Some(timing) = self.timing(player) else { return false };
        let is_newer = timing.newest.is_none_or(|(newest, at)| seq.is_newer_than(newest) && tick.since(at) > 0);
        if !is_newer || tick.since(next) >= INPUT_LEAD_MAX as i32 {
            return false;
        }
        timing.newest = Some((seq, tick));
        if let Some(margin) = margin {
            let margin = margin.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
            timing.margin = Some(timing.margin.map_or(margin, |least| least.min(margin)));
        }
        true
    }

    /// What a pong tells: the least margin since the last one, and the newest input received.
    pub(super) fn take_feedback(&mut self, player: PlayerId) -> (Option<i16>, InputSeq) {
        let newest = |timing: &Timing| timing.newest.map_or_else(InputSeq::default, |(seq, _)| seq);
        self.timing(player).map(|timing| (timing.margin.take(), newest(timing))).unwrap_or_default()
    }

    /// The player's session says something. Whether it is the first time.
    pub(super) fn speaks_first(&mut self, player: PlayerId) -> bool {
        self.timing(player).is_some_and(|timing| !std::mem::replace(&mut timing.has_spoken, true))
    }

    fn timing(&mut self, player: PlayerId) -> Option<&mut Timing> {
        self.players.get_mut(usize::from(player.0))?.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: PlayerId = PlayerId(0);

    fn note(timings: &mut Timings, seq: u32, tick: u32, margin: i32) -> bool {
        timings.note(ADA, InputSeq(seq), Tick(tick), Tick(10), Some(margin))
    }

    #[test]
    fn replays_and_the_far_future_are_not_passed_on_and_give_no_margin() {
        let mut timings = Timings::default();
        timings.reset(ADA);
        assert!(note(&mut timings, 5, 10, 300));
        for (seq, tick) in [(5, 11), (4, 11), (6, 10), (7, 10 + INPUT_LEAD_MAX)] {
            assert!(!note(&mut timings, seq, tick, -300), "{seq} {tick}");
        }
        assert!(note(&mut timings, 8, 11, 500));
        assert_eq!(timings.take_feedback(ADA), (Some(300), InputSeq(8)), "the least");
        assert_eq!(timings.take_feedback(ADA), (None, InputSeq(8)), "told once");
    }

    #[test]
    fn a_session_speaks_first_once() {
        let mut timings = Timings::default();
        timings.reset(ADA);
        assert_eq!([timings.speaks_first(ADA), timings.speaks_first(ADA)], [true, false]);
        timings.reset(ADA);
        assert!(timings.speaks_first(ADA) && !timings.speaks_first(PlayerId(7)));
    }
}

//! One player's inputs between their arrival and the tick they are meant for.
//!
//! Invariants: an input is used at most once, in the order sent; at most one waits for each of the next ticks; without an
//! input the last one is held.

use std::collections::VecDeque;

use tickwire_game::Input;
use tickwire_protocol::limits::INPUT_LEAD_MAX;
use tickwire_protocol::{InputSeq, Tick};

/// The inputs of one player.
#[derive(Clone, Debug, Default)]
pub struct InputBuffer<I> {
    /// Ticks rise; at most [`INPUT_LEAD_MAX`], and mostly two or three.
    waiting: VecDeque<(Tick, I)>,
    held: I,
    newest_seq: Option<InputSeq>,
    newest_tick: Option<Tick>,
}

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// It waits for its tick.
    InTime,
    /// Its tick is over: it is held from now on, as nothing newer is known.
    Late,
    /// Not newer than one before: replayed or out of order. Dropped.
    Stale,
    /// Meant for a tick too far ahead. Dropped.
    TooEarly,
}

impl<I: Input> InputBuffer<I> {
    /// Takes an input in. `next` is the tick to be simulated next.
    pub fn offer(&mut self, seq: InputSeq, tick: Tick, input: I, next: Tick) -> Offered {
        let seq_is_stale = self.newest_seq.is_some_and(|newest| !seq.is_newer_than(newest));
        let tick_is_stale = self.newest_tick.is_some_and(|newest| tick.since(newest) <= 0);
        if seq_is_stale || tick_is_stale {
            return Offered::Stale;
        }
        let lead = tick.since(next);
        if lead >= INPUT_LEAD_MAX as i32 {
            return Offered::TooEarly;
        }
        self.newest_seq = Some(seq);
        self.newest_tick = Some(tick);
        if lead < 0 {
            self.held = input;
            return Offered::Late;
        }
        self.forget_before(next);
        self.waiting.push_back((tick, input));
        Offered::InTime
    }

    /// The input for `tick`: the one meant for it, or the last one again.
    pub fn take(&mut self, tick: Tick) -> I {
        self.forget_before(tick);
        if let Some((_, input)) = self.waiting.pop_front_if(|(meant_for, _)| *meant_for == tick) {
            self.held = input;
        }
        self.held
    }

    /// Inputs whose tick was never simulated are for nothing.
    fn forget_before(&mut self, tick: Tick) {
        while self.waiting.pop_front_if(|(meant_for, _)| meant_for.since(tick) < 0).is_some() {}
    }

    /// The newest input that counts, the neutral one if there is none.
    pub fn newest(&self) -> I {
        self.waiting.back().map_or(self.held, |(_, input)| *input)
    }

    /// The newest input received.
    pub fn newest_seq(&self) -> InputSeq {
        self.newest_seq.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer_with(inputs: &[(u32, u32, u8)], next: u32) -> (InputBuffer<u8>, Vec<Offered>) {
        let mut buffer = InputBuffer::default();
        let offered = inputs.iter().map(|&(seq, tick, input)| buffer.offer(InputSeq(seq), Tick(tick), input, Tick(next))).collect();
        (buffer, offered)
    }

    #[test]
    fn each_tick_gets_the_input_meant_for_it_and_a_gap_holds_the_last() {
        let (mut buffer, _) = buffer_with(&[(1, 10, 1), (2, 11, 2), (3, 13, 3)], 10);
        assert_eq!([10, 11, 12, 13, 14].map(|tick| buffer.take(Tick(tick))), [1, 2, 2, 3, 3]);
    }

    #[test]
    fn a_late_input_is_held_from_the_next_tick_on() {
        let (mut buffer, offered) = buffer_with(&[(1, 8, 7)], 10);
        assert_eq!(offered, [Offered::Late]);
        assert_eq!(buffer.take(Tick(10)), 7);
    }

    #[test]
    fn replays_and_the_far_future_change_nothing() {
        let (mut buffer, offered) =
            buffer_with(&[(5, 10, 1), (5, 11, 9), (4, 11, 9), (6, 10, 9), (7, 10 + INPUT_LEAD_MAX, 9), (8, 11, 2)], 10);
        let stale = Offered::Stale;
        assert_eq!(offered, [Offered::InTime, stale, stale, stale, Offered::TooEarly, Offered::InTime]);
        assert_eq!([10, 11].map(|tick| buffer.take(Tick(tick))), [1, 2]);
    }

    #[test]
    fn what_waits_is_bounded_by_the_lead_even_if_ticks_are_skipped() {
        let mut buffer = InputBuffer::default();
        for tick in 0..10 * INPUT_LEAD_MAX {
            buffer.offer(InputSeq(tick + 1), Tick(tick), tick as u8, Tick(tick.saturating_sub(INPUT_LEAD_MAX - 1)));
            assert!(buffer.waiting.len() <= INPUT_LEAD_MAX as usize);
        }
        assert_eq!(buffer.take(Tick(10 * INPUT_LEAD_MAX - 1)), (10 * INPUT_LEAD_MAX - 1) as u8);
        assert!(buffer.waiting.is_empty());
    }
}

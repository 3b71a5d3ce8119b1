//! One player's inputs between their arrival and the tick they are meant for.
//!
//! Invariants: an input is used at most once, in the order sent; at most one waits for each of the
//! next ticks; without an input the last one is held.

use std::collections::VecDeque;

use tickwire_game::Input;
use tickwire_protocol::Tick;
use tickwire_protocol::codec::{Decode, Encode};
use tickwire_protocol::limits::INPUT_LEAD_MAX;

/// The inputs of one player.
#[derive(Clone, Debug, Default, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(crate) struct InputBuffer<I> {
    /// Ticks rise; at most [`INPUT_LEAD_MAX`], and mostly two or three.
    waiting: VecDeque<(Tick, I)>,
    held: I,
    newest_tick: Option<Tick>,
}

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It waits for its tick.
    InTime,
    /// Its tick is over: it is held from now on, as nothing newer is known.
    Late,
    /// Not for a newer tick than one before. Dropped.
    Stale,
    /// Meant for a tick too far ahead. Dropped.
    TooEarly,
}

impl<I: Input> InputBuffer<I> {
    /// Takes an input in. `next` is the tick to be simulated next.
    pub(crate) fn offer(&mut self, tick: Tick, input: I, next: Tick) -> Offered {
        if self.newest_tick.is_some_and(|newest| tick.since(newest) <= 0) {
            return Offered::Stale;
        }
        let lead = tick.since(next);
        if lead >= INPUT_LEAD_MAX as i32 {
            return Offered::TooEarly;
        }
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
    pub(crate) fn take(&mut self, tick: Tick) -> I {
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
    pub(crate) fn newest(&self) -> I {
        self.waiting.back().map_or(self.held, |(_, input)| *input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer_with(inputs: &[(u32, u8)], next: u32) -> (InputBuffer<u8>, Vec<Offered>) {
        let mut buffer = InputBuffer::default();
        let offered = inputs.iter().map(|&(tick, input)| buffer.offer(Tick(tick), input, Tick(next))).collect();
        (buffer, offered)
    }

    #[test]
    fn each_tick_gets_the_input_meant_for_it_and_a_gap_holds_the_last() {
        let (mut buffer, _) = buffer_with(&[(10, 1), (11, 2), (13, 3)], 10);
        assert_eq!([10, 11, 12, 13, 14].map(|tick| buffer.take(Tick(tick))), [1, 2, 2, 3, 3]);
    }

    #[test]
    fn a_late_input_is_held_from_the_next_tick_on() {
        let (mut buffer, offered) = buffer_with(&[(8, 7)], 10);
        assert_eq!(offered, [Offered::Late]);
        assert_eq!(buffer.take(Tick(10)), 7);
    }

    #[test]
    fn the_past_and_the_far_future_change_nothing() {
        let (mut buffer, offered) = buffer_with(&[(10, 1), (10, 9), (9, 9), (10 + INPUT_LEAD_MAX, 9), (11, 2)], 10);
        assert_eq!(offered, [Offered::InTime, Offered::Stale, Offered::Stale, Offered::TooEarly, Offered::InTime]);
        assert_eq!([10, 11].map(|tick| buffer.take(Tick(tick))), [1, 2]);
    }

    #[test]
    fn what_waits_is_bounded_by_the_lead_even_if_ticks_are_skipped() {
        let mut buffer = InputBuffer::default();
        for tick in 0..10 * INPUT_LEAD_MAX {
            buffer.offer(Tick(tick), tick as u8, Tick(tick.saturating_sub(INPUT_LEAD_MAX - 1)));
            assert!(buffer.waiting.len() <= INPUT_LEAD_MAX as usize);
        }
        assert_eq!(buffer.take(Tick(10 * INPUT_LEAD_MAX - 1)), (10 * INPUT_LEAD_MAX - 1) as u8);
        assert!(buffer.waiting.is_empty());
    }
}

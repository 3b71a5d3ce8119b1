//! One player's inputs between their arrival and the tick they are meant for.
//!
//! Invariants: an input is used at most once, in the order sent; memory is fixed; without an input the last one is held.

use tickwire_game::Input;
use tickwire_protocol::limits::INPUT_LEAD_MAX;
use tickwire_protocol::{InputSeq, Tick};

/// A ring of inputs, by tick.
#[derive(Clone, Debug)]
pub struct InputBuffer<I> {
    slots: [Option<(Tick, I)>; INPUT_LEAD_MAX as usize],
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

impl<I: Input> Default for InputBuffer<I> {
    fn default() -> Self {
        Self { slots: [None; INPUT_LEAD_MAX as usize], held: I::default(), newest_seq: None, newest_tick: None }
    }
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
        if let Some(slot) = self.slots.get_mut((tick.0 % INPUT_LEAD_MAX) as usize) {
            *slot = Some((tick, input));
        }
        Offered::InTime
    }

    /// The input for `tick`: the one meant for it, or the last one again.
    pub fn take(&mut self, tick: Tick) -> I {
        if let Some(slot) = self.slots.get_mut((tick.0 % INPUT_LEAD_MAX) as usize)
            && let Some((meant_for, input)) = slot.take()
            && meant_for == tick
        {
            self.held = input;
        }
        self.held
    }

    /// The newest input received.
    pub fn newest_seq(&self) -> InputSeq {
        self.newest_seq.unwrap_or_default()
    }

    /// Forgets everything: the player's next session numbers its inputs anew, and until then the neutral input is held.
    pub fn reset(&mut self) {
        *self = Self::default();
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
}

//! The inputs of a match's players, and what they are told about their timing.

use tickwire_game::Input;
use tickwire_protocol::{InputSeq, PlayerId, Tick};

use crate::simulation::input_buffer::{InputBuffer, Offered};

/// Input buffers by player.
#[derive(Debug)]
pub struct Players<I> {
    /// A player's number is its place: the roster gives out the lowest that are free.
    buffers: Vec<Option<Player<I>>>,
    late: u64,
}

impl<I> Default for Players<I> {
    fn default() -> Self {
        Self { buffers: Vec::new(), late: 0 }
    }
}

#[derive(Debug)]
struct Player<I> {
    inputs: InputBuffer<I>,
    /// The least margin since the last pong, in 1/256 tick.
    margin: Option<i16>,
}

impl<I: Input> Players<I> {
    /// Takes an input in. `next` is the tick to be simulated next, `margin` the time left to the input's own in 1/256 tick.
    pub fn offer(&mut self, player: PlayerId, seq: InputSeq, tick: Tick, input: I, next: Tick, margin: i32) {
        let Some(player) = self.player(player) else { return };
        let offered = player.inputs.offer(seq, tick, input, next);
        if matches!(offered, Offered::InTime | Offered::Late) {
            let margin = margin.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
            player.margin = Some(player.margin.map_or(margin, |least| least.min(margin)));
        }
        self.late += u64::from(offered == Offered::Late);
    }

    /// The input of `player` for `tick`.
    pub fn take(&mut self, player: PlayerId, tick: Tick) -> I {
        self.player(player).map(|player| player.inputs.take(tick)).unwrap_or_default()
    }

    /// What a pong tells: the least margin since the last one, and the newest input received.
    pub fn take_feedback(&mut self, player: PlayerId) -> (Option<i16>, InputSeq) {
        self.player(player).map(|player| (player.margin.take(), player.inputs.newest_seq())).unwrap_or_default()
    }

    /// The player's session begins or ends: inputs are numbered anew, and until one comes the neutral input is held.
    pub fn reset(&mut self, player: PlayerId) {
        let place = usize::from(player.0);
        if place >= self.buffers.len() {
            self.buffers.resize_with(place + 1, || None);
        }
        if let Some(place) = self.buffers.get_mut(place) {
            *place = Some(Player { inputs: InputBuffer::default(), margin: None });
        }
    }

    /// The player has left.
    pub fn remove(&mut self, player: PlayerId) {
        if let Some(place) = self.buffers.get_mut(usize::from(player.0)) {
            *place = None;
        }
    }

    fn player(&mut self, player: PlayerId) -> Option<&mut Player<I>> {
        self.buffers.get_mut(usize::from(player.0))?.as_mut()
    }

    /// Inputs that came after their tick, over the match's life.
    pub fn late_count(&self) -> u64 {
        self.late
    }
}

//! The inputs of a match's players, and when each last did something.

use tickwire_game::Input;
use tickwire_protocol::codec::{Decode, Encode};
use tickwire_protocol::{PlayerId, Tick};

use crate::input_buffer::{InputBuffer, Offered};

/// Input buffers by player.
#[derive(Clone, Debug, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(crate) struct Players<I> {
    /// A player's number is its place: the roster gives out the lowest that are free.
    players: Vec<Option<Player<I>>>,
    late: u64,
}

impl<I> Default for Players<I> {
    fn default() -> Self {
        Self { players: Vec::new(), late: 0 }
    }
}

#[derive(Clone, Debug, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
struct Player<I> {
    inputs: InputBuffer<I>,
    /// When an input last differed from the one before.
    active: Tick,
    is_idle: bool,
}

impl<I: Input> Players<I> {
    /// Takes an input in. `next` is the tick to be simulated next. Says whether it ends the
    /// player's idleness.
    pub(crate) fn offer(&mut self, player: PlayerId, tick: Tick, input: I, next: Tick) -> bool {
        let Some(player) = self.player(player) else { return false };
        let before = player.inputs.newest();
        let offered = player.inputs.offer(tick, input, next);
        let counts = matches!(offered, Offered::InTime | Offered::Late);
        let stirs = counts && input != before && player.stir(next);
        self.late += u64::from(offered == Offered::Late);
        stirs
    }

    /// The input of `player` for `tick`.
    pub(crate) fn take(&mut self, player: PlayerId, tick: Tick) -> I {
        self.player(player).map(|player| player.inputs.take(tick)).unwrap_or_default()
    }

    /// The player did something at `tick` that is no input. Says whether that ends idleness.
    pub(crate) fn stir(&mut self, player: PlayerId, tick: Tick) -> bool {
        self.player(player).is_some_and(|player| player.stir(tick))
    }

    /// Nobody can be blamed for having done nothing until `tick`.
    pub(crate) fn excuse_all(&mut self, tick: Tick) {
        self.players.iter_mut().flatten().for_each(|player| player.active = tick);
    }

    /// Whether the player has just become idle: its input has not changed for `patience` ticks, and
    /// it was not idle before.
    pub(crate) fn falls_idle(&mut self, player: PlayerId, tick: Tick, patience: u32) -> bool {
        let Some(player) = self.player(player) else { return false };
        let falls = !player.is_idle && tick.since(player.active) >= patience as i32;
        player.is_idle |= falls;
        falls
    }

    /// The player's session begins or ends at `tick`: until an input comes the neutral one is held.
    pub(crate) fn reset(&mut self, player: PlayerId, tick: Tick) {
        let place = usize::from(player.0);
        if place >= self.players.len() {
            self.players.resize_with(place + 1, || None);
        }
        if let Some(place) = self.players.get_mut(place) {
            *place = Some(Player { inputs: InputBuffer::default(), active: tick, is_idle: false });
        }
    }

    /// The player has left.
    pub(crate) fn remove(&mut self, player: PlayerId) {
        if let Some(place) = self.players.get_mut(usize::from(player.0)) {
            *place = None;
        }
    }

    /// Inputs that came after their tick, over the match's life.
    pub(crate) fn late_count(&self) -> u64 {
        self.late
    }

    fn player(&mut self, player: PlayerId) -> Option<&mut Player<I>> {
        self.players.get_mut(usize::from(player.0))?.as_mut()
    }
}

impl<I> Player<I> {
    fn stir(&mut self, tick: Tick) -> bool {
        self.active = tick;
        std::mem::take(&mut self.is_idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: PlayerId = PlayerId(0);

    /// Ada sends `input` for `tick`, in time; says whether that ends her idleness.
    fn send(players: &mut Players<u8>, tick: u32, input: u8) -> bool {
        players.offer(ADA, Tick(tick), input, Tick(tick))
    }

    #[test]
    fn whoever_repeats_an_input_falls_idle_and_the_first_change_ends_it() {
        let mut players = Players::<u8>::default();
        players.reset(ADA, Tick(0));
        assert!(!send(&mut players, 1, 7));
        for tick in 2..=60 {
            assert!(!send(&mut players, tick, 7));
        }
        assert!(!players.falls_idle(ADA, Tick(60), 60), "the input of tick 1 was a change");
        assert!(players.falls_idle(ADA, Tick(61), 60));
        assert!(!players.falls_idle(ADA, Tick(62), 60), "that is no news");
        assert!(!send(&mut players, 63, 7) && send(&mut players, 64, 8) && !send(&mut players, 65, 9));
        assert!(!players.falls_idle(ADA, Tick(66), 60));
    }

    #[test]
    fn the_neutral_input_is_no_activity_and_a_dropped_one_neither() {
        let mut players = Players::<u8>::default();
        players.reset(ADA, Tick(0));
        send(&mut players, 5, 0);
        assert!(!players.offer(ADA, Tick(99), 1, Tick(6)), "too early: dropped");
        assert!(players.falls_idle(ADA, Tick(10), 10));
        assert!(players.stir(ADA, Tick(11)) && !players.stir(ADA, Tick(12)));
    }
}

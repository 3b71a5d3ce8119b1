//! The inputs of a match's players, what they are told about their timing, and when they last did
//! something.

use tickwire_game::Input;
use tickwire_protocol::{InputSeq, PlayerId, Tick};

use crate::simulation::input_buffer::{InputBuffer, Offered};

/// Input buffers by player.
#[derive(Debug)]
pub struct Players<I> {
    /// A player's number is its place: the roster gives out the lowest that are free.
    players: Vec<Option<Player<I>>>,
    late: u64,
}

impl<I> Default for Players<I> {
    fn default() -> Self {
        Self { players: Vec::new(), late: 0 }
    }
}

#[derive(Debug)]
struct Player<I> {
    inputs: InputBuffer<I>,
    /// The least margin since the last pong, in 1/256 tick.
    margin: Option<i16>,
    /// The session has said something that only a welcomed one can say.
    has_spoken: bool,
    /// When an input last differed from the one before.
    active: Tick,
    is_idle: bool,
}

impl<I: Input> Players<I> {
    /// Takes an input in. `next` is the tick to be simulated next, `margin` the time left to the
    /// input's own in 1/256 tick, if it is known. Says whether it ends the player's idleness.
    pub fn offer(&mut self, player: PlayerId, seq: InputSeq, tick: Tick, input: I, next: Tick, margin: Option<i32>) -> bool {
        let Some(player) = self.player(player) else { return false };
        let before = player.inputs.newest();
        let offered = player.inputs.offer(seq, tick, input, next);
        let counts = matches!(offered, Offered::InTime | Offered::Late);
        if let Some(margin) = margin.filter(|_| counts) {
            let margin = margin.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
            player.margin = Some(player.margin.map_or(margin, |least| least.min(margin)));
        }
        let stirs = counts && input != before && player.stir(next);
        self.late += u64::from(offered == Offered::Late);
        stirs
    }

    /// The input of `player` for `tick`.
    pub fn take(&mut self, player: PlayerId, tick: Tick) -> I {
        self.player(player).map(|player| player.inputs.take(tick)).unwrap_or_default()
    }

    /// What a pong tells: the least margin since the last one, and the newest input received.
    pub fn take_feedback(&mut self, player: PlayerId) -> (Option<i16>, InputSeq) {
        self.player(player).map(|player| (player.margin.take(), player.inputs.newest_seq())).unwrap_or_default()
    }

    /// The player's session says something. Whether it is the first time.
    pub fn speaks_first(&mut self, player: PlayerId) -> bool {
        self.player(player).is_some_and(|player| !std::mem::replace(&mut player.has_spoken, true))
    }

    /// The player did something at `tick` that is no input. Says whether that ends idleness.
    pub fn stir(&mut self, player: PlayerId, tick: Tick) -> bool {
        self.player(player).is_some_and(|player| player.stir(tick))
    }

    /// Nobody can be blamed for having done nothing until `tick`.
    pub fn excuse_all(&mut self, tick: Tick) {
        self.players.iter_mut().flatten().for_each(|player| player.active = tick);
    }

    /// Whether the player has done nothing for `patience` ticks, which is news: it is idle from now
    /// on.
    pub fn falls_idle(&mut self, player: PlayerId, tick: Tick, patience: u32) -> bool {
        let Some(player) = self.player(player) else { return false };
        let falls = !player.is_idle && tick.since(player.active) >= patience as i32;
        player.is_idle |= falls;
        falls
    }

    /// The player's session begins or ends at `tick`: inputs are numbered anew, and until one comes
    /// the neutral input is held.
    pub fn reset(&mut self, player: PlayerId, tick: Tick) {
        let place = usize::from(player.0);
        if place >= self.players.len() {
            self.players.resize_with(place + 1, || None);
        }
        if let Some(place) = self.players.get_mut(place) {
            *place = Some(Player { inputs: InputBuffer::default(), margin: None, has_spoken: false, active: tick, is_idle: false });
        }
    }

    /// The player has left.
    pub fn remove(&mut self, player: PlayerId) {
        if let Some(place) = self.players.get_mut(usize::from(player.0)) {
            *place = None;
        }
    }

    fn player(&mut self, player: PlayerId) -> Option<&mut Player<I>> {
        self.players.get_mut(usize::from(player.0))?.as_mut()
    }

    /// Inputs that came after their tick, over the match's life.
    pub fn late_count(&self) -> u64 {
        self.late
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
        players.offer(ADA, InputSeq(tick), Tick(tick), input, Tick(tick), Some(0))
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
        assert!(!players.offer(ADA, InputSeq(6), Tick(99), 1, Tick(6), Some(0)), "too early: dropped");
        assert!(players.falls_idle(ADA, Tick(10), 10));
        assert!(players.stir(ADA, Tick(11)) && !players.stir(ADA, Tick(12)));
    }

    #[test]
    fn a_session_speaks_first_once() {
        let mut players = Players::<u8>::default();
        players.reset(ADA, Tick(0));
        assert_eq!([players.speaks_first(ADA), players.speaks_first(ADA)], [true, false]);
        players.reset(ADA, Tick(9));
        assert!(players.speaks_first(ADA) && !players.speaks_first(PlayerId(7)));
    }
}

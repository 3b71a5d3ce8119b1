//! What the players do: the same controls, tick by tick, for every arm.
//!
//! Everybody moves at full speed in one of 16 directions for half a second or so, none of them along a wall's side, so that a wall in
//! the way is slid along; aims like a hand on a mouse, a little further every tick; and fires so rarely that about 16 shots of a
//! match are in flight and few hit.
//!
//! Invariant: a player's number decides everything it does.

use arena::angle::Angle;
use arena::movement::FIRE_COOLDOWN_TICKS;
use tickwire_game::Rng;

/// What one player holds down during one tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Controls {
    /// To the right, -127 to 127.
    pub(crate) x: i8,
    /// Downwards, -127 to 127.
    pub(crate) y: i8,
    /// 1/65536 turn.
    pub(crate) aim: u16,
    pub(crate) fire: bool,
}

/// One player's controls, without end.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    rng: Rng,
    heading: Angle,
    aim: u16,
    /// How much the aim turns each tick, 1/65536 turn.
    turn: i32,
    /// Ticks until the weapon is ready again.
    cooldown: u32,
}

impl Trace {
    pub(crate) fn new(player: usize) -> Self {
        let mut rng = Rng::new(player as u64);
        let (heading, turn) = (heading(&mut rng), turn(&mut rng));
        Self { aim: rng.below(1 << 16) as u16, rng, heading, turn, cooldown: 0 }
    }

    pub(crate) fn next(&mut self) -> Controls {
        if self.rng.below(HEADING_TICKS) == 0 {
            self.heading = heading(&mut self.rng);
        }
        if self.rng.below(TURN_TICKS) == 0 {
            self.turn = turn(&mut self.rng);
        }
        self.aim = self.aim.wrapping_add(self.turn as u16);
        self.cooldown = self.cooldown.saturating_sub(1);
        let fire = self.cooldown == 0 && self.rng.below(FIRE_TICKS) == 0;
        if fire {
            self.cooldown = FIRE_COOLDOWN_TICKS as u32;
        }
        let push = self.heading.vector(arena::Input::PUSH_MAX);
        Controls { x: push.x as i8, y: push.y as i8, aim: self.aim, fire }
    }
}

fn heading(rng: &mut Rng) -> Angle {
    Angle::new(rng.below(16) as i32 * 64 + 32)
}

/// At least one of the 1024 steps that Tickwire's arena aims in.
fn turn(rng: &mut Rng) -> i32 {
    let size = rng.between(64, 640);
    if rng.below(2) == 0 { size } else { -size }
}

/// How long a direction is held on average.
const HEADING_TICKS: u32 = 18;
/// How long the aim turns at one speed on average.
const TURN_TICKS: u32 = 12;
/// How long a ready weapon waits on average. With the cooldown that is about as long as a shot flies before it meets a wall.
const FIRE_TICKS: u32 = 13;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_player_moves_and_turns_in_every_tick_and_fires_now_and_then() {
        let mut trace = Trace::new(3);
        let controls: Vec<Controls> = (0..2400).map(|_| trace.next()).collect();
        assert!(controls.iter().all(|now| i32::from(now.x).abs() > 20 && i32::from(now.y).abs() > 20), "no way is along a wall");
        assert!(controls.windows(2).all(|pair| pair[0].aim >> 6 != pair[1].aim >> 6), "it turns by a step at least");
        let fired = controls.iter().filter(|now| now.fire).count();
        assert!((100..180).contains(&fired), "fired {fired} times");
    }

    #[test]
    fn players_differ_and_repeat_themselves() {
        let first = |player: usize| -> Vec<Controls> {
            let mut trace = Trace::new(player);
            (0..50).map(|_| trace.next()).collect()
        };
        assert_eq!(first(7), first(7));
        assert_ne!(first(7), first(8));
    }
}

//! What a player holds down during one tick.
//!
//! Invariant: every bit pattern is a legal input; what a pattern means is decided here and nowhere
//! else.

use tickwire_protocol::schema::Phase;

use crate::angle::{Angle, STEP_COUNT};
use crate::geometry::Vec2;

/// One tick of a player's controls.
#[derive(tickwire_game::Input, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Push to the right, -127 to 127.
    pub move_x: i8,
    /// Push downwards, -127 to 127.
    pub move_y: i8,
    /// Aim, 1/65536 turn, 0 to the right, growing clockwise.
    pub aim: u16,
    /// Fires while held; dashes as soon as that is ready.
    #[buttons(FIRE, DASH)]
    pub buttons: u8,
}

impl Input {
    /// The longest push.
    pub const PUSH_MAX: i32 = 127;

    /// Whether the trigger is held.
    pub const fn fires(&self) -> bool {
        self.buttons & Self::FIRE != 0
    }

    /// Whether a dash is asked for.
    pub const fn dashes(&self) -> bool {
        self.buttons & Self::DASH != 0
    }

    /// Where it aims.
    pub const fn angle(&self) -> Angle {
        Angle::new(self.aim as i32 / (65_536 / STEP_COUNT))
    }

    /// The push, no longer than [`Input::PUSH_MAX`] in any direction: a diagonal is not faster.
    pub const fn push(&self) -> Vec2 {
        Vec2::new(self.move_x as i32, self.move_y as i32).clamped(Self::PUSH_MAX)
    }

    /// What it means in `phase`: when it is over, nobody moves.
    #[must_use]
    pub fn in_phase(self, phase: Phase) -> Self {
        if phase == Phase::Finished { self.released() } else { self }
    }

    /// This input's aim, with everything let go.
    #[must_use]
    pub const fn released(self) -> Self {
        Self { move_x: 0, move_y: 0, aim: self.aim, buttons: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_push_is_longer_than_the_longest() {
        for x in i8::MIN..=i8::MAX {
            for y in i8::MIN..=i8::MAX {
                let push = Input { move_x: x, move_y: y, ..Input::default() }.push();
                assert!(push.length_squared() <= Input::PUSH_MAX * Input::PUSH_MAX, "{x},{y} pushes {push:?}");
            }
        }
    }

    #[test]
    fn a_full_push_along_an_axis_is_kept() {
        assert_eq!(Input { move_x: 127, ..Input::default() }.push(), Vec2::new(127, 0));
        assert_eq!(Input { move_y: -128, ..Input::default() }.push(), Vec2::new(0, -127));
    }

    #[test]
    fn aim_covers_the_turn() {
        assert_eq!(Input { aim: u16::MAX, ..Input::default() }.angle().steps(), STEP_COUNT - 1);
        assert_eq!(Input { aim: 1 << 14, ..Input::default() }.angle().steps(), STEP_COUNT / 4);
    }
}

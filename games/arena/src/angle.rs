//! Directions: 1024 steps to the turn, with their sines as integers.
//!
//! Invariant: no floating point. The table is worked out at compile time from a power series in
//! 128-bit fixed point, so a direction is the same number on every machine.

use tickwire_game::Stored;

use crate::geometry::Vec2;

/// Steps to a full turn.
pub const STEP_COUNT: i32 = 1024;
/// Length of a direction's vector.
pub const ONE: i32 = 1 << 14;

const QUARTER: i32 = STEP_COUNT / 4;

/// A direction. 0 points along +x; angles grow clockwise on screen, because y grows downwards.
#[derive(Stored, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Angle(u16);

impl Angle {
    /// `steps` of 1/1024 turn, any number of turns.
    pub const fn new(steps: i32) -> Self {
        Self((steps & (STEP_COUNT - 1)) as u16)
    }

    /// Steps, 0 to 1023.
    pub const fn steps(self) -> i32 {
        self.0 as i32
    }

    /// The vector of length `length` in this direction, each component rounded to the nearest
    /// integer.
    pub const fn vector(self, length: i32) -> Vec2 {
        Vec2::new(scaled(cosine(self), length), scaled(sine(self), length))
    }

    /// The direction of `vector`, rounded down to a step; 0 for no vector.
    pub const fn of(vector: Vec2) -> Self {
        if vector.x == 0 && vector.y == 0 {
            return Self(0);
        }
        // Fold into the first quarter, where the angle rises with y against x.
        let (x, y, turns) = if vector.x > 0 && vector.y >= 0 {
            (vector.x, vector.y, 0)
        } else if vector.x <= 0 && vector.y > 0 {
            (vector.y, -vector.x, 1)
        } else if vector.x < 0 {
            (-vector.x, -vector.y, 2)
        } else {
            (-vector.y, vector.x, 3)
        };
        let (mut low, mut high) = (0, QUARTER);
        while high - low > 1 {
            let middle = i32::midpoint(low, high);
            let beyond = SINES[(QUARTER - middle) as usize] as i64 * y as i64 >= SINES[middle as usize] as i64 * x as i64;
            if beyond {
                low = middle;
            } else {
                high = middle;
            }
        }
        Self::new(turns * QUARTER + low)
    }

    /// Steps from `self` to `other` the shorter way, -512 to 511.
    pub const fn to(self, other: Self) -> i32 {
        ((other.steps() - self.steps() + STEP_COUNT / 2) & (STEP_COUNT - 1)) - STEP_COUNT / 2
    }

    /// The direction `steps` further clockwise.
    #[must_use]
    pub const fn turned(self, steps: i32) -> Self {
        Self::new(self.steps() + steps)
    }
}

const fn scaled(unit: i32, length: i32) -> i32 {
    let product = unit as i64 * length as i64;
    let half = (ONE / 2) as i64;
    ((if product < 0 { product - half } else { product + half }) / ONE as i64) as i32
}

const fn sine(angle: Angle) -> i32 {
    let steps = angle.steps();
    match steps / QUARTER {
        0 => SINES[steps as usize],
        1 => SINES[(2 * QUARTER - steps) as usize],
        2 => -SINES[(steps - 2 * QUARTER) as usize],
        _ => -SINES[(STEP_COUNT - steps) as usize],
    }
}

const fn cosine(angle: Angle) -> i32 {
    sine(angle.turned(QUARTER))
}

/// Sines of the first quarter turn, both ends included, times [`ONE`].
static SINES: [i32; QUARTER as usize + 1] = {
    let mut sines = [0; QUARTER as usize + 1];
    let mut step = 0;
    while step <= QUARTER {
        sines[step as usize] = sine_by_series(step);
        step += 1;
    }
    sines
};

/// Fixed point: this many bits after the point.
const FRACTION_BITS: u32 = 48;
/// Half a turn in radians, in that fixed point, rounded.
const PI: i128 = 884_279_719_003_555;

/// `ONE * sin(2 pi step / STEP_COUNT)` rounded, by the Taylor series. 16 terms leave an error far
/// below the rounding.
const fn sine_by_series(step: i32) -> i32 {
    let x = 2 * PI * step as i128 / STEP_COUNT as i128;
    let (mut term, mut sum, mut n) = (x, x, 1);
    while n < 16 {
        term = -((((term * x) >> FRACTION_BITS) * x) >> FRACTION_BITS) / ((2 * n) * (2 * n + 1));
        sum += term;
        n += 1;
    }
    ((sum * ONE as i128 + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_rounded_sine() {
        for step in 0..STEP_COUNT {
            let turn = f64::from(step) / f64::from(STEP_COUNT) * core::f64::consts::TAU;
            let expected = Vec2::new((turn.cos() * f64::from(ONE)).round() as i32, (turn.sin() * f64::from(ONE)).round() as i32);
            assert_eq!(Angle::new(step).vector(ONE), expected, "step {step}");
        }
    }

    #[test]
    fn quarter_turns_are_exact() {
        let corners = [0, 256, 512, 768].map(|step| Angle::new(step).vector(480));
        assert_eq!(corners, [Vec2::new(480, 0), Vec2::new(0, 480), Vec2::new(-480, 0), Vec2::new(0, -480)]);
    }

    #[test]
    fn a_vector_has_the_angle_it_was_made_from() {
        for step in 0..STEP_COUNT {
            let found = Angle::of(Angle::new(step).vector(1_000_000));
            assert!(found.to(Angle::new(step)).abs() <= 1, "step {step} is found as {found:?}");
        }
        assert_eq!(Angle::of(Vec2::new(0, 0)), Angle::new(0));
        assert_eq!(Angle::of(Vec2::new(0, -5)), Angle::new(768));
    }

    #[test]
    fn the_shorter_way_is_taken() {
        assert_eq!(Angle::new(1020).to(Angle::new(4)), 8);
        assert_eq!(Angle::new(4).to(Angle::new(1020)), -8);
    }
}

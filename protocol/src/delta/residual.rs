//! What a value is away from what is expected, as a small number.
//!
//! ```
//! use tickwire_protocol::Tick;
//! use tickwire_protocol::delta::residual::{predict, residual, restore};
//! use tickwire_protocol::schema::Field;
//!
//! const X: Field = Field::new("x", 0, 4000);
//! // From 200 at 5 a tick, three ticks on; in truth it is one farther.
//! let expected = predict(&X, 200, 5, 3);
//! let residual = residual(&X, expected, 216, Tick(13));
//! assert_eq!((expected, residual), (215, 2), "0, -1, 1 ... are 0, 1, 2 ...");
//! assert_eq!(restore(&X, expected, residual, Tick(13)), Ok(216));
//! ```

use crate::state::schema::Field;
use crate::wire::codec::DecodeError;
use crate::wire::ids::Tick;

/// What `field` is expected to be `advance` ticks after `base`, given the new value of the field that moves it.
#[inline]
pub fn predict(field: &Field, base: i32, velocity: i32, advance: u32) -> i32 {
    let moved = i64::from(base) + i64::from(velocity) * i64::from(advance);
    if field.wraps { wrap(field, moved) } else { field.clamp(moved) }
}

/// How far `value` is from `expected` in a snapshot of `tick`; 0 if they are the same. Both are in the field's range. It is the zigzag
/// distance, the shorter way round where the field wraps; a moment that is not as expected is 1 for none, else 2 more than its zigzag
/// distance from the tick.
#[inline]
pub fn residual(field: &Field, expected: i32, value: i32, tick: Tick) -> u32 {
    if field.moment {
        return match value {
            _ if value == expected => 0,
            0 => 1,
            _ => zigzag(from_tick(field, value, tick)) + 2,
        };
    }
    let distance = i64::from(value) - i64::from(expected);
    if !field.wraps {
        return zigzag(distance as i32);
    }
    let turn = i64::from(field.span()) + 1;
    let forward = if distance < 0 { distance + turn } else { distance };
    zigzag(if forward > turn / 2 { forward - turn } else { forward } as i32)
}

/// Undoes [`residual`]; an error if the sum leaves the field's range.
#[inline]
pub fn restore(field: &Field, expected: i32, residual: u32, tick: Tick) -> Result<i32, DecodeError> {
    if field.moment {
        return Ok(match residual {
            0 => expected,
            1 => 0,
            _ => (tick.0.wrapping_add(unzigzag(residual - 2) as u32) & field.max as u32) as i32,
        });
    }
    let sum = i64::from(expected) + i64::from(unzigzag(residual));
    if field.wraps {
        return Ok(wrap(field, sum));
    }
    if field.contains(sum) { Ok(sum as i32) } else { Err(DecodeError::Malformed) }
}

/// Ticks from `tick` to the moment `value`, the shorter way round.
#[inline]
pub fn from_tick(field: &Field, value: i32, tick: Tick) -> i32 {
    // The field's bits at the top, so that the sign comes out right.
    let unused = u32::BITS - field.bits();
    ((value as u32).wrapping_sub(tick.0) << unused) as i32 >> unused
}

fn wrap(field: &Field, value: i64) -> i32 {
    if field.contains(value) {
        return value as i32;
    }
    let turn = i64::from(field.span()) + 1;
    ((value - i64::from(field.min)).rem_euclid(turn) + i64::from(field.min)) as i32
}

/// Small magnitudes of either sign to small numbers: 0, -1, 1, -2, 2 … to 0, 1, 2, 3, 4 …
#[inline]
pub const fn zigzag(value: i32) -> u32 {
    (value << 1 ^ value >> 31) as u32
}

/// Undoes [`zigzag`].
#[inline]
pub const fn unzigzag(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_field() -> impl Strategy<Value = Field> {
        (any::<i32>(), 0u32..(1 << 31) - 1, any::<bool>()).prop_map(|(min, span, wraps)| {
            let max = (i64::from(min) + i64::from(span)).min(i64::from(i32::MAX)) as i32;
            Field { wraps, ..Field::new("f", min, max) }
        })
    }

    proptest! {
        #[test]
        fn a_residual_restores_its_value(field in any_field(), base: i64, value: i64, velocity in -5000..5000, advance in 1u32..=64) {
            let value = field.clamp(value % (1 << 32));
            let predicted = predict(&field, field.clamp(base % (1 << 32)), velocity, advance);
            prop_assert!((field.min..=field.max).contains(&predicted));
            prop_assert_eq!(restore(&field, predicted, residual(&field, predicted, value, Tick(0)), Tick(0)), Ok(value));
        }

        #[test]
        fn a_moment_restores_its_value(bits in 1u32..=31, expected: u32, value: u32, tick: u32) {
            let field = Field::new("m", 0, (u32::MAX >> (32 - bits)) as i32).moment();
            let [expected, value] = [expected, value].map(|value| (value & field.max as u32) as i32);
            prop_assert_eq!(restore(&field, expected, residual(&field, expected, value, Tick(tick)), Tick(tick)), Ok(value));
        }

        #[test]
        fn a_restored_value_is_in_range(field in any_field(), base: i64, residual: u32, tick: u32, bits in 1u32..=31) {
            let moment = Field::new("m", 0, (u32::MAX >> (32 - bits)) as i32).moment();
            for field in [field, moment] {
                if let Ok(value) = restore(&field, field.clamp(base), residual, Tick(tick)) {
                    prop_assert!((field.min..=field.max).contains(&value));
                }
            }
        }
    }

    #[test]
    fn an_angle_goes_the_short_way_round() {
        let angle = Field::new("aim", 0, 1023).wrapping();
        assert_eq!(residual(&angle, 1020, 3, Tick(0)), zigzag(7));
        assert_eq!(residual(&angle, 3, 1020, Tick(0)), zigzag(-7));
    }

    #[test]
    fn a_moment_is_told_from_the_tick_it_changes_in() {
        let moment = Field::new("ready", 0, 0xffff).moment();
        let tick = Tick(0x0001_fffe);
        assert_eq!(residual(&moment, 9, 9, tick), 0);
        assert_eq!(residual(&moment, 9, 3, tick), zigzag(5) + 2, "5 ticks ahead, past the field's end");
        assert_eq!(residual(&moment, 9, 0, tick), 1);
    }
}

//! One column of a delta: what each value is away from its prediction, in the cheapest of three forms.
//!
//! Forms: nothing changed (1 bit); sparse, a changed flag per row and the changed residuals; dense, every residual. The
//! Rice parameter is chosen per column and sent with it, so a column costs what it holds and no state outlives a message.

use crate::DecodeError;
use crate::bits::{BitReader, BitWriter, rice_len, unzigzag, zigzag};
use crate::schema::Field;

/// Bits of a Rice parameter.
const K_BITS: u32 = 4;
const K_MAX: u32 = (1 << K_BITS) - 1;

/// What `field` is expected to be `advance` ticks after `base`, given the new value of the field that moves it.
pub fn predict(field: &Field, base: i32, velocity: i32, advance: u32) -> i32 {
    let moved = i64::from(base) + i64::from(velocity) * i64::from(advance);
    if field.wraps { wrap(field, moved) } else { field.clamp(moved) }
}

/// The zigzag distance of `value` from `predicted`, the shorter way round where the field wraps. Both are in its range.
pub fn residual(field: &Field, predicted: i32, value: i32) -> u32 {
    let distance = i64::from(value) - i64::from(predicted);
    if !field.wraps {
        return zigzag(distance as i32);
    }
    let turn = i64::from(field.span()) + 1;
    let forward = if distance < 0 { distance + turn } else { distance };
    zigzag(if forward > turn / 2 { forward - turn } else { forward } as i32)
}

/// Undoes [`residual`]; an error if the sum leaves the field's range.
pub fn restore(field: &Field, predicted: i32, residual: u32) -> Result<i32, DecodeError> {
    let sum = i64::from(predicted) + i64::from(unzigzag(residual));
    if field.wraps {
        return Ok(wrap(field, sum));
    }
    if field.contains(sum) { Ok(sum as i32) } else { Err(DecodeError::Malformed) }
}

fn wrap(field: &Field, value: i64) -> i32 {
    if field.contains(value) {
        return value as i32;
    }
    let turn = i64::from(field.span()) + 1;
    ((value - i64::from(field.min)).rem_euclid(turn) + i64::from(field.min)) as i32
}

/// Writes a column of zigzag residuals.
pub fn write_column(residuals: &[u32], bits: &mut BitWriter<'_>) {
    let (mut changed, mut sum) = (0u64, 0u64);
    for residual in residuals {
        changed += u64::from(*residual != 0);
        sum += u64::from(*residual);
    }
    bits.flag(changed > 0);
    if changed == 0 {
        return;
    }
    // In the sparse form a residual is never 0, so it is sent less one.
    let k_sparse = rice_parameter(sum - changed, changed);
    let k_dense = rice_parameter(sum, residuals.len() as u64);
    let (mut sparse_bits, mut dense_bits) = (0u64, 0u64);
    for residual in residuals {
        sparse_bits += 1 + u64::from(residual.checked_sub(1).map_or(0, |less_one| rice_len(less_one, k_sparse)));
        dense_bits += u64::from(rice_len(*residual, k_dense));
    }
    let dense = dense_bits <= sparse_bits;
    bits.flag(dense);
    bits.bits(if dense { k_dense } else { k_sparse }, K_BITS);
    for residual in residuals {
        if dense {
            bits.rice(*residual, k_dense);
        } else if let Some(less_one) = residual.checked_sub(1) {
            bits.flag(true);
            bits.rice(less_one, k_sparse);
        } else {
            bits.flag(false);
        }
    }
}

/// Reads `out.len()` residuals that [`write_column`] wrote.
pub fn read_column(out: &mut [u32], bits: &mut BitReader<'_>) -> Result<(), DecodeError> {
    if !bits.flag()? {
        out.fill(0);
        return Ok(());
    }
    let dense = bits.flag()?;
    let k = bits.bits(K_BITS)?;
    for residual in out {
        *residual = if dense {
            bits.rice(k)?
        } else if bits.flag()? {
            bits.rice(k)?.checked_add(1).ok_or(DecodeError::Malformed)?
        } else {
            0
        };
    }
    Ok(())
}

/// The Rice parameter for values of this mean: its binary logarithm, rounded down.
fn rice_parameter(sum: u64, count: u64) -> u32 {
    (sum / count.max(1)).checked_ilog2().unwrap_or(0).min(K_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_field() -> impl Strategy<Value = Field> {
        (any::<i32>(), 0u32..(1 << 31) - 1, any::<bool>()).prop_map(|(min, span, wraps)| {
            let max = (i64::from(min) + i64::from(span)).min(i64::from(i32::MAX)) as i32;
            Field { name: "f", min, max, wraps, moved_by: None }
        })
    }

    proptest! {
        #[test]
        fn a_residual_restores_its_value(field in any_field(), base: i64, value: i64, velocity in -5000..5000, advance in 1u32..=64) {
            let value = field.clamp(value % (1 << 32));
            let predicted = predict(&field, field.clamp(base % (1 << 32)), velocity, advance);
            prop_assert!((field.min..=field.max).contains(&predicted));
            prop_assert_eq!(restore(&field, predicted, residual(&field, predicted, value)), Ok(value));
        }

        #[test]
        fn a_restored_value_is_in_range(field in any_field(), base: i64, residual: u32) {
            if let Ok(value) = restore(&field, field.clamp(base), residual) {
                prop_assert!((field.min..=field.max).contains(&value));
            }
        }

        #[test]
        fn a_column_reads_back(residuals in prop::collection::vec(prop_oneof![3 => Just(0u32), 2 => 0u32..200, 1 => any::<u32>()], 0..100)) {
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            write_column(&residuals, &mut writer);
            writer.finish();
            let mut back = vec![7; residuals.len()];
            let mut reader = BitReader::new(&bytes);
            read_column(&mut back, &mut reader)?;
            prop_assert_eq!(back, residuals);
            prop_assert_eq!(reader.finish(), Ok(()));
        }
    }

    #[test]
    fn a_quiet_column_costs_one_bit() {
        let mut bytes = Vec::new();
        let mut writer = BitWriter::new(&mut bytes);
        (0..8).for_each(|_| write_column(&[0; 1000], &mut writer));
        writer.finish();
        assert_eq!(bytes.len(), 1);
    }

    #[test]
    fn an_angle_goes_the_short_way_round() {
        let angle = Field::new("aim", 0, 1023).wrapping();
        assert_eq!(residual(&angle, 1020, 3), zigzag(7));
        assert_eq!(residual(&angle, 3, 1020), zigzag(-7));
    }
}

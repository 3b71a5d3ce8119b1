//! Bits in and out of bytes, least significant first, and the two integer codes the delta is made of.
//!
//! Invariant: reading past the end is an error, never a panic; every code ends within 64 bits.

use crate::DecodeError;

/// Longest unary prefix of a Rice code; a longer quotient escapes to the plain 32 bits.
const RICE_QUOTIENT_MAX: u32 = 20;

/// Appends bits to a byte vector. [`BitWriter::finish`] pads the last byte with zeros.
#[derive(Debug)]
pub struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    pending: u64,
    pending_bits: u32,
}

impl<'a> BitWriter<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, pending: 0, pending_bits: 0 }
    }

    /// Writes the low `count` bits of `value`, at most 32.
    pub fn bits(&mut self, value: u32, count: u32) {
        debug_assert!(count <= 32 && (count == 32 || value < 1 << count), "{value} does not fit {count} bits");
        self.pending |= u64::from(value) << self.pending_bits;
        self.pending_bits += count;
        if self.pending_bits >= 32 {
            self.out.extend_from_slice(&(self.pending as u32).to_le_bytes());
            self.pending >>= 32;
            self.pending_bits -= 32;
        }
    }

    /// Writes one bit.
    pub fn flag(&mut self, value: bool) {
        self.bits(u32::from(value), 1);
    }

    /// Rice code: `value >> k` in unary, then `k` bits. Short for values around 2^k; `k` is less than 32.
    pub fn rice(&mut self, value: u32, k: u32) {
        let quotient = value >> k;
        if quotient < RICE_QUOTIENT_MAX {
            // That many ones, then a zero.
            self.bits((1 << quotient) - 1, quotient + 1);
            self.bits(value & ((1 << k) - 1), k);
        } else {
            self.bits((1 << RICE_QUOTIENT_MAX) - 1, RICE_QUOTIENT_MAX);
            self.bits(value, 32);
        }
    }

    /// Elias gamma code of `value + 1`: short for small values, whatever their scale.
    pub fn gamma(&mut self, value: u32) {
        let plus_one = u64::from(value) + 1;
        let width = plus_one.ilog2();
        self.bits(0, width);
        self.flag(true);
        let low = plus_one ^ (1 << width);
        self.bits(low as u32, width);
    }

    /// Pads to a whole byte.
    pub fn finish(self) {
        let bytes = self.pending.to_le_bytes();
        self.out.extend(bytes.into_iter().take(self.pending_bits.div_ceil(8) as usize));
    }
}

/// Bits that [`BitWriter::rice`] writes for `value`.
pub fn rice_len(value: u32, k: u32) -> u32 {
    let quotient = value >> k;
    if quotient < RICE_QUOTIENT_MAX { quotient + 1 + k } else { RICE_QUOTIENT_MAX + 32 }
}

/// Reads what [`BitWriter`] wrote.
#[derive(Debug)]
pub struct BitReader<'a> {
    rest: &'a [u8],
    /// The next bits, lowest first; zero above `pending_bits`.
    pending: u64,
    pending_bits: u32,
}

impl<'a> BitReader<'a> {
    /// Reads from the front of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, pending: 0, pending_bits: 0 }
    }

    /// The next `count` bits, at most 32.
    pub fn bits(&mut self, count: u32) -> Result<u32, DecodeError> {
        if self.pending_bits < count {
            self.refill();
        }
        self.take(count)
    }

    /// The next bit.
    pub fn flag(&mut self) -> Result<bool, DecodeError> {
        Ok(self.bits(1)? == 1)
    }

    /// See [`BitWriter::rice`].
    pub fn rice(&mut self, k: u32) -> Result<u32, DecodeError> {
        self.refill();
        let quotient = self.pending.trailing_ones();
        if quotient >= RICE_QUOTIENT_MAX {
            self.take(RICE_QUOTIENT_MAX)?;
            return self.bits(32);
        }
        self.take(quotient + 1)?;
        Ok(quotient << k | self.bits(k)?)
    }

    /// See [`BitWriter::gamma`].
    pub fn gamma(&mut self) -> Result<u32, DecodeError> {
        self.refill();
        let width = self.pending.trailing_zeros();
        if width > 32 {
            return Err(DecodeError::Malformed);
        }
        self.take(width + 1)?;
        let plus_one = 1u64 << width | u64::from(self.bits(width)?);
        u32::try_from(plus_one - 1).map_err(|_| DecodeError::Malformed)
    }

    /// Checks that only padding is left.
    pub fn finish(self) -> Result<(), DecodeError> {
        let padding_only = self.rest.is_empty() && self.pending_bits < 8 && self.pending == 0;
        if padding_only { Ok(()) } else { Err(DecodeError::TrailingBytes) }
    }

    /// Brings `pending` to more than 56 bits, or to all that are left.
    fn refill(&mut self) {
        while self.pending_bits <= 56 {
            let Some((byte, rest)) = self.rest.split_first() else { return };
            self.pending |= u64::from(*byte) << self.pending_bits;
            self.pending_bits += 8;
            self.rest = rest;
        }
    }

    /// Takes `count` of the pending bits, less than 64.
    fn take(&mut self, count: u32) -> Result<u32, DecodeError> {
        self.pending_bits = self.pending_bits.checked_sub(count).ok_or(DecodeError::Malformed)?;
        let value = self.pending & ((1 << count) - 1);
        self.pending >>= count;
        Ok(value as u32)
    }
}

/// Small magnitudes of either sign to small numbers: 0, -1, 1, -2, 2 … to 0, 1, 2, 3, 4 …
pub const fn zigzag(value: i32) -> u32 {
    (value << 1 ^ value >> 31) as u32
}

/// Undoes [`zigzag`].
pub const fn unzigzag(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_code_reads_back(values in prop::collection::vec((any::<u32>(), 0u32..16, any::<i32>()), 0..64)) {
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            let mut expected_bits = 0;
            for (value, k, signed) in &values {
                writer.rice(*value, *k);
                expected_bits += rice_len(*value, *k);
                writer.rice(*value >> 28, *k);
                expected_bits += rice_len(*value >> 28, *k);
                writer.gamma(*value);
                expected_bits += 2 * (u64::from(*value) + 1).ilog2() + 1;
                writer.bits(zigzag(*signed), 32);
                expected_bits += 32;
            }
            writer.finish();
            prop_assert_eq!(bytes.len(), expected_bits.div_ceil(8) as usize);
            let mut reader = BitReader::new(&bytes);
            for (value, k, signed) in &values {
                prop_assert_eq!(reader.rice(*k)?, *value);
                prop_assert_eq!(reader.rice(*k)?, *value >> 28);
                prop_assert_eq!(reader.gamma()?, *value);
                prop_assert_eq!(unzigzag(reader.bits(32)?), *signed);
            }
            prop_assert_eq!(reader.finish(), Ok(()));
        }
    }

    #[test]
    fn the_end_is_an_error() {
        assert_eq!(BitReader::new(&[]).flag(), Err(DecodeError::Malformed));
        assert_eq!(BitReader::new(&[0; 8]).gamma(), Err(DecodeError::Malformed), "a gamma prefix over 32 zeros");
        assert_eq!(BitReader::new(&[1]).finish(), Err(DecodeError::TrailingBytes));
    }
}

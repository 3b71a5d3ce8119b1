//! Symbols in and out of bytes by their probability: a range coder, so that what is likely costs a fraction of a bit.
//!
//! Probabilities come in 2^15ths. The most likely symbol should be the first of its distribution:
//! a message of nothing else has no bytes at all.
//!
//! A message is one number between 0 and 1, its bytes the digits after the point. The encoder keeps
//! the interval that the number lies in, and each symbol narrows that to the symbol's share of it:
//!
//! ```text
//! low                                            low + range
//!  |------------------------------------------------|         before the symbol
//!  |<- from * unit ->|<- weight * unit ->|                    unit = range / 2^15
//!                    |-------------------|                    after it
//!                   low              low + range
//! ```
//!
//! `low` and `range` hold 32 bits of what is still open. When `range` gets less than 2^24, the top
//! byte of `low` is settled but for a carry: it is written, and both grow by a byte. The decoder
//! follows with the same `range`, and with `code`, how far the number is above `low`.
//!
//! Invariants:
//! - 2^24 <= `range` < 2^32 between symbols, so `unit` is at least 2^8 even for 16 raw bits, and
//!   whatever weighs anything has a share.
//! - `low` < 2^32 when a byte was written, and an interval only shrinks inside of itself, so
//!   `low + range` < 2^33: bit 32 is the one carry that can wait.
//! - The number stays below 1, so a carry ends at a byte of this message that was less than 255. It
//!   never reaches what stood before `start`.
//! - `code` < `range` after each symbol. Bytes that no encoder wrote may point past the last symbol's
//!   share, where the division by 2^15 left a rest: that is an error.
//! - Reading any bytes yields symbols or an error, never a panic. Messages of the same symbols are
//!   the same bytes.
//!
//! ```
//! use tickwire_protocol::delta::range::{RangeDecoder, RangeEncoder};
//! use tickwire_protocol::model::{Distribution, WHOLE};
//!
//! /// The first symbol comes 30,000 times of 32,768.
//! const LIKELY: &Distribution = &[0, 30_000, WHOLE];
//!
//! let mut bytes = Vec::new();
//! let mut encoder = RangeEncoder::new(&mut bytes);
//! for _ in 0..20 {
//!     encoder.symbol(0, LIKELY);
//! }
//! encoder.symbol(1, LIKELY);
//! encoder.finish();
//! assert_eq!(bytes.len(), 1, "21 symbols in a byte");
//!
//! let mut decoder = RangeDecoder::new(&bytes)?;
//! for _ in 0..20 {
//!     assert_eq!(decoder.symbol(LIKELY)?, 0);
//! }
//! assert_eq!(decoder.symbol(LIKELY)?, 1);
//! decoder.finish()?;
//! # Ok::<(), tickwire_protocol::DecodeError>(())
//! ```

use crate::state::model::{Distribution, WEIGHT_BITS, WHOLE};
use crate::wire::codec::DecodeError;

/// Most bits that are written at once without a distribution.
pub const RAW_BITS_MAX: u32 = 16;

/// The interval is widened when it gets smaller than this.
const RANGE_MIN: u32 = 1 << 24;

/// Appends symbols to a byte vector.
#[derive(Debug)]
pub struct RangeEncoder<'a> {
    out: &'a mut Vec<u8>,
    /// Where in `out` this message starts: a carry never goes further back.
    start: usize,
    /// Lower end of the interval, less what was written. Bit 32 is a carry into what was written.
    low: u64,
    range: u32,
}

impl<'a> RangeEncoder<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { start: out.len(), out, low: 0, range: u32::MAX }
    }

    /// Writes `symbol` of `distribution`. One that it does not have is the caller's mistake and writes rubbish.
    #[inline]
    pub fn symbol(&mut self, symbol: usize, distribution: &Distribution) {
        let [from, to, ..] = distribution.get(symbol..).unwrap_or(&[]) else {
            debug_assert!(false, "symbol {symbol} of {}", distribution.len());
            return;
        };
        self.narrow(u32::from(*from), u32::from(to - from), WEIGHT_BITS);
    }

    /// Writes the symbol that weighs `weight` after `from`.
    #[inline]
    pub(crate) fn weighed(&mut self, from: u16, weight: u16) {
        self.narrow(u32::from(from), u32::from(weight), WEIGHT_BITS);
    }

    /// Writes a bit that is 0 with a probability of `weight_of_zero`, 1 to `WHOLE - 1`.
    #[inline]
    pub fn flag(&mut self, value: bool, weight_of_zero: u16) {
        let zero = u32::from(weight_of_zero);
        if value {
            self.narrow(zero, u32::from(WHOLE) - zero, WEIGHT_BITS);
        } else {
            self.narrow(0, zero, WEIGHT_BITS);
        }
    }

    /// Writes the low `count` bits of `value`, at most 32, all values being equally likely.
    #[inline]
    pub fn raw(&mut self, value: u32, count: u32) {
        debug_assert!(count <= 32 && (count == 32 || value < 1 << count), "{value} does not fit {count} bits");
        let mut count = count;
        if count > RAW_BITS_MAX {
            count -= RAW_BITS_MAX;
            self.narrow(value >> count, 1, RAW_BITS_MAX);
        }
        if count > 0 {
            self.narrow(value & ((1 << count) - 1), 1, count);
        }
    }

    /// Ends the message with as few bytes as tell it from all others. Zeros at the end are left out: readers think of them.
    pub fn finish(mut self) {
        self.low += u64::from(ending(self.low as u32, self.range));
        for _ in 0..4 {
            self.shift();
        }
        while self.out.len() > self.start && self.out.last() == Some(&0) {
            self.out.pop();
        }
    }

    #[inline]
    fn narrow(&mut self, from: u32, weight: u32, bits: u32) {
        debug_assert!(self.range >= RANGE_MIN && (self.low + u64::from(self.range)) >> 33 == 0, "an interval within a carry");
        debug_assert!(weight > 0, "a symbol that cannot come");
        let unit = self.range >> bits;
        self.low += u64::from(unit) * u64::from(from);
        self.range = unit * weight;
        while self.range < RANGE_MIN {
            self.shift();
            self.range <<= 8;
        }
    }

    #[inline]
    fn shift(&mut self) {
        self.carry();
        self.out.push((self.low >> 24) as u8);
        self.low = self.low << 8 & u64::from(u32::MAX);
    }

    #[inline]
    fn carry(&mut self) {
        if self.low >> 32 == 0 {
            return;
        }
        self.low &= u64::from(u32::MAX);
        for byte in self.out.iter_mut().skip(self.start).rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                return;
            }
        }
    }
}

/// How far above `low` the number is that a message ends with: of those less than `range`, the one with the most zero bytes at its end.
fn ending(low: u32, range: u32) -> u32 {
    let distances = (0..4).map(|kept| low.wrapping_neg() & u32::MAX >> (8 * kept));
    distances.into_iter().find(|distance| *distance < range).unwrap_or(0)
}

/// Reads what [`RangeEncoder`] wrote.
#[derive(Debug)]
pub struct RangeDecoder<'a> {
    rest: &'a [u8],
    /// The last four bytes read.
    window: u32,
    /// What was read, less the lower end of the interval.
    code: u32,
    range: u32,
}

impl<'a> RangeDecoder<'a> {
    /// Reads all of `bytes`, which must not end with a zero.
    pub fn new(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if bytes.last() == Some(&0) {
            return Err(DecodeError::TrailingBytes);
        }
        let mut decoder = Self { rest: bytes, window: 0, code: 0, range: u32::MAX };
        for _ in 0..4 {
            decoder.shift();
        }
        Ok(decoder)
    }

    /// The next symbol of `distribution`.
    #[inline]
    pub fn symbol(&mut self, distribution: &Distribution) -> Result<usize, DecodeError> {
        let unit = self.range >> WEIGHT_BITS;
        let place = self.code / unit;
        // The first symbol is the likely one.
        let symbol = if distribution.get(1).is_some_and(|first| place < u32::from(*first)) {
            0
        } else {
            distribution.partition_point(|sum| u32::from(*sum) <= place).wrapping_sub(1)
        };
        let [from, to, ..] = distribution.get(symbol..).unwrap_or(&[]) else { return Err(DecodeError::Malformed) };
        self.take(unit, u32::from(*from), u32::from(to - from));
        Ok(symbol)
    }

    /// The next bit, see [`RangeEncoder::flag`].
    #[inline]
    pub fn flag(&mut self, weight_of_zero: u16) -> Result<bool, DecodeError> {
        let (unit, zero) = (self.range >> WEIGHT_BITS, u32::from(weight_of_zero));
        let value = self.code >= unit * zero;
        if !value {
            self.take(unit, 0, zero);
        } else if self.code < unit << WEIGHT_BITS {
            self.take(unit, zero, u32::from(WHOLE) - zero);
        } else {
            return Err(DecodeError::Malformed);
        }
        Ok(value)
    }

    /// The next `count` bits, at most 32.
    #[inline]
    pub fn raw(&mut self, count: u32) -> Result<u32, DecodeError> {
        if count > RAW_BITS_MAX {
            let high = self.raw_part(RAW_BITS_MAX)?;
            return Ok(high << (count - RAW_BITS_MAX) | self.raw_part(count - RAW_BITS_MAX)?);
        }
        self.raw_part(count)
    }

    fn raw_part(&mut self, count: u32) -> Result<u32, DecodeError> {
        if count == 0 {
            return Ok(0);
        }
        let unit = self.range >> count;
        let value = self.code / unit;
        if value >> count != 0 {
            return Err(DecodeError::Malformed);
        }
        self.take(unit, value, 1);
        Ok(value)
    }

    /// Checks that nothing is left, and that the message ends as [`RangeEncoder::finish`] would end it.
    pub fn finish(self) -> Result<(), DecodeError> {
        if !self.rest.is_empty() {
            return Err(DecodeError::TrailingBytes);
        }
        let low = self.window.wrapping_sub(self.code);
        if self.code == ending(low, self.range) { Ok(()) } else { Err(DecodeError::Malformed) }
    }

    #[inline]
    fn take(&mut self, unit: u32, from: u32, weight: u32) {
        self.code -= unit * from;
        self.range = unit * weight;
        debug_assert!(self.code < self.range, "the symbol that was found is the one whose share the number is in");
        while self.range < RANGE_MIN {
            self.shift();
            self.range <<= 8;
        }
    }

    #[inline]
    fn shift(&mut self) {
        let byte = if let Some((byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            *byte
        } else {
            0
        };
        self.window = self.window << 8 | u32::from(byte);
        self.code = self.code << 8 | u32::from(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A likely symbol, an unlikely one, and one that hardly ever comes.
    const SKEWED: &Distribution = &[0, 30_000, 32_767, WHOLE];

    fn any_item() -> impl Strategy<Value = (usize, bool, u16, u32, u32)> {
        (0usize..3, any::<bool>(), 1u16..WHOLE, any::<u32>(), 0u32..=32)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(items in prop::collection::vec(any_item(), 0..80), before in prop::collection::vec(any::<u8>(), 0..4)) {
            let mut bytes = before.clone();
            let mut encoder = RangeEncoder::new(&mut bytes);
            for (symbol, flag, weight, value, count) in &items {
                encoder.symbol(*symbol, SKEWED);
                encoder.flag(*flag, *weight);
                encoder.raw((u64::from(*value) & ((1 << *count) - 1)) as u32, *count);
            }
            encoder.finish();
            prop_assert_eq!(&bytes[..before.len()], &before, "what stood before is left alone");
            let mut decoder = RangeDecoder::new(&bytes[before.len()..]).unwrap();
            for (symbol, flag, weight, value, count) in &items {
                prop_assert_eq!(decoder.symbol(SKEWED)?, *symbol);
                prop_assert_eq!(decoder.flag(*weight)?, *flag);
                prop_assert_eq!(decoder.raw(*count)?, (u64::from(*value) & ((1 << *count) - 1)) as u32);
            }
            prop_assert_eq!(decoder.finish(), Ok(()));
        }

        #[test]
        fn any_bytes_are_symbols_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..40), kinds in prop::collection::vec(0u8..3, 0..200)) {
            let Ok(mut decoder) = RangeDecoder::new(&bytes) else { return Ok(()) };
            for kind in kinds {
                let read = match kind {
                    0 => decoder.symbol(SKEWED).map(|symbol| assert!(symbol < 3)),
                    1 => decoder.flag(5).map(drop),
                    _ => decoder.raw(29).map(|value| assert!(value >> 29 == 0)),
                };
                if read.is_err() {
                    break;
                }
            }
        }
    }

    #[test]
    fn what_is_likely_costs_nothing() {
        let mut bytes = Vec::new();
        let mut encoder = RangeEncoder::new(&mut bytes);
        (0..1000).for_each(|_| encoder.flag(false, WHOLE - 1));
        encoder.finish();
        assert_eq!(bytes.len(), 0);
    }

    #[test]
    fn a_message_ends_where_it_ends() {
        assert_eq!(RangeDecoder::new(&[1, 0]).err(), Some(DecodeError::TrailingBytes));
        let finish = |bytes| RangeDecoder::new(bytes).unwrap().finish();
        assert_eq!(finish(&[]), Ok(()));
        assert_eq!(finish(&[1; 9]), Err(DecodeError::TrailingBytes));
        assert_eq!(finish(&[1]), Err(DecodeError::Malformed), "nothing would have done");
    }
}

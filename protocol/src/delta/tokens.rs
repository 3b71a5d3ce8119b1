//! Numbers in and out of bytes as the tokens of a model.

use super::range::{RangeDecoder, RangeEncoder};
use crate::state::model::{Distribution, Tokens, WEIGHT_BITS};
use crate::wire::codec::DecodeError;

impl Tokens {
    /// Writes `number` by distribution `index`.
    #[inline]
    pub(crate) fn write(&self, number: u32, distribution: &Distribution, encoder: &mut RangeEncoder<'_>) {
        let (token, rest, count) = Self::split(self.direct, number);
        encoder.symbol(token, distribution);
        if count > 0 {
            encoder.raw(rest, count);
        }
    }

    /// Reads what [`Tokens::write`] wrote.
    #[inline]
    pub(crate) fn read(&self, distribution: &Distribution, decoder: &mut RangeDecoder<'_>) -> Result<u32, DecodeError> {
        let token = decoder.symbol(distribution)? as u32;
        if token < self.direct {
            return Ok(token);
        }
        let count = token - self.direct;
        if count > 32 {
            return Err(DecodeError::Malformed);
        }
        let beyond = 1u64 << count | u64::from(decoder.raw(count)?);
        u32::try_from(beyond - 1 + u64::from(self.direct)).map_err(|_| DecodeError::Malformed)
    }
}

/// About how many bits a symbol of this weight takes, in sixteenths.
#[inline]
pub(crate) const fn cost(weight: u16) -> u32 {
    // Bits after the leading one stand for the part of an octave.
    let octave = weight.ilog2();
    let part = (weight as u32) << 4 >> octave & 15;
    16 * (WEIGHT_BITS - octave) - part
}

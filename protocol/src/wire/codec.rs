//! How values become bytes: the one file that reaches for the crate `bincode`.
//!
//! It decides the configuration and the limits, and everything is encoded and decoded by its
//! functions. Others name `bincode` too, but as [`codec::bincode`](bincode): in the attribute of a
//! derive and where they implement its traits by hand.
//!
//! Varint integers, little endian. Decoding charges every container against a byte limit before it
//! allocates, and a message must consume all its bytes: trailing bytes are an error. Why bincode,
//! and why pinned: `docs/decisions/0001-bincode.md`.
//!
//! ```
//! use tickwire_protocol::codec::{BoundedBytes, DecodeError, decode, encode};
//!
//! let bytes = encode(&(7u32, true));
//! assert_eq!(decode::<(u32, bool), 16>(&bytes), Ok((7, true)));
//!
//! // A byte string that says it is longer than it may be is refused before anything is allocated.
//! let lie = [252, 255, 255, 255, 255];
//! assert_eq!(decode::<BoundedBytes<64>, 1024>(&lie), Err(DecodeError::Malformed));
//! ```

pub use bincode::{self, Decode, Encode};

use bincode::config::{Configuration, LittleEndian, Varint};
use bincode::de::{BorrowDecode, BorrowDecoder};

/// Why bytes are not a message. The sender is at fault in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// Not the encoding of any value of the expected type, or over its limit.
    Malformed,
    /// A value, and then bytes that belong to nothing.
    TrailingBytes,
}

impl core::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Malformed => "malformed message",
            Self::TrailingBytes => "trailing bytes after the message",
        })
    }
}

impl core::error::Error for DecodeError {}

type Config<const LIMIT: usize> = Configuration<LittleEndian, Varint, bincode::config::Limit<LIMIT>>;

const fn config<const LIMIT: usize>() -> Config<LIMIT> {
    bincode::config::standard().with_limit::<LIMIT>()
}

/// Appends `value`'s encoding to `out`.
///
/// # Panics
/// Never: the only failing encoders are hand-written ones, and ours do not fail.
#[allow(clippy::expect_used)] // our own values into a growing vector
pub fn encode_into<T: Encode>(value: &T, out: &mut Vec<u8>) {
    bincode::encode_into_writer(value, VecWriter(out), bincode::config::standard()).expect("encoding into memory cannot fail");
}

/// `value`'s encoding.
pub fn encode<T: Encode>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    encode_into(value, &mut out);
    out
}

/// Decodes exactly one `T` from all of `bytes`, charging at most `LIMIT` bytes of containers.
pub fn decode<T: Decode<()>, const LIMIT: usize>(bytes: &[u8]) -> Result<T, DecodeError> {
    match decode_prefix::<T, LIMIT>(bytes)? {
        (value, []) => Ok(value),
        _ => Err(DecodeError::TrailingBytes),
    }
}

/// Decodes one `T` from the front of `bytes`; returns it and what follows it.
pub fn decode_prefix<T: Decode<()>, const LIMIT: usize>(bytes: &[u8]) -> Result<(T, &[u8]), DecodeError> {
    let (value, used) = bincode::decode_from_slice(bytes, config::<LIMIT>()).map_err(|_| DecodeError::Malformed)?;
    let rest = bytes.get(used..).ok_or(DecodeError::Malformed)?;
    Ok((value, rest))
}

struct VecWriter<'a>(&'a mut Vec<u8>);

impl bincode::enc::write::Writer for VecWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// A byte string of at most `MAX` bytes: a varint length, then the bytes. Longer is refused before anything is allocated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoundedBytes<const MAX: usize>(Vec<u8>);

impl<const MAX: usize> BoundedBytes<MAX> {
    /// `None` if longer than `MAX`.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() <= MAX).then_some(Self(bytes))
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, to be encoded.
    pub fn borrowed(&self) -> BoundedBytesRef<'_, MAX> {
        BoundedBytesRef(&self.0)
    }

    /// The bytes, without a copy.
    pub(crate) fn into_inner(self) -> Vec<u8> {
        self.0
    }
}

/// Borrowed [`BoundedBytes`], to be encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BoundedBytesRef<'a, const MAX: usize>(&'a [u8]);

impl<'a, const MAX: usize> BoundedBytesRef<'a, MAX> {
    /// `None` if longer than `MAX`.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        (bytes.len() <= MAX).then_some(Self(bytes))
    }
}

impl<const MAX: usize> Encode for BoundedBytesRef<'_, MAX> {
    fn encode<E: bincode::enc::Encoder>(&self, encoder: &mut E) -> Result<(), bincode::error::EncodeError> {
        use bincode::enc::write::Writer;
        (self.0.len() as u32).encode(encoder)?;
        encoder.writer().write(self.0)
    }
}

impl<const MAX: usize> Encode for BoundedBytes<MAX> {
    fn encode<E: bincode::enc::Encoder>(&self, encoder: &mut E) -> Result<(), bincode::error::EncodeError> {
        self.borrowed().encode(encoder)
    }
}

impl<Context, const MAX: usize> Decode<Context> for BoundedBytes<MAX> {
    fn decode<D: bincode::de::Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, bincode::error::DecodeError> {
        use bincode::de::read::Reader;
        let len = u32::decode(decoder)? as usize;
        if len > MAX {
            return Err(bincode::error::DecodeError::Other("byte string over its limit"));
        }
        decoder.claim_bytes_read(len)?;
        let mut bytes = vec![0; len];
        decoder.reader().read(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl<'de, Context, const MAX: usize> BorrowDecode<'de, Context> for BoundedBytes<MAX> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = Context>>(decoder: &mut D) -> Result<Self, bincode::error::DecodeError> {
        Self::decode(decoder)
    }
}

/// A list of at most `MAX` items: a varint length, then the items. Longer is refused before anything is allocated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoundedVec<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> BoundedVec<T, MAX> {
    /// The first `MAX` of `items`.
    pub fn truncated(mut items: Vec<T>) -> Self {
        items.truncate(MAX);
        Self(items)
    }

    /// The items.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

impl<T: Encode, const MAX: usize> Encode for BoundedVec<T, MAX> {
    fn encode<E: bincode::enc::Encoder>(&self, encoder: &mut E) -> Result<(), bincode::error::EncodeError> {
        (self.0.len() as u32).encode(encoder)?;
        self.0.iter().try_for_each(|item| item.encode(encoder))
    }
}

impl<Context, T: Decode<Context>, const MAX: usize> Decode<Context> for BoundedVec<T, MAX> {
    fn decode<D: bincode::de::Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, bincode::error::DecodeError> {
        let len = u32::decode(decoder)? as usize;
        if len > MAX {
            return Err(bincode::error::DecodeError::Other("list over its limit"));
        }
        decoder.claim_container_read::<T>(len)?;
        let mut items = Vec::new();
        for _ in 0..len {
            decoder.unclaim_bytes_read(core::mem::size_of::<T>());
            items.push(T::decode(decoder)?);
        }
        Ok(Self(items))
    }
}

impl<'de, Context, T: Decode<Context>, const MAX: usize> BorrowDecode<'de, Context> for BoundedVec<T, MAX> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = Context>>(decoder: &mut D) -> Result<Self, bincode::error::DecodeError> {
        Self::decode(decoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lying_length_is_refused_before_allocation() {
        // A varint length of 2^32-1 and no bytes behind it.
        let lie = [252, 255, 255, 255, 255];
        assert_eq!(decode::<BoundedBytes<1024>, 4096>(&lie), Err(DecodeError::Malformed));
        assert_eq!(decode::<BoundedVec<u64, 1024>, 4096>(&lie), Err(DecodeError::Malformed));
    }

    #[test]
    fn trailing_bytes_are_an_error() {
        let mut bytes = encode(&7u32);
        bytes.push(0);
        assert_eq!(decode::<u32, 16>(&bytes), Err(DecodeError::TrailingBytes));
    }
}

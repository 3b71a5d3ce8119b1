//! Player names on the wire: bounded UTF-8. Cleaning what people type is the server's work; this only carries the result.

use crate::codec::{Decode, Encode, bincode};
use crate::limits::NAME_BYTES_MAX;

/// A player's name, at most [`NAME_BYTES_MAX`] bytes of UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// The longest prefix of `text` that fits.
    pub fn truncated(text: &str) -> Self {
        let end = (0..=NAME_BYTES_MAX.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        Self(text.get(..end).unwrap_or_default().to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Encode for Name {
    fn encode<E: bincode::enc::Encoder>(&self, encoder: &mut E) -> Result<(), bincode::error::EncodeError> {
        self.0.encode(encoder)
    }
}

impl<Context> Decode<Context> for Name {
    fn decode<D: bincode::de::Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, bincode::error::DecodeError> {
        use crate::codec::BoundedBytes;
        let bytes = BoundedBytes::<NAME_BYTES_MAX>::decode(decoder)?;
        match core::str::from_utf8(bytes.as_slice()) {
            Ok(text) => Ok(Self(text.to_owned())),
            Err(_) => Err(bincode::error::DecodeError::Other("name is not UTF-8")),
        }
    }
}

impl<'de, Context> bincode::de::BorrowDecode<'de, Context> for Name {
    fn borrow_decode<D: bincode::de::BorrowDecoder<'de, Context = Context>>(decoder: &mut D) -> Result<Self, bincode::error::DecodeError> {
        Self::decode(decoder)
    }
}

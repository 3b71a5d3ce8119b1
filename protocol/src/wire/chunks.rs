//! The parts of a `Cells` message: what changed in the chunks that one client keeps of a divided match.
//!
//! What stands behind the slot is the same for all who have the same baseline, so a server encodes it once ([`put_news`])
//! and gathers each client's message from such pieces ([`put_cells`]).

use crate::codec::bincode::de::{BorrowDecode, BorrowDecoder, Decoder};
use crate::codec::bincode::enc::Encoder;
use crate::codec::bincode::error::{DecodeError, EncodeError};
use crate::codec::{Decode, Encode, encode_into};
use crate::ids::Tick;
use crate::limits::BASELINE_AGE_MAX;
use crate::messages::Body;
use crate::schema::Fnv;

/// What becomes of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which of the client's slots.
    pub slot: u8,
    /// What is in it now.
    pub news: News,
}

/// What is in a slot now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A chunk, encoded by [`crate::delta`] against an empty snapshot; it replaces what was there.
    Keyframe(Body),
    /// The same chunk as before, as the difference from what was there.
    Delta {
        /// Ticks that moved fields have grown for, 1 to [`BASELINE_AGE_MAX`].
        advance: u8,
        /// Encoded by [`crate::delta`].
        body: Body,
    },
    /// Nothing: the client sees this chunk no longer.
    Gone,
}

/// The byte that stands for a keyframe where a delta has its advance.
const KEYFRAME: u8 = 0;
/// The byte that stands for nothing.
const GONE: u8 = u8::MAX;
const _: () = assert!(BASELINE_AGE_MAX < GONE as u32);

/// Number of the `Cells` variant.
const CELLS: u32 = 7;

/// Appends what stands behind the slot of a part: a delta of `advance` ticks, or a keyframe if that is `None`.
pub fn put_news(advance: Option<u8>, body: &Body, out: &mut Vec<u8>) {
    out.push(advance.unwrap_or(KEYFRAME));
    encode_into(body, out);
}

/// What stands behind the slot of a part that goes.
pub const GONE_NEWS: [u8; 1] = [GONE];

/// Appends a `Cells` message of `tick` and `parts`: slots, and what [`put_news`] made for them.
pub fn put_cells<'a>(tick: Tick, parts: impl ExactSizeIterator<Item = (u8, &'a [u8])>, out: &mut Vec<u8>) {
    encode_into(&CELLS, out);
    encode_into(&tick, out);
    encode_into(&(parts.len() as u32), out);
    for (slot, news) in parts {
        out.push(slot);
        out.extend_from_slice(news);
    }
}

/// Hash of all that a client has of a divided match.
#[derive(Clone, Copy, Debug)]
pub struct CellsHash(Fnv);

impl CellsHash {
    /// Of [`crate::Snapshot::hash`] of the snapshot that came outside of cells. Slots follow.
    pub const fn new(snapshot: u64) -> Self {
        let mut hash = Self(Fnv::new());
        hash.long(snapshot);
        hash
    }

    /// Adds a filled slot and [`crate::Snapshot::rows_hash`] of the chunk in it. Slots rise.
    pub const fn slot(&mut self, slot: u8, chunk: u64) {
        self.0.word(slot as u32);
        self.long(chunk);
    }

    /// The hash.
    pub const fn finish(self) -> u64 {
        self.0.finish()
    }

    const fn long(&mut self, word: u64) {
        self.0.word(word as u32);
        self.0.word((word >> 32) as u32);
    }
}

impl Encode for Part {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.slot.encode(encoder)?;
        let (how, body) = match &self.news {
            News::Keyframe(body) => (KEYFRAME, Some(body)),
            News::Delta { advance, body } => (*advance, Some(body)),
            News::Gone => (GONE, None),
        };
        how.encode(encoder)?;
        body.map_or(Ok(()), |body| body.encode(encoder))
    }
}

impl<Context> Decode<Context> for Part {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let slot = u8::decode(decoder)?;
        let news = match u8::decode(decoder)? {
            KEYFRAME => News::Keyframe(Body::decode(decoder)?),
            GONE => News::Gone,
            advance if u32::from(advance) <= BASELINE_AGE_MAX => News::Delta { advance, body: Body::decode(decoder)? },
            _ => return Err(DecodeError::Other("a part of no known kind")),
        };
        Ok(Self { slot, news })
    }
}

impl<'de, Context> BorrowDecode<'de, Context> for Part {
    fn borrow_decode<D: BorrowDecoder<'de, Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{BoundedVec, encode};
    use crate::messages::ServerMessage;

    #[test]
    fn a_gathered_message_is_the_same_as_one_encoded_whole() {
        let body = |bytes: &[u8]| Body::new(bytes.to_vec()).expect("short");
        let parts = vec![
            Part { slot: 255, news: News::Keyframe(body(&[1, 2])) },
            Part { slot: 0, news: News::Delta { advance: 64, body: body(&[7; 300]) } },
            Part { slot: 9, news: News::Gone },
        ];
        let (mut keyframe, mut delta, mut gathered) = (Vec::new(), Vec::new(), Vec::new());
        put_news(None, &body(&[1, 2]), &mut keyframe);
        put_news(Some(64), &body(&[7; 300]), &mut delta);
        put_cells(Tick(7), [(255, keyframe.as_slice()), (0, &delta), (9, &GONE_NEWS)].into_iter(), &mut gathered);
        assert_eq!(gathered, encode(&ServerMessage::Cells { tick: Tick(7), parts: BoundedVec::truncated(parts) }));
    }
}

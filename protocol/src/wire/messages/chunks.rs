//! The parts of a `Chunks` message: what changed in the chunks that one client keeps of a divided
//! match.
//!
//! What stands behind the slot is the same for all who have the same baseline, so a server encodes
//! it once ([`put_news`]) and gathers each client's message from such pieces ([`put_chunks`]).
//!
//! ```
//! use tickwire_protocol::messages::{BodyRef, chunks};
//! use tickwire_protocol::{ServerMessage, Tick};
//!
//! // A chunk's news, encoded once for all who see it.
//! let mut news = Vec::new();
//! chunks::put_news(Some(1), BodyRef::new(&[0xc0, 0xff]).expect("short"), &mut news);
//!
//! // One client has that chunk in slot 3, and loses sight of what is in slot 9.
//! let (mut frame, parts) = (Vec::new(), [(3, news.as_slice()), (9, &chunks::GONE_NEWS)]);
//! chunks::put_chunks(Tick(70), parts.into_iter(), &mut frame);
//! let Some(Ok(ServerMessage::Chunks { parts, .. })) = ServerMessage::decode_next(&mut frame.as_slice())
//! else {
//!     panic!("no Chunks message");
//! };
//! assert_eq!(parts.as_slice().len(), 2);
//! ```

use super::body::{Body, BodyRef};
use crate::wire::codec::bincode::de::{BorrowDecode, BorrowDecoder, Decoder};
use crate::wire::codec::bincode::enc::Encoder;
use crate::wire::codec::bincode::error::{DecodeError, EncodeError};
use crate::wire::codec::{BoundedVec, Decode, Encode, encode_into};
use crate::wire::ids::Tick;
use crate::wire::limits::{BASELINE_AGE_MAX, CHUNK_SLOTS_MAX};

/// The parts of one message.
pub(super) type Parts = BoundedVec<Part, CHUNK_SLOTS_MAX>;

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
    /// Nothing, and so is it in every other slot, whatever was there. The part's slot says nothing.
    Reset,
}

/// The byte that stands for a keyframe where a delta has its advance.
const KEYFRAME: u8 = 0;
/// The byte that stands for nothing.
const GONE: u8 = u8::MAX;
/// The byte that stands for nothing in any slot.
const RESET: u8 = GONE - 1;
const _: () = assert!(BASELINE_AGE_MAX < RESET as u32);

/// Number of the variant [`ServerMessage::Chunks`](super::ServerMessage::Chunks).
const CHUNKS: u32 = 7;

/// Appends what stands behind the slot of a part: a delta of `advance` ticks, or a keyframe if that is `None`.
pub fn put_news(advance: Option<u8>, body: BodyRef<'_>, out: &mut Vec<u8>) {
    out.push(advance.unwrap_or(KEYFRAME));
    encode_into(&body, out);
}

/// What stands behind the slot of a part that goes.
pub const GONE_NEWS: [u8; 1] = [GONE];

/// Appends a `Chunks` message of `tick` that empties every slot, whatever the client has in it.
pub fn put_reset(tick: Tick, out: &mut Vec<u8>) {
    put_chunks(tick, [(0, &[RESET][..])].into_iter(), out);
}

/// Appends a `Chunks` message of `tick` and `parts`: slots, and what [`put_news`] made for them.
pub fn put_chunks<'a>(tick: Tick, parts: impl ExactSizeIterator<Item = (u8, &'a [u8])>, out: &mut Vec<u8>) {
    encode_into(&CHUNKS, out);
    encode_into(&tick, out);
    encode_into(&(parts.len() as u32), out);
    for (slot, news) in parts {
        out.push(slot);
        out.extend_from_slice(news);
    }
}

impl Encode for Part {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.slot.encode(encoder)?;
        let (how, body) = match &self.news {
            News::Keyframe(body) => (KEYFRAME, Some(body)),
            News::Delta { advance, body } => (*advance, Some(body)),
            News::Gone => (GONE, None),
            News::Reset => (RESET, None),
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
            RESET => News::Reset,
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
    use crate::wire::codec::{BoundedVec, encode};
    use crate::wire::messages::ServerMessage;

    #[test]
    fn a_gathered_message_is_the_same_as_one_encoded_whole() {
        let body = |bytes: &[u8]| Body::new(bytes.to_vec()).expect("short");
        let parts = vec![
            Part { slot: 255, news: News::Keyframe(body(&[1, 2])) },
            Part { slot: 0, news: News::Delta { advance: 64, body: body(&[7; 300]) } },
            Part { slot: 9, news: News::Gone },
        ];
        let (mut keyframe, mut delta, mut gathered) = (Vec::new(), Vec::new(), Vec::new());
        put_news(None, body(&[1, 2]).borrowed(), &mut keyframe);
        put_news(Some(64), body(&[7; 300]).borrowed(), &mut delta);
        put_chunks(Tick(7), [(255, keyframe.as_slice()), (0, &delta), (9, &GONE_NEWS)].into_iter(), &mut gathered);
        assert_eq!(gathered, encode(&ServerMessage::Chunks { tick: Tick(7), parts: BoundedVec::truncated(parts) }));
        let (mut reset, parts) = (Vec::new(), vec![Part { slot: 0, news: News::Reset }]);
        put_reset(Tick(7), &mut reset);
        assert_eq!(reset, encode(&ServerMessage::Chunks { tick: Tick(7), parts: BoundedVec::truncated(parts) }));
    }
}

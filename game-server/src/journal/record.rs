//! What is written of a match.
//!
//! A checkpoint is what the match is, and its core as bytes. A record is a step that the core
//! took, or the hash of the world that it came to, by which whoever replays sees that it is the
//! same.

use tickwire_match::{Rules, Step};
use tickwire_protocol::PlayerId;
use tickwire_protocol::codec::{Decode, DecodeError, Encode, decode, decode_prefix, encode_into};

/// Rises when a match is written in another way.
const VERSION: u8 = 1;
/// Most bytes of an [`Identity`] or a record when it is read.
const BYTES_MAX: usize = 16 << 20;

const STEP: u8 = 0;
const HASH: u8 = 1;

/// What a match is, beside what its core stores.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct Identity {
    /// For people to share.
    pub code: String,
    /// The id of the mode.
    pub mode: String,
    /// Of the match, which the operator may have set otherwise since.
    pub tick_rate: u8,
    /// Not listed.
    pub private: bool,
    /// The first round waits until its players are ready.
    pub lobby: bool,
    /// Bots fill the seats that the mode wants filled.
    pub bots: bool,
    /// How long everything lasts in it.
    pub rules: Rules,
    /// Of its randomness.
    pub seed: u64,
    /// When it was created, seconds since 1970.
    pub created: u64,
    /// Until when people may play, milliseconds since 1970, of those for whom there is such a
    /// moment.
    pub sign_ins: Vec<(PlayerId, u64)>,
}

/// What happened to a match since its checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<I> {
    /// It took this step.
    Step(Step<I>),
    /// Its world has this hash.
    Hash(u64),
}

/// Why something that was written cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was written by another version, or is damaged")]
pub struct Unreadable;

impl From<DecodeError> for Unreadable {
    fn from(_: DecodeError) -> Self {
        Self
    }
}

/// Writes a checkpoint to the end of `out`, the core as `core` does.
pub fn write_checkpoint(identity: &Identity, core: impl FnOnce(&mut Vec<u8>), out: &mut Vec<u8>) {
    out.push(VERSION);
    encode_into(identity, out);
    core(out);
}

/// What the match is, and its core.
///
/// # Errors
/// If it was written in another way.
pub fn read_checkpoint(bytes: &[u8]) -> Result<(Identity, &[u8]), Unreadable> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => Ok(decode_prefix::<Identity, BYTES_MAX>(rest)?),
        _ => Err(Unreadable),
    }
}

/// Writes a step to the end of `out`.
pub fn write_step<I: Encode>(step: &Step<I>, out: &mut Vec<u8>) {
    out.push(STEP);
    encode_into(step, out);
}

/// Writes a hash to the end of `out`.
pub fn write_hash(hash: u64, out: &mut Vec<u8>) {
    out.push(HASH);
    encode_into(&hash, out);
}

/// What was written by [`write_step`] or [`write_hash`].
///
/// # Errors
/// If it was written in another way.
pub fn read<I: Decode<()>>(bytes: &[u8]) -> Result<Record<I>, Unreadable> {
    match bytes.split_first() {
        Some((&STEP, rest)) => Ok(Record::Step(decode::<_, BYTES_MAX>(rest)?)),
        Some((&HASH, rest)) => Ok(Record::Hash(decode::<_, 16>(rest)?)),
        _ => Err(Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use tickwire_match::{Advance, Change};

    use super::*;

    #[test]
    fn what_was_written_is_read_again_and_nothing_else_is() {
        let identity = Identity {
            code: "CODE42".into(),
            mode: "duel".into(),
            tick_rate: 30,
            private: true,
            lobby: false,
            bots: true,
            rules: Rules::default(),
            seed: 7,
            created: 1_800_000_000,
            sign_ins: vec![(PlayerId(3), 1_800_000_000_000)],
        };
        let mut bytes = Vec::new();
        write_checkpoint(&identity, |out| out.extend_from_slice(b"core"), &mut bytes);
        assert_eq!(read_checkpoint(&bytes), Ok((identity, &b"core"[..])));
        assert_eq!(read_checkpoint(&[]), Err(Unreadable));
        assert_eq!(read_checkpoint(&[VERSION + 1, 0, 0]), Err(Unreadable));

        let step = Step { changes: vec![Change::<u8>::Confirm(PlayerId(1))], advance: Advance::Tick };
        let mut bytes = Vec::new();
        write_step(&step, &mut bytes);
        assert_eq!(read(&bytes), Ok(Record::Step(step)));
        assert_eq!(read::<u8>(&bytes[..bytes.len() - 1]), Err(Unreadable));
        let mut bytes = Vec::new();
        write_hash(u64::MAX, &mut bytes);
        assert_eq!(read::<u8>(&bytes), Ok(Record::Hash(u64::MAX)));
    }
}

//! What the store has of those who wait, and under which keys.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tickwire_cluster::queue::TicketId;
use tickwire_protocol::codec::{Decode, Encode, decode, encode};
use tickwire_protocol::{MatchId, Secret};

/// Most bytes of what the store has of somebody who waits; a longer record is nonsense.
const RECORD_BYTES_MAX: usize = 512;

/// Where somebody waits.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(crate) struct Waiting {
    /// Tells this time from others.
    pub(crate) ticket: Secret,
    /// In the queue of this mode.
    pub(crate) mode: String,
    /// With this party.
    pub(crate) party: [u8; 16],
    /// How many players the party has.
    pub(crate) players: u16,
    /// Which of the party's slots is theirs, from 0.
    pub(crate) slot: u16,
    /// How far they are: gathering, waiting, or seated.
    pub(crate) stage: Stage,
}

/// How far somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(crate) enum Stage {
    /// They wait.
    Waits,
    /// They have a seat in this match.
    Seated(MatchId),
}

impl Waiting {
    /// As the store has it.
    pub(super) fn write(&self) -> Bytes {
        write(self)
    }

    /// Where a slot of the party is kept.
    pub(super) fn key(&self, slot: u16) -> [u8; 18] {
        key(self.party, slot)
    }
}

/// Where a slot of a party is kept.
pub(super) fn key(party: [u8; 16], slot: u16) -> [u8; 18] {
    let mut key = [0; 18];
    let parts = party.into_iter().chain(slot.to_be_bytes());
    key.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
    key
}

/// The party of those who know a secret, and want the same.
pub(super) fn party(mode: &str, players: u16, secret: Secret) -> TicketId {
    let mut hash = Sha256::new_with_prefix(b"tickwire party");
    hash.update(secret.0);
    hash.update(players.to_be_bytes());
    hash.update(mode);
    TicketId(hash.finalize().first_chunk().copied().unwrap_or_default())
}

/// As the store has it.
pub(super) fn write(record: &impl Encode) -> Bytes {
    encode(record).into()
}

/// What the store has. `None` if somebody of another version wrote it.
pub(super) fn read<T: Decode<()>>(bytes: &[u8]) -> Option<T> {
    decode::<_, RECORD_BYTES_MAX>(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_nothing_else_does() {
        let waiting = Waiting {
            ticket: Secret([1; 16]),
            mode: "m".repeat(64),
            party: [2; 16],
            players: 8,
            slot: 7,
            stage: Stage::Seated(MatchId([3; 16])),
        };
        let bytes = waiting.write();
        assert_eq!(read(&bytes), Some(waiting.clone()));
        assert_eq!(read::<Waiting>(&bytes[1..]), None);
        assert_eq!((waiting.key(7), key([2; 16], 8) == waiting.key(7)), (key([2; 16], 7), false));
    }

    #[test]
    fn who_wants_something_else_is_of_another_party() {
        let all = [
            party("a", 2, Secret([1; 16])),
            party("a", 3, Secret([1; 16])),
            party("b", 2, Secret([1; 16])),
            party("a", 2, Secret([2; 16])),
        ];
        assert_eq!(party("a", 2, Secret([1; 16])), all[0]);
        assert!((0..4).all(|one| (0..one).all(|other| all[one] != all[other])));
    }
}

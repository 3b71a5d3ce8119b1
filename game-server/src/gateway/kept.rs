//! What the gateway remembers of a former process on this machine: guests, who created which match,
//! and from which address a seat was asked for.
//!
//! What is new is noted, and all of it is written now and then: the newest note of somebody counts.
//!
//! Bounded as what is remembered is: sessions, matches and seats.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tickwire_protocol::codec::{Decode, Encode, decode, encode_into};
use tickwire_protocol::text::Name;
use tickwire_protocol::{MatchId, PlayerId};

use super::crowd::Held;
use super::tickets::unix_now;
use crate::http::address::AddressKey;
use crate::journal::Notes;
use crate::matches::PlayerKey;

/// Rises when notes are written in another way.
const VERSION: u8 = 1;
/// Most bytes of what is read at once: more than all sessions, matches and seats there may be need.
const BYTES_MAX: usize = 64 << 20;

/// One thing to remember.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(super) enum Note {
    /// A guest has a session.
    Guest {
        /// The hash of the guest's token.
        id: PlayerKey,
        name: Name,
        address: AddressKey,
        /// When they were here last, seconds since 1970.
        seen: u64,
    },
    /// Somebody created a match.
    Created { id: MatchId, guest: PlayerKey, address: AddressKey },
    /// Somebody has a seat that was asked for from this address.
    Seated { id: MatchId, player: PlayerId, owner: PlayerKey, address: AddressKey },
}

/// Takes notes, if anything is kept.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    notes: OnceLock<Notes>,
    /// Who created which match: of those there are, and a few that have just ended.
    created: Mutex<HashMap<MatchId, (PlayerKey, AddressKey)>>,
}

/// What a former process has noted.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    pub(super) guests: HashMap<PlayerKey, (Name, AddressKey, u64)>,
    pub(super) created: HashMap<MatchId, (PlayerKey, AddressKey)>,
    pub(super) seated: Vec<(MatchId, PlayerId, PlayerKey, AddressKey)>,
}

impl Keeping {
    /// Notes go there from now on.
    pub(super) fn begin(&self, notes: Notes) {
        // Set once: there is one stream.
        let _ = self.notes.set(notes);
    }

    fn note(&self, note: Note) {
        if let Some(notes) = self.notes.get() {
            notes.note(written(&[note]));
        }
    }

    /// Returns when what was noted is written.
    pub(super) async fn flush(&self) {
        if let Some(notes) = self.notes.get() {
            notes.flush().await;
        }
    }

    /// A guest has come.
    pub(super) fn guest(&self, id: PlayerKey, name: &Name, address: AddressKey) {
        self.note(Note::Guest { id, name: name.clone(), address, seen: unix_now() });
    }

    /// Somebody created match `id`.
    pub(super) fn creation(&self, id: MatchId, guest: PlayerKey, address: AddressKey) {
        if self.notes.get().is_some() {
            self.created().insert(id, (guest, address));
            self.note(Note::Created { id, guest, address });
        }
    }

    /// A seat was given.
    pub(super) fn seat(&self, address: AddressKey, held: &Held) {
        self.note(Note::Seated { id: held.id, player: held.player, owner: held.owner, address });
    }

    /// Forgets matches that have ended.
    pub(super) fn purge(&self, goes_on: impl Fn(MatchId) -> bool) {
        self.created().retain(|id, _| goes_on(*id));
    }

    /// Who created which match.
    pub(super) fn created(&self) -> MutexGuard<'_, HashMap<MatchId, (PlayerKey, AddressKey)>> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    /// What these notes say, in order. Those that cannot be read are forgotten.
    pub(crate) fn read(notes: &[Vec<u8>]) -> Self {
        let mut remembered = Self::default();
        for note in notes {
            let read = match note.split_first() {
                Some((&VERSION, rest)) => decode::<Vec<Note>, BYTES_MAX>(rest).ok(),
                _ => None,
            };
            if let Some(notes) = read {
                notes.into_iter().for_each(|note| remembered.add(note));
            } else {
                tracing::warn!("another version has noted who its guests are: some have to give their name again");
            }
        }
        remembered
    }

    fn add(&mut self, note: Note) {
        match note {
            Note::Guest { id, name, address, seen } => drop(self.guests.insert(id, (name, address, seen))),
            Note::Created { id, guest, address } => drop(self.created.insert(id, (guest, address))),
            Note::Seated { id, player, owner, address } => self.seated.push((id, player, owner, address)),
        }
    }
}

/// Notes as bytes.
pub(super) fn written(notes: &[Note]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    encode_into(&notes, &mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_note_counts_and_others_versions_are_forgotten() {
        let (id, guest, address) = (MatchId([1; 16]), PlayerKey([2; 32]), AddressKey::V4([192, 0, 2, 1]));
        let ada = |seen| Note::Guest { id: guest, name: Name::truncated("Ada"), address, seen };
        let seated = Note::Seated { id, player: PlayerId(3), owner: guest, address: AddressKey::V6(7) };
        let whole = written(&[ada(5), Note::Created { id, guest, address }, seated]);
        let remembered = Remembered::read(&[whole, written(&[ada(9)]), vec![VERSION + 1, 0], Vec::new()]);
        assert_eq!(remembered.guests[&guest], (Name::truncated("Ada"), address, 9));
        assert_eq!(remembered.created[&id], (guest, address));
        assert_eq!(remembered.seated, [(id, PlayerId(3), guest, AddressKey::V6(7))]);
    }
}

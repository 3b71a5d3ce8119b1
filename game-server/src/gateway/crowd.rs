//! Who has seats, by the address that asked for them: an address has so many and no more, whatever
//! became of those it asked for.
//!
//! One more takes the place of a seat whose owner is away, the one asked for first; else of one
//! that nobody has come to yet. Who plays is not pushed out: where all play, nobody new is seated.
//!
//! Bounded: so many by address, and an entry goes with its seat.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tickwire_protocol::{MatchId, PlayerId};

use crate::http::address::AddressKey;
use crate::matches::{PlayerKey, SeatState, SeatWatch};

/// Everyone who has a seat.
#[derive(Debug)]
pub(crate) struct Crowd {
    by_address_max: usize,
    by_address: Mutex<Table>,
}

type Table = HashMap<AddressKey, VecDeque<Held>>;

/// A seat.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// Whose.
    pub(crate) owner: PlayerKey,
    /// In which match.
    pub(crate) id: MatchId,
    /// Which seat.
    pub(crate) player: PlayerId,
    /// What becomes of it.
    pub(crate) seat: SeatWatch,
}

impl Crowd {
    /// Nobody yet, and never more than `by_address_max` of one address.
    pub(crate) fn new(by_address_max: usize) -> Self {
        Self { by_address_max, by_address: Mutex::default() }
    }

    /// Whether one more of this address can be seated.
    pub(crate) fn has_room(&self, address: AddressKey) -> bool {
        let table = self.table();
        let plays = |held: &&Held| held.seat.state() == SeatState::Taken;
        table.get(&address).is_none_or(|seats| seats.iter().filter(plays).count() < self.by_address_max)
    }

    /// Notes a seat. Returns the one that is to be freed for it, if they are too many.
    pub(crate) fn add(&self, address: AddressKey, held: Held) -> Option<Held> {
        let mut table = self.table();
        let seats = table.entry(address).or_default();
        seats.retain(|other| other.seat.state() != SeatState::Freed && !other.seat.is_same(&held.seat));
        seats.push_back(held);
        if seats.len() <= self.by_address_max {
            return None;
        }
        let first = |wanted| seats.iter().position(|held| held.seat.state() == wanted);
        let place = first(SeatState::Away).or_else(|| first(SeatState::Pending))?;
        seats.remove(place)
    }

    /// All seats, each address's in order.
    pub(crate) fn all(&self) -> Vec<(AddressKey, Held)> {
        let table = self.table();
        table.iter().flat_map(|(address, seats)| seats.iter().map(|held| (*address, held.clone()))).collect()
    }

    /// Forgets seats that were freed.
    pub(crate) fn purge(&self) {
        self.table().retain(|_, seats| {
            seats.retain(|held| held.seat.state() != SeatState::Freed);
            !seats.is_empty()
        });
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matches::handle::SeatMark;

    const HERE: AddressKey = AddressKey::V4([192, 0, 2, 1]);
    const THERE: AddressKey = AddressKey::V4([192, 0, 2, 2]);

    fn held(number: u16, mark: &SeatMark) -> Held {
        let player = PlayerId(number);
        Held { owner: PlayerKey([0; 32]), id: MatchId([0; 16]), player, seat: mark.watch() }
    }

    #[test]
    fn one_too_many_takes_the_place_of_who_is_away_then_of_who_has_not_come() {
        let marks: Vec<_> = (0..6).map(|_| SeatMark::pending()).collect();
        let crowd = Crowd::new(3);
        let add = |number: u16| crowd.add(HERE, held(number, &marks[usize::from(number)])).map(|held| held.player.0);
        assert_eq!([add(0), add(1), add(2), add(2)], [None; 4], "who asks again is one");
        marks[1].take();
        marks[2].take();
        marks[2].leave();
        assert_eq!(add(3), Some(2), "away");
        assert_eq!(add(4), Some(0), "has not come for longest");
        assert!(crowd.has_room(HERE));
        for mark in [&marks[3], &marks[4]] {
            mark.take();
        }
        assert!(!crowd.has_room(HERE) && crowd.has_room(THERE), "all three play");
        assert_eq!(add(5), Some(5), "who slipped in meanwhile");
        assert!(!crowd.has_room(HERE));
        drop(marks);
        crowd.purge();
        assert!(crowd.has_room(HERE) && crowd.table().is_empty());
    }
}

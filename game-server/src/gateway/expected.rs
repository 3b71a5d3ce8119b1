//! Those who have a ticket and have not come yet, by address: each address has so many seats kept
//! and no more.
//!
//! One more takes the place of the one that has waited longest: whoever means to play comes within
//! a moment, whoever only asks for seats pushes out itself.
//!
//! Bounded: [`EXPECTED_MAX`] by address, and a seat that nobody comes to is freed when its ticket
//! expires.

use std::collections::{HashMap, VecDeque};

use tickwire_protocol::MatchId;

use crate::http::address::AddressKey;
use crate::matches::{PlayerKey, SeatState, SeatWatch};

/// Most seats that are kept for one address's tickets.
pub(crate) const EXPECTED_MAX: usize = 128;

/// Everyone who has a ticket and has not come yet.
#[derive(Debug)]
pub(crate) struct Expected {
    by_address: HashMap<AddressKey, VecDeque<Newcomer>>,
    by_address_max: usize,
}

/// Somebody a seat is kept for.
#[derive(Debug)]
pub(crate) struct Newcomer {
    /// Who.
    pub(crate) owner: PlayerKey,
    /// In which match.
    pub(crate) id: MatchId,
    /// What becomes of the seat.
    pub(crate) seat: SeatWatch,
}

impl Newcomer {
    fn is_expected(&self) -> bool {
        self.seat.state() == SeatState::Pending
    }

    fn is(&self, other: &Self) -> bool {
        self.id == other.id && self.owner == other.owner
    }
}

impl Expected {
    /// Nobody yet, and never more than so many of one address.
    pub(crate) fn with_room_for(by_address_max: usize) -> Self {
        Self { by_address: HashMap::new(), by_address_max }
    }

    /// Expects somebody at `address`. Returns who is expected no more, if they are too many: their
    /// seat is to be freed.
    pub(crate) fn add(&mut self, address: AddressKey, newcomer: Newcomer) -> Option<Newcomer> {
        let newcomers = self.by_address.entry(address).or_default();
        newcomers.retain(|other| other.is_expected() && !other.is(&newcomer));
        newcomers.push_back(newcomer);
        if newcomers.len() > self.by_address_max { newcomers.pop_front() } else { None }
    }

    /// Forgets those who have come, or whose seat was freed.
    pub(crate) fn purge(&mut self) {
        self.by_address.retain(|_, newcomers| {
            newcomers.retain(Newcomer::is_expected);
            !newcomers.is_empty()
        });
    }

    /// Whether nobody is expected.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.by_address.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matches::handle::SeatMark;

    const HERE: AddressKey = AddressKey::V4([192, 0, 2, 1]);
    const THERE: AddressKey = AddressKey::V4([192, 0, 2, 2]);

    fn newcomer(number: usize, mark: &SeatMark) -> Newcomer {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        Newcomer { owner: PlayerKey([0; 32]), id: MatchId(id), seat: mark.watch() }
    }

    #[test]
    fn one_too_many_pushes_out_the_one_who_has_waited_longest() {
        let marks: Vec<_> = (0..=EXPECTED_MAX).map(|_| SeatMark::pending()).collect();
        let mut expected = Expected::with_room_for(EXPECTED_MAX);
        assert!(expected.add(THERE, newcomer(0, &marks[0])).is_none());
        for (number, mark) in marks.iter().enumerate().take(EXPECTED_MAX) {
            assert!(expected.add(HERE, newcomer(number, mark)).is_none());
        }
        assert!(expected.add(HERE, newcomer(7, &marks[7])).is_none(), "who asks again is one");
        marks[0].take();
        assert!(expected.add(HERE, newcomer(EXPECTED_MAX, &marks[EXPECTED_MAX])).is_none(), "one has come");
        let pushed_out = expected.add(HERE, newcomer(900, &SeatMark::pending())).map(|newcomer| newcomer.id);
        assert_eq!(pushed_out, Some(newcomer(1, &marks[1]).id));
        drop(marks);
        expected.purge();
        assert!(expected.is_empty());
    }
}

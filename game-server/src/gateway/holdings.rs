//! What one guest session holds: seats.
//!
//! Invariants: one seat in a match; when a new one is held, every other that nobody has come to is
//! given up. The match says what becomes of a seat, so what is counted here is never off.

use tickwire_protocol::MatchId;

use crate::matches::{SeatState, SeatWatch};

/// What one guest session holds.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    seats: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    id: MatchId,
    seat: SeatWatch,
}

impl Holdings {
    /// The matches in which there is a seat, newest last.
    pub(crate) fn matches(&mut self) -> Vec<MatchId> {
        self.tidy();
        self.seats.iter().map(|held| held.id).collect()
    }

    /// Whether there is any seat.
    pub(crate) fn has_seat(&self) -> bool {
        self.seats.iter().any(|held| held.seat.state() != SeatState::Freed)
    }

    /// Seats that somebody has come to.
    pub(crate) fn taken(&mut self) -> usize {
        self.tidy();
        self.seats.iter().filter(|held| matches!(held.seat.state(), SeatState::Taken | SeatState::Away)).count()
    }

    /// There is a seat in match `id` from now on. Returns the other matches, in which a seat waits
    /// for somebody to come: they are to be told that nobody will, and when they have freed it, it
    /// counts no more.
    pub(crate) fn hold(&mut self, id: MatchId, seat: SeatWatch) -> Vec<MatchId> {
        self.seats.retain(|held| held.id != id);
        self.tidy();
        let given_up = self.seats.iter().filter(|held| held.seat.state() == SeatState::Pending).map(|held| held.id).collect();
        self.seats.push(Held { id, seat });
        given_up
    }

    fn tidy(&mut self) {
        self.seats.retain(|held| held.seat.state() != SeatState::Freed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matches::handle::SeatMark;

    fn id(number: u8) -> MatchId {
        MatchId([number; 16])
    }

    #[test]
    fn a_new_seat_gives_up_the_one_nobody_came_to() {
        let (first, second, third) = (SeatMark::pending(), SeatMark::pending(), SeatMark::pending());
        let mut holdings = Holdings::default();
        assert_eq!(holdings.hold(id(1), first.watch()), []);
        assert_eq!(holdings.hold(id(1), first.watch()), [], "the same again");
        first.take();
        assert_eq!(holdings.hold(id(2), second.watch()), [], "somebody has come to the first");
        assert_eq!(holdings.hold(id(3), third.watch()), [id(2)]);
        assert_eq!((holdings.taken(), holdings.matches()), (1, vec![id(1), id(2), id(3)]));
        drop(second);
        assert_eq!((holdings.taken(), holdings.matches()), (1, vec![id(1), id(3)]));
        drop((first, third));
        assert!(!holdings.has_seat() && holdings.taken() == 0);
    }
}

//! Seats from before this process began, by whose they are. A session has its own when it is
//! opened; until then a guest is known by the seat.
//!
//! Bounded by the seats of the matches that were brought back, and an entry goes with its seats.

use std::collections::HashMap;

use tickwire_protocol::MatchId;
use tickwire_protocol::text::Name;

use crate::matches::{PlayerKey, RevivedSeat, SeatState, SeatWatch};

/// Seats whose owners have not been here yet.
#[derive(Debug, Default)]
pub(crate) struct Adopted(HashMap<PlayerKey, Owner>);

#[derive(Debug)]
struct Owner {
    name: Name,
    seats: Vec<(MatchId, SeatWatch)>,
}

impl Adopted {
    /// Somebody has this seat in match `id`.
    pub(crate) fn add(&mut self, id: MatchId, seat: RevivedSeat) {
        let RevivedSeat { owner, name, seat, .. } = seat;
        self.0.entry(owner).or_insert_with(|| Owner { name, seats: Vec::new() }).seats.push((id, seat));
    }

    /// How the owner of a seat is called.
    pub(crate) fn name(&self, owner: PlayerKey) -> Option<Name> {
        let owner = self.0.get(&owner)?;
        owner.seats.iter().any(is_kept).then(|| owner.name.clone())
    }

    /// The seats of somebody who is here now.
    pub(crate) fn take(&mut self, owner: PlayerKey) -> Vec<(MatchId, SeatWatch)> {
        self.0.remove(&owner).map(|owner| owner.seats).unwrap_or_default()
    }

    /// Forgets seats that were freed.
    pub(crate) fn purge(&mut self) {
        self.0.retain(|_, owner| {
            owner.seats.retain(is_kept);
            !owner.seats.is_empty()
        });
    }
}

fn is_kept((_, seat): &(MatchId, SeatWatch)) -> bool {
    seat.state() != SeatState::Freed
}

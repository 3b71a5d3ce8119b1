//! What every tick asks the roster for, counted when a seat changes.

use std::collections::BTreeMap;

use tickwire_protocol::PlayerId;
use tickwire_protocol::codec::{Decode, Encode};

use super::seat::{Holder, Seat};
use crate::time::Age;

/// How many people there are, and what they want.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct Counts {
    /// Seats held by people: connected, away or reserved.
    pub held: usize,
    /// Of these, kept for a ticket.
    pub reserved: usize,
    /// Of these, connected.
    pub connected: usize,
    /// Of the connected, ready for the match to start.
    pub ready: usize,
    /// Of the connected, in favour of a rematch.
    pub votes: usize,
    /// On their way in, in favour of a rematch.
    pub coming: usize,
    /// The first seat that will be freed, and when.
    pub(super) expires: Option<(Age, PlayerId)>,
}

impl Counts {
    /// Counts these seats anew.
    pub(super) fn of(seats: &BTreeMap<PlayerId, Seat>) -> Self {
        let mut counts = Self::default();
        for (player, seat) in seats {
            let (votes, ready) = (usize::from(seat.wants_rematch), usize::from(seat.is_ready));
            let expires = match seat.holder {
                Holder::Bot => None,
                Holder::Connected { .. } => {
                    counts.connected += 1;
                    counts.votes += votes;
                    counts.ready += ready;
                    None
                }
                Holder::Reserved { until } => {
                    counts.reserved += 1;
                    counts.coming += votes;
                    Some((until, *player))
                }
                Holder::Away { until } => Some((until, *player)),
            };
            counts.held += usize::from(!seat.is_bot());
            counts.expires = [counts.expires, expires].into_iter().flatten().min();
        }
        counts
    }
}

//! A party that waits, and how it is written in the store: a line of text.

use std::time::Duration;

use bytes::Bytes;
use tickwire_protocol::MatchId;

/// Names a ticket. Random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TicketId(pub [u8; 16]);

/// A party that waits for a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Its name.
    pub id: TicketId,
    /// Players of the party, who are not parted.
    pub players: u16,
    /// How good it is.
    pub rating: i32,
    /// How long it has waited, when its node last said so.
    pub waited: Duration,
}

/// How far a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Waits,
    /// Somebody makes this match for it.
    Reserved(MatchId),
    /// The match has seats for it.
    Seated(MatchId),
}

impl Ticket {
    pub(super) fn write(&self, stage: Stage) -> Bytes {
        let Self { id: _, players, rating, waited } = self;
        let (word, id) = match stage {
            Stage::Waits => ("waits", String::new()),
            Stage::Reserved(id) => ("reserved", id.to_string()),
            Stage::Seated(id) => ("seated", id.to_string()),
        };
        format!("{players} {rating} {} {word} {id}", waited.as_millis()).into()
    }

    /// `None` if the store has something else there.
    pub(super) fn read(key: &[u8], value: &[u8]) -> Option<(Self, Stage)> {
        let id = TicketId(key.try_into().ok()?);
        let mut words = std::str::from_utf8(value).ok()?.split(' ');
        let players = words.next()?.parse().ok()?;
        let rating = words.next()?.parse().ok()?;
        let waited = Duration::from_millis(words.next()?.parse().ok()?);
        let stage = match (words.next()?, words.next()?) {
            ("waits", "") => Stage::Waits,
            ("reserved", id) => Stage::Reserved(id.parse().ok()?),
            ("seated", id) => Stage::Seated(id.parse().ok()?),
            _ => return None,
        };
        Some((Self { id, players, rating, waited }, stage))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_reads_back_and_nothing_else_does() {
        let ticket = Ticket { id: TicketId([1; 16]), players: 3, rating: -7, waited: Duration::from_millis(1_500) };
        for stage in [Stage::Waits, Stage::Reserved(MatchId([2; 16])), Stage::Seated(MatchId([3; 16]))] {
            assert_eq!(Ticket::read(&[1; 16], &ticket.write(stage)), Some((ticket.clone(), stage)));
        }
        assert_eq!(Ticket::read(&[1; 15], &ticket.write(Stage::Waits)), None);
        for other in ["", "1 1 1", "1 1 1 waits", "1 1 -1 waits ", "1 1 1 seated ", "1 1 1 sleeps "] {
            assert_eq!(Ticket::read(&[1; 16], other.as_bytes()), None, "{other:?}");
        }
    }
}

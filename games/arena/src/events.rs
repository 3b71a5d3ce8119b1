//! What happens in an arena, told to every client once.

use tickwire_protocol::codec::{Decode, DecodeError, Encode, decode};
use tickwire_protocol::limits::GAME_EVENT_BYTES_MAX;

/// Something that happened in a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub enum ArenaEvent {
    /// A fighter lost its life.
    Kill {
        /// Whose shot it was. That player may have left.
        killer: u16,
        /// Who lost the life.
        victim: u16,
        /// Health the killer had left; 0 if it did not live any more.
        left: u8,
    },
    /// A pickup was taken.
    Pickup {
        /// Who took it.
        player: u16,
        /// A [`crate::tables::PickupKind`] as a number.
        pickup: u8,
    },
    /// A shot hit.
    Hit {
        /// Who was hit.
        victim: u16,
        /// Whose shot it was.
        by: u16,
        /// Health taken.
        damage: u8,
    },
}

impl ArenaEvent {
    /// Reads an event off the wire.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode::<Self, GAME_EVENT_BYTES_MAX>(bytes)
    }

    /// The event as JSON, for the page and for logs.
    pub fn to_json(self) -> String {
        match self {
            Self::Kill { killer, victim, left } => {
                format!(r#"{{"kind":"kill","killer":{killer},"victim":{victim},"left":{left}}}"#)
            }
            Self::Pickup { player, pickup } => format!(r#"{{"kind":"pickup","player":{player},"pickup":{pickup}}}"#),
            Self::Hit { victim, by, damage } => format!(r#"{{"kind":"hit","victim":{victim},"by":{by},"damage":{damage}}}"#),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_protocol::codec::encode;

    #[test]
    fn events_read_back_and_say_what_they_are() {
        let events = [
            (ArenaEvent::Kill { killer: 3, victim: 4, left: 60 }, r#"{"kind":"kill","killer":3,"victim":4,"left":60}"#),
            (ArenaEvent::Pickup { player: 3, pickup: 0 }, r#"{"kind":"pickup","player":3,"pickup":0}"#),
            (ArenaEvent::Hit { victim: 4, by: 300, damage: 16 }, r#"{"kind":"hit","victim":4,"by":300,"damage":16}"#),
        ];
        for (event, json) in events {
            assert_eq!(ArenaEvent::decode(&encode(&event)), Ok(event));
            assert_eq!(event.to_json(), json);
        }
        assert!(ArenaEvent::decode(&[9, 9]).is_err());
    }
}

//! What happens in an arena, told to every client once.

use tickwire_game::Event;

use crate::tables::PickupKind;

/// Something that happened in a tick.
#[derive(Event, Clone, Copy, Debug, PartialEq, Eq)]
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
        /// Which.
        pickup: PickupKind,
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

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_protocol::codec::encode;

    #[test]
    fn events_read_back_and_say_what_they_are() {
        let events = [
            (ArenaEvent::Kill { killer: 3, victim: 4, left: 60 }, r#"{"kind":"kill","killer":3,"victim":4,"left":60}"#),
            (ArenaEvent::Pickup { player: 3, pickup: PickupKind::Health }, r#"{"kind":"pickup","player":3,"pickup":0}"#),
            (ArenaEvent::Hit { victim: 4, by: 300, damage: 16 }, r#"{"kind":"hit","victim":4,"by":300,"damage":16}"#),
        ];
        for (event, json) in events {
            assert_eq!(ArenaEvent::read(&encode(&event)), Some(event));
            assert_eq!(event.to_json(), json);
        }
        assert_eq!(ArenaEvent::read(&[9, 9]), None);
    }
}

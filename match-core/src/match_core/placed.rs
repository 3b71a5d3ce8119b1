//! The tick's events that have a place, in memory that is used again.

use tickwire_game::Scene;

/// Events, encoded one after another. At most
/// [`Events::PLACED_PER_TICK_MAX`](tickwire_game::Events::PLACED_PER_TICK_MAX).
#[derive(Debug, Default)]
pub(super) struct PlacedEvents {
    bytes: Vec<u8>,
    /// Where each ends in `bytes`, and where it happened.
    ends: Vec<(usize, Scene)>,
}

impl PlacedEvents {
    pub(super) fn push(&mut self, event: &[u8], at: Scene) {
        self.bytes.extend_from_slice(event);
        self.ends.push((self.bytes.len(), at));
    }

    /// Each event, and where it happened.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], Scene)> {
        let mut start = 0;
        self.ends.iter().map(move |(end, at)| {
            let event = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            (event, *at)
        })
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

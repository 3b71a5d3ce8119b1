//! Looks into the updates of one player per match, to show that the arms do the work they are measured for: how many fighters
//! moved from one update to the next, and how many shots are in flight.

use std::collections::HashMap;

use arena::Arena;
use arena::tables::{Fighter, Shot};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tickwire_game::GameDef;
use tickwire_protocol::{Replica, ServerMessage};

use crate::arm::Arm;

/// What was seen, summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Updates compared with the one before.
    pub(crate) updates: u64,
    pub(crate) moved: u64,
    pub(crate) shots: u64,
    /// Updates in which nothing had moved.
    pub(crate) still: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.updates += other.updates;
        self.moved += other.moved;
        self.shots += other.shots;
        self.still += other.still;
    }

    pub(crate) fn means(self) -> Option<Means> {
        let per_update = |sum: u64| sum as f64 / self.updates as f64;
        (self.updates > 0).then(|| Means { movers: per_update(self.moved), shots: per_update(self.shots) })
    }
}

/// An arm's work, per update of one match.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Means {
    /// Fighters whose place changed.
    pub(crate) movers: f64,
    /// Shots in flight.
    pub(crate) shots: f64,
}

/// Decodes one player's updates.
pub(crate) struct Watcher {
    decoder: Decoder,
    before: HashMap<u32, (i64, i64)>,
    pub(crate) tally: Tally,
}

enum Decoder {
    Tickwire(Box<Replica>),
    Json,
    Binary,
}

impl Watcher {
    /// `None` for arms whose updates mean nothing, or need their own client.
    pub(crate) fn new(arm: Arm) -> Option<Self> {
        let decoder = match arm {
            Arm::Tickwire => Decoder::Tickwire(Box::new(Replica::new(&Arena::SCHEMA))),
            Arm::WsJson => Decoder::Json,
            Arm::WsBinary => Decoder::Binary,
            Arm::Floor | Arm::Colyseus | Arm::ColyseusMessages => return None,
        };
        Some(Self { decoder, before: HashMap::new(), tally: Tally::default() })
    }

    /// Takes in one message. What cannot be decoded is seen as an update in which nothing moved.
    pub(crate) fn see(&mut self, payload: &[u8]) {
        let seen = match &mut self.decoder {
            Decoder::Tickwire(replica) => tickwire(replica, payload),
            Decoder::Json => json(payload),
            Decoder::Binary => binary(payload),
        };
        let Some((places, shots)) = seen else { return };
        if !self.before.is_empty() {
            let has_moved = |(id, place): &(&u32, &(i64, i64))| self.before.get(id).is_some_and(|before| before != *place);
            let moved = places.iter().filter(has_moved).count() as u64;
            self.tally.add(Tally { updates: 1, moved, shots, still: u64::from(moved == 0) });
        }
        self.before = places;
    }
}

/// Fighters' places by id, and how many shots there are.
type Seen = Option<(HashMap<u32, (i64, i64)>, u64)>;

fn tickwire(replica: &mut Replica, mut payload: &[u8]) -> Seen {
    let mut is_new = false;
    while let Some(message) = ServerMessage::decode_next(&mut payload) {
        is_new |= replica.apply(&message.ok()?).ok()?;
    }
    let view = replica.snapshot().filter(|_| is_new)?;
    let place = |fighter: Fighter| (i64::from(fighter.x), i64::from(fighter.y));
    let places = view.rows::<Fighter>().map(|(id, fighter)| (id.0, place(fighter))).collect();
    Some((places, view.rows::<Shot>().count() as u64))
}

fn json(payload: &[u8]) -> Seen {
    let update: Value = serde_json::from_slice(payload).ok()?;
    let millis = |value: &Value| value.as_f64().map(|value| (value * 1000.0) as i64);
    let place = |player: &Value| Some((player["id"].as_u64()? as u32, (millis(&player["x"])?, millis(&player["y"])?)));
    let places = update["players"].as_array()?.iter().filter_map(place).collect();
    Some((places, update["projectiles"].as_array()?.len() as u64))
}

fn binary(payload: &[u8]) -> Seen {
    let (fighters, shots) = (usize::from(*payload.get(4)?), *payload.get(5)?);
    let rows = payload.get(6..6 + 7 * fighters)?.chunks_exact(7);
    let place = |row: &[u8]| match row {
        [id, a, b, c, d, ..] => Some((u32::from(*id), (i64::from(u16::from_le_bytes([*a, *b])), i64::from(u16::from_le_bytes([*c, *d]))))),
        _ => None,
    };
    Some((rows.filter_map(place).collect(), u64::from(shots)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn movers_and_shots_are_counted_in_json() {
        let mut watcher = Watcher::new(Arm::WsJson).expect("a decoder");
        let update = |x: f64| {
            let text = format!(r#"{{"tick":1,"players":[{{"id":0,"x":{x},"y":2}},{{"id":1,"x":5,"y":5}}],"projectiles":[{{"id":9}}]}}"#);
            text.into_bytes()
        };
        [1.0, 1.5, 1.5].map(|x| watcher.see(&update(x)));
        assert_eq!(watcher.tally, Tally { updates: 2, moved: 1, shots: 2, still: 1 });
        assert_eq!(watcher.tally.means(), Some(Means { movers: 0.5, shots: 1.0 }));
    }

    #[test]
    fn movers_and_shots_are_counted_in_packed_updates() {
        let mut watcher = Watcher::new(Arm::WsBinary).expect("a decoder");
        let update = |x: u8| [1, 0, 0, 0, 1, 3, 7, x, 0, 9, 0, 0, 100];
        [1, 2, 4].map(|x| watcher.see(&update(x)));
        watcher.see(&[1, 2, 3]);
        assert_eq!(watcher.tally, Tally { updates: 2, moved: 2, shots: 6, still: 0 });
    }

    #[test]
    fn nothing_seen_has_no_means() {
        assert_eq!(Tally::default().means(), None);
    }
}

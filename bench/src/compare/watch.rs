//! Looks into the updates of one player per match, to show that the arms do the work they are measured for: how many fighters
//! moved from one update to the next, and how many shots are in flight.

use std::collections::HashMap;

use arena::Arena;
use arena::tables::{Fighter, Shot};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tickwire_game::Game;
use tickwire_protocol::{Replica, ServerMessage};

use crate::arm::Arm;

/// What was seen, summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Updates compared with the one before.
    pub(crate) updates: u64,
    pub(crate) moved: u64,
    pub(crate) turned: u64,
    pub(crate) shots: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.updates += other.updates;
        self.moved += other.moved;
        self.turned += other.turned;
        self.shots += other.shots;
    }

    pub(crate) fn means(self) -> Option<Means> {
        let per_update = |sum: u64| sum as f64 / self.updates as f64;
        (self.updates > 0).then(|| Means {
            movers: per_update(self.moved),
            turners: per_update(self.turned),
            shots: per_update(self.shots),
        })
    }
}

/// An arm's work, per update of one match.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Means {
    /// Fighters whose place changed.
    pub(crate) movers: f64,
    /// Fighters whose aim changed: every input turns it, so these are the inputs that were followed.
    pub(crate) turners: f64,
    /// Shots in flight.
    pub(crate) shots: f64,
}

/// Decodes one player's updates.
pub(crate) struct Watcher {
    decoder: Decoder,
    before: HashMap<u32, Pose>,
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
            Arm::WsJson => Decoder::Json,
            Arm::WsBinary => Decoder::Binary,
            Arm::Floor | Arm::Colyseus | Arm::ColyseusMessages => return None,
            _ => Decoder::Tickwire(Box::new(Replica::new(&Arena::SCHEMA))),
        };
        Some(Self { decoder, before: HashMap::new(), tally: Tally::default() })
    }

    /// Takes in one message. What cannot be decoded is left out.
    pub(crate) fn see(&mut self, payload: &[u8]) {
        let seen = match &mut self.decoder {
            Decoder::Tickwire(replica) => tickwire(replica, payload),
            Decoder::Json => json(payload),
            Decoder::Binary => binary(payload),
        };
        let Some((poses, shots)) = seen else { return };
        if !self.before.is_empty() {
            let both = || poses.iter().filter_map(|(id, pose)| self.before.get(id).map(|before| (pose, before)));
            let moved = both().filter(|(pose, before)| pose.place != before.place).count() as u64;
            let turned = both().filter(|(pose, before)| pose.aim != before.aim).count() as u64;
            self.tally.add(Tally { updates: 1, moved, turned, shots });
        }
        self.before = poses;
    }
}

/// A fighter as far as it is looked at, in whatever units the arm sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pose {
    place: (i64, i64),
    aim: i64,
}

/// Fighters by id, and how many shots there are.
type Seen = Option<(HashMap<u32, Pose>, u64)>;

fn tickwire(replica: &mut Replica, mut payload: &[u8]) -> Seen {
    let mut is_new = false;
    while let Some(message) = ServerMessage::decode_next(&mut payload) {
        is_new |= replica.apply(&message.ok()?).ok()?;
    }
    let view = replica.snapshot().filter(|_| is_new)?;
    let pose = |fighter: Fighter| Pose { place: (i64::from(fighter.x), i64::from(fighter.y)), aim: i64::from(fighter.aim) };
    let poses = view.rows::<Fighter>().map(|(id, fighter)| (id.0, pose(fighter))).collect();
    Some((poses, view.rows::<Shot>().count() as u64))
}

fn json(payload: &[u8]) -> Seen {
    let update: Value = serde_json::from_slice(payload).ok()?;
    let millis = |value: &Value| value.as_f64().map(|value| (value * 1000.0) as i64);
    let pose = |player: &Value| {
        let pose = Pose { place: (millis(&player["x"])?, millis(&player["y"])?), aim: millis(&player["aim"])? };
        Some((player["id"].as_u64()? as u32, pose))
    };
    let poses = update["players"].as_array()?.iter().filter_map(pose).collect();
    Some((poses, update["projectiles"].as_array()?.len() as u64))
}

fn binary(payload: &[u8]) -> Seen {
    let (fighters, shots) = (usize::from(*payload.get(4)?), *payload.get(5)?);
    let rows = payload.get(6..6 + 7 * fighters)?.chunks_exact(7);
    let number = |low: u8, high: u8| i64::from(u16::from_le_bytes([low, high]));
    let pose = |row: &[u8]| match row {
        [id, a, b, c, d, aim, _] => Some((u32::from(*id), Pose { place: (number(*a, *b), number(*c, *d)), aim: i64::from(*aim) })),
        _ => None,
    };
    Some((rows.filter_map(pose).collect(), u64::from(shots)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn movers_and_shots_are_counted_in_json() {
        let mut watcher = Watcher::new(Arm::WsJson).expect("a decoder");
        let update = |x: f64| {
            let text = format!(
                r#"{{"tick":1,"players":[{{"id":0,"x":{x},"y":2,"aim":{x}}},{{"id":1,"x":5,"y":5,"aim":1}}],"projectiles":[{{"id":9}}]}}"#
            );
            text.into_bytes()
        };
        [1.0, 1.5, 1.5].iter().for_each(|x| watcher.see(&update(*x)));
        assert_eq!(watcher.tally, Tally { updates: 2, moved: 1, turned: 1, shots: 2 });
        assert_eq!(watcher.tally.means(), Some(Means { movers: 0.5, turners: 0.5, shots: 1.0 }));
    }

    #[test]
    fn movers_and_shots_are_counted_in_packed_updates() {
        let mut watcher = Watcher::new(Arm::WsBinary).expect("a decoder");
        let update = |x: u8| [1, 0, 0, 0, 1, 3, 7, x, 0, 9, 0, 0, 100];
        [1, 2, 4].iter().for_each(|x| watcher.see(&update(*x)));
        watcher.see(&[1, 2, 3]);
        assert_eq!(watcher.tally, Tally { updates: 2, moved: 2, turned: 0, shots: 6 });
    }

    #[test]
    fn nothing_seen_has_no_means() {
        assert_eq!(Tally::default().means(), None);
    }
}

//! A match for measurements: movers that turn, bounce, die and respawn. Shared with the benchmarks.

use tickwire_protocol::schema::{Columns, MatchState};
use tickwire_protocol::{NetId, Schema, Snapshot, Tick, columns};

columns! {
    struct Mover as "mover" {
        player: u16 = 0..=1023,
        vx: i32 = -1024..=1024,
        vy: i32 = -1024..=1024,
        x: i32 = 0..=64_000; moved_by vx,
        y: i32 = 0..=64_000; moved_by vy,
        aim: u16 = 0..=1023; wrapping,
        health: u8 = 0..=100,
    }
}

/// The film's tables.
pub(crate) const SCHEMA: Schema = Schema::new(&[MatchState::TABLE, Mover::TABLE]);
const MOVER_FIELDS: usize = 7;

/// Every tick of a match: all move, a tenth steer, one in two hundred is replaced.
pub(crate) fn film(rows: u32, ticks: u32) -> Vec<Snapshot> {
    let mut random = Xorshift(0x9e37_79b9 ^ rows);
    let mut movers: Vec<(u32, [i32; MOVER_FIELDS])> = (0..rows).map(|id| (id, random.mover())).collect();
    let mut next_id = rows;
    (0..ticks)
        .map(|tick| {
            for index in 0..movers.len() {
                if random.below(200) == 0 {
                    movers.remove(index);
                    movers.push((next_id, random.mover()));
                    next_id += 1;
                }
            }
            for (_, [_, vx, vy, x, y, aim, health]) in &mut movers {
                if random.below(10) == 0 {
                    *vx += random.below(65) - 32;
                    *vy += random.below(65) - 32;
                }
                if random.below(2) == 0 {
                    *aim = (*aim + random.below(17) - 8) & 1023;
                }
                if random.below(60) == 0 {
                    *health = (*health - 10).max(0);
                }
                *x = (*x + *vx).clamp(0, 64_000);
                *y = (*y + *vy).clamp(0, 64_000);
            }
            let mut snapshot = Snapshot::empty(&SCHEMA);
            snapshot.tick = Tick(tick);
            if let Some(table) = snapshot.table_mut(1) {
                movers.iter().for_each(|(id, row)| assert!(table.push(NetId(*id), row), "ids rise"));
            }
            snapshot
        })
        .collect()
}

struct Xorshift(u32);

impl Xorshift {
    fn below(&mut self, bound: i32) -> i32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 % bound as u32) as i32
    }

    fn mover(&mut self) -> [i32; MOVER_FIELDS] {
        let mut row = [0; MOVER_FIELDS];
        Mover {
            player: self.below(1024) as u16,
            vx: self.below(400) - 200,
            vy: self.below(400) - 200,
            x: self.below(64_000),
            y: self.below(64_000),
            aim: self.below(1024) as u16,
            health: 100,
        }
        .write(&mut row);
        row
    }
}

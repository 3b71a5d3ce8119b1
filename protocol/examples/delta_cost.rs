//! What a delta costs: bytes and nanoseconds per row, for a match of movers that turn, bounce, die and respawn.
//!
//! `cargo run --release -p tickwire-protocol --example delta_cost`

#![allow(clippy::expect_used)] // a measurement of broken code is worth nothing

use std::hint::black_box;
use std::time::Instant;

use tickwire_protocol::delta::{Scratch, apply, encode};
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

const SCHEMA: Schema = Schema::new(&[MatchState::TABLE, Mover::TABLE]);
const TICKS: u32 = 2_000;
const MOVER_FIELDS: usize = 7;

fn main() {
    println!("{:>6} {:>12} {:>14} {:>14} {:>14}", "rows", "bytes/tick", "bytes/row", "encode ns/row", "apply ns/row");
    for rows in [8, 32, 128, 1024] {
        measure(rows);
    }
}

fn measure(rows: u32) {
    let ticks: Vec<Snapshot> = film(rows);
    let mut scratch = Scratch::default();
    let mut bodies: Vec<Vec<u8>> = Vec::new();
    for pair in ticks.windows(2) {
        let mut body = Vec::new();
        encode(&pair[0], &pair[1], &mut scratch, &mut body);
        bodies.push(body);
    }
    let mut out = Vec::with_capacity(64 * 1024);
    let started = Instant::now();
    for pair in ticks.windows(2) {
        out.clear();
        encode(black_box(&pair[0]), black_box(&pair[1]), &mut scratch, &mut out);
        black_box(&out);
    }
    let encoding = started.elapsed();
    let mut next = Snapshot::empty(&SCHEMA);
    let started = Instant::now();
    for (base, (body, shown)) in ticks.iter().zip(bodies.iter().zip(&ticks[1..])) {
        next.tick = shown.tick;
        apply(black_box(base), black_box(body), &mut scratch, &mut next).expect("it was just encoded");
        black_box(&next);
    }
    let applying = started.elapsed();
    assert_eq!(Some(&next), ticks.last(), "the last tick reads back");
    let total_rows = f64::from(rows) * bodies.len() as f64;
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    println!(
        "{rows:>6} {:>12.1} {:>14.2} {:>14.1} {:>14.1}",
        bytes as f64 / bodies.len() as f64,
        bytes as f64 / total_rows,
        encoding.as_nanos() as f64 / total_rows,
        applying.as_nanos() as f64 / total_rows,
    );
}

/// Every tick of a match: all move, a tenth steer, one in two hundred is replaced.
fn film(rows: u32) -> Vec<Snapshot> {
    let mut random = Xorshift(0x9e37_79b9 ^ rows);
    let mut movers: Vec<(u32, [i32; MOVER_FIELDS])> = (0..rows).map(|id| (id, random.mover())).collect();
    let mut next_id = rows;
    (0..TICKS)
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

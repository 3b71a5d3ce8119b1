//! What a delta costs: bytes and nanoseconds per row, for a match of movers that turn, bounce, die and respawn.
//!
//! `cargo run --release -p tickwire-protocol --example delta_cost`

#![allow(clippy::expect_used)] // a measurement of broken code is worth nothing

mod film;

use std::hint::black_box;
use std::time::Instant;

use film::{SCHEMA, film};
use tickwire_protocol::Snapshot;
use tickwire_protocol::delta::{Scratch, apply, encode};

const TICKS: u32 = 2_000;

fn main() {
    println!("{:>6} {:>12} {:>14} {:>14} {:>14}", "rows", "bytes/tick", "bytes/row", "encode ns/row", "apply ns/row");
    for rows in [8, 32, 128, 1024] {
        measure(rows);
    }
}

fn measure(rows: u32) {
    let ticks: Vec<Snapshot> = film(rows, TICKS);
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

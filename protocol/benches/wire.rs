//! How long the wire takes: a delta written, a delta read, a client's message read.
//!
//! `cargo bench -p tickwire-protocol --bench wire`

#![allow(clippy::expect_used)] // a measurement of broken code is worth nothing
#![allow(missing_docs)] // criterion's macros make a public function

#[path = "../examples/delta_cost/film.rs"]
mod film;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tickwire_protocol::codec::{Decode, Encode, encode};
use tickwire_protocol::delta::{self, Scratch};
use tickwire_protocol::{ClientMessage, InputSeq, Snapshot, Tick};

use film::{SCHEMA, film};

/// Snapshots of a match, gone through again and again.
const TICKS: u32 = 256;
/// A small match's rows, a full one's, and a crowd's.
const ROWS: [u32; 3] = [8, 32, 256];

fn deltas(criterion: &mut Criterion) {
    for rows in ROWS {
        let ticks = film(rows, TICKS);
        let mut scratch = Scratch::default();
        let bodies: Vec<Vec<u8>> = ticks
            .windows(2)
            .map(|pair| {
                let mut body = Vec::new();
                delta::encode(&pair[0], &pair[1], &mut scratch, &mut body);
                body
            })
            .collect();
        let mut encoding = criterion.benchmark_group("delta encode");
        encoding.throughput(Throughput::Elements(u64::from(rows)));
        encoding.bench_function(BenchmarkId::from_parameter(format!("{rows} rows")), |bencher| {
            let mut pairs = ticks.windows(2).cycle();
            let mut out = Vec::new();
            bencher.iter(|| {
                let pair = pairs.next().expect("a cycle does not end");
                out.clear();
                delta::encode(black_box(&pair[0]), black_box(&pair[1]), &mut scratch, &mut out);
                black_box(out.len())
            });
        });
        encoding.finish();
        let mut applying = criterion.benchmark_group("delta apply");
        applying.throughput(Throughput::Elements(u64::from(rows)));
        applying.bench_function(BenchmarkId::from_parameter(format!("{rows} rows")), |bencher| {
            let mut steps = ticks.windows(2).zip(&bodies).cycle();
            let mut next = Snapshot::empty(&SCHEMA);
            bencher.iter(|| {
                let (pair, body) = steps.next().expect("a cycle does not end");
                next.tick = pair[1].tick;
                delta::apply(black_box(&pair[0]), black_box(body), &mut scratch, &mut next).expect("it was just encoded");
                black_box(next.tick)
            });
        });
        applying.finish();
    }
}

/// A game's input as small as most are.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
struct Stick {
    x: i8,
    y: i8,
    aim: u16,
    buttons: u8,
}

fn client_messages(criterion: &mut Criterion) {
    let input = Stick { x: 100, y: -100, aim: 40_000, buttons: 1 };
    let bytes = encode(&ClientMessage::Input { seq: InputSeq(70_000), tick: Tick(70_000), input });
    criterion.bench_function("client message decode", |bencher| {
        bencher.iter(|| ClientMessage::<Stick>::decode(black_box(&bytes)).expect("it was just encoded"));
    });
}

criterion_group!(benches, deltas, client_messages);
criterion_main!(benches);

//! How long a match takes: a tick of an empty one and of a full one, its capture as a snapshot, and
//! its delta.
//!
//! `cargo bench -p arena --features ecs --bench full_match`

#![allow(clippy::expect_used)] // a measurement of broken code is worth nothing
#![allow(missing_docs)] // criterion's macros make a public function

mod scene;

use std::hint::black_box;
use std::time::{Duration, Instant};

use arena::Arena;
use criterion::{Criterion, criterion_group, criterion_main};
use scene::Recording;
use tickwire_game::testing::TestMatch;
use tickwire_game::{Game, MatchClock, Simulation};
use tickwire_protocol::delta::{self, Scratch};
use tickwire_protocol::{Snapshot, Tick};

fn ticks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tick");
    group.bench_function("empty match", |bencher| {
        let mut simulation = Simulation::<Arena>::new(TestMatch::<Arena>::mode(), 1, Tick(0), 0);
        let mut tick = Tick(0);
        bencher.iter(|| {
            tick = tick.next();
            simulation.step(MatchClock { tick, ..MatchClock::default() }, std::iter::empty());
        });
    });
    let recording = Recording::new();
    group.bench_function("full match", |bencher| {
        bencher.iter_custom(|iterations| {
            let mut left = iterations;
            let mut total = Duration::ZERO;
            while left > 0 {
                let mut replay = recording.play();
                let started = Instant::now();
                while left > 0 && replay.step() {
                    left -= 1;
                }
                total += started.elapsed();
            }
            total
        });
    });
    group.finish();
}

fn capture(criterion: &mut Criterion) {
    let recording = Recording::new();
    let mut replay = recording.play();
    let mut snapshot = Snapshot::empty(&Arena::SCHEMA);
    criterion.bench_function("capture of a full match", |bencher| {
        bencher.iter(|| {
            replay.simulation.capture(black_box(&mut snapshot));
        });
    });
}

fn deltas(criterion: &mut Criterion) {
    let recording = Recording::new();
    let mut scratch = Scratch::default();
    let mut group = criterion.benchmark_group("delta of a full match");
    let mut body = Vec::new();
    group.bench_function("encode", |bencher| {
        let mut pairs = recording.snapshots.windows(2).cycle();
        bencher.iter(|| {
            let pair = pairs.next().expect("a cycle does not end");
            body.clear();
            delta::encode(black_box(&pair[0]), black_box(&pair[1]), &mut scratch, &mut body);
            black_box(body.len())
        });
    });
    let encoded = recording.snapshots.windows(2).map(|pair| {
        let mut body = Vec::new();
        delta::encode(&pair[0], &pair[1], &mut scratch, &mut body);
        (&pair[0], pair[1].tick, body)
    });
    let encoded: Vec<_> = encoded.collect();
    let mut next = Snapshot::empty(&Arena::SCHEMA);
    group.bench_function("apply", |bencher| {
        let mut deltas = encoded.iter().cycle();
        bencher.iter(|| {
            let (base, tick, body) = deltas.next().expect("a cycle does not end");
            next.tick = *tick;
            delta::apply(black_box(base), black_box(body), &mut scratch, &mut next).expect("it was just encoded");
        });
    });
    group.finish();
}

criterion_group!(benches, ticks, capture, deltas);
criterion_main!(benches);

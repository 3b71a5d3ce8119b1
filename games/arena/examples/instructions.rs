//! Does one thing many times in a function named `measured`, for callgrind to count, and says how
//! many times on standard output.
//!
//! `cargo xtask instructions` builds it, counts and divides.

#![allow(clippy::expect_used)] // a measurement of broken code is worth nothing

#[path = "../benches/full_match/scene.rs"]
mod scene;

use std::hint::black_box;

use arena::{Arena, Input};
use scene::{Recording, TICKS};
use tickwire_game::{ClientMessageOf, Game};
use tickwire_protocol::codec::encode;
use tickwire_protocol::delta::{self, Scratch};
use tickwire_protocol::snapshot::Table;
use tickwire_protocol::{ClientMessage, InputSeq, Snapshot, Tick};

fn main() {
    let recording = Recording::new();
    let (count, what) = match std::env::args().nth(1).as_deref() {
        Some("encode") => encode_deltas(&recording),
        Some("apply") => apply_deltas(&recording),
        Some("tick") => play(&recording),
        Some("capture") => capture(&recording),
        Some("decode") => decode_messages(),
        _ => {
            eprintln!("usage: instructions encode|apply|tick|capture|decode");
            std::process::exit(2);
        }
    };
    println!("{count} {what}");
}

/// Never inlined, so that callgrind finds it by its name.
#[inline(never)]
fn measured<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

fn encode_deltas(recording: &Recording) -> (usize, &'static str) {
    let mut scratch = Scratch::default();
    let mut out = Vec::with_capacity(64 * 1024);
    measured(|| {
        for pair in recording.snapshots.windows(2) {
            out.clear();
            delta::encode(&pair[0], &pair[1], &mut scratch, &mut out);
            black_box(&out);
        }
    });
    (changed_rows(recording), "changed row encoded")
}

fn apply_deltas(recording: &Recording) -> (usize, &'static str) {
    let mut scratch = Scratch::default();
    let encode = |pair: &[Snapshot]| {
        let mut body = Vec::new();
        delta::encode(&pair[0], &pair[1], &mut Scratch::default(), &mut body);
        body
    };
    let bodies: Vec<Vec<u8>> = recording.snapshots.windows(2).map(encode).collect();
    let mut next = Snapshot::empty(&Arena::SCHEMA);
    measured(|| {
        for (pair, body) in recording.snapshots.windows(2).zip(&bodies) {
            next.tick = pair[1].tick;
            delta::apply(&pair[0], body, &mut scratch, &mut next).expect("it was just encoded");
            black_box(&next);
        }
    });
    (changed_rows(recording), "changed row applied")
}

fn play(recording: &Recording) -> (usize, &'static str) {
    let mut replay = recording.play();
    measured(|| while replay.step() {});
    (TICKS, "tick of a match of 16")
}

fn capture(recording: &Recording) -> (usize, &'static str) {
    let mut replay = recording.play();
    let mut snapshot = Snapshot::empty(&Arena::SCHEMA);
    while replay.step() {
        measured(|| replay.simulation.capture(black_box(&mut snapshot)));
    }
    (TICKS, "capture of a match of 16")
}

fn decode_messages() -> (usize, &'static str) {
    let input = Input { move_x: 90, move_y: -90, aim: 40_000, buttons: Input::FIRE };
    let message = |index: usize| {
        let number = 70_000 + index as u32;
        encode(&ClientMessage::Input { seq: InputSeq(number), tick: Tick(number), input })
    };
    let messages: Vec<Vec<u8>> = (0..TICKS).map(message).collect();
    measured(|| {
        for bytes in &messages {
            black_box(ClientMessageOf::<Arena>::decode(bytes).expect("it was just encoded"));
        }
    });
    (messages.len(), "client message decoded")
}

/// Rows that come, go, or have a value they did not have, over all ticks.
fn changed_rows(recording: &Recording) -> usize {
    let tables = recording.snapshots.windows(2).flat_map(|pair| pair[0].tables().iter().zip(pair[1].tables()));
    tables.map(|(before, after)| changed_rows_of(before, after)).sum()
}

fn changed_rows_of(before: &Table, after: &Table) -> usize {
    let values = |table: &Table, row: usize| -> Vec<i32> { (0..table.fields().len()).map(|index| table.column(index)[row]).collect() };
    let gone = before.ids().iter().filter(|id| after.row_of(**id).is_none()).count();
    let is_changed = |row: &usize| {
        let earlier = after.ids().get(*row).and_then(|id| before.row_of(*id));
        earlier.is_none_or(|earlier| values(before, earlier) != values(after, *row))
    };
    gone + (0..after.len()).filter(is_changed).count()
}

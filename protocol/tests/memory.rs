//! How much memory strangers' bytes can cost. A test binary of its own, because it replaces the allocator by one that counts
//! what the calling thread allocates (growing a vector counts as both sizes at once).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "wire/trained.rs"]
mod trained;

use std::hint::black_box;

use allocation_counter::{AllocationInfo, measure};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tickwire_protocol::codec::{BoundedVec, Decode, Encode, encode};
use tickwire_protocol::delta::{self, Scratch};
use tickwire_protocol::limits::{BODY_BYTES_MAX, CHUNK_SLOTS_MAX, NAME_BYTES_MAX, PLAYERS_MAX, ROWS_MAX};
use tickwire_protocol::messages::Body;
use tickwire_protocol::messages::chunks::{News, Part};
use tickwire_protocol::schema::{Columns, Field, MatchState};
use tickwire_protocol::{
    ClientMessage, Credential, NetId, Replica, RosterEntry, Schema, ServerMessage, Snapshot, TICKET_BYTES, TableSchema, Tick, Ticket,
};

use trained::TRAINED;

#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
struct Stick {
    x: i8,
    aim: u16,
    fire: bool,
}

const INSTRUMENTS: Schema = Schema::new(&[
    MatchState::TABLE,
    TableSchema { name: "dial", fields: &[Field::new("one", 5, 5), Field::new("speed", -9, 9), Field::new("wide", 0, i32::MAX)] },
]);

/// A growing vector is copied into one of twice the size: for a moment there are half as much, and as much, and spare room.
const GROWTH: usize = 3;

/// What one server message can cost. A body or a game event is allocated once at its length; a list of parts grows, and a
/// roster, whose names are copied once.
const MESSAGE_BYTES: usize = max(
    BODY_BYTES_MAX + GROWTH * CHUNK_SLOTS_MAX * size_of::<Part>(),
    GROWTH * PLAYERS_MAX * (size_of::<RosterEntry>() + 2 * NAME_BYTES_MAX),
);

/// What applying one delta of `schema` can cost. While a table is read, as many rows as it holds can be spawned beside those
/// that stay, before they are found to be too many.
fn apply_bytes(schema: &Schema) -> usize {
    let ids = size_of::<NetId>();
    let columns = |table: &TableSchema| ids + table.fields.len() * size_of::<i32>();
    // For each row: three numbers for a run, one if it comes, one if it goes, an id, its values, its residuals, a context.
    let scratch = 5 * size_of::<u32>() + ids + 2 * widest_row(schema) + size_of::<u32>();
    GROWTH * 2 * ROWS_MAX * (schema.tables().iter().map(columns).sum::<usize>() + scratch)
}

fn widest_row(schema: &Schema) -> usize {
    schema.tables().iter().map(|table| table.fields.len() * size_of::<i32>()).max().unwrap_or(0)
}

const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

fn decode_client_message(bytes: &[u8]) -> AllocationInfo {
    measure(|| {
        let _ = black_box(ClientMessage::<Stick>::decode(black_box(bytes)));
    })
}

fn decode_server_messages(mut bytes: &[u8]) -> AllocationInfo {
    measure(|| while black_box(ServerMessage::decode_next(&mut bytes)).is_some() {})
}

fn apply(base: &Snapshot, body: &[u8]) -> AllocationInfo {
    let mut next = Snapshot::empty(&INSTRUMENTS);
    measure(|| {
        let _ = black_box(delta::apply(base, black_box(body), &mut Scratch::default(), &mut next));
    })
}

/// Hands 2,000 byte strings to `check`: random ones, and starts of messages followed by random ones.
fn for_any_bytes(check: impl Fn(&[u8])) {
    let telling = prop_oneof![3 => any::<u8>(), 1 => 251u8..=255, 2 => 0u8..8];
    let bytes = prop::collection::vec(telling, 0..600);
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) };
    TestRunner::new(config)
        .run(&bytes, |bytes| {
            check(&bytes);
            Ok(())
        })
        .expect("within the bound");
}

#[test]
fn a_client_message_allocates_nothing() {
    let hello = ClientMessage::<Stick>::Hello { protocol: 1, schema: u64::MAX, credential: Credential::Ticket(Ticket([9; TICKET_BYTES])) };
    let valid = encode(&hello);
    assert_eq!(decode_client_message(&valid).count_total, 0);
    assert_eq!(decode_client_message(&valid[..9]).count_total, 0);
    assert_eq!(decode_client_message(&[0; 10_000]).count_total, 0);
    for_any_bytes(|bytes| assert_eq!(decode_client_message(bytes).count_total, 0, "{bytes:?}"));
}

#[test]
fn a_server_message_costs_no_more_than_the_largest_valid_one() {
    for_any_bytes(|bytes| {
        let peak = decode_server_messages(bytes).bytes_max as usize;
        assert!(peak <= MESSAGE_BYTES, "{peak} bytes for {bytes:?}");
    });
}

#[test]
fn lengths_that_lie_cost_no_more_than_the_limit() {
    let lengths: [&[u8]; 5] =
        [&[250], &[251, 255, 255], &[252, 0, 0, 3, 0], &[252, 255, 255, 255, 255], &[253, 255, 255, 255, 255, 1, 0, 0, 0]];
    // Keyframe of tick 0, delta of 1 tick, results, a game event, a player's name, a lobby's ready players, chunks, and the
    // part of a slot.
    for head in [&[1, 0][..], &[2, 1], &[3, 2], &[3, 3], &[3, 0, 0], &[3, 5, 0, 1], &[7], &[7, 1, 0, 0]] {
        for length in lengths {
            let bytes = [head, length, &[0; 40]].concat();
            let peak = decode_server_messages(&bytes).bytes_max as usize;
            assert!(peak <= MESSAGE_BYTES, "{peak} bytes for {bytes:?}");
        }
    }
}

#[test]
fn a_full_roster_is_within_the_bound() {
    // Welcome: match, no player, mode, rate, tick, token; 1024 entries of player, name, bot, presence.
    let entry = [vec![251, 0xff, 3, NAME_BYTES_MAX as u8], vec![b'n'; NAME_BYTES_MAX], vec![0, 0]].concat();
    let bytes = [vec![0; 17], vec![0, 0, 30, 7], vec![0; 16], vec![251, 0, 4], entry.repeat(PLAYERS_MAX)].concat();
    assert!(matches!(ServerMessage::decode_next(&mut bytes.as_slice()), Some(Ok(ServerMessage::Welcome(_)))), "the bytes are a Welcome");
    let peak = decode_server_messages(&bytes).bytes_max as usize;
    assert!((PLAYERS_MAX * NAME_BYTES_MAX..=MESSAGE_BYTES).contains(&peak), "{peak} bytes");
}

#[test]
fn a_delta_costs_no_more_than_full_tables() {
    let mut full = Snapshot::empty(&INSTRUMENTS);
    (0..ROWS_MAX as u32).for_each(|id| assert!(full.table_mut(1).expect("dials").push(NetId(id), &[5, 0, 0])));
    let empty = Snapshot::empty(&INSTRUMENTS);
    for_any_bytes(|bytes| {
        for base in [&empty, &full] {
            let peak = apply(base, bytes).bytes_max as usize;
            assert!(peak <= apply_bytes(&INSTRUMENTS), "{peak} bytes for {bytes:?}");
        }
    });
    // The worst there is: a full table, and as many rows again.
    let mut again = Snapshot::empty(&INSTRUMENTS);
    (0..ROWS_MAX as u32).for_each(|id| assert!(again.table_mut(1).expect("dials").push(NetId(ROWS_MAX as u32 + id), &[5, 0, 0])));
    let mut body = Vec::new();
    delta::encode(&full, &again, &mut Scratch::default(), &mut body);
    let peak = apply(&full, &body).bytes_max as usize;
    assert!((ROWS_MAX * size_of::<NetId>()..=apply_bytes(&INSTRUMENTS)).contains(&peak), "{peak} bytes");
}

#[test]
fn deltas_in_steady_state_allocate_nothing() {
    let dials = |tick: u32| {
        let mut snapshot = Snapshot::empty(&INSTRUMENTS);
        snapshot.tick = Tick(tick);
        let table = snapshot.table_mut(1).expect("dials");
        (0..100).for_each(|id| assert!(table.push(NetId(id + tick / 8), &[5, tick as i32 % 9, 77])));
        snapshot
    };
    assert_steady(&INSTRUMENTS, dials);
    // A gun fires every other tick; a shot lives for eight.
    let guns = |tick: u32| {
        let mut snapshot = Snapshot::empty(&TRAINED);
        snapshot.tick = Tick(tick);
        let table = snapshot.table_mut(1).expect("guns");
        (0..4).for_each(|id| assert!(table.push(NetId(id), &[id as i32, 3 + tick as i32 / 2 * 2, 7 * tick as i32 % 256])));
        let table = snapshot.table_mut(2).expect("shots");
        (tick / 2..tick / 2 + 4).for_each(|id| assert!(table.push(NetId(id), &[id as i32 % 4, 40, 40 * (tick as i32 % 90)])));
        snapshot
    };
    assert_steady(&TRAINED, guns);
}

/// From the sixteenth tick on encoding and applying allocate nothing.
fn assert_steady(schema: &Schema, at: impl Fn(u32) -> Snapshot) {
    let (mut scratch, mut body, mut next) = (Scratch::default(), Vec::with_capacity(4096), Snapshot::empty(schema));
    for tick in 1..64 {
        let (before, after) = (at(tick - 1), at(tick));
        let cost = measure(|| {
            body.clear();
            delta::encode(&before, &after, &mut scratch, &mut body);
            next.tick = after.tick;
            delta::apply(&before, &body, &mut scratch, &mut next).expect("just encoded");
        });
        assert!(tick < 16 || cost.count_total == 0, "tick {tick}: {cost:?}");
        assert_eq!(next, after);
    }
}

#[test]
fn slots_that_were_full_once_do_not_stay_large() {
    let empty = Snapshot::empty(&INSTRUMENTS);
    let mut full = empty.clone();
    (0..ROWS_MAX as u32).for_each(|id| assert!(full.table_mut(1).expect("dials").push(NetId(id), &[5, 0, 0])));
    let body = |base: &Snapshot, next: &Snapshot| {
        let mut bytes = Vec::new();
        delta::encode(base, next, &mut Scratch::default(), &mut bytes);
        Body::new(bytes).expect("short")
    };
    let (fill, drain) = (body(&empty, &full), body(&full, &empty));
    let mut replica = Replica::new(&INSTRUMENTS);
    let cost = measure(|| {
        for slot in 0..=u8::MAX {
            for news in [News::Keyframe(fill.clone()), News::Delta { advance: 1, body: drain.clone() }] {
                let message = ServerMessage::Chunks { tick: Tick(1), parts: BoundedVec::truncated(vec![Part { slot, news }]) };
                replica.apply(&message).expect("one slot at a time is full");
            }
        }
    });
    let peak = cost.bytes_max as usize;
    assert!(peak <= MESSAGE_BYTES + 2 * apply_bytes(&INSTRUMENTS), "{peak} bytes");
}

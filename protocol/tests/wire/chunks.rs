//! A client of a divided match sees the rows of all its slots as one snapshot, whatever it is sent.

use proptest::prelude::*;
use tickwire_protocol::codec::BoundedVec;
use tickwire_protocol::limits::ROWS_MAX;
use tickwire_protocol::messages::Body;
use tickwire_protocol::messages::chunks::{News, Part};
use tickwire_protocol::{DecodeError, Replica, ServerMessage, Snapshot, Tick};

use crate::support::{MOVING, PLAIN, Rows, any_match, any_pair, assert_valid, cases, encoded, snapshot};

fn body(base: &Snapshot, next: &Snapshot) -> Body {
    Body::new(encoded(base, next)).expect("small")
}

/// No moment changes in these chunks, so that the tick tells nothing.
fn chunks(parts: Vec<Part>) -> ServerMessage {
    chunks_of(Tick(0), parts)
}

fn chunks_of(tick: Tick, parts: Vec<Part>) -> ServerMessage {
    ServerMessage::Chunks { tick, parts: BoundedVec::truncated(parts) }
}

fn keyframe_part(slot: u8, chunk: &Snapshot) -> Part {
    let mut empty = chunk.clone();
    empty.clear();
    Part { slot, news: News::Keyframe(body(&empty, chunk)) }
}

fn delta_part(slot: u8, base: &Snapshot, next: &Snapshot) -> Part {
    Part { slot, news: News::Delta { advance: next.tick.since(base.tick) as u8, body: body(base, next) } }
}

/// Movers with these ids and this much drift.
fn plain(tick: u32, ids: &[u32], signed: i32) -> Snapshot {
    let rows: Rows = ids.iter().map(|id| (*id, vec![3, 5, signed])).collect();
    snapshot(&PLAIN, Tick(tick), &[Rows::new(), rows])
}

/// A replica whose snapshot outside of chunks is empty and of tick 10.
fn begun(parts: Vec<Part>) -> Replica {
    let mut replica = Replica::new(&PLAIN);
    assert_eq!(replica.apply(&chunks(parts)), Ok(false), "the snapshot is still to come");
    assert_eq!(replica.snapshot(), None);
    let whole = plain(10, &[], 0);
    assert_eq!(replica.apply(&ServerMessage::Keyframe { tick: whole.tick, body: body(&whole, &whole) }), Ok(true));
    replica
}

/// The next tick, in which nothing changes outside of chunks.
fn next_tick(replica: &mut Replica, parts: Vec<Part>) -> Result<bool, DecodeError> {
    replica.apply(&chunks(parts))?;
    let whole = plain(0, &[], 0);
    replica.apply(&ServerMessage::Delta { advance: 1, body: body(&whole, &whole) })
}

fn rows(replica: &Replica) -> Vec<(u32, i32)> {
    let table = replica.snapshot().and_then(|view| view.table(1)).expect("a view");
    table.ids().iter().map(|id| id.0).zip(table.column(2).iter().copied()).collect()
}

#[test]
fn slots_make_one_view() {
    let mut replica = begun(vec![keyframe_part(7, &plain(10, &[4, 9], 1)), keyframe_part(0, &plain(10, &[6], 2))]);
    assert_eq!(rows(&replica), [(4, 1), (6, 2), (9, 1)]);
    next_tick(&mut replica, vec![delta_part(7, &plain(10, &[4, 9], 1), &plain(11, &[4], 5))]).expect("the server's own bytes");
    assert_eq!(rows(&replica), [(4, 5), (6, 2)]);
    assert_eq!(replica.snapshot().map(|view| view.tick), Some(Tick(11)));
    next_tick(&mut replica, vec![Part { slot: 0, news: News::Gone }]).expect("the server's own bytes");
    assert_eq!(rows(&replica), [(4, 5)]);
}

#[test]
fn a_reset_empties_every_slot_whatever_was_there() {
    let reset = || Part { slot: 0, news: News::Reset };
    let mut replica = begun(vec![keyframe_part(7, &plain(10, &[4, 9], 1)), keyframe_part(0, &plain(10, &[6], 2))]);
    next_tick(&mut replica, vec![reset(), keyframe_part(3, &plain(11, &[5], 1))]).expect("the server's own bytes");
    assert_eq!(rows(&replica), [(5, 1)]);
    let gone = delta_part(7, &plain(11, &[4, 9], 1), &plain(12, &[4], 5));
    assert_eq!(next_tick(&mut replica, vec![gone]), Err(DecodeError::Malformed), "nothing is left to differ from");
    assert_eq!(next_tick(&mut Replica::new(&PLAIN), vec![reset()]), Err(DecodeError::Malformed), "no snapshot came yet");
    next_tick(&mut begun(Vec::new()), vec![reset(), reset()]).expect("nothing may be emptied, too");
    let (half, rest): (Vec<u32>, Vec<u32>) = (0..ROWS_MAX as u32).partition(|id| *id < ROWS_MAX as u32 / 2);
    let mut replica = begun(vec![keyframe_part(0, &plain(10, &half, 0)), keyframe_part(1, &plain(10, &rest, 0))]);
    let again = vec![reset(), keyframe_part(1, &plain(11, &half, 0)), keyframe_part(0, &plain(11, &rest, 0))];
    assert_eq!(next_tick(&mut replica, again), Ok(true), "there is room again");
}

#[test]
fn of_a_row_in_two_slots_the_newer_counts_and_then_the_lower_slot() {
    let mut replica = begun(vec![keyframe_part(1, &plain(10, &[4], 1)), keyframe_part(2, &plain(10, &[5], 2))]);
    next_tick(&mut replica, vec![keyframe_part(2, &plain(11, &[4, 5], 9))]).expect("the server's own bytes");
    assert_eq!(rows(&replica), [(4, 9), (5, 9)]);
    next_tick(&mut replica, vec![keyframe_part(1, &plain(11, &[4], 7))]).expect("the server's own bytes");
    assert_eq!(rows(&replica), [(4, 7), (5, 9)]);
    next_tick(&mut replica, vec![keyframe_part(2, &plain(12, &[4], 3)), keyframe_part(1, &plain(12, &[4], 4))]).expect("good bytes");
    assert_eq!(rows(&replica), [(4, 4)]);
}

#[test]
fn a_row_outside_of_slots_counts_before_an_older_slot_and_after_one_as_new() {
    let mut replica = begun(vec![keyframe_part(1, &plain(10, &[4], 1))]);
    let (empty, whole) = (plain(0, &[], 0), plain(11, &[4], 5));
    assert_eq!(replica.apply(&ServerMessage::Keyframe { tick: whole.tick, body: body(&empty, &whole) }), Ok(true));
    assert_eq!(rows(&replica), [(4, 5)]);
    replica.apply(&chunks(vec![keyframe_part(1, &plain(12, &[4], 7))])).expect("good bytes");
    assert_eq!(replica.apply(&ServerMessage::Delta { advance: 1, body: body(&whole, &whole) }), Ok(true));
    assert_eq!(rows(&replica), [(4, 7)]);
}

#[test]
fn the_view_changes_with_whole_snapshots_only() {
    let mut replica = begun(vec![keyframe_part(1, &plain(10, &[4], 1))]);
    assert_eq!(replica.apply(&chunks(vec![keyframe_part(1, &plain(11, &[4, 5], 9))])), Ok(false));
    assert_eq!(rows(&replica), [(4, 1)]);
}

#[test]
fn the_first_chunks_leave_the_view_that_was_there() {
    let (empty, whole) = (plain(0, &[], 0), plain(10, &[4], 1));
    let mut replica = Replica::new(&PLAIN);
    assert_eq!(replica.apply(&ServerMessage::Keyframe { tick: whole.tick, body: body(&empty, &whole) }), Ok(true));
    assert_eq!(replica.apply(&chunks(vec![])), Ok(false));
    assert_eq!(replica.snapshot(), Some(&whole));
}

#[test]
fn news_of_an_empty_slot_is_refused() {
    for part in [Part { slot: 3, news: News::Gone }, delta_part(3, &plain(10, &[], 0), &plain(11, &[4], 5))] {
        assert_eq!(begun(Vec::new()).apply(&chunks(vec![part])), Err(DecodeError::Malformed));
    }
}

#[test]
fn all_slots_together_hold_no_more_rows_than_a_table() {
    let (half, rest): (Vec<u32>, Vec<u32>) = (0..=ROWS_MAX as u32).partition(|id| *id < ROWS_MAX as u32 / 2);
    let mut replica = begun(vec![keyframe_part(0, &plain(10, &half, 0))]);
    assert_eq!(replica.apply(&chunks(vec![keyframe_part(1, &plain(10, &rest, 0))])), Err(DecodeError::Malformed));
    let mut replica = begun(vec![keyframe_part(0, &plain(10, &half, 0))]);
    assert_eq!(next_tick(&mut replica, vec![keyframe_part(1, &plain(10, &rest[1..], 0))]), Ok(true), "just as many as fit");
}

#[test]
fn a_hash_sees_every_slot() {
    let chunks = [plain(10, &[4], 1), plain(10, &[4], 2), plain(10, &[], 0)];
    let mut hashes: Vec<u64> = chunks.iter().map(|chunk| begun(vec![keyframe_part(3, chunk)]).chunks_hash()).collect();
    hashes.push(begun(vec![keyframe_part(2, &chunks[0])]).chunks_hash());
    hashes.push(begun(vec![]).chunks_hash());
    let distinct: std::collections::BTreeSet<u64> = hashes.iter().copied().collect();
    assert_eq!(distinct.len(), hashes.len());
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn a_slot_follows_its_chunk(ticks in any_match(&MOVING, 12)) {
        let (mut replica, empty) = (Replica::new(&MOVING), Snapshot::empty(&MOVING));
        let mut base: Option<&Snapshot> = None;
        for chunk in &ticks {
            let part = base.map_or_else(|| keyframe_part(0, chunk), |base| delta_part(0, base, chunk));
            replica.apply(&chunks_of(chunk.tick, vec![part])).expect("the server's own bytes");
            replica.apply(&ServerMessage::Keyframe { tick: chunk.tick, body: body(&empty, &empty) }).expect("the server's own bytes");
            prop_assert_eq!(replica.snapshot(), Some(chunk));
            base = Some(chunk);
        }
    }

    #[test]
    fn any_parts_leave_a_valid_view(stream in prop::collection::vec((prop::collection::vec((0..4u8, 0..6u8), 0..4), any_pair(&MOVING)), 1..8)) {
        let mut replica = Replica::new(&MOVING);
        for (parts, (before, after)) in stream {
            let parts = parts.into_iter().map(|(slot, how)| match how {
                0 => Part { slot, news: News::Gone },
                1 | 2 => Part { slot, news: News::Delta { advance: how, body: body(&before, &after) } },
                _ => keyframe_part(slot, &after),
            });
            let _ = replica.apply(&chunks(parts.collect()));
            let _ = replica.apply(&ServerMessage::Keyframe { tick: before.tick, body: body(&Snapshot::empty(&MOVING), &before) });
            if let Some(view) = replica.snapshot() {
                assert_valid(&MOVING, view);
            }
        }
    }
}

//! Any snapshot can be told as its difference from any other of its schema.

use proptest::prelude::*;
use tickwire_protocol::delta::{Scratch, apply, encode};
use tickwire_protocol::{NetId, Snapshot, Tick};

use crate::support::{FULL, MOVING, PLAIN, SCHEMAS, WIDE, any_pair, applied, cases, encoded};
use crate::trained::TRAINED;

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_delta_leads_from_one_snapshot_to_the_other(pair in any_pair(&PLAIN)) {
        assert_leads(&PLAIN, &pair);
    }

    #[test]
    fn also_where_fields_move_and_wrap(pair in any_pair(&MOVING)) {
        assert_leads(&MOVING, &pair);
    }

    #[test]
    fn also_where_fields_are_as_wide_as_they_may_be(pair in any_pair(&WIDE)) {
        assert_leads(&WIDE, &pair);
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn also_where_a_model_expects_something_else(pair in any_pair(&TRAINED)) {
        assert_leads(&TRAINED, &pair);
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn also_with_as_many_tables_and_fields_as_there_may_be(pair in any_pair(&FULL)) {
        assert_leads(&FULL, &pair);
    }

    #[test]
    fn working_memory_left_over_from_one_delta_does_not_leak_into_the_next(
        (first, second) in (any_pair(&MOVING), any_pair(&MOVING)),
    ) {
        let mut scratch = Scratch::default();
        let mut next = Snapshot::empty(&MOVING);
        for (a, b) in [&first, &second] {
            let mut body = Vec::new();
            encode(a, b, &mut scratch, &mut body);
            prop_assert_eq!(&body, &encoded(a, b));
            next.tick = b.tick;
            apply(a, &body, &mut scratch, &mut next)?;
            prop_assert_eq!(&next, b);
        }
    }
}

/// There, back again, and from nothing.
fn assert_leads(schema: &tickwire_protocol::Schema, (a, b): &(Snapshot, Snapshot)) {
    let empty = Snapshot::empty(schema);
    for (base, next) in [(a, b), (b, a), (&empty, b), (b, b)] {
        let body = encoded(base, next);
        assert_eq!(applied(schema, base, &body, next.tick).as_ref(), Ok(next), "from {base:?}");
    }
}

#[test]
fn nothing_changed_costs_nothing() {
    for schema in SCHEMAS {
        let empty = Snapshot::empty(schema);
        assert!(encoded(&empty, &empty).is_empty());
    }
}

#[test]
fn an_entity_that_moves_as_predicted_costs_nothing() {
    let mut before = Snapshot::empty(&MOVING);
    before.tick = Tick(u32::MAX - 1);
    let row = [-30, 100, 5, 250, 0];
    (0..100).for_each(|id| assert!(before.table_mut(1).expect("movers").push(NetId(id), &row)));
    let mut after = Snapshot::empty(&MOVING);
    after.tick = before.tick.plus(3);
    // 100 - 3 * 30, 250 + 3 * 5 past the turn, and 0 + 3 * 10, which is moved by the place reached.
    let row = [-30, 10, 5, 9, 30];
    (0..100).for_each(|id| assert!(after.table_mut(1).expect("movers").push(NetId(id), &row)));
    assert!(encoded(&before, &after).is_empty());
}

#[test]
fn the_last_id_there_is_can_come_and_go_and_be_followed_by_the_first() {
    let with = |ids: &[u32]| {
        let mut snapshot = Snapshot::empty(&PLAIN);
        ids.iter().for_each(|id| assert!(snapshot.table_mut(1).expect("plain").push(NetId(*id), &[1, 5, -1])));
        snapshot
    };
    let worlds = [&[][..], &[0], &[u32::MAX], &[0, u32::MAX], &[u32::MAX - 1, u32::MAX], &[0, 1, 2, 1 << 31]].map(with);
    for base in &worlds {
        for next in &worlds {
            assert_eq!(applied(&PLAIN, base, &encoded(base, next), next.tick).as_ref(), Ok(next));
        }
    }
}

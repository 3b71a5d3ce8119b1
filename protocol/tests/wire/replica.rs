//! A client that applies what it is sent sees what the server saw.

use proptest::prelude::*;
use tickwire_protocol::codec::encode_into;
use tickwire_protocol::messages::Body;
use tickwire_protocol::{CloseReason, DecodeError, Replica, Schema, ServerMessage, Snapshot, Tick};

use crate::support::{MOVING, PLAIN, WIDE, any_match, cases, encoded};

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn a_replica_equals_its_source_at_every_tick(ticks in any_match(&MOVING, 16)) {
        assert_follows(&MOVING, &ticks);
    }

    #[test]
    fn also_where_fields_are_as_wide_as_they_may_be(ticks in any_match(&WIDE, 8)) {
        assert_follows(&WIDE, &ticks);
    }
}

/// A keyframe first, and again every fifth time; deltas between.
fn assert_follows(schema: &Schema, ticks: &[Snapshot]) {
    let mut replica = Replica::new(schema);
    let mut base: Option<&Snapshot> = None;
    for (index, source) in ticks.iter().enumerate() {
        let message = match base {
            Some(base) if index % 5 != 0 => delta(base, source),
            _ => keyframe(schema, source),
        };
        hear(&mut replica, &message).expect("a server's own bytes");
        let view = replica.snapshot().expect("a keyframe came first");
        assert_eq!(view, source);
        assert_eq!(view.hash(), source.hash());
        base = Some(source);
    }
}

fn keyframe(schema: &Schema, next: &Snapshot) -> ServerMessage {
    ServerMessage::Keyframe { tick: next.tick, body: body(encoded(&Snapshot::empty(schema), next)) }
}

fn delta(base: &Snapshot, next: &Snapshot) -> ServerMessage {
    ServerMessage::Delta { advance: next.tick.since(base.tick) as u8, body: body(encoded(base, next)) }
}

fn body(bytes: Vec<u8>) -> Body {
    Body::new(bytes).expect("small")
}

/// Over the wire, behind a message that changes no snapshot.
fn hear(replica: &mut Replica, message: &ServerMessage) -> Result<(), DecodeError> {
    let mut bytes = Vec::new();
    encode_into(&ServerMessage::Closing(CloseReason::Left), &mut bytes);
    encode_into(message, &mut bytes);
    let mut rest = bytes.as_slice();
    let mut news = Vec::new();
    while let Some(message) = ServerMessage::decode_next(&mut rest) {
        news.push(replica.apply(&message?)?);
    }
    assert_eq!(news, [false, true], "only the second message brings a snapshot");
    Ok(())
}

fn at(tick: u32, signed: i32) -> Snapshot {
    let row = std::collections::BTreeMap::from([(1, vec![3, 5, signed])]);
    crate::support::snapshot(&PLAIN, Tick(tick), &[std::collections::BTreeMap::new(), row])
}

#[test]
fn a_delta_before_the_first_keyframe_is_refused() {
    let mut replica = Replica::new(&PLAIN);
    assert_eq!(replica.apply(&delta(&Snapshot::empty(&PLAIN), &at(1, 0))), Err(DecodeError::Malformed));
    assert_eq!(replica.snapshot(), None);
}

#[test]
fn a_delta_reaches_1_to_64_ticks() {
    for (advance, accepted) in [(0, false), (1, true), (64, true), (65, false), (255, false)] {
        let mut replica = Replica::new(&PLAIN);
        hear(&mut replica, &keyframe(&PLAIN, &at(u32::MAX, 0))).expect("the server's own bytes");
        let message = ServerMessage::Delta { advance, body: body(encoded(&at(u32::MAX, 0), &at(u32::MAX, 7))) };
        assert_eq!(replica.apply(&message).is_ok(), accepted, "advance {advance}");
    }
}

#[test]
fn after_an_error_the_view_stands() {
    let mut replica = Replica::new(&PLAIN);
    hear(&mut replica, &keyframe(&PLAIN, &at(10, 1))).expect("the server's own bytes");
    let mut long = encoded(&at(10, 1), &at(11, 100));
    long.push(0);
    assert_eq!(replica.apply(&ServerMessage::Delta { advance: 1, body: body(long) }), Err(DecodeError::TrailingBytes));
    assert_eq!(replica.snapshot(), Some(&at(10, 1)));
}

#[test]
fn hashes_differ_when_a_tick_an_id_or_a_value_does() {
    let hashes = [at(10, 1), at(11, 1), at(10, 2), Snapshot::empty(&PLAIN)].map(|snapshot| snapshot.hash());
    let distinct = std::collections::BTreeSet::from(hashes);
    assert_eq!(distinct.len(), hashes.len());
}

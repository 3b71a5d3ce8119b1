//! Any bytes at all give a value or an error. Never a panic, and never an invalid value.

use proptest::prelude::*;
use tickwire_protocol::codec::encode;
use tickwire_protocol::{ClientMessage, DecodeError, Replica, Schema, ServerMessage, Snapshot, Tick};

use crate::messages::{any_client_message, any_server_message};
use crate::support::{FULL, MOVING, PLAIN, Stick, WIDE, any_pair, applied, assert_valid, cases, encoded};
use crate::trained::TRAINED;

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn a_client_message_of_any_bytes(bytes in any_bytes()) {
        if let Ok(message) = ClientMessage::<Stick>::decode(&bytes) {
            prop_assert_eq!(ClientMessage::decode(&encode(&message)), Ok(message));
        }
    }

    #[test]
    fn a_server_message_of_any_bytes(bytes in any_bytes()) {
        assert_reads_to_the_end(&bytes);
    }

    #[test]
    fn a_delta_of_any_bytes(pair in any_pair(&MOVING), bytes in any_bytes()) {
        assert_valid_or_error(&MOVING, &pair.0, &bytes, pair.1.tick);
    }

    #[test]
    fn a_wide_delta_of_any_bytes(pair in any_pair(&WIDE), bytes in any_bytes()) {
        assert_valid_or_error(&WIDE, &pair.0, &bytes, pair.1.tick);
    }

    #[test]
    fn a_trained_delta_of_any_bytes(pair in any_pair(&TRAINED), bytes in any_bytes()) {
        assert_valid_or_error(&TRAINED, &pair.0, &bytes, pair.1.tick);
    }

    #[test]
    fn a_damaged_trained_delta((base, next) in any_pair(&TRAINED), damage in any_damage()) {
        assert_valid_or_error(&TRAINED, &base, &damage.done_to(encoded(&base, &next)), next.tick);
    }

    #[test]
    fn a_damaged_client_message(message in any_client_message(), damage in any_damage()) {
        let _ = ClientMessage::<Stick>::decode(&damage.done_to(encode(&message)));
    }

    #[test]
    fn a_damaged_server_message(message in any_server_message(), damage in any_damage()) {
        assert_reads_to_the_end(&damage.done_to(encode(&message)));
    }

    #[test]
    fn a_damaged_delta((base, next) in any_pair(&MOVING), damage in any_damage()) {
        assert_valid_or_error(&MOVING, &base, &damage.done_to(encoded(&base, &next)), next.tick);
    }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn a_damaged_delta_of_many_tables((base, next) in any_pair(&FULL), damage in any_damage()) {
        assert_valid_or_error(&FULL, &base, &damage.done_to(encoded(&base, &next)), next.tick);
    }

    #[test]
    fn a_message_cut_short_anywhere_is_an_error(client in any_client_message(), server in any_server_message()) {
        let bytes = encode(&client);
        for end in 0..bytes.len() {
            prop_assert_eq!(ClientMessage::<Stick>::decode(&bytes[..end]), Err(DecodeError::Malformed));
        }
        let bytes = encode(&server);
        for end in 1..bytes.len() {
            prop_assert_eq!(ServerMessage::decode_next(&mut &bytes[..end]), Some(Err(DecodeError::Malformed)));
        }
    }

    #[test]
    fn a_delta_cut_short_or_drawn_out_is_another_or_an_error((base, next) in any_pair(&PLAIN)) {
        let mut body = encoded(&base, &next);
        for end in 0..body.len() {
            assert_valid_or_error(&PLAIN, &base, &body[..end], next.tick);
        }
        body.push(0);
        prop_assert_eq!(applied(&PLAIN, &base, &body, next.tick), Err(DecodeError::TrailingBytes));
    }

    #[test]
    fn a_replica_fed_anything(stream in prop::collection::vec(any_server_message(), 0..8), damage in any_damage()) {
        let bytes = damage.done_to(stream.iter().flat_map(encode).collect());
        let mut replica = Replica::new(&MOVING);
        let mut rest = bytes.as_slice();
        while let Some(Ok(message)) = ServerMessage::decode_next(&mut rest) {
            let _ = replica.apply(&message);
        }
        if let Some(view) = replica.snapshot() {
            assert_valid(&MOVING, view);
        }
    }
}

#[test]
fn each_single_flipped_bit_of_a_delta() {
    let rows = |signed: i32| (0..40).map(|id| (id * 3, vec![id as i32 % 8, 5, (signed + id as i32) % 100])).collect();
    let base = crate::support::snapshot(&PLAIN, Tick(7), &[[(0, vec![1, 90])].into(), rows(3)]);
    let next = crate::support::snapshot(&PLAIN, Tick(9), &[[(0, vec![2, 900])].into(), rows(60)]);
    let body = encoded(&base, &next);
    for bit in 0..body.len() * 8 {
        let mut flipped = body.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_valid_or_error(&PLAIN, &base, &flipped, next.tick);
        assert_ne!(applied(&PLAIN, &base, &flipped, next.tick), Ok(next.clone()), "bit {bit} means nothing");
    }
}

/// Random, and random with the bytes that mean something in varints, lengths and bit fields more often.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let telling = prop_oneof![Just(0u8), Just(1), Just(255), Just(254), Just(253), Just(252), Just(251), 0u8..8];
    prop_oneof![prop::collection::vec(any::<u8>(), 0..300), prop::collection::vec(telling, 0..300)]
}

#[derive(Clone, Debug)]
struct Damage {
    flips: Vec<(prop::sample::Index, u8)>,
    cut: Option<prop::sample::Index>,
    tail: Vec<u8>,
}

impl Damage {
    fn done_to(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        for (place, flip) in &self.flips {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] ^= flip;
            }
        }
        if let Some(cut) = self.cut.filter(|_| !bytes.is_empty()) {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes.extend_from_slice(&self.tail);
        bytes
    }
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let flips = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let tail = prop::collection::vec(any::<u8>(), 0..4);
    (flips, prop::option::of(any::<prop::sample::Index>()), tail).prop_map(|(flips, cut, tail)| Damage { flips, cut, tail })
}

/// Each message takes at least a byte, and an error ends the reading.
fn assert_reads_to_the_end(bytes: &[u8]) {
    let mut rest = bytes;
    for _ in 0..bytes.len() {
        let before = rest.len();
        match ServerMessage::decode_next(&mut rest) {
            None => return assert_eq!(before, 0, "nothing is left"),
            Some(Ok(message)) => {
                assert!(rest.len() < before, "progress");
                let again = encode(&message);
                assert_eq!(ServerMessage::decode_next(&mut again.as_slice()), Some(Ok(message)));
            }
            Some(Err(_)) => assert!(rest.is_empty(), "nothing can be told from what follows an error"),
        }
    }
    assert_eq!(ServerMessage::decode_next(&mut rest), None);
}

fn assert_valid_or_error(schema: &Schema, base: &Snapshot, body: &[u8], tick: Tick) {
    if let Ok(next) = applied(schema, base, body, tick) {
        assert_valid(schema, &next);
        assert_eq!(applied(schema, base, &encoded(base, &next), tick), Ok(next), "what was read can be told again");
    }
}

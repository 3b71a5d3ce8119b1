//! What is too large, too many or out of place is refused, by the encoder's types or by the decoder.

use tickwire_protocol::bits::{BitWriter, zigzag};
use tickwire_protocol::codec::{BoundedBytes, BoundedVec, encode};
use tickwire_protocol::limits::{
    BODY_BYTES_MAX, CLIENT_MESSAGE_BYTES_MAX, GAME_EVENT_BYTES_MAX, NAME_BYTES_MAX, PLAYERS_MAX, ROWS_MAX, SERVER_MESSAGE_BYTES_MAX,
};
use tickwire_protocol::messages::{Body, Ranked};
use tickwire_protocol::text::Name;
use tickwire_protocol::{ClientMessage, DecodeError, Event, NetId, PlayerId, RosterEntry, ServerMessage, Snapshot, Tick};
use tickwire_protocol::{MatchId, Secret, Welcome};

use crate::support::{PLAIN, Stick, applied, encoded};

/// Rows of the table `plain` with these ids.
fn with_ids(ids: impl IntoIterator<Item = u32>) -> Snapshot {
    let mut snapshot = Snapshot::empty(&PLAIN);
    let table = snapshot.table_mut(1).expect("plain");
    ids.into_iter().for_each(|id| assert!(table.push(NetId(id), &[1, 5, -1])));
    snapshot
}

/// A body in which the table `match` is quiet and `write` writes the table `plain`, which has changed.
fn body(write: impl FnOnce(&mut BitWriter<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut bits = BitWriter::new(&mut bytes);
    bits.flag(false);
    bits.flag(true);
    write(&mut bits);
    bits.finish();
    bytes
}

fn read(base: &Snapshot, body: &[u8]) -> Result<Snapshot, DecodeError> {
    applied(&PLAIN, base, body, base.tick.next())
}

#[test]
fn a_table_takes_rising_ids_whole_rows_and_no_more_than_the_limit() {
    let mut snapshot = with_ids(0..ROWS_MAX as u32);
    let table = snapshot.table_mut(1).expect("plain");
    assert!(!table.push(NetId(u32::MAX), &[1, 5, -1]), "one row too many");
    let mut snapshot = with_ids([7]);
    let table = snapshot.table_mut(1).expect("plain");
    assert!(!table.push(NetId(7), &[1, 5, -1]), "an id twice");
    assert!(!table.push(NetId(6), &[1, 5, -1]), "an id out of order");
    assert!(!table.push(NetId(8), &[1, 5]), "half a row");
    assert!(table.push(NetId(8), &[i32::MAX, i32::MIN, 101]), "values are clamped");
    assert_eq!([0, 1, 2].map(|field| table.column(field)[1]), [7, 5, 100]);
}

#[test]
fn a_full_table_is_sent_and_read() {
    let full = with_ids(0..ROWS_MAX as u32);
    let empty = Snapshot::empty(&PLAIN);
    for (base, next) in [(&empty, &full), (&full, &empty), (&full, &with_ids(9..ROWS_MAX as u32 + 9))] {
        assert_eq!(applied(&PLAIN, base, &encoded(base, next), next.tick).as_ref(), Ok(next));
    }
}

#[test]
fn more_spawns_than_a_table_holds_are_refused() {
    let spawns = |count: u32| {
        move |bits: &mut BitWriter<'_>| {
            bits.flag(true);
            bits.gamma(0);
            bits.gamma(count);
        }
    };
    let too_many = body(spawns(ROWS_MAX as u32 + 1));
    assert_eq!(read(&Snapshot::empty(&PLAIN), &too_many), Err(DecodeError::Malformed));
    // Each within its limit, too many together: one more for a table that is full.
    let one_more = body(|bits| {
        spawns(1)(bits);
        bits.gamma(0);
        bits.bits(0, 32);
    });
    assert_eq!(read(&with_ids(0..ROWS_MAX as u32), &one_more), Err(DecodeError::Malformed));
}

#[test]
fn ids_that_do_not_rise_are_refused() {
    let spawn = |first: i32, then: &[u32]| {
        let then = then.to_vec();
        body(move |bits| {
            bits.flag(true);
            bits.gamma(0);
            bits.gamma(1 + then.len() as u32);
            bits.gamma(zigzag(first));
            then.iter().for_each(|gap| bits.gamma(*gap));
            bits.bits(0, 32);
        })
    };
    // After the ids 3 and 4, a first gap of -1 is 4 again, and -2 is 3.
    for first in [-1, -2] {
        assert_eq!(read(&with_ids([3, 4]), &spawn(first, &[])), Err(DecodeError::Malformed), "an id that is there");
    }
    assert_eq!(read(&with_ids([4]), &spawn(0, &[u32::MAX - 2])), Err(DecodeError::Malformed), "past the last id, round to 2");
}

#[test]
fn removed_rows_must_be_there() {
    let remove = |count: u32, gaps: &[u32]| {
        let gaps = gaps.to_vec();
        body(move |bits| {
            bits.flag(true);
            bits.gamma(count);
            gaps.iter().for_each(|gap| bits.gamma(*gap));
            bits.bits(0, 32);
        })
    };
    for (count, gaps) in [(3, vec![0, 0, 0]), (1, vec![2]), (2, vec![1, 0]), (1, vec![u32::MAX])] {
        assert_eq!(read(&with_ids([3, 4]), &remove(count, &gaps)), Err(DecodeError::Malformed), "{count} of 2 rows: {gaps:?}");
    }
}

#[test]
fn values_outside_their_range_are_refused() {
    let spawned = body(|bits| {
        bits.flag(true);
        bits.gamma(0);
        bits.gamma(1);
        bits.gamma(0);
        bits.bits(7, 3);
        // `signed` is -100 to 100 in 8 bits: 201 is one too many.
        bits.bits(201, 8);
    });
    assert_eq!(read(&Snapshot::empty(&PLAIN), &spawned), Err(DecodeError::Malformed));
    let changed = |residual: i32| {
        body(|bits| {
            bits.flag(false);
            // `few` changes, dense, with Rice parameter 0; the others do not.
            bits.flag(true);
            bits.flag(true);
            bits.bits(0, 4);
            bits.rice(zigzag(residual), 0);
            bits.flag(false);
            bits.flag(false);
        })
    };
    // `few` is 0 to 7 and stands at 1.
    let few = |residual| read(&with_ids([3]), &changed(residual)).map(|next| next.tables()[1].column(0)[0]);
    assert_eq!([-2, -1, 6, 7].map(few), [Err(DecodeError::Malformed), Ok(0), Ok(7), Err(DecodeError::Malformed)]);
    assert_eq!([i32::MIN, i32::MAX].map(few), [Err(DecodeError::Malformed); 2]);
}

#[test]
fn bits_after_the_last_table_are_refused() {
    let quiet = |padding: u32| {
        let mut bytes = Vec::new();
        let mut bits = BitWriter::new(&mut bytes);
        bits.bits(padding << 2, 8);
        bits.finish();
        bytes
    };
    assert!(read(&with_ids([1]), &quiet(0)).is_ok());
    for padding in 1..64 {
        assert_eq!(read(&with_ids([1]), &quiet(padding)), Err(DecodeError::TrailingBytes), "padding {padding:06b}");
    }
}

#[test]
fn a_client_message_over_the_limit_is_refused() {
    let leave = encode(&ClientMessage::<Stick>::Leave);
    let mut long = leave.clone();
    long.resize(CLIENT_MESSAGE_BYTES_MAX, 0);
    assert_eq!(ClientMessage::<Stick>::decode(&long), Err(DecodeError::TrailingBytes));
    long.push(0);
    assert_eq!(ClientMessage::<Stick>::decode(&long), Err(DecodeError::Malformed));
}

#[test]
fn a_server_message_over_the_limit_is_refused() {
    let pongless = vec![255; SERVER_MESSAGE_BYTES_MAX + 1];
    let mut rest = pongless.as_slice();
    assert_eq!(ServerMessage::decode_next(&mut rest), Some(Err(DecodeError::Malformed)));
    assert_eq!(ServerMessage::decode_next(&mut rest), None);
}

#[test]
fn the_largest_messages_there_can_be_are_within_it() {
    let entry = |player| RosterEntry { player: PlayerId(player), name: Name::truncated(&"n".repeat(NAME_BYTES_MAX)), bot: true };
    let roster = BoundedVec::truncated((0..u16::MAX).map(entry).collect());
    assert_eq!(roster.as_slice().len(), PLAYERS_MAX);
    let (match_id, resume) = (MatchId([255; 16]), Secret([255; 16]));
    let welcome = Welcome { match_id, player: Some(PlayerId(u16::MAX)), mode: 255, tick_rate: 255, tick: Tick(u32::MAX), resume, roster };
    let ranking = BoundedVec::truncated(vec![Ranked { player: PlayerId(u16::MAX), score: i32::MIN }; PLAYERS_MAX]);
    let body = Body::new(vec![255; BODY_BYTES_MAX]).expect("at the limit");
    for message in [
        ServerMessage::Welcome(welcome),
        ServerMessage::Event(Event::Results { ranking, rematch_by: Tick(u32::MAX) }),
        ServerMessage::Keyframe { tick: Tick(u32::MAX), body },
    ] {
        let bytes = encode(&message);
        assert!(bytes.len() <= SERVER_MESSAGE_BYTES_MAX);
        assert_eq!(ServerMessage::decode_next(&mut bytes.as_slice()), Some(Ok(message)));
    }
}

#[test]
fn byte_strings_and_lists_over_their_limits_are_refused() {
    assert_eq!(Body::new(vec![0; BODY_BYTES_MAX + 1]), None);
    assert_eq!(BoundedBytes::<GAME_EVENT_BYTES_MAX>::new(vec![0; GAME_EVENT_BYTES_MAX + 1]), None);
    let events = [
        // Event, Game, 257 bytes.
        [vec![3, 3, 251, 1, 1], vec![0; 257]].concat(),
        // Event, Results, 1025 lines of two bytes, a tick.
        [vec![3, 2, 251, 1, 4], vec![0; 2 * (PLAYERS_MAX + 1)], vec![0]].concat(),
        // Event, Joined, player 0, a name of 65 bytes, not a bot.
        [vec![3, 0, 0, 65], vec![b'n'; 65], vec![0]].concat(),
        // The same with a name that is not UTF-8.
        vec![3, 0, 0, 1, 0xff, 0],
    ];
    for bytes in events {
        assert_eq!(ServerMessage::decode_next(&mut bytes.as_slice()), Some(Err(DecodeError::Malformed)), "{bytes:?}");
    }
}

#[test]
fn a_name_is_cut_between_characters() {
    let long = "é".repeat(40);
    assert_eq!(Name::truncated(&long).as_str(), "é".repeat(32));
    let odd = format!("n{long}");
    assert_eq!(Name::truncated(&odd).as_str().len(), 63);
}

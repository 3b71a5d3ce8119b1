//! What is too large, too many or out of place is refused, by the encoder's types or by the decoder.

use tickwire_protocol::codec::{BoundedBytes, BoundedVec, encode};
use tickwire_protocol::delta::range::RangeEncoder;
use tickwire_protocol::delta::residual::zigzag;
use tickwire_protocol::limits::{
    BODY_BYTES_MAX, CLIENT_MESSAGE_BYTES_MAX, GAME_EVENT_BYTES_MAX, NAME_BYTES_MAX, PLAYERS_MAX, ROWS_MAX, SERVER_MESSAGE_BYTES_MAX,
};
use tickwire_protocol::messages::{Body, Ranked};
use tickwire_protocol::model::{Distribution, WHOLE};
use tickwire_protocol::text::Name;
use tickwire_protocol::{ClientMessage, DecodeError, Event, NetId, PlayerId, Presence, RosterEntry, ServerMessage, Snapshot, Tick};
use tickwire_protocol::{MatchId, Secret, Welcome};

use crate::support::{PLAIN, Stick, applied, encoded};

/// Rows of the table `plain` with these ids.
fn with_ids(ids: impl IntoIterator<Item = u32>) -> Snapshot {
    let mut snapshot = Snapshot::empty(&PLAIN);
    let table = snapshot.table_mut(1).expect("plain");
    ids.into_iter().for_each(|id| assert!(table.push(NetId(id), &[1, 5, -1])));
    snapshot
}

const HALF: u16 = WHOLE / 2;
/// A column's form, where nothing is known of it.
const FORM: &Distribution = &[0, HALF, HALF + 1, WHOLE];
const QUIET: usize = 0;
const PLAIN_FORM: usize = 2;

/// A body in which the table `match` is quiet and `write` writes the table `plain`, which has changed.
fn body(write: impl FnOnce(&mut RangeEncoder<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = RangeEncoder::new(&mut bytes);
    encoder.flag(false, HALF);
    encoder.flag(true, HALF);
    write(&mut encoder);
    encoder.finish();
    bytes
}

/// A number of scale 0: as many ones as it and one have bits but the first, a zero, and those bits.
fn number(number: u32, encoder: &mut RangeEncoder<'_>) {
    let plus_one = u64::from(number) + 1;
    let length = plus_one.ilog2();
    (0..length).for_each(|_| encoder.raw(1, 1));
    encoder.raw(0, 1);
    encoder.raw((plus_one ^ 1 << length) as u32, length);
}

/// A row that comes, `gap` after the last one: 3 bits of `few`, 8 of `signed`.
fn row(gap: u32, signed: u32, encoder: &mut RangeEncoder<'_>) {
    encoder.flag(true, HALF);
    number(gap, encoder);
    encoder.raw(7, 3);
    encoder.raw(signed, 8);
}

/// No further row comes, and no column differs.
fn end(columns: usize, encoder: &mut RangeEncoder<'_>) {
    encoder.flag(false, HALF);
    (0..columns).for_each(|_| encoder.symbol(QUIET, FORM));
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
fn more_rows_than_a_table_holds_are_refused() {
    let rows = |count: usize| {
        body(|encoder| {
            (0..count).for_each(|_| row(0, 0, encoder));
            end(0, encoder);
        })
    };
    assert_eq!(read(&Snapshot::empty(&PLAIN), &rows(ROWS_MAX)).map(|next| next.tables()[1].len()), Ok(ROWS_MAX));
    assert_eq!(read(&Snapshot::empty(&PLAIN), &rows(ROWS_MAX + 1)), Err(DecodeError::Malformed));
    // Each within its limit, too many together: one more for a table that is full.
    let one_more = body(|encoder| {
        encoder.symbol(QUIET, FORM);
        row(0, 0, encoder);
        end(3, encoder);
    });
    assert_eq!(read(&with_ids(0..ROWS_MAX as u32), &one_more), Err(DecodeError::Malformed));
}

#[test]
fn ids_that_do_not_rise_are_refused() {
    let spawn = |first: i32, then: &[u32]| {
        body(|encoder| {
            encoder.symbol(QUIET, FORM);
            row(zigzag(first), 0, encoder);
            then.iter().for_each(|gap| row(*gap, 0, encoder));
            end(3, encoder);
        })
    };
    assert!(read(&with_ids([3, 4]), &spawn(0, &[0])).is_ok());
    // After the ids 3 and 4, a first gap of -1 is 4 again, and -2 is 3.
    for first in [-1, -2] {
        assert_eq!(read(&with_ids([3, 4]), &spawn(first, &[])), Err(DecodeError::Malformed), "an id that is there");
    }
    assert_eq!(read(&with_ids([4]), &spawn(0, &[u32::MAX - 2])), Err(DecodeError::Malformed), "past the last id, round to 2");
}

/// A plain column of which about half differ, around 1.
fn plain_column(residuals: &[u32], encoder: &mut RangeEncoder<'_>) {
    encoder.symbol(PLAIN_FORM, FORM);
    encoder.raw(1, 3);
    encoder.raw(0, 4);
    for residual in residuals {
        encoder.flag(*residual != 0, HALF);
        if let Some(less_one) = residual.checked_sub(1) {
            number(less_one, encoder);
        }
    }
}

#[test]
fn a_row_goes_or_stays_and_nothing_else() {
    let gone = |residuals: &[u32]| {
        body(|encoder| {
            plain_column(residuals, encoder);
            end(3, encoder);
        })
    };
    let ids = |residuals| read(&with_ids([3, 4]), &gone(residuals)).map(|next| next.tables()[1].ids().to_vec());
    assert_eq!(ids(&[0, 1]), Ok(vec![NetId(3)]));
    assert_eq!(ids(&[0, 2]), Err(DecodeError::Malformed));
}

#[test]
fn values_outside_their_range_are_refused() {
    // `signed` is -100 to 100 in 8 bits: 201 is one too many.
    let spawned = |signed: u32| {
        let body = body(|encoder| {
            row(0, signed, encoder);
            end(0, encoder);
        });
        read(&Snapshot::empty(&PLAIN), &body).map(|next| next.tables()[1].column(2)[0])
    };
    assert_eq!([200, 201].map(spawned), [Ok(100), Err(DecodeError::Malformed)]);
    let changed = |residual: i32| {
        body(|encoder| {
            encoder.symbol(QUIET, FORM);
            encoder.flag(false, HALF);
            plain_column(&[zigzag(residual)], encoder);
            encoder.symbol(QUIET, FORM);
            encoder.symbol(QUIET, FORM);
        })
    };
    // `few` is 0 to 7 and stands at 1.
    let few = |residual| read(&with_ids([3]), &changed(residual)).map(|next| next.tables()[1].column(0)[0]);
    assert_eq!([-2, -1, 6, 7].map(few), [Err(DecodeError::Malformed), Ok(0), Ok(7), Err(DecodeError::Malformed)]);
    assert_eq!([i32::MIN, i32::MAX].map(few), [Err(DecodeError::Malformed); 2]);
}

#[test]
fn what_follows_the_last_table_is_refused() {
    assert!(read(&with_ids([1]), &[]).is_ok());
    assert_eq!(read(&with_ids([1]), &[0]), Err(DecodeError::TrailingBytes));
    for tail in 1..=u8::MAX {
        assert_eq!(read(&with_ids([1]), &[0, tail]), Err(DecodeError::Malformed), "a quiet body ends before {tail}");
        assert_eq!(read(&with_ids([1]), &[0, 0, 0, 0, tail]), Err(DecodeError::TrailingBytes), "{tail}");
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
    let entry = |player| RosterEntry {
        player: PlayerId(player),
        name: Name::truncated(&"n".repeat(NAME_BYTES_MAX)),
        bot: true,
        presence: Presence::Here,
    };
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

//! Only what was signed, as it was signed, and only in time.

use std::fs;

use proptest::prelude::*;

use super::*;

const UNIX: u64 = 1_800_000_000;
const SEAT: (MatchId, PlayerId) = (MatchId([7; 16]), PlayerId(300));
const KEY: PlayerKey = PlayerKey([9; 32]);

fn ticket(keys: &Keys) -> Ticket {
    let now = Instant::now();
    Blank::new(now, UNIX, KEY).grant(now, keys, SEAT.0, SEAT.1).expect("in time").0
}

#[test]
fn a_ticket_says_where_it_leads_and_until_when() {
    let (keys, now) = (Keys::random(), Instant::now());
    let blank = Blank::new(now, UNIX, KEY);
    let hash = blank.hash();
    let (ticket, left) = blank.grant(now + Duration::from_secs(2), &keys, SEAT.0, SEAT.1).expect("in time");
    assert_eq!(left + Duration::from_secs(2), TICKET_LIFE);
    let claims = Claims { id: SEAT.0, player: SEAT.1, owner: [9; 16], hash };
    let last = UNIX + TICKET_LIFE.as_secs() + CLOCK_LEEWAY_S - 1;
    for unix in [UNIX, last, UNIX - 3_600, 0] {
        assert_eq!(read(&ticket, unix, &keys), Ok(claims), "at {unix}, however often it is shown");
    }
    assert_eq!(read(&ticket, last + 1, &keys), Err(Flaw::Expired));
    assert_eq!(read(&ticket, u64::MAX, &keys), Err(Flaw::Expired));
}

#[test]
fn its_layout_is_what_other_nodes_read() {
    let ticket = ticket(&Keys::random()).0;
    assert_eq!(ticket[..34], [[7; 16].as_slice(), &[0x2c, 0x01], &[9; 16]].concat());
    assert_eq!(ticket[34..38], (UNIX as u32 + 30).to_le_bytes());
}

#[test]
fn a_blank_that_waited_too_long_becomes_none() {
    let now = Instant::now();
    assert!(Blank::new(now, UNIX, KEY).grant(now + TICKET_LIFE, &Keys::random(), SEAT.0, SEAT.1).is_none());
}

#[test]
fn no_two_are_alike_and_nobody_elses_key_will_do() {
    let keys = Keys::random();
    assert_ne!(ticket(&keys), ticket(&keys));
    assert_eq!(read(&ticket(&Keys::random()), UNIX, &keys), Err(Flaw::Forged));
}

#[test]
fn a_key_that_was_first_is_good_for_as_long_as_it_is_there() {
    let dir = tempfile::tempdir().expect("a folder");
    let of = |text: String| {
        let file = dir.path().join("keys");
        let _ = fs::remove_file(&file);
        keys::tests::write_private(&file, &text);
        Keys::read(&file).expect("good keys")
    };
    let (old, new) = ("0a1b".repeat(16), "B1c2".repeat(16));
    let [before, during, after] = [old.clone(), format!("# new\n{new}\n\n{old}\n"), new].map(of);
    let old_ticket = ticket(&before);
    assert!(read(&old_ticket, UNIX, &during).is_ok());
    assert_eq!(read(&old_ticket, UNIX, &after), Err(Flaw::Forged));
    assert!(read(&ticket(&during), UNIX, &after).is_ok(), "the first one signs");
    assert_eq!(read(&ticket(&during), UNIX, &before), Err(Flaw::Forged));
}

proptest! {
    /// Whichever bits are others, it is no ticket any more.
    #[test]
    fn any_flipped_bit_is_refused(flips in proptest::collection::btree_set(0..8 * TICKET_BYTES, 1..4), first in 0..8 * TICKET_BYTES) {
        let keys = Keys::random();
        let good = ticket(&keys);
        for flips in [flips.into_iter().collect(), vec![first]] {
            let mut bad = good;
            for bit in &flips {
                bad.0[bit / 8] ^= 1 << (bit % 8);
            }
            prop_assert_eq!(read(&bad, UNIX, &keys), Err(Flaw::Forged), "bits {:?}", flips);
        }
    }

    #[test]
    fn bytes_are_no_ticket(bytes in proptest::array::uniform::<_, TICKET_BYTES>(any::<u8>()), unix in any::<u64>()) {
        prop_assert_eq!(read(&Ticket(bytes), unix, &Keys::random()), Err(Flaw::Forged));
    }
}

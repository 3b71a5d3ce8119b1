//! Tickets, resume tokens and match ids, as text in an API and as bytes in a Hello; tickets that nobody signed, and files of
//! keys for tickets.
//!
//! Input: all of these at once.

use tickwire_protocol::codec::encode;
use tickwire_protocol::{ClientMessage, Credential, MatchId, PROTOCOL_VERSION, PlayerId, Secret, TICKET_BYTES, Ticket};
use tickwire_server::matches::PlayerKey;
use tickwire_server::tokens::TicketDesk;

/// Some of the longest Hellos.
const INPUT_BYTES_MAX: usize = 512;
const NOW: u64 = 1_800_000_000;
const KEY: &[u8] = b"5e0a5e0a5e0a5e0a5e0a5e0a5e0a5e0a5e0a5e0a5e0a5e0a5e0a5e0a5e0a5e0b";
const SEAT: (MatchId, PlayerId) = (MatchId([7; 16]), PlayerId(300));

/// Tries it.
pub fn run(input: &[u8]) {
    if input.len() > INPUT_BYTES_MAX {
        return;
    }
    if let Ok(text) = std::str::from_utf8(input) {
        as_text(text);
    }
    as_hello(input);
    if let Some(bytes) = input.first_chunk::<TICKET_BYTES>() {
        let desk = TicketDesk::new(KEY).expect("a key");
        assert_eq!(desk.read(&Ticket(*bytes), NOW), Err("forged"), "nobody but us has the key");
    }
    as_keys(input);
}

fn as_text(text: &str) {
    if let Ok(secret) = text.parse::<Secret>() {
        assert_eq!(secret.reveal(), text.to_lowercase(), "it reads back");
        assert!(!format!("{secret:?}").contains(&secret.reveal()), "it is not printed");
    }
    if let Ok(ticket) = text.parse::<Ticket>() {
        assert_eq!(ticket.reveal(), text.to_lowercase(), "it reads back");
        assert!(!format!("{ticket:?}").contains(&ticket.reveal()), "it is not printed");
    }
    if let Ok(id) = text.parse::<MatchId>() {
        assert_eq!(id.to_string(), text.to_lowercase(), "it reads back");
    }
}

/// A Hello of this credential, whose length cannot vary with what it carries.
fn as_hello(input: &[u8]) {
    let credential = Credential::Ticket(Ticket([0; TICKET_BYTES]));
    let mut hello = encode(&ClientMessage::<u8>::Hello { protocol: PROTOCOL_VERSION, schema: 7, credential });
    let whole = hello.len();
    hello.truncate(whole.saturating_sub(1 + TICKET_BYTES));
    hello.extend_from_slice(input);
    let Ok(ClientMessage::Hello { credential, .. }) = ClientMessage::<u8>::decode(&hello) else { return };
    // Before it stands which kind it is, in any of the forms that a number may have.
    match credential {
        Credential::Ticket(ticket) => assert!(input.ends_with(&ticket.0)),
        Credential::Resume { match_id, token } => assert!(input.ends_with(&[match_id.0, token.0].concat())),
    }
}

/// A file that gives keys gives one that signs: what it has signed is good, and nothing that differs by a bit.
fn as_keys(input: &[u8]) {
    let Some(desk) = TicketDesk::new(input) else { return };
    assert!(!format!("{desk:?}").contains(|c: char| c.is_ascii_digit()), "no key is printed");
    let ticket = desk.give(NOW, PlayerKey([9; 32]), SEAT.0, SEAT.1).expect("in time");
    assert_eq!(desk.read(&ticket, NOW), Ok(SEAT));
    assert_eq!(desk.read(&ticket, NOW + 60), Err("expired"));
    let bit = input.iter().fold(0usize, |bit, byte| bit.wrapping_mul(31).wrapping_add(usize::from(*byte))) % (8 * TICKET_BYTES);
    let mut altered = ticket;
    if let Some(byte) = altered.0.get_mut(bit / 8) {
        *byte ^= 1 << (bit % 8);
    }
    assert_eq!(desk.read(&altered, NOW), Err("forged"), "bit {bit} is another");
}

//! Tickets, resume tokens and match ids, as text in an API and as bytes in a Hello.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tickwire_protocol::codec::encode;
use tickwire_protocol::{ClientMessage, Credential, MatchId, PROTOCOL_VERSION, Secret};

/// Some of the longest Hellos.
const INPUT_BYTES_MAX: usize = 512;

fuzz_target!(|input: &[u8]| {
    if input.len() > INPUT_BYTES_MAX {
        return;
    }
    if let Ok(text) = std::str::from_utf8(input) {
        if let Ok(secret) = text.parse::<Secret>() {
            assert_eq!(secret.reveal(), text.to_lowercase(), "it reads back");
            assert!(!format!("{secret:?}").contains(&secret.reveal()), "it is not printed");
        }
        if let Ok(id) = text.parse::<MatchId>() {
            assert_eq!(id.to_string(), text.to_lowercase(), "it reads back");
        }
    }
    // A Hello of this credential, whose length cannot vary with what it carries.
    let mut hello =
        encode(&ClientMessage::<u8>::Hello { protocol: PROTOCOL_VERSION, schema: 7, credential: Credential::Ticket(Secret([0; 16])) });
    let whole = hello.len();
    hello.truncate(whole.saturating_sub(17));
    hello.extend_from_slice(input);
    let Ok(ClientMessage::Hello { credential, .. }) = ClientMessage::<u8>::decode(&hello) else { return };
    match credential {
        Credential::Ticket(secret) => assert_eq!(input.get(1..), Some(&secret.0[..])),
        Credential::Resume { match_id, token } => assert_eq!(input.get(1..), Some(&[match_id.0, token.0].concat()[..])),
    }
});

//! Every client message.

use serde_json::json;
use tickwire_protocol::codec::encode;
use tickwire_protocol::{ClientMessage, Credential, InputSeq, MatchId, PROTOCOL_VERSION, Secret, Tick, Ticket};

use super::json::client_message;
use super::{Fixture, Vector};
use crate::support::Stick;

#[test]
fn golden_client_messages() {
    let secret = Secret(std::array::from_fn(|index| 0xf0 + index as u8));
    let ticket = Ticket(std::array::from_fn(|index| 0x80 + index as u8));
    let match_id = MatchId(std::array::from_fn(|index| index as u8));
    let schema = 0x0123_4567_89ab_cdef;
    let input = |seq, tick, input| ClientMessage::Input { seq: InputSeq(seq), tick: Tick(tick), input };
    let messages = [
        ("hello_ticket", ClientMessage::Hello { protocol: PROTOCOL_VERSION, schema, credential: Credential::Ticket(ticket) }),
        (
            "hello_resume",
            ClientMessage::Hello { protocol: PROTOCOL_VERSION, schema, credential: Credential::Resume { match_id, token: secret } },
        ),
        ("hello_small_hash", ClientMessage::Hello { protocol: 65_535, schema: 250, credential: Credential::Ticket(ticket) }),
        ("input_first", input(1, 250, Stick::default())),
        ("input", input(4_000, 70_000, Stick { x: -127, y: 127, aim: 1023, fire: true })),
        ("input_at_the_wrap", input(u32::MAX, u32::MAX, Stick { x: -1, y: 0, aim: 250, fire: false })),
        ("ping", ClientMessage::Ping { client_time_ms: 123_456 }),
        ("leave", ClientMessage::Leave),
        ("rematch", ClientMessage::Rematch),
        ("ready", ClientMessage::Ready(true)),
        ("not_ready", ClientMessage::Ready(false)),
        ("start", ClientMessage::Start),
        ("bots", ClientMessage::Bots(true)),
        ("no_bots", ClientMessage::Bots(false)),
    ];
    let vectors = messages.iter().map(|(name, message)| {
        let bytes = encode(message);
        assert_eq!(ClientMessage::decode(&bytes), Ok(*message), "{name}");
        Vector::new(name, &bytes, client_message(message))
    });
    let about = "Client messages: one per WebSocket message. The game's input here is {x: i8, y: i8, aim: u16, fire: bool}.";
    Fixture { file: "client_messages.json", head: vec![("about", json!(about))], vectors: vectors.collect() }.check();
}

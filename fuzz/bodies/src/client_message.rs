//! What a server does first with a stranger's bytes.

use tickwire_protocol::ClientMessage;
use tickwire_protocol::codec::{Decode, Encode, encode};
use tickwire_protocol::limits::CLIENT_MESSAGE_BYTES_MAX;

#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
struct Stick {
    x: i8,
    y: i8,
    aim: u16,
    fire: bool,
}

/// Tries it.
pub fn run(bytes: &[u8]) {
    if let Ok(message) = ClientMessage::<Stick>::decode(bytes) {
        assert!(bytes.len() <= CLIENT_MESSAGE_BYTES_MAX, "an oversized message was read");
        assert_eq!(ClientMessage::decode(&encode(&message)), Ok(message), "what was read can be told again");
    }
}

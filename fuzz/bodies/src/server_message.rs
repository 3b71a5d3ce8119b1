//! What a client does first with a server's bytes: one WebSocket message, several messages in it.

use tickwire_protocol::ServerMessage;
use tickwire_protocol::codec::encode;

/// Long enough for every variant and for lists with a few entries.
const INPUT_BYTES_MAX: usize = 4096;

/// Tries it.
pub fn run(bytes: &[u8]) {
    if bytes.len() > INPUT_BYTES_MAX {
        return;
    }
    let mut rest = bytes;
    let mut before = rest.len();
    while let Some(Ok(message)) = ServerMessage::decode_next(&mut rest) {
        assert!(rest.len() < before, "no progress");
        before = rest.len();
        let again = encode(&message);
        assert_eq!(ServerMessage::decode_next(&mut again.as_slice()), Some(Ok(message)), "what was read can be told again");
    }
    assert!(rest.is_empty(), "reading ends at the end or at an error");
}

//! WebSocket frames of a stranger, as they come out of its connection.
//!
//! Input: a byte for how long the pieces are that the stream comes in, and the rest is the stream.

use tickwire_protocol::limits::CLIENT_MESSAGE_BYTES_MAX;
use tickwire_server::transport::frame::{CONTROL_BYTES_MAX, HEADER_BYTES_MAX, Incoming, Parser, Violation};

/// Some of the longest messages.
const INPUT_BYTES_MAX: usize = 4096;

/// What a stream said, and what ended it.
type Heard = (Vec<(u8, Vec<u8>)>, Option<Violation>);

/// What comes of `stream` in pieces of `piece` bytes.
fn hear(stream: &[u8], piece: usize) -> Heard {
    let (mut parser, mut unparsed, mut heard) = (Parser::default(), Vec::new(), Vec::new());
    for piece in stream.chunks(piece) {
        unparsed.extend_from_slice(piece);
        let mut rest = unparsed.as_mut_slice();
        loop {
            match parser.next(&mut rest) {
                Ok(Some(Incoming::Binary(message))) => {
                    assert!(message.len() <= CLIENT_MESSAGE_BYTES_MAX, "a message longer than the limit");
                    heard.push((0, message.into_owned()));
                }
                Ok(Some(Incoming::Text(_))) => panic!("there is no text in this protocol"),
                Ok(Some(Incoming::Ping(payload))) => {
                    assert!(payload.len() <= CONTROL_BYTES_MAX, "a ping longer than a control frame");
                    heard.push((1, payload.to_vec()));
                }
                Ok(Some(Incoming::Pong)) => heard.push((2, Vec::new())),
                Ok(Some(Incoming::Close(code))) => heard.push((3, code.unwrap_or_default().to_be_bytes().to_vec())),
                Ok(None) => break,
                Err(violation) => return (heard, Some(violation)),
            }
        }
        unparsed = rest.to_vec();
        assert!(unparsed.len() < HEADER_BYTES_MAX + CLIENT_MESSAGE_BYTES_MAX, "more is kept than an incomplete frame");
    }
    (heard, None)
}

/// Tries it.
pub fn run(bytes: &[u8]) {
    let Some((piece, stream)) = bytes.split_first() else { return };
    if stream.len() <= INPUT_BYTES_MAX {
        assert_eq!(hear(stream, usize::from(*piece) + 1), hear(stream, INPUT_BYTES_MAX), "pieces and the whole say the same");
    }
}

//! Bodies that a client sends over HTTP, and what a server's bodies are made of.
//!
//! Input: the body.

use tickwire_protocol::limits::{BATCH_BYTES_MAX, BATCH_MESSAGES_MAX, CLIENT_MESSAGE_BYTES_MAX};
use tickwire_server::transport::http_stream::framing::{Batch, frame, parse_batch, parse_messages, parse_number};

/// Tries it.
pub fn run(body: &[u8]) {
    if let Ok(Batch { number, messages }) = parse_batch(body) {
        assert!(body.len() <= BATCH_BYTES_MAX && messages.len() <= BATCH_MESSAGES_MAX, "more than a batch may hold");
        let mut written = number.to_le_bytes().to_vec();
        for range in &messages {
            assert!(!range.is_empty() && range.len() <= CLIENT_MESSAGE_BYTES_MAX, "a message of a length that none has");
            written.extend_from_slice(&frame(&body[range.clone()]));
        }
        assert_eq!(written, body, "what was read is all of it, and writes back as it was");
        assert_eq!(parse_messages(&body[4..]).map(|messages| messages.len()), Ok(messages.len()), "the same without a number");
        assert_eq!(parse_number(body).is_ok(), messages.is_empty());
    }
    let framed = frame(body);
    assert_eq!(&framed[..4], (body.len() as u32).to_le_bytes());
    assert_eq!(&framed[4..], body);
}

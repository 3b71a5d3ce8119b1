//! Messages in HTTP bodies: each has its length in front, 32 bits, little-endian.

use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};
use tickwire_protocol::limits::{BATCH_BYTES_MAX, BATCH_MESSAGES_MAX, CLIENT_MESSAGE_BYTES_MAX};

/// Bytes of a length, and of the number that begins a client's batch.
const WORD_BYTES: usize = 4;

/// What a client sent in one request.
#[derive(Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its number: batches are numbered from 0 on.
    pub number: u32,
    /// Where in the body its messages are. None at all is a sign of life.
    pub messages: Vec<Range<usize>>,
}

/// A body that is no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a body that is no batch of messages")]
pub struct Malformed;

/// Reads the body of a client: the batch's number, and its messages.
pub fn parse_batch(body: &[u8]) -> Result<Batch, Malformed> {
    if body.len() > BATCH_BYTES_MAX {
        return Err(Malformed);
    }
    let (number, messages) = word(body).ok_or(Malformed)?;
    Ok(Batch { number, messages: ranges(messages, WORD_BYTES)? })
}

/// Reads messages that stand in a body by themselves.
pub fn parse_messages(body: &[u8]) -> Result<Vec<Range<usize>>, Malformed> {
    ranges(body, 0)
}

/// Reads the body that asks for the next answer: its number.
pub fn parse_number(body: &[u8]) -> Result<u32, Malformed> {
    match word(body) {
        Some((number, [])) => Ok(number),
        _ => Err(Malformed),
    }
}

/// A message of the server as it goes into a body. An empty one asks for a sign of life.
pub fn frame(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(WORD_BYTES + message.len());
    // No message is nearly so long.
    framed.put_u32_le(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    framed.freeze()
}

fn ranges(mut rest: &[u8], mut at: usize) -> Result<Vec<Range<usize>>, Malformed> {
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let (length, bytes) = word(rest).ok_or(Malformed)?;
        let length = length as usize;
        if length == 0 || length > CLIENT_MESSAGE_BYTES_MAX || messages.len() == BATCH_MESSAGES_MAX {
            return Err(Malformed);
        }
        rest = bytes.get(length..).ok_or(Malformed)?;
        at += WORD_BYTES;
        messages.push(at..at + length);
        at += length;
    }
    Ok(messages)
}

fn word(bytes: &[u8]) -> Option<(u32, &[u8])> {
    bytes.split_first_chunk::<WORD_BYTES>().map(|(word, rest)| (u32::from_le_bytes(*word), rest))
}

#[cfg(test)]
mod tests {
    use tickwire_protocol::ClientMessage;

    use super::*;

    fn batch(number: u32, messages: &[&[u8]]) -> Vec<u8> {
        let framed = messages.iter().flat_map(|message| frame(message));
        number.to_le_bytes().into_iter().chain(framed).collect()
    }

    #[test]
    fn a_batch_is_read_as_it_was_written() {
        let longest = [7; CLIENT_MESSAGE_BYTES_MAX];
        let body = batch(9, &[b"a", &longest, b"bc"]);
        let Batch { number, messages } = parse_batch(&body).expect("a batch");
        let read: Vec<_> = messages.into_iter().map(|range| &body[range]).collect();
        assert_eq!((number, read), (9, vec![&b"a"[..], &longest, b"bc"]));
        assert_eq!(parse_batch(&batch(u32::MAX, &[])), Ok(Batch { number: u32::MAX, messages: Vec::new() }));
    }

    #[test]
    fn what_is_cut_off_too_long_too_many_or_empty_is_no_batch() {
        let body = batch(1, &[b"first", b"second"]);
        let whole = [4, 4 + 4 + 5, body.len()];
        for length in 0..body.len() {
            assert_eq!(parse_batch(&body[..length]).is_ok(), whole.contains(&length), "cut at {length}");
        }
        assert_eq!(parse_batch(&batch(1, &[b""])), Err(Malformed));
        assert_eq!(parse_batch(&batch(1, &[&[0; CLIENT_MESSAGE_BYTES_MAX + 1]])), Err(Malformed));
        assert_eq!(parse_batch(&batch(1, &[&b"x"[..]; BATCH_MESSAGES_MAX + 1])), Err(Malformed));
        assert!(parse_batch(&batch(1, &[&b"x"[..]; BATCH_MESSAGES_MAX])).is_ok());
        assert_eq!(parse_batch(&[&1u32.to_le_bytes()[..], &u32::MAX.to_le_bytes(), b"x"].concat()), Err(Malformed));
        assert_eq!(parse_batch(&batch(1, &[&[0; 250][..]; 17])), Err(Malformed), "longer than a body may be");
    }

    #[test]
    fn the_example_of_the_protocol_is_read_as_it_says() {
        const DOCUMENT: &str = include_str!("../../../../docs/PROTOCOL.md");
        const EXAMPLE: &str = "00000000 06000000 02fc40e20100 01000000 03";
        assert!(DOCUMENT.contains(&format!("POST /stream/up    {EXAMPLE}\n")));
        let digits = EXAMPLE.replace(' ', "");
        let pairs = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex"));
        let body: Vec<u8> = pairs.collect();
        let Batch { number, messages } = parse_batch(&body).expect("a batch");
        let read: Vec<_> = messages.into_iter().map(|range| ClientMessage::<u8>::decode(&body[range]).expect("a message")).collect();
        assert_eq!((number, read), (0, vec![ClientMessage::Ping { client_time_ms: 123_456 }, ClientMessage::Leave]));
    }

    #[test]
    fn a_number_stands_alone() {
        assert_eq!(parse_number(&[1, 2, 0, 0]), Ok(513));
        assert_eq!([&b""[..], b"123", b"12345"].map(parse_number), [Err(Malformed); 3]);
    }
}

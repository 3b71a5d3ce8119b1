//! WebSocket frames, RFC 6455 section 5, as a server reads and writes them. Pure: bytes in,
//! messages out.
//!
//! Invariants: what breaks the protocol or the size limit is refused at the frame's header, before
//! its payload has come; the parser keeps nothing but the fragments of one message, and these are
//! bounded like a message.

use std::borrow::Cow;

use bytes::BufMut;
use tickwire_protocol::limits::CLIENT_MESSAGE_BYTES_MAX;

/// Largest header of a frame from a client.
pub const HEADER_BYTES_MAX: usize = 14;
/// Largest payload of a control frame.
pub const CONTROL_BYTES_MAX: usize = 125;

const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;
const CONTROL: u8 = 0x08;

/// The close code that blames the peer.
const PROTOCOL_ERROR: u16 = 1002;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// Goes on with a message.
    Continuation = 0,
    /// Begins a text message.
    Text = 1,
    /// Begins a binary message.
    Binary = 2,
    /// Ends the connection.
    Close = 8,
    /// To be answered with a pong.
    Ping = 9,
    /// Answers a ping.
    Pong = 10,
}

impl Opcode {
    fn new(bits: u8) -> Option<Self> {
        [Self::Continuation, Self::Text, Self::Binary, Self::Close, Self::Ping, Self::Pong].into_iter().find(|opcode| *opcode as u8 == bits)
    }
}

/// What a client may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The longest message, bytes.
    pub message_bytes_max: usize,
    /// Whether text is a message too. For tests of the transport: the game's protocol has none.
    pub text: bool,
}

impl Default for Terms {
    /// What the game's protocol allows.
    fn default() -> Self {
        Self { message_bytes_max: CLIENT_MESSAGE_BYTES_MAX, text: false }
    }
}

/// What a client has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// A whole binary message.
    Binary(Cow<'a, [u8]>),
    /// A whole text message, where there may be such.
    Text(Cow<'a, [u8]>),
    /// To be answered with a pong that carries the same bytes.
    Ping(&'a [u8]),
    /// A ping was answered, or the client says that it is alive.
    Pong,
    /// The client closes; with the code it gave.
    Close(Option<u16>),
}

/// Why a stream is no WebSocket of ours: the connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A bit that no extension gave a meaning.
    #[error("reserved bits are set")]
    ReservedBits,
    /// An opcode without a meaning.
    #[error("unknown opcode")]
    UnknownOpcode,
    /// A client must mask what it sends.
    #[error("a frame is not masked")]
    Unmasked,
    /// A frame or a message in fragments is too long.
    #[error("a message is too long")]
    TooLong,
    /// A control frame is in fragments or too long, or a close frame is malformed.
    #[error("a control frame is malformed")]
    Control,
    /// A message begins within another, or goes on without having begun.
    #[error("fragments are out of order")]
    Fragments,
    /// There are no text messages in this protocol, or one is no text.
    #[error("a text message")]
    Text,
}

/// One connection's way from bytes to messages.
#[derive(Debug, Default)]
pub struct Parser {
    /// The message of which some fragments have come.
    fragments: Option<Fragments>,
    terms: Terms,
}

/// What has come of a message.
#[derive(Debug)]
struct Fragments {
    is_text: bool,
    bytes: Vec<u8>,
}

struct Header {
    is_final: bool,
    opcode: Opcode,
    mask: [u8; 4],
    payload: usize,
    bytes: usize,
}

impl Parser {
    /// Of a connection with other terms than the game's.
    pub fn on(terms: Terms) -> Self {
        Self { fragments: None, terms }
    }

    /// Whether a message has begun and not ended.
    pub fn is_within_message(&self) -> bool {
        self.fragments.is_some()
    }

    /// Takes the next message or control frame off the front of `bytes`, unmasking it in place.
    /// `None` if no more are complete.
    #[allow(clippy::mut_mut)] // `bytes` is moved on, and what it holds is changed
    pub fn next<'a>(&mut self, bytes: &mut &'a mut [u8]) -> Result<Option<Incoming<'a>>, Violation> {
        loop {
            let Some(header) = header(bytes, self.terms.message_bytes_max)? else { return Ok(None) };
            self.check_order(&header)?;
            let frame = header.bytes + header.payload;
            if bytes.len() < frame {
                return Ok(None);
            }
            let (frame, rest) = std::mem::take(bytes).split_at_mut(frame);
            *bytes = rest;
            let payload = frame.get_mut(header.bytes..).unwrap_or_default();
            unmask(payload, header.mask);
            if let Some(incoming) = self.take_in(&header, payload)? {
                return Ok(Some(incoming));
            }
        }
    }

    /// A message's fragments follow each other; only control frames may come between them.
    fn check_order(&self, header: &Header) -> Result<(), Violation> {
        match (header.opcode, &self.fragments) {
            (Opcode::Text, _) if !self.terms.text => Err(Violation::Text),
            (Opcode::Continuation, None) | (Opcode::Binary | Opcode::Text, Some(_)) => Err(Violation::Fragments),
            (Opcode::Continuation, Some(before)) if before.bytes.len() + header.payload > self.terms.message_bytes_max => {
                Err(Violation::TooLong)
            }
            _ => Ok(()),
        }
    }

    fn take_in<'a>(&mut self, header: &Header, payload: &'a [u8]) -> Result<Option<Incoming<'a>>, Violation> {
        Ok(Some(match header.opcode {
            Opcode::Ping => Incoming::Ping(payload),
            Opcode::Pong => Incoming::Pong,
            Opcode::Close => Incoming::Close(close_code(payload)?),
            Opcode::Binary if header.is_final => Incoming::Binary(Cow::Borrowed(payload)),
            Opcode::Text if header.is_final => Incoming::Text(Cow::Borrowed(text(payload)?)),
            Opcode::Continuation | Opcode::Binary | Opcode::Text => {
                let is_text = header.opcode == Opcode::Text;
                let mut message = self.fragments.take().unwrap_or(Fragments { is_text, bytes: Vec::new() });
                message.bytes.extend_from_slice(payload);
                if !header.is_final {
                    self.fragments = Some(message);
                    return Ok(None);
                }
                if message.is_text {
                    text(&message.bytes)?;
                    Incoming::Text(Cow::Owned(message.bytes))
                } else {
                    Incoming::Binary(Cow::Owned(message.bytes))
                }
            }
        }))
    }
}

fn text(bytes: &[u8]) -> Result<&[u8], Violation> {
    std::str::from_utf8(bytes).map(str::as_bytes).map_err(|_| Violation::Text)
}

/// The header at the front of `bytes`, refused as soon as it says something wrong. `None` if it is
/// not complete.
fn header(bytes: &[u8], message_bytes_max: usize) -> Result<Option<Header>, Violation> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if first & RESERVED != 0 {
        return Err(Violation::ReservedBits);
    }
    let opcode = Opcode::new(first & 0x0f).ok_or(Violation::UnknownOpcode)?;
    if second & MASKED == 0 {
        return Err(Violation::Unmasked);
    }
    let is_final = first & FINAL != 0;
    let (length, rest) = match second & !MASKED {
        126 => match rest {
            [a, b, rest @ ..] => (u64::from(u16::from_be_bytes([*a, *b])), rest),
            _ => return Ok(None),
        },
        127 => match rest.split_first_chunk::<8>() {
            Some((length, rest)) => (u64::from_be_bytes(*length), rest),
            None => return Ok(None),
        },
        short => (u64::from(short), rest),
    };
    let is_control = opcode as u8 & CONTROL != 0;
    if is_control && (!is_final || length > CONTROL_BYTES_MAX as u64) {
        return Err(Violation::Control);
    }
    if length > message_bytes_max as u64 {
        return Err(Violation::TooLong);
    }
    let Some((mask, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
    Ok(Some(Header { is_final, opcode, mask: *mask, payload: length as usize, bytes: bytes.len() - rest.len() }))
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let mut chunks = payload.chunks_exact_mut(4);
    for chunk in &mut chunks {
        chunk.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    }
    chunks.into_remainder().iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
}

/// The code of a close frame; its reason is for people and must be text.
fn close_code(payload: &[u8]) -> Result<Option<u16>, Violation> {
    match payload {
        [] => Ok(None),
        [a, b, reason @ ..] if std::str::from_utf8(reason).is_ok() => Ok(Some(u16::from_be_bytes([*a, *b]))),
        _ => Err(Violation::Control),
    }
}

/// Appends a frame of one piece, unmasked, as a server sends it.
///
/// ```
/// use tickwire_server::transport::frame::{Opcode, write};
///
/// let mut out = Vec::new();
/// write(&mut out, Opcode::Binary, b"snapshot");
/// assert_eq!(out, b"\x82\x08snapshot");
/// ```
pub fn write(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    out.put_u8(FINAL | opcode as u8);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ ..126), _) => out.put_u8(length),
        (_, Ok(length)) => {
            out.put_u8(126);
            out.put_u16(length);
        }
        _ => {
            out.put_u8(127);
            out.put_u64(payload.len() as u64);
        }
    }
    out.extend_from_slice(payload);
}

/// The code that answers a close frame with `code`: the same, unless RFC 6455 does not let it be
/// sent; then that the protocol was broken.
pub fn answer_to_close(code: u16) -> u16 {
    match code {
        1000..=1003 | 1007..=1014 | 3000..=4999 => code,
        _ => PROTOCOL_ERROR,
    }
}

/// The payload of a close frame: `code`, and `reason` as far as it fits.
pub fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    let end = reason.floor_char_boundary(CONTROL_BYTES_MAX - 2);
    [&code.to_be_bytes(), reason.get(..end).unwrap_or_default().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's frame with every bit as told.
    fn frame(first: u8, mask: [u8; 4], payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first, MASKED | payload.len() as u8];
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    /// What `bytes` say, how it ends, and how many bytes are left.
    fn parse(mut bytes: Vec<u8>) -> (Vec<String>, Option<Violation>, usize) {
        let (mut parser, mut rest, mut heard) = (Parser::default(), bytes.as_mut_slice(), Vec::new());
        loop {
            match parser.next(&mut rest) {
                Ok(Some(incoming)) => heard.push(format!("{incoming:?}")),
                Ok(None) => return (heard, None, rest.len()),
                Err(violation) => return (heard, Some(violation), rest.len()),
            }
        }
    }

    #[test]
    fn messages_in_fragments_come_whole_and_control_frames_come_between_them() {
        let mask = [1, 2, 3, 4];
        let stream = [frame(0x02, mask, b"abcde"), frame(0x89, mask, b"?"), frame(0x00, mask, b""), frame(0x80, mask, b"fg")].concat();
        let (heard, violation, rest) = parse(stream.clone());
        assert_eq!(heard, [format!("{:?}", Incoming::Ping(b"?")), format!("{:?}", Incoming::Binary(Cow::Borrowed(b"abcdefg")))]);
        assert_eq!((violation, rest), (None, 0));
        let (heard, violation, rest) = parse([stream, vec![0x82, 0x83, 1, 2, 3, 4, 5, 6]].concat());
        assert_eq!((heard.len(), violation, rest), (2, None, 8), "what is incomplete stays as it came");
    }

    #[test]
    fn what_breaks_the_protocol_is_refused_at_the_header() {
        let violation = |bytes: &[u8]| parse(bytes.to_vec()).1;
        assert_eq!(violation(&[0xc2, 0x80]), Some(Violation::ReservedBits));
        assert_eq!(violation(&[0x83, 0x80]), Some(Violation::UnknownOpcode));
        assert_eq!(violation(&[0x82, 0x00]), Some(Violation::Unmasked));
        assert_eq!(violation(&[0x82, 0xfe, 1, 1]), Some(Violation::TooLong));
        assert_eq!(violation(&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]), Some(Violation::TooLong));
        assert_eq!(violation(&[0x89, 0xfe, 0, 126]), Some(Violation::Control));
        assert_eq!(violation(&[0x09, 0x80]), Some(Violation::Control));
        assert_eq!(violation(&[0x80, 0x80, 0, 0, 0, 0]), Some(Violation::Fragments));
        assert_eq!(violation(&[0x81, 0x80, 0, 0, 0, 0]), Some(Violation::Text));
        assert_eq!(violation(&frame(0x88, [0; 4], &[3])), Some(Violation::Control));
        assert_eq!(violation(&frame(0x88, [0; 4], &[3, 232, 0xff])), Some(Violation::Control));
    }

    #[test]
    fn fragments_are_bounded_together() {
        let piece = frame(0x00, [9; 4], &[0; 100]);
        let stream = [frame(0x02, [9; 4], &[0; 100]), piece.clone(), piece].concat();
        assert_eq!(parse(stream).1, Some(Violation::TooLong));
    }

    #[test]
    fn an_unfinished_message_takes_no_more_than_twice_its_bytes_on_the_wire() {
        let mask = [9; 4];
        let pieces = |payload: &[u8], count: usize| [frame(0x02, mask, payload), frame(0x00, mask, payload).repeat(count - 1)].concat();
        for (payload, count) in [(&b""[..], 131_000), (b"x", 256), (b"xy", 128), (b"four", 64), (&[7; 100], 2)] {
            let mut bytes = pieces(payload, count);
            let (wire, mut parser) = (bytes.len() as u64, Parser::default());
            let cost = allocation_counter::measure(|| {
                let mut rest = bytes.as_mut_slice();
                assert_eq!(parser.next(&mut rest), Ok(None), "it is not complete");
            });
            assert!(cost.bytes_max <= 2 * wire, "{cost:?} for {wire} bytes");
            assert!(cost.bytes_max <= 2 * CLIENT_MESSAGE_BYTES_MAX as u64, "{cost:?} at most");
            assert!(parser.is_within_message());
        }
        let mut endless = pieces(b"x", 131_000);
        let cost = allocation_counter::measure(|| {
            let mut rest = endless.as_mut_slice();
            assert_eq!(Parser::default().next(&mut rest), Err(Violation::TooLong));
        });
        assert!(cost.bytes_max <= 2 * CLIENT_MESSAGE_BYTES_MAX as u64, "{cost:?} for 131,000 fragments");
    }

    #[test]
    fn text_is_a_message_where_the_terms_say_so_and_must_be_text() {
        let mask = [9; 4];
        let say = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            Parser::on(Terms { text: true, ..Terms::default() }).next(&mut bytes.as_mut_slice()).map(|said| format!("{said:?}"))
        };
        assert_eq!(say(&frame(0x81, mask, b"hi")), Ok(format!("{:?}", Some(Incoming::Text(Cow::Borrowed(b"hi"))))));
        let halves = [frame(0x01, mask, "é".as_bytes().get(..1).unwrap_or_default()), frame(0x80, mask, &[0xa9])].concat();
        assert_eq!(say(&halves), Ok(format!("{:?}", Some(Incoming::Text(Cow::Borrowed("é".as_bytes()))))));
        assert_eq!(say(&frame(0x81, mask, &[0xff])), Err(Violation::Text));
        assert_eq!(say(&[frame(0x01, mask, b"a"), frame(0x81, mask, b"b")].concat()), Err(Violation::Fragments));
    }

    #[test]
    fn codes_that_may_not_be_sent_are_not_sent_back() {
        for code in [1000, 1001, 1003, 1007, 1014, 3000, 4999] {
            assert_eq!(answer_to_close(code), code);
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX] {
            assert_eq!(answer_to_close(code), 1002, "{code}");
        }
    }

    #[test]
    fn lengths_are_written_in_their_shortest_form() {
        let head = |length: usize| {
            let mut out = Vec::new();
            write(&mut out, Opcode::Binary, &vec![0; length]);
            out.truncate(out.len() - length);
            out
        };
        assert_eq!(head(125), [0x82, 125]);
        assert_eq!(head(126), [0x82, 126, 0, 126]);
        assert_eq!(head(65_535), [0x82, 126, 255, 255]);
        assert_eq!(head(65_536), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(close_payload(1000, &"é".repeat(100)).len(), CONTROL_BYTES_MAX - 1, "cut between characters");
    }
}

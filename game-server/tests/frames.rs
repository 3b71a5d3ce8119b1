//! The frame parser hears exactly what tungstenite's does, on whole, broken and random streams,
//! however they are cut up.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

use std::io::{self, Cursor, Read, Write};

use proptest::collection::vec;
use proptest::prelude::*;
use tickwire_protocol::limits::CLIENT_MESSAGE_BYTES_MAX;
use tickwire_server::transport::frame::{self, Incoming, Opcode, Parser};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket};

/// What a connection said.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close,
    /// It broke the protocol; text counts.
    Refused,
}

/// Bytes to be read, and nowhere to write to.
struct Stream(Cursor<Vec<u8>>);

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Up to the first close or refusal.
fn tungstenite(bytes: Vec<u8>) -> Vec<Heard> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(CLIENT_MESSAGE_BYTES_MAX))
        .max_frame_size(Some(CLIENT_MESSAGE_BYTES_MAX))
        .accept_unmasked_frames(false);
    let mut ws = WebSocket::from_raw_socket(Stream(Cursor::new(bytes)), Role::Server, Some(config));
    let mut heard = Vec::new();
    loop {
        heard.push(match ws.read() {
            Ok(Message::Binary(bytes)) => Heard::Binary(bytes.to_vec()),
            Ok(Message::Ping(bytes)) => Heard::Ping(bytes.to_vec()),
            Ok(Message::Pong(_)) => Heard::Pong,
            Ok(Message::Close(_)) => Heard::Close,
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return heard,
            Ok(Message::Text(_) | Message::Frame(_)) | Err(_) => Heard::Refused,
        });
        if matches!(heard.last(), Some(Heard::Close | Heard::Refused)) {
            return heard;
        }
    }
}

/// What our parser hears, fed in pieces of `piece` bytes.
fn ours(bytes: &[u8], piece: usize) -> Vec<Heard> {
    let (mut parser, mut unparsed, mut heard) = (Parser::default(), Vec::new(), Vec::new());
    for piece in bytes.chunks(piece) {
        unparsed.extend_from_slice(piece);
        let mut rest = unparsed.as_mut_slice();
        loop {
            heard.push(match parser.next(&mut rest) {
                Ok(None) => break,
                Ok(Some(Incoming::Binary(bytes))) => Heard::Binary(bytes.into_owned()),
                Ok(Some(Incoming::Ping(bytes))) => Heard::Ping(bytes.to_vec()),
                Ok(Some(Incoming::Pong)) => Heard::Pong,
                Ok(Some(Incoming::Close(_))) => Heard::Close,
                Ok(Some(Incoming::Text(_))) | Err(_) => Heard::Refused,
            });
            if matches!(heard.last(), Some(Heard::Close | Heard::Refused)) {
                return heard;
            }
        }
        unparsed = rest.to_vec();
        assert!(unparsed.len() < frame::HEADER_BYTES_MAX + CLIENT_MESSAGE_BYTES_MAX, "no more is kept than an incomplete frame");
    }
    heard
}

/// A frame that is mostly well formed.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        8 => Just(0x82u8),
        3 => Just(0x02),
        3 => Just(0x00),
        3 => Just(0x80),
        2 => prop::sample::select(vec![0x89u8, 0x8a, 0x88]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![8 => vec(any::<u8>(), 0..40), 1 => vec(any::<u8>(), 100..300)];
    let mask = prop_oneof![9 => any::<[u8; 4]>().prop_map(Some), 1 => Just(None)];
    (first, payload, mask, 0u8..20).prop_map(|(first, payload, mask, form)| {
        let length = payload.len();
        let bit = if mask.is_some() { 0x80 } else { 0 };
        let mut bytes = vec![first];
        // Longer forms than needed are no shortest ones, and neither parser minds.
        match form {
            0 => bytes.extend([&[bit | 0x7f][..], &(length as u64).to_be_bytes()].concat()),
            1 => bytes.extend([&[bit | 0x7e][..], &(length as u16).to_be_bytes()].concat()),
            _ if length < 126 => bytes.push(bit | length as u8),
            _ => bytes.extend([&[bit | 0x7e][..], &(length as u16).to_be_bytes()].concat()),
        }
        let mask = mask.inspect(|mask| bytes.extend(mask)).unwrap_or_default();
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    })
}

/// Ours refuses at the header what tungstenite refuses when the payload has come or the message is
/// complete: bytes are added until it has.
fn compare(bytes: &[u8], piece: usize) -> Result<(), TestCaseError> {
    let heard = ours(bytes, piece);
    let theirs = tungstenite(bytes.to_vec());
    if heard.last() != Some(&Heard::Refused) || heard == theirs {
        prop_assert_eq!(heard, theirs);
        return Ok(());
    }
    let before = &heard[..heard.len() - 1];
    prop_assert!(theirs.starts_with(before), "{:?} and {:?}", heard, theirs);
    let patient = tungstenite([bytes, &[0; 2 * CLIENT_MESSAGE_BYTES_MAX]].concat());
    let refused = patient[before.len()..].iter().all(|heard| matches!(heard, Heard::Refused | Heard::Ping(_) | Heard::Pong | Heard::Close));
    prop_assert!(refused && patient.len() > before.len(), "{:?} and {:?}", heard, patient);
    Ok(())
}

proptest! {
    #[test]
    fn frames(frames in vec(any_frame(), 0..12), cut in any::<prop::sample::Index>(), piece in 1usize..100) {
        let mut bytes = frames.concat();
        compare(&bytes, piece)?;
        bytes.truncate(cut.index(bytes.len() + 1));
        compare(&bytes, piece)?;
    }

    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..400), piece in 1usize..100) {
        compare(&bytes, piece)?;
    }

    #[test]
    fn what_is_written_is_read_by_tungstenite(payload in prop_oneof![vec(any::<u8>(), 0..200), vec(any::<u8>(), 65_500..65_600)]) {
        let mut bytes = Vec::new();
        frame::write(&mut bytes, Opcode::Binary, &payload);
        frame::write(&mut bytes, Opcode::Ping, &[]);
        frame::write(&mut bytes, Opcode::Close, &frame::close_payload(4000, "reason"));
        let mut ws = WebSocket::from_raw_socket(Stream(Cursor::new(bytes)), Role::Client, None);
        prop_assert_eq!(ws.read().expect("a message"), Message::binary(payload));
        prop_assert_eq!(ws.read().expect("a ping"), Message::Ping(vec![].into()));
        let closed = ws.read().expect("a close frame");
        prop_assert!(matches!(&closed, Message::Close(Some(close)) if u16::from(close.code) == 4000 && close.reason == "reason"));
    }
}

//! WebSocket as far as a benchmark needs it (RFC 6455): the upgrade, and whole frames both ways.
//!
//! Both ends of the upgrade use one fixed key, so that neither needs a hash. A frame in fragments is refused: no arm sends any.

use thiserror::Error;

/// Frame of UTF-8 text.
pub(crate) const TEXT: u8 = 1;
/// Frame of bytes.
pub(crate) const BINARY: u8 = 2;
/// Frame that ends the connection.
pub(crate) const CLOSE: u8 = 8;
/// Frame that asks for a pong.
pub(crate) const PING: u8 = 9;
/// Frame that answers a ping.
pub(crate) const PONG: u8 = 10;

/// In place of a length: it is in the next two bytes, or the next eight.
const LENGTH_IN_2: u8 = 126;
const LENGTH_IN_8: u8 = 127;
/// Largest payload that is taken.
const PAYLOAD_BYTES_MAX: u64 = 1 << 20;
/// Largest head of an HTTP message that is taken.
const HEAD_BYTES_MAX: usize = 8192;
/// The example key of the RFC and what answers it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Bytes that are no WebSocket, or not as we know it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum FrameError {
    #[error("a fragmented, compressed or masked frame")]
    Unsupported,
    #[error("a frame of {0} bytes")]
    TooLong(u64),
    #[error("the upgrade was answered with: {0}")]
    NotUpgraded(String),
}

/// A frame from a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: u8,
    pub(crate) payload: &'a [u8],
    /// With its header.
    pub(crate) wire_bytes: usize,
}

/// The frame at the front of `bytes`; `None` if it is not all there.
pub(crate) fn first(bytes: &[u8]) -> Result<Option<Frame<'_>>, FrameError> {
    let [head, length, rest @ ..] = bytes else { return Ok(None) };
    if head & 0xf0 != 0x80 || length & 0x80 != 0 {
        return Err(FrameError::Unsupported);
    }
    let (length, rest) = match *length {
        LENGTH_IN_2 => match rest.split_first_chunk::<2>() {
            Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest),
            None => return Ok(None),
        },
        LENGTH_IN_8 => match rest.split_first_chunk::<8>() {
            Some((length, rest)) => (u64::from_be_bytes(*length), rest),
            None => return Ok(None),
        },
        short => (u64::from(short), rest),
    };
    if length > PAYLOAD_BYTES_MAX {
        return Err(FrameError::TooLong(length));
    }
    let wire_bytes = bytes.len() - rest.len() + length as usize;
    Ok(rest.get(..length as usize).map(|payload| Frame { opcode: head & 0x0f, payload, wire_bytes }))
}

/// Appends a client's frame, masked as it must be. `payload` is at most 65,535 bytes.
pub(crate) fn push_masked(out: &mut Vec<u8>, opcode: u8, payload: &[u8], mask: [u8; 4]) {
    push_header(out, opcode, payload.len(), 0x80);
    out.extend_from_slice(&mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
}

/// Appends a server's frame. `payload` is at most 65,535 bytes.
pub(crate) fn push_plain(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    push_header(out, opcode, payload.len(), 0);
    out.extend_from_slice(payload);
}

fn push_header(out: &mut Vec<u8>, opcode: u8, length: usize, mask_bit: u8) {
    out.push(0x80 | opcode);
    if length < usize::from(LENGTH_IN_2) {
        out.push(mask_bit | length as u8);
    } else {
        out.push(mask_bit | LENGTH_IN_2);
        out.extend_from_slice(&(length as u16).to_be_bytes());
    }
}

/// What a client asks with.
pub(crate) fn upgrade_request(host: &str, path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {KEY}\r\n\r\n"
    )
}

/// What a server agrees with.
pub(crate) fn upgrade_response() -> String {
    format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n")
}

/// The length of the HTTP head at the front of `bytes`; `None` if it is not all there.
pub(crate) fn head_length(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// The length of a response that agrees; `None` if it is not all there.
pub(crate) fn check_upgrade(bytes: &[u8]) -> Result<Option<usize>, FrameError> {
    let Some(length) = head_length(bytes) else {
        return if bytes.len() > HEAD_BYTES_MAX { Err(FrameError::TooLong(bytes.len() as u64)) } else { Ok(None) };
    };
    let head = String::from_utf8_lossy(bytes.get(..length).unwrap_or_default());
    if head.starts_with("HTTP/1.1 101 ") && head.contains(ACCEPT) {
        return Ok(Some(length));
    }
    Err(FrameError::NotUpgraded(head.lines().next().unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        push_plain(&mut out, BINARY, payload);
        out
    }

    #[test]
    fn frames_of_every_length_are_read_back() {
        for length in [0, 1, 125, 126, 300, 65_535] {
            let payload: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let mut bytes = plain(&payload);
            let wire_bytes = bytes.len();
            bytes.extend_from_slice(b"next");
            assert_eq!(first(&bytes), Ok(Some(Frame { opcode: BINARY, payload: &payload, wire_bytes })));
        }
        let mut long = vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0];
        long.resize(10 + 65_536, 7);
        assert_eq!(first(&long).map(|frame| frame.map(|frame| frame.payload.len())), Ok(Some(65_536)));
    }

    #[test]
    fn a_frame_that_is_not_all_there_waits() {
        let bytes = plain(&[1; 300]);
        for cut in 0..bytes.len() {
            assert_eq!(first(&bytes[..cut]), Ok(None), "cut at {cut}");
        }
    }

    #[test]
    fn what_no_arm_sends_is_refused() {
        assert_eq!(first(&[0x02, 0]), Err(FrameError::Unsupported), "a fragment");
        assert_eq!(first(&[0xc2, 0]), Err(FrameError::Unsupported), "compressed");
        assert_eq!(first(&[0x82, 0x80]), Err(FrameError::Unsupported), "masked");
        assert_eq!(first(&[0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0]), Err(FrameError::TooLong(1 << 32)));
    }

    #[test]
    fn a_masked_frame_is_as_the_standard_has_it() {
        let mut out = Vec::new();
        push_masked(&mut out, TEXT, b"Hello", [0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(out, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }

    #[test]
    fn an_upgrade_is_checked() {
        let mut response = upgrade_response().into_bytes();
        let length = response.len();
        assert_eq!(check_upgrade(&response[..length - 1]), Ok(None));
        response.extend_from_slice(&[0x82, 0]);
        assert_eq!(check_upgrade(&response), Ok(Some(length)));
        let refused = check_upgrade(b"HTTP/1.1 429 Too Many Requests\r\n\r\n");
        assert_eq!(refused, Err(FrameError::NotUpgraded("HTTP/1.1 429 Too Many Requests".into())));
        assert!(check_upgrade(&[b'x'; HEAD_BYTES_MAX + 1]).is_err());
        assert_eq!(head_length(upgrade_request("h", "/match/3").as_bytes()), Some(upgrade_request("h", "/match/3").len()));
    }
}

//! The PROXY protocol's header, in text (version 1) and in binary (version 2), as the
//! `proxy-protocol.txt` of its inventors describes it.
//!
//! Pure: bytes in, what they say out, in pieces as they come. While they are [`Parsed::Incomplete`]
//! all of them belong to the header, so a reader may take them off the stream; once they are
//! complete, `bytes` says where the next protocol begins. A fuzz target reads through this door
//! too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest header of version 1, with its line's end.
pub const V1_BYTES_MAX: usize = 107;
/// The longest header of version 2 that is read: addresses, and what proxies add to them, such as a
/// certificate's name. The format would allow 64 KiB.
pub const V2_BYTES_MAX: usize = 2_048;

const V1_BEGIN: &[u8] = b"PROXY ";
const V2_BEGIN: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Version 2: what stands before the addresses.
const V2_FIXED_BYTES: usize = 16;

/// What the bytes are so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// The beginning of a header.
    Incomplete,
    /// A header, and perhaps more.
    Complete {
        /// Who connected to the proxy. `None` if the proxy speaks for itself, or does not know.
        client: Option<IpAddr>,
        /// How many of the bytes are the header.
        bytes: usize,
    },
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// They begin like something else.
    #[error("it begins with no PROXY header")]
    Missing,
    /// They begin with a header that says what there is not.
    #[error("its PROXY header cannot be read")]
    Unreadable,
    /// They begin with a header that is longer than is read.
    #[error("its PROXY header is longer than {V2_BYTES_MAX} bytes")]
    TooLong,
}

/// Whether a stream that begins with `bytes` begins with a PROXY header of either version, or may.
pub fn looks_like_one(bytes: &[u8]) -> bool {
    begins(bytes, V1_BEGIN) || begins(bytes, V2_BEGIN)
}

/// Reads a header of version 1.
///
/// ```
/// use tickwire_server::http::proxy_header::{Malformed, Parsed, parse_v1};
///
/// let client = "203.0.113.9".parse().ok();
/// let line = b"PROXY TCP4 203.0.113.9 192.0.2.1 50000 443\r\nGET / HTTP/1.1";
/// assert_eq!(parse_v1(line), Ok(Parsed::Complete { client, bytes: 44 }));
/// assert_eq!(parse_v1(b"PROXY TCP4 203."), Ok(Parsed::Incomplete));
/// assert_eq!(parse_v1(b"GET / HTTP/1.1"), Err(Malformed::Missing));
/// ```
pub fn parse_v1(bytes: &[u8]) -> Result<Parsed, Malformed> {
    if !begins(bytes, V1_BEGIN) {
        return Err(Malformed::Missing);
    }
    let head = bytes.get(..V1_BYTES_MAX).unwrap_or(bytes);
    let Some(end) = head.iter().position(|byte| *byte == b'\n') else {
        return if head.len() < V1_BYTES_MAX { Ok(Parsed::Incomplete) } else { Err(Malformed::Unreadable) };
    };
    let line = head.get(V1_BEGIN.len()..end).and_then(|line| line.strip_suffix(b"\r")).ok_or(Malformed::Unreadable)?;
    let line = std::str::from_utf8(line).map_err(|_| Malformed::Unreadable)?;
    Ok(Parsed::Complete { client: v1_client(line)?, bytes: end + 1 })
}

/// Whom a line names that follows `PROXY `.
fn v1_client(line: &str) -> Result<Option<IpAddr>, Malformed> {
    // Whatever else an unknown connection tells is to be ignored.
    if line == "UNKNOWN" || line.starts_with("UNKNOWN ") {
        return Ok(None);
    }
    let mut words = line.split(' ');
    let [family, source, destination, from, to] = std::array::from_fn(|_| words.next().unwrap_or_default());
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok();
    let client = match family {
        "TCP4" => source.parse().ok().filter(|_| destination.parse::<Ipv4Addr>().is_ok()).map(IpAddr::V4),
        "TCP6" => source.parse().ok().filter(|_| destination.parse::<Ipv6Addr>().is_ok()).map(IpAddr::V6),
        _ => None,
    };
    let is_whole = words.next().is_none() && is_port(from) && is_port(to);
    client.filter(|_| is_whole).map(|client| Some(client.to_canonical())).ok_or(Malformed::Unreadable)
}

/// Reads a header of version 2.
pub fn parse_v2(bytes: &[u8]) -> Result<Parsed, Malformed> {
    if !begins(bytes, V2_BEGIN) {
        return Err(Malformed::Missing);
    }
    let Some(fixed) = bytes.first_chunk::<V2_FIXED_BYTES>() else { return Ok(Parsed::Incomplete) };
    let [.., version_and_command, family, high, low] = *fixed;
    let end = V2_FIXED_BYTES + usize::from(u16::from_be_bytes([high, low]));
    if version_and_command >> 4 != 2 {
        return Err(Malformed::Unreadable);
    }
    if end > V2_BYTES_MAX {
        return Err(Malformed::TooLong);
    }
    let Some(rest) = bytes.get(V2_FIXED_BYTES..end) else { return Ok(Parsed::Incomplete) };
    let client = match version_and_command & 0xf {
        // The proxy's own connection, to see whether this server lives.
        0 => None,
        1 => v2_client(family, rest)?,
        _ => return Err(Malformed::Unreadable),
    };
    Ok(Parsed::Complete { client, bytes: end })
}

/// The source among the addresses, of which there must be both, with their ports.
fn v2_client(family: u8, rest: &[u8]) -> Result<Option<IpAddr>, Malformed> {
    let client = match family {
        0x11 => rest.first_chunk::<12>().map(|[a, b, c, d, ..]| IpAddr::V4(Ipv4Addr::new(*a, *b, *c, *d))),
        0x21 => rest.first_chunk::<36>().and_then(|both| both.first_chunk::<16>()).map(|source| IpAddr::V6(Ipv6Addr::from(*source))),
        // Of no family: not known.
        0x00 => return Ok(None),
        // UDP and Unix sockets do not lead here.
        _ => None,
    };
    client.map(|client| Some(client.to_canonical())).ok_or(Malformed::Unreadable)
}

/// Whether `bytes` begin with `beginning`, as far as they go.
fn begins(bytes: &[u8], beginning: &[u8]) -> bool {
    let common = bytes.len().min(beginning.len());
    bytes.get(..common) == beginning.get(..common)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn v1(line: &str) -> Result<Parsed, Malformed> {
        parse_v1(line.as_bytes())
    }

    fn client(parsed: Result<Parsed, Malformed>) -> Result<Option<String>, Malformed> {
        match parsed? {
            Parsed::Complete { client, .. } => Ok(client.map(|client| client.to_string())),
            Parsed::Incomplete => panic!("incomplete"),
        }
    }

    fn v2(version_and_command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        [V2_BEGIN, &[version_and_command, family], &(rest.len() as u16).to_be_bytes(), rest].concat()
    }

    #[test]
    fn version_1_is_read_as_its_document_writes_it() {
        let of = |line: &str| client(v1(line));
        assert_eq!(of("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET / HTTP/1.1\r\n"), Ok(Some("192.0.2.1".to_owned())));
        assert_eq!(of("PROXY TCP6 2001:db8::1 2001:db8::2 65535 0\r\n"), Ok(Some("2001:db8::1".to_owned())));
        assert_eq!(of("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2\r\n"), Ok(Some("192.0.2.1".to_owned())));
        assert_eq!(of("PROXY UNKNOWN\r\n"), Ok(None));
        let longest = "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n";
        assert_eq!(of(longest), Ok(None));
        let whole = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
        assert_eq!(
            v1(&format!("{whole}more\n")).map(|parsed| matches!(parsed, Parsed::Complete { bytes, .. } if bytes == whole.len())),
            Ok(true)
        );
        for unreadable in [
            "PROXY\tUNKNOWN\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 56324 65536\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 +1 443\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 1 443 \r\n",
            "PROXY TCP4  192.0.2.1 198.51.100.1 1 443\r\n",
            "PROXY TCP4 2001:db8::1 198.51.100.1 1 443\r\n",
            "PROXY TCP6 192.0.2.1 ::1 1 443\r\n",
            "PROXY TCP4 192.0.2.1\r\n",
            "PROXY UDP4 192.0.2.1 198.51.100.1 1 443\r\n",
            "PROXY UNKNOWNS\r\n",
            "GET / HTTP/1.1\r\n",
            "proxy UNKNOWN\r\n",
            "\n",
        ] {
            assert!(v1(unreadable).is_err(), "{unreadable:?}");
        }
    }

    #[test]
    fn version_2_is_read_as_its_document_writes_it() {
        let v4 = [192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 4, 1, 0xbb];
        let mut v6 = [0; 36];
        v6[..16].copy_from_slice(&"2001:db8::1".parse::<Ipv6Addr>().expect("an address").octets());
        let of = |command, family, rest: &[u8]| client(parse_v2(&v2(command, family, rest)));
        assert_eq!(of(0x21, 0x11, &v4), Ok(Some("192.0.2.1".to_owned())));
        assert_eq!(of(0x21, 0x11, &[&v4[..], b"\x04\x00\x01x"].concat()), Ok(Some("192.0.2.1".to_owned())), "and more");
        assert_eq!(of(0x21, 0x21, &v6), Ok(Some("2001:db8::1".to_owned())));
        assert_eq!(of(0x20, 0x11, &v4), Ok(None), "a health check");
        assert_eq!(of(0x20, 0x00, &[]), Ok(None));
        assert_eq!(of(0x20, 0xff, b"whatever"), Ok(None));
        assert_eq!(of(0x21, 0x00, &[]), Ok(None), "unknown");
        for (command, family, rest) in [
            (0x21, 0x11, &v4[..11]),
            (0x21, 0x21, &v6[..35]),
            (0x21, 0x12, &v4),
            (0x21, 0x31, &[0; 216]),
            (0x22, 0x11, &v4),
            (0x11, 0x11, &v4),
        ] {
            assert_eq!(of(command, family, rest), Err(Malformed::Unreadable), "{command:x} {family:x}");
        }
        assert_eq!(parse_v2(&v2(0x21, 0x11, &[0; V2_BYTES_MAX])), Err(Malformed::TooLong));
        assert_eq!(parse_v2(&v2(0x21, 0x11, &[0; V2_BYTES_MAX])[..16]), Err(Malformed::TooLong), "at once");
        assert_eq!(parse_v2(b"GET / HTTP/1.1\r\n"), Err(Malformed::Missing));
    }

    #[test]
    fn a_stream_that_is_something_else_is_known_at_its_first_byte() {
        for other in ["GET /", "\x16\x03\x01", "POST"] {
            assert!(!looks_like_one(other.as_bytes()), "{other:?}");
        }
        assert!(looks_like_one(b"PROXY TCP4") && looks_like_one(b"\r\n\r\n\0\r\nQUIT\n!") && looks_like_one(b"PR"));
        assert_eq!(v1("G"), Err(Malformed::Missing));
        assert_eq!(v1(&format!("PROXY TCP4 {}", "1".repeat(95))), Ok(Parsed::Incomplete));
        assert_eq!(v1(&format!("PROXY TCP4 {}", "1".repeat(96))), Err(Malformed::Unreadable), "too long for a line");
    }

    fn header() -> impl Strategy<Value = (Vec<u8>, bool, IpAddr)> {
        (any::<IpAddr>(), any::<u16>(), proptest::collection::vec(any::<u8>(), 0..64), any::<bool>()).prop_map(
            |(address, port, more, is_v2)| {
                let bytes = match address {
                    _ if !is_v2 => {
                        format!("PROXY TCP{} {address} {address} {port} 443\r\n", if address.is_ipv4() { 4 } else { 6 }).into_bytes()
                    }
                    IpAddr::V4(v4) => v2(0x21, 0x11, &[&v4.octets()[..], &v4.octets(), &[1, 2, 3, 4], &more].concat()),
                    IpAddr::V6(v6) => v2(0x21, 0x21, &[&v6.octets()[..], &v6.octets(), &[1, 2, 3, 4], &more].concat()),
                };
                (bytes, is_v2, address.to_canonical())
            },
        )
    }

    proptest! {
        #[test]
        fn every_beginning_is_incomplete_and_what_follows_does_not_matter((bytes, is_v2, address) in header(), after: Vec<u8>) {
            let parse = if is_v2 { parse_v2 } else { parse_v1 };
            for end in 0..bytes.len() {
                prop_assert_eq!(parse(&bytes[..end]), Ok(Parsed::Incomplete));
                prop_assert!(looks_like_one(&bytes[..end]));
            }
            let complete = Ok(Parsed::Complete { client: Some(address), bytes: bytes.len() });
            prop_assert_eq!(parse(&[bytes, after].concat()), complete);
        }

        #[test]
        fn no_bytes_panic_or_are_waited_for_too_long(bytes in proptest::collection::vec(any::<u8>(), 0..200), version in 0..3u8) {
            let begin = [&b""[..], V1_BEGIN, V2_BEGIN][usize::from(version)];
            let bytes = [begin, &bytes].concat();
            if parse_v1(&bytes) == Ok(Parsed::Incomplete) {
                prop_assert!(bytes.len() < V1_BYTES_MAX);
            }
            if let Ok(Parsed::Complete { bytes: used, .. }) = parse_v2(&bytes) {
                prop_assert!(used <= bytes.len());
            }
        }
    }
}

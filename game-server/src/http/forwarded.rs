//! The hops that a forwarding header tells of, from the nearest to the farthest.
//!
//! Read from the right, because a proxy appends what it knows to what it was sent: whatever a
//! stranger puts before that changes nothing of what stands behind it. Who may be believed is not
//! known here.
//!
//! Pure, and bounded: no byte is looked at more than a few times, and nothing is kept. A fuzz
//! target reads through this door too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The hops of one line of `X-Forwarded-For`. `None` for one that is no address.
///
/// ```
/// use std::net::IpAddr;
///
/// use tickwire_server::http::forwarded::x_forwarded_for;
///
/// // From the right: the last entry is what the nearest proxy wrote.
/// let hops: Vec<Option<IpAddr>> = x_forwarded_for(b"unknown, 203.0.113.9, 192.0.2.1").collect();
/// assert_eq!(hops, [Some([192, 0, 2, 1].into()), Some([203, 0, 113, 9].into()), None]);
/// ```
pub fn x_forwarded_for(line: &[u8]) -> impl Iterator<Item = Option<IpAddr>> {
    line.rsplit(|byte| *byte == b',').map(|item| node(item.trim_ascii()))
}

/// The hops of one line of `Forwarded` (RFC 7239). `None` for one without an address.
pub fn forwarded(line: &[u8]) -> impl Iterator<Item = Option<IpAddr>> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let comma = last_separator(line, b',');
        rest = comma.and_then(|at| line.get(..at));
        Some(for_of(comma.map_or(line, |at| line.get(at + 1..).unwrap_or_default())))
    })
}

/// The address in the one `for` of an element such as `for="[2001:db8::1]:4711";proto=https`.
fn for_of(element: &[u8]) -> Option<IpAddr> {
    let (mut found, mut rest) = (None, Some(element));
    while let Some(pairs) = rest {
        let at = last_separator(pairs, b';');
        let pair = at.map_or(pairs, |at| pairs.get(at + 1..).unwrap_or_default());
        rest = at.and_then(|at| pairs.get(..at));
        let Some(equals) = pair.iter().position(|byte| *byte == b'=') else { continue };
        let (name, value) = pair.split_at(equals);
        if !name.trim_ascii().eq_ignore_ascii_case(b"for") {
            continue;
        }
        if found.is_some() {
            return None;
        }
        found = Some(value.get(1..).unwrap_or_default().trim_ascii());
    }
    let value = found?;
    // Nothing in an address needs an escape, so one with a backslash is none.
    let quoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    node(quoted.unwrap_or(value))
}

/// Where the last `separator` is that stands in no quoted text.
///
/// From the right: a quote that a stranger left open swallows nothing of what a proxy appended.
fn last_separator(text: &[u8], separator: u8) -> Option<usize> {
    let mut is_quoted = false;
    let mut at = text.len();
    while let Some((before, byte)) = text.get(..at).and_then(<[u8]>::split_last).map(|(byte, before)| (before, *byte)) {
        at -= 1;
        match byte {
            b'"' => {
                let escapes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
                // Escaped, it is part of the text that its closing quote is behind.
                if !(is_quoted && escapes % 2 == 1) {
                    is_quoted = !is_quoted;
                }
                at -= escapes;
            }
            _ if byte == separator && !is_quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// The address of `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or
/// `[2001:db8::1]:80`; `None` for `unknown`, `_hidden` and anything else.
fn node(text: &[u8]) -> Option<IpAddr> {
    if text.len() > NODE_BYTES_MAX {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let address = if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        if !(port.is_empty() || is_port(port.strip_prefix(':')?)) {
            return None;
        }
        IpAddr::V6(address.parse::<Ipv6Addr>().ok()?)
    } else if let Ok(address) = text.parse::<IpAddr>() {
        address
    } else {
        let (address, port) = text.split_once(':')?;
        IpAddr::V4(address.parse::<Ipv4Addr>().ok().filter(|_| is_port(port))?)
    };
    Some(address.to_canonical())
}

/// A number, or what a proxy says instead of one, as in `_p1`.
fn is_port(text: &str) -> bool {
    let obfuscated = text.strip_prefix('_').is_some_and(|name| !name.is_empty() && name.bytes().all(is_of_name));
    obfuscated || (!text.starts_with('+') && text.parse::<u16>().is_ok())
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

/// The longest address, mapped and in brackets, with the longest port that anybody sends.
const NODE_BYTES_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(hops: impl Iterator<Item = Option<IpAddr>>) -> Vec<String> {
        hops.map(|hop| hop.map_or_else(|| "?".to_owned(), |address| address.to_string())).collect()
    }

    fn x(line: &str) -> Vec<String> {
        texts(x_forwarded_for(line.as_bytes()))
    }

    fn f(line: &str) -> Vec<String> {
        texts(forwarded(line.as_bytes()))
    }

    #[test]
    fn x_forwarded_for_is_read_from_the_right() {
        assert_eq!(x("192.0.2.1, 198.51.100.2,203.0.113.3"), ["203.0.113.3", "198.51.100.2", "192.0.2.1"]);
        assert_eq!(x("192.0.2.1:4711"), ["192.0.2.1"]);
        assert_eq!(x("2001:db8::1"), ["2001:db8::1"]);
        assert_eq!(x("[2001:db8::1]"), ["2001:db8::1"]);
        assert_eq!(x("[2001:db8::1]:80 ,\t::ffff:192.0.2.1"), ["192.0.2.1", "2001:db8::1"]);
        assert_eq!(
            x("unknown, , 192.0.2.1, 1.2.3.4.5, 192.0.2.1:x, [::1, [192.0.2.1], ::1%eth0"),
            ["?", "?", "?", "?", "?", "192.0.2.1", "?", "?"]
        );
        assert_eq!(x(""), ["?"]);
    }

    #[test]
    fn forwarded_is_read_as_the_rfc_writes_it() {
        assert_eq!(f("for=192.0.2.43, for=198.51.100.17"), ["198.51.100.17", "192.0.2.43"]);
        assert_eq!(f(r#"For="[2001:db8:cafe::17]:4711""#), ["2001:db8:cafe::17"]);
        assert_eq!(f("for=192.0.2.60;proto=http;by=203.0.113.43"), ["192.0.2.60"]);
        assert_eq!(f(r#"proto=https; FOR = "192.0.2.1:_p1" ;host="a,b;for=6.6.6.6""#), ["192.0.2.1"]);
        assert_eq!(f("for=_gazonk, for=unknown, by=192.0.2.1, for=192.0.2.1;for=192.0.2.2"), ["?", "?", "?", "?"]);
        assert_eq!(f(r#"for="_SEVKISEK", for="\192.0.2.1""#), ["?", "?"]);
        assert_eq!(f(r#"for=192.0.2.1, for="192.0.2.2"#), ["?"], "a quote that is not closed: nothing can be told apart");
    }

    #[test]
    fn what_a_stranger_leaves_open_swallows_nothing_of_what_a_proxy_appends() {
        for sent in
            [r#"for=""#, r#"for="a"#, r#"for="a\"#, r#"for="a\""#, r#"for="\\"#, r#"host=";for=6.6.6.6"#, "for=6.6.6.6;", "\u{fffd}"]
        {
            for appended in ["for=192.0.2.1", r#"for="[2001:db8::1]:80";proto=https"#, r#"for=192.0.2.1;host="a\", for=6.6.6.6;x=\"b""#] {
                let alone = f(appended);
                assert_eq!(f(&format!("{sent}, {appended}"))[0], alone[0], "{sent} and then {appended}");
                assert_ne!(alone[0], "?", "{appended}");
            }
        }
    }

    proptest! {
        #[test]
        fn the_last_hop_is_the_last_ones_whatever_stands_before_it(before in proptest::collection::vec(any::<u8>(), 0..200), address: IpAddr) {
            let hop = address.to_canonical();
            let line = |appended: String| [&before[..], b",", appended.as_bytes()].concat();
            prop_assert_eq!(x_forwarded_for(&line(address.to_string())).next(), Some(Some(hop)));
            let quoted = if address.is_ipv6() { format!("\"[{address}]\"") } else { address.to_string() };
            prop_assert_eq!(forwarded(&line(format!("for={quoted};proto=https"))).next(), Some(Some(hop)));
        }

        #[test]
        fn there_are_no_more_hops_than_commas_and_one(line in "[,\"\\\\;=for1.:\\[\\] ]{0,200}") {
            let commas = line.bytes().filter(|byte| *byte == b',').count();
            prop_assert_eq!(x_forwarded_for(line.as_bytes()).count(), commas + 1);
            prop_assert!(forwarded(line.as_bytes()).count() <= commas + 1);
        }
    }
}

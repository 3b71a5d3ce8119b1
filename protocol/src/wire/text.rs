//! Text on the wire, bounded. Player names: cleaning what people type is the server's work; this only carries the result.
//! Addresses: where a session goes on.
//!
//! ```
//! use tickwire_protocol::WsUrl;
//! use tickwire_protocol::text::Name;
//!
//! assert_eq!(Name::truncated("Ada").as_str(), "Ada");
//! assert!(WsUrl::new("wss://play.example/ws").is_some());
//! assert_eq!(WsUrl::new("wss://ada@play.example/ws"), None, "no user in an address");
//! ```

use crate::wire::codec::{BoundedBytes, Decode, Encode, bincode};
use crate::wire::limits::{NAME_BYTES_MAX, WS_URL_BYTES_MAX};

/// A player's name, at most [`NAME_BYTES_MAX`] bytes of UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// The longest prefix of `text` that fits.
    pub fn truncated(text: &str) -> Self {
        let end = (0..=NAME_BYTES_MAX.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        Self(text.get(..end).unwrap_or_default().to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Encode for Name {
    fn encode<E: bincode::enc::Encoder>(&self, encoder: &mut E) -> Result<(), bincode::error::EncodeError> {
        self.0.encode(encoder)
    }
}

impl<Context> Decode<Context> for Name {
    fn decode<D: bincode::de::Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, bincode::error::DecodeError> {
        let bytes = BoundedBytes::<NAME_BYTES_MAX>::decode(decoder)?;
        // Without a copy.
        String::from_utf8(bytes.into_inner()).map(Self).map_err(|_| bincode::error::DecodeError::Other("name is not UTF-8"))
    }
}

impl<'de, Context> bincode::de::BorrowDecode<'de, Context> for Name {
    fn borrow_decode<D: bincode::de::BorrowDecoder<'de, Context = Context>>(decoder: &mut D) -> Result<Self, bincode::error::DecodeError> {
        Self::decode(decoder)
    }
}

/// Where to connect: what `ws_url` is in an answer of the HTTP API. A whole `ws://` or `wss://` URL, or a path relative to the
/// server's base; at most [`WS_URL_BYTES_MAX`] bytes of printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WsUrl(BoundedBytes<WS_URL_BYTES_MAX>);

impl WsUrl {
    /// The address, if it is one. `None` for another scheme, for one with a user in it (`user@host`), for a host without a
    /// scheme, and for characters that stand in no URL.
    pub fn new(url: &str) -> Option<Self> {
        BoundedBytes::new(url.into()).map(Self).filter(Self::is_address)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.0.as_slice()).unwrap_or_default()
    }

    /// Whether it is an address, as [`WsUrl::new`] takes them. What was received is only known to be printable ASCII, because a
    /// browser has better means to check the rest than its module has room.
    pub fn is_address(&self) -> bool {
        let url = self.as_str();
        if !url.bytes().all(is_known) {
            return false;
        }
        if let Some(rest) = url.strip_prefix("ws://").or_else(|| url.strip_prefix("wss://")) {
            let host = rest.split(['/', '?']).next().unwrap_or_default();
            !host.is_empty() && !host.starts_with(':') && !host.contains('@')
        } else {
            let path = url.split('?').next().unwrap_or_default();
            !path.is_empty() && !path.starts_with("//") && !path.contains(':')
        }
    }
}

/// Whether it stands in URLs, but for the `#` of a fragment.
fn is_known(byte: u8) -> bool {
    matches!(byte, b'!' | b'$'..=b';' | b'=' | b'?'..=b'[' | b']' | b'_' | b'a'..=b'z' | b'~')
}

impl Encode for WsUrl {
    fn encode<E: bincode::enc::Encoder>(&self, encoder: &mut E) -> Result<(), bincode::error::EncodeError> {
        self.0.encode(encoder)
    }
}

impl<Context> Decode<Context> for WsUrl {
    fn decode<D: bincode::de::Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, bincode::error::DecodeError> {
        let url = BoundedBytes::decode(decoder)?;
        if url.as_slice().iter().all(u8::is_ascii_graphic) { Ok(Self(url)) } else { Err(bincode::error::DecodeError::Other("no address")) }
    }
}

impl<'de, Context> bincode::de::BorrowDecode<'de, Context> for WsUrl {
    fn borrow_decode<D: bincode::de::BorrowDecoder<'de, Context = Context>>(decoder: &mut D) -> Result<Self, bincode::error::DecodeError> {
        Self::decode(decoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::codec::{DecodeError, decode, encode};

    #[test]
    fn an_address_is_a_web_socket_or_a_path_below_the_base() {
        let long = format!("ws?guest={}", "5".repeat(WS_URL_BYTES_MAX - 9));
        for url in [
            "ws",
            "ws?guest=5c",
            "/ws",
            "n/b/ws?guest=a:b/../c@d",
            "ws://127.0.0.1:4002/ws?guest=5c",
            "wss://b.play.example/n/b/ws",
            "wss://[::1]:4002/ws",
            &long,
        ] {
            assert_eq!(WsUrl::new(url).map(|url| url.as_str().to_owned()).as_deref(), Some(url));
        }
        let longer = format!("{long}5");
        for other in [
            "",
            "?guest=5c",
            "//evil.example/ws",
            "http://play.example/ws",
            "javascript:alert(1)",
            "WS://play.example/",
            "ws://",
            "ws:///ws",
            "ws://:80/ws",
            "wss://user:word@play.example/ws",
            "ws://play.example/ws#part",
            "ws://play.example\\@evil.example/",
            "w s",
            "ws\n",
            "wś",
            &longer,
        ] {
            assert_eq!(WsUrl::new(other), None, "{other:?}");
            match decode::<WsUrl, 1024>(&encode(&other.to_owned())) {
                Ok(url) => assert!(!url.is_address(), "{other:?}"),
                Err(error) => assert_eq!(error, DecodeError::Malformed, "{other:?}"),
            }
        }
        for other in ["w s", "ws\n", "wś", &longer] {
            assert!(decode::<WsUrl, 1024>(&encode(&other.to_owned())).is_err(), "{other:?}");
        }
    }
}

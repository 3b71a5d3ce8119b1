//! Text on the wire, bounded. Player names: cleaning what people type is the server's work; this only carries the result.
//! Addresses: where a session goes on.

use crate::codec::{Decode, Encode, bincode};
use crate::limits::{NAME_BYTES_MAX, WS_URL_BYTES_MAX};

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
        use crate::codec::BoundedBytes;
        let bytes = BoundedBytes::<NAME_BYTES_MAX>::decode(decoder)?;
        match core::str::from_utf8(bytes.as_slice()) {
            Ok(text) => Ok(Self(text.to_owned())),
            Err(_) => Err(bincode::error::DecodeError::Other("name is not UTF-8")),
        }
    }
}

impl<'de, Context> bincode::de::BorrowDecode<'de, Context> for Name {
    fn borrow_decode<D: bincode::de::BorrowDecoder<'de, Context = Context>>(decoder: &mut D) -> Result<Self, bincode::error::DecodeError> {
        Self::decode(decoder)
    }
}

/// Where to connect: what `ws_url` is in an answer of the HTTP API. A whole `ws://` or `wss://` URL, or a path relative to the
/// server's base; at most [`WS_URL_BYTES_MAX`] bytes of printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WsUrl(String);

impl WsUrl {
    /// The address, if it is one. `None` for another scheme, for one with a user in it (`user@host`), for a host without a
    /// scheme, and for characters that stand in no URL.
    pub fn new(url: &str) -> Option<Self> {
        let is_known = |byte: u8| byte.is_ascii_graphic() && !br##""#<>\^`{|}"##.contains(&byte);
        if url.len() > WS_URL_BYTES_MAX || !url.bytes().all(is_known) {
            return None;
        }
        let scheme = url.strip_prefix("ws://").or_else(|| url.strip_prefix("wss://"));
        let is_place = scheme.map_or_else(|| is_relative(url), has_host);
        is_place.then(|| Self(url.to_owned()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Neither a scheme nor a host of its own.
fn is_relative(url: &str) -> bool {
    let path = url.split('?').next().unwrap_or_default();
    !path.is_empty() && !path.starts_with("//") && !path.contains(':')
}

fn has_host(rest: &str) -> bool {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    !authority.is_empty() && !authority.starts_with(':') && !authority.contains('@')
}

impl Encode for WsUrl {
    fn encode<E: bincode::enc::Encoder>(&self, encoder: &mut E) -> Result<(), bincode::error::EncodeError> {
        self.0.encode(encoder)
    }
}

impl<Context> Decode<Context> for WsUrl {
    fn decode<D: bincode::de::Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, bincode::error::DecodeError> {
        use crate::codec::BoundedBytes;
        let bytes = BoundedBytes::<WS_URL_BYTES_MAX>::decode(decoder)?;
        let url = core::str::from_utf8(bytes.as_slice()).ok().and_then(Self::new);
        url.ok_or(bincode::error::DecodeError::Other("not an address to connect to"))
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
    use crate::codec::{DecodeError, decode, encode};

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
            let bytes = encode(&other.to_owned());
            assert_eq!(decode::<WsUrl, 1024>(&bytes), Err(DecodeError::Malformed), "{other:?}");
        }
    }
}

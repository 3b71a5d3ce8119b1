//! What a connection begins with where a PROXY header is expected.
//!
//! Input: the stream.

use tickwire_server::http::proxy_header::{Malformed, Parsed, V1_BYTES_MAX, V2_BYTES_MAX, looks_like_one, parse_v1, parse_v2};

/// More than the longest header.
const INPUT_BYTES_MAX: usize = 4096;

fn check(stream: &[u8], bytes_max: usize, parse: fn(&[u8]) -> Result<Parsed, Malformed>) {
    let whole = parse(stream);
    let Ok(Parsed::Complete { bytes, .. }) = whole else {
        assert!(whole != Ok(Parsed::Incomplete) || stream.len() < bytes_max, "more is waited for than a header");
        return;
    };
    assert!(bytes <= stream.len() && bytes <= bytes_max, "a header longer than the stream, or than may be");
    assert!(looks_like_one(stream), "a header that does not look like one");
    assert_eq!(parse(&stream[..bytes]), whole, "what follows a header says nothing of it");
    for end in 0..bytes {
        assert_eq!(parse(&stream[..end]), Ok(Parsed::Incomplete), "a header is taken before its end");
    }
}

/// Tries it.
pub fn run(bytes: &[u8]) {
    if bytes.len() <= INPUT_BYTES_MAX {
        check(bytes, V1_BYTES_MAX, parse_v1);
        check(bytes, V2_BYTES_MAX, parse_v2);
    }
}

//! A forwarding header that a stranger has begun and a trusted proxy has ended.
//!
//! Input: four bytes for the address that the proxy appends, and the rest is the stranger's.

use std::net::{IpAddr, Ipv4Addr};

use tickwire_server::http::forwarded::{forwarded, x_forwarded_for};

/// As much as a request's head holds.
const INPUT_BYTES_MAX: usize = 8192;

/// Tries it.
pub fn run(bytes: &[u8]) {
    let Some((address, stranger)) = bytes.split_first_chunk::<4>() else { return };
    if stranger.len() > INPUT_BYTES_MAX {
        return;
    }
    let address = Ipv4Addr::from(*address);
    let commas = stranger.split(|byte| *byte == b',').count() - 1;
    assert_eq!(x_forwarded_for(stranger).count(), commas + 1, "a hop between two commas");
    assert!(forwarded(stranger).count() <= commas + 1, "more hops than commas part");
    let appended = |text: String| [stranger, b", ", text.as_bytes()].concat();
    let told = Some(Some(IpAddr::V4(address)));
    assert_eq!(x_forwarded_for(&appended(address.to_string())).next(), told, "a stranger changes what a proxy appends");
    for element in [format!("for={address}"), format!("for=\"{address}:80\";proto=https"), format!("proto=https;by=_x;For={address}")] {
        assert_eq!(forwarded(&appended(element)).next(), told, "a stranger changes what a proxy appends");
    }
}

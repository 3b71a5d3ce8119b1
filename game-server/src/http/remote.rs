//! Whom a request comes from: the connection it came over, and the client it is for.

use std::sync::Arc;

use http::HeaderMap;

use super::address::{ClientAddress, PeerAddress};
use super::caps::ConnectionPermit;

/// The other end of a request. In every request's extensions.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    /// Who the request is for.
    pub(crate) client: ClientAddress,
    /// The place of its connection under the caps.
    pub(crate) permit: Arc<ConnectionPermit>,
}

impl Remote {
    /// Of a request with these headers that came over a connection of `peer`.
    pub(super) fn new(peer: PeerAddress, permit: Arc<ConnectionPermit>, headers: &HeaderMap) -> Self {
        Self { client: client(peer, headers), permit }
    }
}

#[cfg(test)]
impl Remote {
    /// Somebody at `address`, for tests of what is behind the listener.
    pub(crate) fn made_up(address: std::net::IpAddr) -> Self {
        let peer = PeerAddress::new(address);
        let permit = super::caps::Caps::of(1, 1, 1).admit(peer);
        Self::new(peer, permit.expect("room"), &HeaderMap::new())
    }
}

/// Who a request is for: whoever connected. This is the only place that says so; no header is
/// believed.
fn client(peer: PeerAddress, _headers: &HeaderMap) -> ClientAddress {
    peer.as_client()
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn what_a_request_says_of_its_address_is_not_believed() {
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let mut headers = HeaderMap::new();
        for name in ["x-forwarded-for", "x-real-ip", "forwarded", "cf-connecting-ip"] {
            headers.insert(name, "198.51.100.7".parse().expect("a header"));
        }
        assert_eq!(client(PeerAddress::new(address), &headers).ip(), address);
    }
}

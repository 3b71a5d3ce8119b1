//! Which proxies are trusted, and which client they say a request is for.
//!
//! Invariant: what nobody trusted says changes nothing. The client is the nearest hop that is not
//! trusted; where the chain cannot be read any further, the last hop that could be.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderMap;
use http::header::{FORWARDED, HeaderName};
use ipnet::IpNet;

use super::address::{AddressKey, ClientAddress, PeerAddress};
use super::forwarded;
use super::table::ExpiringTable;
use crate::config::{ForwardingHeader, ProxyConfig, ProxyProtocol, networks};

/// Hops that are looked at: more proxies than anybody chains.
const HOPS_MAX: usize = 16;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The log has one line about a peer and what is wrong with it in this time.
const TOLD_AGAIN: Duration = Duration::from_hours(1);
/// Lines there are at most in that time.
const TOLD_MAX: usize = 256;

/// The proxies in front of the server.
#[derive(Debug)]
pub(crate) struct Proxies {
    trusted: Vec<IpNet>,
    header: ForwardingHeader,
    protocol: ProxyProtocol,
    told: Mutex<ExpiringTable<(AddressKey, &'static str), ()>>,
}

impl Proxies {
    /// As the operator set them. What is no network trusts nobody.
    pub(crate) fn new(config: &ProxyConfig) -> Self {
        Self {
            trusted: networks(&config.trusted).flatten().collect(),
            header: config.header,
            protocol: config.protocol,
            told: Mutex::new(ExpiringTable::new(TOLD_MAX)),
        }
    }

    /// As `config` says, for a listener whose connections begin with no PROXY header: only the
    /// players' proxy sends one, and operators connect beside it.
    pub(crate) fn without_protocol(config: &ProxyConfig) -> Self {
        Self { protocol: ProxyProtocol::Off, ..Self::new(config) }
    }

    /// Whether everybody is believed: then there are no limits by address.
    pub(crate) fn trusts_everybody(&self) -> bool {
        self.trusted.iter().any(|network| network.prefix_len() == 0)
    }

    /// Whether what `peer` says of its clients is believed.
    pub(crate) fn trusts(&self, peer: PeerAddress) -> bool {
        self.trusts_address(peer.as_client().ip())
    }

    /// What a connection of `peer` begins with.
    pub(super) fn protocol_of(&self, peer: PeerAddress) -> ProxyProtocol {
        if self.trusts(peer) { self.protocol } else { ProxyProtocol::Off }
    }

    /// Whether the operator was not told of this lately.
    pub(crate) fn is_news(&self, now: Instant, peer: PeerAddress, what: &'static str) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (peer.key(), what);
        told.get_mut(now, &key).is_none() && told.insert(now, key, (), now + TOLD_AGAIN).is_ok()
    }

    /// Who a request of `peer` is for.
    pub(super) fn client(&self, peer: PeerAddress, headers: &HeaderMap) -> ClientAddress {
        let nearest = peer.as_client();
        if !self.trusts(peer) {
            return nearest;
        }
        match self.header {
            ForwardingHeader::XForwardedFor => self.walk(nearest, lines(headers, &X_FORWARDED_FOR).flat_map(forwarded::x_forwarded_for)),
            ForwardingHeader::Forwarded => self.walk(nearest, lines(headers, &FORWARDED).flat_map(forwarded::forwarded)),
            ForwardingHeader::None => nearest,
        }
    }

    /// The first of `hops` that is not trusted, or the last that could be read.
    fn walk(&self, nearest: ClientAddress, hops: impl Iterator<Item = Option<IpAddr>>) -> ClientAddress {
        let mut client = nearest;
        for hop in hops.take(HOPS_MAX) {
            let Some(hop) = hop else { break };
            client = ClientAddress::new(hop);
            if !self.trusts_address(hop) {
                break;
            }
        }
        client
    }

    fn trusts_address(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }
}

/// The lines of a header, the last one first: proxies append.
fn lines<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    headers.get_all(name).iter().rev().map(http::HeaderValue::as_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(trusted: &[&str], header: ForwardingHeader) -> Proxies {
        let trusted = trusted.iter().map(|network| (*network).to_owned()).collect();
        Proxies::new(&ProxyConfig { trusted, header, ..ProxyConfig::default() })
    }

    fn client(proxies: &Proxies, peer: &str, lines: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().expect("a header"));
        }
        let peer = PeerAddress::new(peer.parse().expect("an address"));
        proxies.client(peer, &headers).to_string()
    }

    const X: &str = "x-forwarded-for";
    const F: &str = "forwarded";

    #[test]
    fn nobody_is_believed_by_default_and_strangers_never() {
        let every = [(X, "198.51.100.7"), (F, "for=198.51.100.7"), ("x-real-ip", "198.51.100.7"), ("cf-connecting-ip", "198.51.100.7")];
        let nobody = proxies(&[], ForwardingHeader::XForwardedFor);
        assert_eq!(client(&nobody, "192.0.2.1", &every), "192.0.2.1");
        assert_eq!(client(&nobody, "127.0.0.1", &every), "127.0.0.1");
        assert_eq!(client(&proxies(&["10.0.0.0/8"], ForwardingHeader::XForwardedFor), "192.0.2.1", &every), "192.0.2.1");
    }

    #[test]
    fn the_client_is_the_nearest_hop_that_is_not_trusted() {
        let proxies = proxies(&["10.0.0.0/8", "2001:db8:f::/48"], ForwardingHeader::XForwardedFor);
        assert_eq!(client(&proxies, "10.0.0.1", &[(X, "198.51.100.7")]), "198.51.100.7");
        assert_eq!(client(&proxies, "10.0.0.1", &[(X, "6.6.6.6, 198.51.100.7, 10.9.9.9")]), "198.51.100.7", "the rest is hearsay");
        assert_eq!(client(&proxies, "::ffff:10.0.0.1", &[(X, "6.6.6.6, ::ffff:198.51.100.7, ::ffff:10.9.9.9")]), "198.51.100.7");
        assert_eq!(client(&proxies, "2001:db8:f::1", &[(X, "2001:db8::7, 10.0.0.2")]), "2001:db8::7");
        assert_eq!(client(&proxies, "10.0.0.1", &[(X, "6.6.6.6"), (X, "198.51.100.7, 10.0.0.3"), (X, "10.0.0.2")]), "198.51.100.7");
        assert_eq!(client(&proxies, "10.0.0.1", &[(X, "10.0.0.3, 10.0.0.2")]), "10.0.0.3", "a proxy asks for itself");
        assert_eq!(client(&proxies, "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn garbage_ends_the_chain_at_the_last_hop_that_could_be_read() {
        let proxies = proxies(&["10.0.0.0/8"], ForwardingHeader::XForwardedFor);
        assert_eq!(client(&proxies, "10.0.0.1", &[(X, "6.6.6.6, unknown")]), "10.0.0.1");
        assert_eq!(client(&proxies, "10.0.0.1", &[(X, "6.6.6.6, \"x, 10.0.0.2")]), "10.0.0.2");
        assert_eq!(client(&proxies, "10.0.0.1", &[(X, "6.6.6.6, , 10.0.0.2")]), "10.0.0.2");
        assert_eq!(client(&proxies, "10.0.0.1", &[(X, &["6.6.6.6", &", 10.0.0.2".repeat(HOPS_MAX)].concat())]), "10.0.0.2", "bounded");
    }

    #[test]
    fn only_the_header_that_was_named_counts() {
        let both = [(X, "192.0.2.1"), (F, "for=198.51.100.7")];
        let by = |header| client(&proxies(&["10.0.0.1"], header), "10.0.0.1", &both);
        assert_eq!(by(ForwardingHeader::XForwardedFor), "192.0.2.1");
        assert_eq!(by(ForwardingHeader::Forwarded), "198.51.100.7");
        assert_eq!(by(ForwardingHeader::None), "10.0.0.1");
    }
}

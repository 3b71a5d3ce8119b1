//! Whom a request comes from: the connection it came over, and the client it is for.

use std::sync::Arc;
use std::time::Instant;

use http::HeaderMap;

use super::address::{ClientAddress, PeerAddress};
use super::caps::ConnectionPermit;
use super::proxies::Proxies;
use crate::metrics::Reject;

/// The other end of a request. In every request's extensions.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    /// Who the request is for.
    pub(crate) client: ClientAddress,
    /// The trusted proxy that passed it on, if one did.
    pub(crate) proxy: Option<PeerAddress>,
    /// The place of its connection under the caps.
    pub(crate) permit: Arc<ConnectionPermit>,
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// Who connected, as the kernel says.
    pub(super) peer: PeerAddress,
    /// Whom a PROXY header named, of a peer that is believed.
    pub(super) named: Option<PeerAddress>,
}

impl Origin {
    /// The one that is believed to be there.
    pub(super) fn nearest(self) -> PeerAddress {
        self.named.unwrap_or(self.peer)
    }
}

impl Remote {
    /// Of a request with these headers. This is the only place that says who it is for. Its
    /// connection counts for that client while it is answered; `Err` if that client has no room.
    pub(super) fn new(
        proxies: &Proxies,
        origin: Origin,
        permit: Arc<ConnectionPermit>,
        headers: &HeaderMap,
    ) -> Result<Self, (ClientAddress, Reject)> {
        let nearest = origin.nearest();
        let client = proxies.client(nearest, headers);
        let proxy = Some(origin.peer).filter(|peer| proxies.trusts(*peer));
        // A proxy that does not say for whom it asks is not counted as if it were a client.
        if client != nearest.as_client() {
            permit.serves(client).map_err(|reject| (client, reject))?;
        }
        Ok(Self { client, proxy, permit })
    }

    /// Tells the operator of a proxy that passed on a player's request and did not say whose.
    pub(super) fn tell_if_nobodys(&self, proxies: &Proxies, path: &str) {
        let is_nobodys = self.proxy.is_some_and(|proxy| proxy.as_client() == self.client);
        // What asks for the page may be a check of whether the server lives.
        if let Some(proxy) = self.proxy.filter(|_| is_nobodys && path.starts_with("/api/"))
            && proxies.is_news(Instant::now(), proxy, NOBODYS)
        {
            tracing::warn!(%proxy, remedy = NOBODYS, "a trusted proxy does not say for whom it asks: all its players are one client");
        }
    }
}

/// What mends it.
const NOBODYS: &str = "let it set the header that proxies.header names (nginx: proxy_set_header X-Forwarded-For $remote_addr), or send a \
                       PROXY header and set proxies.protocol";

#[cfg(test)]
impl Remote {
    /// Somebody at `address`, for tests of what is behind the listener.
    pub(crate) fn made_up(address: std::net::IpAddr) -> Self {
        let peer = PeerAddress::new(address);
        let permit = super::caps::Caps::of(1, 1, 1).admit(peer).expect("room");
        Self { client: peer.as_client(), proxy: None, permit }
    }
}

#[cfg(test)]
mod tests {
    use super::super::caps::Caps;
    use super::*;
    use crate::config::ProxyConfig;

    fn peer(address: &str) -> PeerAddress {
        PeerAddress::new(address.parse().expect("an address"))
    }

    fn proxies() -> Proxies {
        Proxies::new(&ProxyConfig { trusted: vec!["10.0.0.0/8".to_owned()], ..ProxyConfig::default() })
    }

    fn asks(origin: Origin, permit: &Arc<ConnectionPermit>, header: &'static str) -> Result<Remote, Reject> {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", http::HeaderValue::from_static(header));
        Remote::new(&proxies(), origin, Arc::clone(permit), &headers).map_err(|(_, reject)| reject)
    }

    #[test]
    fn a_request_is_its_clients_and_tells_of_the_proxy() {
        let caps = Caps::of(9, 9, 9);
        let direct = asks(Origin { peer: peer("192.0.2.1"), named: None }, &caps.admit(peer("192.0.2.1")).expect("room"), "6.6.6.6");
        let direct = direct.expect("room");
        assert_eq!((direct.client.to_string().as_str(), direct.proxy), ("192.0.2.1", None));
        let origin = Origin { peer: peer("10.0.0.1"), named: None };
        let through = asks(origin, &caps.admit_proxy().expect("room"), "6.6.6.6, 192.0.2.1").expect("room");
        assert_eq!((through.client.to_string().as_str(), through.proxy), ("192.0.2.1", Some(peer("10.0.0.1"))));
        let nobodys = asks(origin, &caps.admit_proxy().expect("room"), "unknown").expect("room");
        assert_eq!((nobodys.client.to_string().as_str(), nobodys.proxy), ("10.0.0.1", Some(peer("10.0.0.1"))));
    }

    #[test]
    fn a_header_of_whom_a_proxy_protocol_names_is_a_strangers() {
        let caps = Caps::of(9, 9, 9);
        let named = |address| Origin { peer: peer("10.0.0.1"), named: Some(peer(address)) };
        let through = |origin| asks(origin, &caps.admit_proxy().expect("room"), "6.6.6.6").expect("room").client.to_string();
        assert_eq!(through(named("192.0.2.1")), "192.0.2.1");
        assert_eq!(through(named("10.0.0.2")), "6.6.6.6", "another trusted proxy's, in front of the first");
    }

    #[test]
    fn one_clients_connections_are_limited_and_not_the_proxys() {
        let caps = Caps::of(9, 1, 9);
        let origin = Origin { peer: peer("10.0.0.1"), named: None };
        let [first, second] = [(); 2].map(|()| caps.admit_proxy().expect("room"));
        asks(origin, &first, "192.0.2.1").expect("room");
        assert!(first.authenticate());
        assert_eq!(asks(origin, &second, "192.0.2.1").err(), Some(Reject::PerAddress));
        assert!(asks(origin, &second, "192.0.2.2").is_ok());
        assert!(asks(origin, &caps.admit_proxy().expect("room"), "unknown").is_ok());
    }
}

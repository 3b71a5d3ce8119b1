//! Which pages may open WebSockets here, call the API, and show the page in a frame.
//!
//! A browser sends `Origin` with every WebSocket handshake and no page can forge it, so a page of
//! another site is refused (cross-site WebSocket hijacking). Programs that are no browser send
//! none, and none is accepted: such a program could send any origin it liked, and nothing here is
//! authorised by a cookie that a browser would add by itself. What a page of another site loads as
//! if it were a picture comes without `Origin`, too: there browsers say that the site is another.

use std::sync::Arc;

use http::header::{HOST, HeaderName, ORIGIN};
use http::{HeaderMap, HeaderValue};

use super::neighbours::Neighbours;
use crate::config::origin::Origin;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The server's own origin, and those the operator allows.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllowedOrigins {
    listed: Vec<Origin>,
    neighbours: Arc<Neighbours>,
}

impl AllowedOrigins {
    /// Allows `origins` besides the server's own. What is no origin allows nothing.
    pub(crate) fn new(origins: &[String]) -> Self {
        Self { listed: origins.iter().filter_map(|origin| Origin::parse(origin)).collect(), neighbours: Arc::default() }
    }

    /// Allows the origins of the other servers of a cluster too.
    pub(crate) fn with(self, neighbours: Arc<Neighbours>) -> Self {
        Self { neighbours, ..self }
    }

    /// The other servers of a cluster.
    pub(crate) fn neighbours(&self) -> &Arc<Neighbours> {
        &self.neighbours
    }

    /// Whether an `Origin` is among those the operator allows.
    pub(crate) fn list(&self, origin: &HeaderValue) -> bool {
        origin.to_str().ok().and_then(Origin::parse).is_some_and(|origin| self.listed.contains(&origin))
    }

    /// Those the operator allows.
    pub(crate) fn listed(&self) -> &[Origin] {
        &self.listed
    }

    /// Whether a request with these headers may go on.
    pub(crate) fn allow(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else { return !is_of_another_site(headers) };
        if origins.next().is_some() {
            return false;
        }
        let Some(origin) = origin.to_str().ok().and_then(Origin::parse) else { return false };
        let own = headers.get(HOST).and_then(|host| host.to_str().ok()).is_some_and(|host| origin.is_at(host));
        own || self.listed.contains(&origin) || self.neighbours.have(&origin)
    }
}

/// Whether a page of another site has this loaded. To follow a link is no such thing.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    let says = |name: &HeaderName, what: &[&str]| headers.get(name).is_some_and(|value| what.iter().any(|what| value == what));
    says(&FETCH_SITE, &["cross-site", "same-site"]) && says(&FETCH_MODE, &["no-cors"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(list: &[&str], host: &str, origin: Option<&str>) -> bool {
        let list: Vec<String> = list.iter().map(|origin| (*origin).to_owned()).collect();
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().expect("a header"));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().expect("a header"));
        }
        AllowedOrigins::new(&list).allow(&headers)
    }

    #[test]
    fn the_own_page_and_programs_without_origin_are_let_in() {
        assert!(allowed(&[], "127.0.0.1:8080", None));
        assert!(allowed(&[], "127.0.0.1:8080", Some("http://127.0.0.1:8080")));
        assert!(allowed(&[], "[::1]:8080", Some("http://[::1]:8080")));
        assert!(allowed(&[], "play.example", Some("https://play.example")), "behind a proxy that ends TLS");
        assert!(allowed(&[], "play.example", Some("https://Play.Example:443")));
        assert!(allowed(&[], "play.example:443", Some("https://play.example")));
    }

    #[test]
    fn look_alikes_are_refused() {
        let others = [
            "null",
            "",
            "http://evil.example",
            "http://play.example.evil.example",
            "http://evilplay.example",
            "http://sub.play.example",
            "http://play.example:8081",
            "http://play.example:80",
            "http://play.example:8080/",
            "http://play.example:8080@evil.example",
            "http://evil@play.example:8080",
            "play.example:8080",
            "ftp://play.example:8080",
            "http://play.example:",
            "http://play.example:08080x",
            "http://play.example;x:8080",
        ];
        for origin in others {
            assert!(!allowed(&["https://friend.example"], "play.example:8080", Some(origin)), "{origin:?}");
        }
    }

    #[test]
    fn a_listed_origin_is_matched_exactly() {
        let list = ["https://cdn.example"];
        assert!(allowed(&list, "play.example", Some("https://cdn.example")));
        assert!(!allowed(&list, "play.example", Some("http://cdn.example")), "another scheme");
        assert!(!allowed(&list, "play.example", Some("https://cdn.example:444")), "another port");
    }

    #[test]
    fn what_another_site_loads_without_saying_its_origin_is_refused() {
        let is_allowed = |site: &'static str, mode: &'static str| {
            let headers = [(FETCH_SITE, site), (FETCH_MODE, mode)].map(|(name, value)| (name, HeaderValue::from_static(value)));
            AllowedOrigins::default().allow(&headers.into_iter().collect())
        };
        assert!(!is_allowed("cross-site", "no-cors") && !is_allowed("same-site", "no-cors"));
        for (site, mode) in [("cross-site", "navigate"), ("none", "navigate"), ("same-origin", "no-cors"), ("same-origin", "cors")] {
            assert!(is_allowed(site, mode), "{site} {mode}");
        }
    }

    #[test]
    fn two_origins_are_none() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "a.example".parse().expect("a header"));
        headers.append(ORIGIN, "http://a.example".parse().expect("a header"));
        headers.append(ORIGIN, "http://b.example".parse().expect("a header"));
        assert!(!AllowedOrigins::default().allow(&headers));
    }
}

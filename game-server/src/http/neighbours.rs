//! The other servers of a cluster. Their pages and WebSockets are ours too: a page from one server
//! plays on another.

use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use crate::config::origin::Origin;

/// The other servers. Rewritten when they change.
#[derive(Debug, Default)]
pub struct Neighbours(RwLock<Arc<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// Where their pages come from.
    origins: Vec<Origin>,
    /// Where a page may connect to, as a content policy has it: each with a blank before it.
    sources: String,
}

impl Neighbours {
    /// The others are at these addresses, `http` or `https` URLs.
    pub(crate) fn are<'a>(&self, addresses: impl Iterator<Item = &'a str>) {
        let mut known = Known::default();
        for origin in addresses.filter_map(|address| Origin::parse(root(address)?)) {
            // Writing to a text cannot fail.
            let _ = write!(known.sources, " {origin} {}", origin.websocket());
            known.origins.push(origin);
        }
        if known.sources != self.known().sources {
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
        }
    }

    /// Whether a page from there is ours.
    pub(crate) fn have(&self, origin: &Origin) -> bool {
        self.known().origins.contains(origin)
    }

    /// Where our page may connect to, to be added to a content policy.
    pub(crate) fn add_sources(&self, policy: &mut String) {
        policy.push_str(&self.known().sources);
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Scheme, host and port of a URL.
fn root(address: &str) -> Option<&str> {
    let host = address.find("://")? + 3;
    let end = address.get(host..)?.find('/').map_or(address.len(), |slash| host + slash);
    address.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbours_page_is_ours_and_ours_may_connect_there() {
        let neighbours = Neighbours::default();
        neighbours.are(["http://127.0.0.1:4001/", "https://play.example/n/b/"].into_iter());
        let has = |origin| neighbours.have(&Origin::parse(origin).expect("an origin"));
        assert!(has("http://127.0.0.1:4001") && has("https://play.example") && !has("http://127.0.0.1:4002"));
        let mut policy = "connect-src 'self'".to_owned();
        neighbours.add_sources(&mut policy);
        let expected = "connect-src 'self' http://127.0.0.1:4001 ws://127.0.0.1:4001 https://play.example wss://play.example";
        assert_eq!(policy, expected);
        neighbours.are(std::iter::empty());
        assert!(!has("https://play.example"));
    }
}

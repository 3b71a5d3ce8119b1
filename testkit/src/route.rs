//! Where a match is reached: the address that the server named last, and others that lead to it. As
//! the page does; see "Several servers" in `docs/PROTOCOL.md`.
//!
//! Invariant: at most [`MOVES_MAX`] moves in a row are followed at once.

use std::time::Duration;

use tickwire_game::Rng;
use tickwire_protocol::WsUrl;

/// Moves in a row without a Welcome that are followed without a wait.
pub const MOVES_MAX: u32 = 4;
/// Other addresses that are kept.
const OTHERS_MAX: usize = 8;
/// Until a match that lost its server is taken over, its players ask for it often.
const PAUSE: std::ops::Range<u32> = 80..320;
/// So many tries take about as long as a server's lease and its takeover, a few times over.
const QUICK_TRIES: u32 = 24;

/// The addresses of one seat.
#[derive(Clone, Debug)]
pub struct Route {
    /// Paths from the root of the server that the API is on, or whole URLs.
    addresses: Vec<String>,
    index: usize,
    moves: u32,
    pauses: u32,
}

impl Route {
    /// As the answer to a join has them.
    pub fn new(ws_url: &str, alternates: &[String]) -> Self {
        let mut route = Self { addresses: vec![ws_url.to_owned()], index: 0, moves: 0, pauses: 0 };
        for other in alternates.iter().take(OTHERS_MAX) {
            let other = with_query(other, ws_url);
            if !route.addresses.contains(&other) {
                route.addresses.push(other);
            }
        }
        route
    }

    /// Where to connect now.
    pub fn address(&self) -> &str {
        self.addresses.get(self.index).map_or("", String::as_str)
    }

    /// The host and port of the address; `None` of a path.
    pub fn authority(&self) -> Option<&str> {
        self.address().split_once("://")?.1.split(['/', '?']).next()
    }

    /// Whether there is another place to try.
    pub fn has_others(&self) -> bool {
        self.addresses.len() > 1
    }

    /// The server named another address. Says whether to go there without a wait.
    pub fn move_to(&mut self, url: &WsUrl) -> bool {
        if !url.is_address() {
            return false;
        }
        let url = with_query(&crate::api::from_root(url.as_str().to_owned()), self.address());
        self.put_first(url);
        self.moves += 1;
        self.moves <= MOVES_MAX
    }

    /// What was tried brought neither Welcome nor a reason: the next address is tried.
    pub fn failed(&mut self) {
        self.index = (self.index + 1) % self.addresses.len().max(1);
    }

    /// There was a Welcome.
    pub fn arrived(&mut self) {
        self.put_first(self.address().to_owned());
        (self.moves, self.pauses) = (0, 0);
    }

    /// How long to wait before the next try; `None`: as long as where there is one server.
    pub fn pause(&mut self, rng: &mut Rng) -> Option<Duration> {
        if !self.has_others() || self.pauses >= QUICK_TRIES {
            return None;
        }
        self.pauses += 1;
        Some(Duration::from_millis(u64::from(PAUSE.start + rng.below(PAUSE.end - PAUSE.start))))
    }

    fn put_first(&mut self, url: String) {
        self.addresses.retain(|known| *known != url);
        self.addresses.insert(0, url);
        self.addresses.truncate(OTHERS_MAX + 1);
        self.index = 0;
    }
}

/// The query says whose the connection is: an address that has none takes it from the one before it.
fn with_query(url: &str, before: &str) -> String {
    match before.split_once('?') {
        Some((_, query)) if !url.contains('?') => format!("{url}?{query}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> WsUrl {
        WsUrl::new(text).expect("an address")
    }

    fn route() -> Route {
        Route::new("ws://a:1/ws?guest=5c", &["ws://b:1/ws".to_owned(), "ws://a:1/ws".to_owned()])
    }

    #[test]
    fn a_lost_server_is_tried_first_and_then_the_others_with_short_pauses() {
        let (mut route, mut rng) = (route(), Rng::new(1));
        assert_eq!(route.address(), "ws://a:1/ws?guest=5c");
        route.failed();
        assert_eq!(route.address(), "ws://b:1/ws?guest=5c");
        let pause = route.pause(&mut rng).expect("there are others");
        assert!(pause < Duration::from_millis(320), "{pause:?}");
        route.arrived();
        route.failed();
        route.failed();
        assert_eq!(route.address(), "ws://b:1/ws?guest=5c", "round again to where there was a Welcome");
        let quick = std::iter::from_fn(|| route.pause(&mut rng)).count();
        assert_eq!(quick, QUICK_TRIES as usize, "and not for ever");
        assert_eq!(Route::new("/ws", &[]).pause(&mut rng), None, "one server is waited for");
    }

    #[test]
    fn moves_are_followed_but_not_in_circles() {
        let mut route = route();
        let at_once: Vec<bool> = (0..6).map(|nth| route.move_to(&url(["ws://c:1/ws", "n/d/ws?guest=7"][nth % 2]))).collect();
        assert_eq!(at_once, [true, true, true, true, false, false]);
        assert_eq!(route.address(), "/n/d/ws?guest=7", "a path is from the root here");
        route.arrived();
        assert!(route.move_to(&url("ws://c:1/ws")));
        let nth = (0..30).filter(|nth| route.move_to(&url(&format!("ws://n{nth}:1/ws")))).count();
        assert_eq!(nth, 3);
        assert_eq!(route.addresses.len(), OTHERS_MAX + 1);
    }
}

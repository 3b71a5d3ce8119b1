//! Pages whose WebSocket is refused: the operator is told what mends it, and the page can ask for
//! the cause.
//!
//! A browser tells a page nothing of why its WebSocket failed. So what was refused is remembered
//! for a moment, for `POST /api/connect-check` to answer.
//!
//! Bounded: `TOLD_MAX` pairs of host and origin have a log line, one an hour each, and further ones
//! none until an hour is over; `REMEMBERED_MAX` refusals are remembered, the newest ones.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::header::{HOST, HeaderName, ORIGIN};
use http::{HeaderMap, StatusCode};

use super::address::AddressKey;
use super::problem::Problem;
use super::remote::Remote;
use super::table::ExpiringTable;
use crate::metrics::{self, Reject};

/// The log has one line about a host and origin in this time.
const TOLD_AGAIN: Duration = Duration::from_hours(1);
/// Pairs of host and origin that have a line.
const TOLD_MAX: usize = 256;
/// A page asks for the cause this soon.
const REMEMBERED: Duration = Duration::from_mins(1);
/// Refusals that pages may ask for.
const REMEMBERED_MAX: usize = 1_024;
/// Most characters of a header that are kept and logged.
const HEADER_CHARS_MAX: usize = 200;

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Why a page's WebSocket is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cause {
    /// Its origin is neither the server's own nor an allowed one.
    Origin,
    /// It is not of the operators' listener.
    OperatorsOrigin,
    /// A proxy took the wish to upgrade out of the handshake.
    UpgradeLost,
}

impl Cause {
    /// What the page is told.
    fn problem(self) -> Problem {
        match self {
            Self::Origin | Self::OperatorsOrigin => Problem::new(
                StatusCode::FORBIDDEN,
                "origin_not_allowed",
                "This site is set up wrong: its game server does not accept pages from this address. Its operator finds the remedy \
                 in the server's log.",
            ),
            Self::UpgradeLost => Problem::new(
                StatusCode::FORBIDDEN,
                "upgrade_lost",
                "This site is set up wrong: WebSockets do not get through to its game server. Its operator finds the remedy in the \
                 server's log.",
            ),
        }
    }

    fn remedy(self, origin: &str) -> String {
        match self {
            Self::Origin => format!(
                "if the page comes from here through a proxy, {HOST_REMEDY}; if it is served from elsewhere and is yours, add {origin} to \
                 allowed_origins"
            ),
            Self::OperatorsOrigin => format!("for the proxy in front of the operators' listener: {HOST_REMEDY}"),
            Self::UpgradeLost => {
                "let the proxy pass WebSockets on (nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                                  proxy_set_header Connection upgrade; Apache: upgrade=websocket behind ProxyPass; HAProxy and Caddy do \
                                  it unless told otherwise); deploy/ has whole configurations"
                    .to_owned()
            }
        }
    }
}

/// What lets the server see the `Host` that the browser sent.
const HOST_REMEDY: &str = "let it pass on the browser's Host with its port (nginx: proxy_set_header Host $http_host; Apache: \
                           ProxyPreserveHost On; HAProxy and Caddy do it unless told otherwise; X-Forwarded-Host is not believed; \
                           deploy/ has whole configurations)";

/// What was refused lately.
#[derive(Debug)]
pub(crate) struct Refusals {
    told: Mutex<ExpiringTable<(Cause, String, String), ()>>,
    remembered: Mutex<ExpiringTable<(AddressKey, String), Problem>>,
}

impl Default for Refusals {
    fn default() -> Self {
        Self { told: Mutex::new(ExpiringTable::new(TOLD_MAX)), remembered: Mutex::new(ExpiringTable::new(REMEMBERED_MAX)) }
    }
}

impl Refusals {
    /// A page's WebSocket is refused: the answer to it.
    pub(crate) fn refuse(&self, now: Instant, cause: Cause, remote: &Remote, headers: &HeaderMap) -> Problem {
        if cause != Cause::UpgradeLost {
            metrics::count_reject(Reject::Origin);
        }
        self.tell(now, cause, remote, headers);
        let problem = cause.problem();
        self.remember(now, &problem, remote, headers);
        problem
    }

    /// A page's WebSocket is refused with this answer, which the page cannot read.
    pub(crate) fn remember(&self, now: Instant, problem: &Problem, remote: &Remote, headers: &HeaderMap) {
        let expires = now + problem.retry_after.map_or(REMEMBERED, |wait| wait.min(REMEMBERED));
        lock(&self.remembered).insert_evicting(now, (remote.client.key(), text(headers, &ORIGIN)), problem.clone(), expires);
    }

    /// The answer to a page that asks, if its WebSocket was refused.
    pub(crate) fn recall(&self, now: Instant, remote: &Remote, headers: &HeaderMap) -> Option<Problem> {
        lock(&self.remembered).get_mut(now, &(remote.client.key(), text(headers, &ORIGIN))).cloned()
    }

    /// Logs what mends it, unless that was done lately.
    pub(crate) fn tell(&self, now: Instant, cause: Cause, remote: &Remote, headers: &HeaderMap) {
        let (host, origin) = (text(headers, &HOST), text(headers, &ORIGIN));
        if self.is_news(now, cause, &host, &origin) {
            let (remedy, forwarded_host) = (cause.remedy(&origin), text(headers, &FORWARDED_HOST));
            let (client, proxy) =
                (remote.client, remote.proxy.map_or_else(|| "none that is trusted".to_owned(), |proxy| proxy.to_string()));
            tracing::warn!(?cause, origin, host, forwarded_host, %client, proxy, remedy, "a page cannot open its WebSocket");
        }
    }

    fn is_news(&self, now: Instant, cause: Cause, host: &str, origin: &str) -> bool {
        let mut told = lock(&self.told);
        let key = (cause, host.to_owned(), origin.to_owned());
        told.get_mut(now, &key).is_none() && told.insert(now, key, (), now + TOLD_AGAIN).is_ok()
    }

    /// Forgets what has expired.
    pub(crate) fn purge(&self, now: Instant) {
        lock(&self.told).purge(now);
        lock(&self.remembered).purge(now);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A header's text as far as it is kept; empty if there is none.
fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    let text = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.chars().take(HEADER_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_and_origin_has_a_line_an_hour() {
        let refusals = Refusals::default();
        let start = Instant::now();
        let is_news = |now, host: &str, origin: &str| refusals.is_news(now, Cause::Origin, host, origin);
        assert!(is_news(start, "backend", "https://play.example"));
        assert!(!is_news(start + TOLD_AGAIN / 2, "backend", "https://play.example"));
        assert!(is_news(start, "backend", "https://other.example"));
        assert!(is_news(start, "play.example", "https://other.example"));
        assert!(refusals.is_news(start, Cause::UpgradeLost, "backend", "https://play.example"));
        assert!(is_news(start + TOLD_AGAIN, "backend", "https://play.example"));
    }

    #[test]
    fn a_flood_of_origins_does_not_fill_the_log() {
        let refusals = Refusals::default();
        let start = Instant::now();
        let lines = |now| (0..10_000).filter(|n| refusals.is_news(now, Cause::Origin, "host", &format!("https://{n}.example"))).count();
        assert_eq!((lines(start), lines(start + TOLD_AGAIN / 2), lines(start + TOLD_AGAIN)), (TOLD_MAX, 0, TOLD_MAX));
    }

    #[test]
    fn long_headers_are_cut() {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, "x".repeat(4_000).parse().expect("a header"));
        assert_eq!(text(&headers, &ORIGIN).len(), HEADER_CHARS_MAX);
        assert_eq!(text(&headers, &HOST), "");
    }
}

//! What is counted as it happens: one function per event. A leaf: it imports nothing of ours, so
//! that any room may count.
//!
//! Invariants: no label takes a value that a stranger chose, and none names a player; counting
//! never blocks a tick. The counters are the process's, as the monitoring system sees it; what
//! belongs to a server, `ops` gathers at a scrape.

use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tickwire_protocol::CloseReason;

/// Why a connection or handshake was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reject {
    /// As many connections as there may be.
    Total,
    /// As many from this address as there may be.
    PerAddress,
    /// The oldest of as many strangers as there may be, when another came.
    PushedOut,
    /// Too many WebSocket handshakes from this address.
    HandshakeRate,
    /// A page of another site.
    Origin,
    /// No `Host`, several, or one that the listener does not answer to.
    Host,
    /// Banned, by session or by address.
    Banned,
    /// Closed too often for what it sent, by session or by address.
    Conduct,
    /// The operator's listener was given no token, or a wrong one.
    AdminToken,
    /// A PROXY header that nobody may send, or that did not come.
    ProxyHeader,
    /// The operating system gave no socket.
    AcceptFailed,
}

impl Reject {
    const fn name(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::PerAddress => "per_address",
            Self::PushedOut => "pushed_out",
            Self::HandshakeRate => "handshake_rate",
            Self::Origin => "origin",
            Self::Host => "host",
            Self::Banned => "banned",
            Self::Conduct => "conduct",
            Self::AdminToken => "admin_token",
            Self::ProxyHeader => "proxy_header",
            Self::AcceptFailed => "accept_failed",
        }
    }
}

/// Why somebody was not let into a match, or given no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum NoRoom {
    /// The workers have no time for another match.
    Headroom,
    /// This process runs short of memory.
    Memory,
    /// The address has as many seats as it may have.
    SeatsOfAddress,
}

impl NoRoom {
    const fn name(self) -> &'static str {
        match self {
            Self::Headroom => "headroom",
            Self::Memory => "memory",
            Self::SeatsOfAddress => "seats_of_address",
        }
    }
}

/// What carries messages where no WebSocket gets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SlowerPath {
    /// One response for all of them.
    Stream,
    /// A request for each.
    Poll,
}

impl SlowerPath {
    const fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Poll => "poll",
        }
    }
}

/// Why a connection got no TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TlsFailure {
    /// The two could not agree, or the peer does not speak TLS.
    Handshake,
    /// It took too long.
    Timeout,
    /// This address has shaken hands too often.
    Rate,
}

/// Whatever went wrong between the two is the peer's business.
impl From<std::io::Error> for TlsFailure {
    fn from(_: std::io::Error) -> Self {
        Self::Handshake
    }
}

impl TlsFailure {
    const fn name(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Timeout => "timeout",
            Self::Rate => "rate",
        }
    }
}

/// A connection got no TLS.
pub(crate) fn count_tls_failure(cause: TlsFailure) {
    COUNTERS.tls_failures.get_or_create(&[("cause", cause.name())]).inc();
}

/// A connection over HTTP begins to be read.
pub(crate) fn count_slower_path(path: SlowerPath) {
    COUNTERS.slower_paths.get_or_create(&[("path", path.name())]).inc();
}

/// A session was closed, or a socket refused, with this reason.
pub(crate) fn count_close(reason: CloseReason) {
    COUNTERS.closes.get_or_create(&[("reason", reason.name())]).inc();
}

/// A connection or handshake was turned away.
pub(crate) fn count_reject(cause: Reject) {
    COUNTERS.rejects.get_or_create(&[("cause", cause.name())]).inc();
}

/// A token of the identity provider was refused. `flaw` is one of a few names.
pub(crate) fn count_sign_in_refusal(flaw: &'static str) {
    COUNTERS.sign_in_refusals.get_or_create(&[("flaw", flaw)]).inc();
}

/// A ticket was refused before its match was asked. `flaw` is one of a few names.
pub(crate) fn count_ticket_refusal(flaw: &'static str) {
    COUNTERS.ticket_refusals.get_or_create(&[("flaw", flaw)]).inc();
}

/// Somebody was given no seat, or not let into a match.
pub(crate) fn count_refusal(cause: NoRoom) {
    COUNTERS.refusals.get_or_create(&[("cause", cause.name())]).inc();
}

/// So many matches of a former process go on, and so many do not.
pub(crate) fn count_revivals(revived: usize, lost: usize) {
    COUNTERS.revivals.get_or_create(&[("outcome", "revived")]).inc_by(revived as u64);
    COUNTERS.revivals.get_or_create(&[("outcome", "lost")]).inc_by(lost as u64);
}

/// Matches were made for people who waited in a queue.
pub(crate) fn count_queue_matches(matches: usize) {
    COUNTERS.queue_matches.inc_by(matches as u64);
}

/// Somebody who waited in a queue has got a match, after so long.
pub(crate) fn waited(time: Duration) {
    COUNTERS.queue_waited.observe(time.as_secs_f64());
}

/// A thread's journal cannot be written.
pub(crate) fn journal_degraded() {
    COUNTERS.journals_degraded.inc();
}

/// A thread's journal is written again.
pub(crate) fn journal_recovered() {
    COUNTERS.journals_degraded.dec();
}

/// The API was called. `route` is the pattern that matched.
pub(crate) fn count_api_request(method: &Method, route: &str, status: StatusCode) {
    let method = match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        _ => "other",
    };
    // A wildcard matches what is no route.
    let is_unknown = route.contains('*') || route.is_empty();
    count_request(method, if is_unknown { Cow::Borrowed("unknown") } else { Cow::Owned(route.to_owned()) }, status);
}

/// A file of the page was asked for.
pub(crate) fn count_page_request(status: StatusCode) {
    count_request("GET", "page", status);
}

/// What is counted as it happens.
struct Counters {
    closes: Family<Label, Counter>,
    rejects: Family<Label, Counter>,
    sign_in_refusals: Family<Label, Counter>,
    ticket_refusals: Family<Label, Counter>,
    refusals: Family<Label, Counter>,
    tls_failures: Family<Label, Counter>,
    slower_paths: Family<Label, Counter>,
    revivals: Family<Label, Counter>,
    journals_degraded: Gauge,
    queue_matches: Counter,
    queue_waited: Histogram,
    requests: Family<RequestLabels, Counter>,
}

/// Upper bounds of what people wait for a match, seconds.
const WAITED_S: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0];

static COUNTERS: LazyLock<Counters> = LazyLock::new(|| Counters {
    closes: Family::default(),
    rejects: Family::default(),
    sign_in_refusals: Family::default(),
    ticket_refusals: Family::default(),
    refusals: Family::default(),
    tls_failures: Family::default(),
    slower_paths: Family::default(),
    revivals: Family::default(),
    journals_degraded: Gauge::default(),
    queue_matches: Counter::default(),
    queue_waited: Histogram::new(WAITED_S),
    requests: Family::default(),
});

type Label = [(&'static str, &'static str); 1];
type RequestLabels = [(&'static str, Cow<'static, str>); 3];

fn count_request(method: &'static str, route: impl Into<Cow<'static, str>>, status: StatusCode) {
    let labels = [("method", method.into()), ("route", route.into()), ("status", status.as_u16().to_string().into())];
    COUNTERS.requests.get_or_create(&labels).inc();
}

/// Adds the counters to a registry.
pub(crate) fn register(registry: &mut Registry) {
    registry.register("session_closes", "Sessions closed and sockets refused, by the reason the client was told", COUNTERS.closes.clone());
    registry.register("connection_rejects", "Connections and handshakes turned away, by cause", COUNTERS.rejects.clone());
    let sign_in_refusals = COUNTERS.sign_in_refusals.clone();
    registry.register(
        "sign_in_refusals",
        "Tokens of the identity provider that were refused, by what was wrong with them",
        sign_in_refusals,
    );
    let ticket_refusals = COUNTERS.ticket_refusals.clone();
    registry.register("ticket_refusals", "Tickets refused before their match was asked, by what was wrong with them", ticket_refusals);
    registry.register("admission_refusals", "People given no seat, or not let into their match, by cause", COUNTERS.refusals.clone());
    registry.register("tls_failures", "Connections that got no TLS, by cause", COUNTERS.tls_failures.clone());
    let slower = "Connections over HTTP that began to be read, where no WebSocket gets through, by how they are read";
    registry.register("slower_paths", slower, COUNTERS.slower_paths.clone());
    // There from the start, so that the first one is a change.
    count_revivals(0, 0);
    registry.register("match_revivals", "Matches of a former process, by what became of them", COUNTERS.revivals.clone());
    let degraded = "Threads whose journal cannot be written: their matches would end with the process";
    registry.register("journals_degraded", degraded, COUNTERS.journals_degraded.clone());
    registry.register("queue_matches", "Matches made for people who waited in a queue", COUNTERS.queue_matches.clone());
    let waited = "How long those waited in a queue who got a match";
    registry.register_with_unit("queue_waited", waited, Unit::Seconds, COUNTERS.queue_waited.clone());
    registry.register("http_requests", "HTTP requests, by method, route and status", COUNTERS.requests.clone());
}

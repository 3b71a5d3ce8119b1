//! A page that is served from elsewhere: its origin, once allowed, may use all of the API and show
//! the page in a frame.

#![allow(clippy::expect_used)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::net::SocketAddr;

use harness::Harness;
use http::{Answer, get, guest, request};
use tag::Tag;

const CDN: &str = "https://cdn.example";

fn server() -> Harness {
    Harness::start::<Tag>(|config| config.allowed_origins = vec![CDN.to_owned()])
}

fn preflight(address: SocketAddr, path: &str, origin: &str) -> Answer {
    let headers =
        [("Origin", origin), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization,content-type")];
    request(address, "OPTIONS", path, &headers, "")
}

fn list<'a>(answer: &'a Answer, header: &str) -> Vec<&'a str> {
    answer.header(header).unwrap_or_default().split(',').map(str::trim).collect()
}

#[test]
fn an_allowed_origin_may_ask_anything() {
    let harness = server();
    let address = harness.server.play_addr();
    for path in ["/api/session", "/api/matches", "/api/quick-play", "/api/matches/K7Q2MD/join"] {
        let answer = preflight(address, path, CDN);
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(CDN)), "{path}");
        let (methods, headers) = (list(&answer, "access-control-allow-methods"), list(&answer, "access-control-allow-headers"));
        assert!(methods.contains(&"POST") && headers.contains(&"authorization") && headers.contains(&"content-type"), "{answer:?}");
        assert!(answer.header("access-control-max-age").is_some());
    }
    let bearer = format!("Bearer {}", guest(address));
    let headers = [("Origin", CDN), ("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let answer = request(address, "POST", "/api/matches", &headers, r#"{"mode":"none"}"#);
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (400, Some(CDN)), "refusals can be read too");
    assert!(list(&answer, "vary").contains(&"origin") && list(&answer, "access-control-expose-headers").contains(&"retry-after"));
    assert_eq!(answer.header("access-control-allow-credentials"), None, "nothing goes by cookie");
}

#[test]
fn others_may_not() {
    let harness = server();
    let address = harness.server.play_addr();
    for origin in ["https://evil.example", "http://cdn.example", "https://cdn.example.evil.example", "null"] {
        let asked = [
            (preflight(address, "/api/session", origin), 200),
            (request(address, "GET", "/api/info", &[("Origin", origin)], ""), 403),
            (request(address, "POST", "/api/session", &[("Origin", origin), ("Content-Type", "text/plain")], "{}"), 403),
        ];
        for (answer, status) in asked {
            assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, None), "{origin}");
            assert!(list(&answer, "vary").contains(&"origin"), "{origin}");
        }
    }
}

#[test]
fn the_page_may_be_framed_by_those_who_are_allowed() {
    let harness = server();
    let answer = get(harness.server.play_addr(), "/");
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.ends_with("; frame-ancestors https://cdn.example"), "{policy}");
    assert_eq!((answer.header("x-frame-options"), answer.header("cross-origin-opener-policy")), (None, None));
    assert_eq!(answer.header("cross-origin-resource-policy"), Some("cross-origin"));
    let ops = get(harness.server.ops_addr(), "/metrics");
    assert_eq!((ops.header("x-frame-options"), ops.header("cross-origin-resource-policy")), (Some("DENY"), Some("same-origin")));
}

#[test]
fn options_and_the_health_path_answer_whoever_asks() {
    let harness = server();
    let address = harness.server.play_addr();
    for path in ["/", "/api/info", "/api/none", "/ws", "/healthz"] {
        assert_eq!(request(address, "OPTIONS", path, &[], "").status, 200, "{path}");
    }
    let health = get(address, "/healthz");
    assert_eq!((health.status, health.text().as_str(), health.header("cache-control")), (200, "ok\n", Some("no-store")));
    let head = format!("HEAD /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    assert!(raw(address, &head).starts_with("HTTP/1.1 200 "));
}

/// All that comes back.
fn raw(address: SocketAddr, request: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = http::connect(address);
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("UTF-8");
    answer
}

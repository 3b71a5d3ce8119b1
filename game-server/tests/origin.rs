//! Only the server's own page, and those the operator allows, may open WebSockets from a browser.

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use harness::Harness;
use http::{get, handshake, request};
use tag::Tag;

#[test]
fn pages_of_other_sites_are_refused() {
    let harness = Harness::start::<Tag>(|config| config.allowed_origins = vec!["https://play.example".to_owned()]);
    let address = harness.server.play_addr();
    let own = format!("http://{address}");
    let status = |origin: &str| handshake(address, "/ws", &[("Origin", origin)]).1.status;
    assert_eq!(status(&own), 101);
    assert_eq!(status("https://play.example"), 101);
    assert_eq!(handshake(address, "/ws", &[]).1.status, 101, "no browser");
    for origin in [
        "null",
        "https://evil.example",
        "https://play.example.evil.example",
        "https://sub.play.example",
        "http://play.example",
        &format!("{own}0"),
    ] {
        let answer = handshake(address, "/ws", &[("Origin", origin)]).1;
        assert_eq!((answer.status, answer.problem().as_str()), (403, "origin_not_allowed"), "{origin}");
    }
}

#[test]
fn what_pages_of_other_sites_ask_counts_against_nobody() {
    let harness = Harness::start::<Tag>(|config| {
        config.rates.handshakes_per_minute = 1;
        config.rates.api_calls_per_minute = 1;
        config.rates.reads_per_minute = 1;
        config.rates.sessions_per_minute = 1;
    });
    let address = harness.server.play_addr();
    let evil = [("Origin", "https://evil.example"), ("Content-Type", "application/json")];
    let picture = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")];
    for _ in 0..5 {
        assert_eq!(handshake(address, "/ws", &evil).1.problem(), "origin_not_allowed");
        assert_eq!(request(address, "POST", "/api/session", &evil, r#"{"name":"Eve"}"#).problem(), "origin_not_allowed");
        assert_eq!(request(address, "POST", "/api/quick-play", &evil, "{}").problem(), "origin_not_allowed");
        assert_eq!(request(address, "GET", "/api/matches", &picture, "").problem(), "origin_not_allowed");
    }
    assert_eq!(handshake(address, "/ws", &[]).1.status, 101);
    assert_eq!(http::post(address, "/api/session", None, r#"{"name":"Ada"}"#).status, 201);
    assert_eq!(get(address, "/api/matches").status, 200);
    assert_eq!(get(address, "/api/none").status, 404);
}

#[test]
fn a_page_can_ask_why_its_websocket_failed() {
    let harness = Harness::start::<Tag>(|config| config.allowed_origins = vec!["https://play.example".to_owned()]);
    let address = harness.server.play_addr();
    let own = format!("http://{address}");
    let check = |origin: &str| request(address, "POST", "/api/connect-check", &[("Origin", origin)], "");
    for origin in [own.as_str(), "https://play.example"] {
        assert_eq!(check(origin).status, 204, "{origin}");
    }
    let refused = check("https://evil.example");
    assert_eq!((refused.status, refused.problem().as_str()), (403, "origin_not_allowed"));
    assert!(refused.json()["detail"].as_str().is_some_and(|detail| detail.starts_with("This site is set up wrong: ")));
    assert_eq!(refused.header("access-control-allow-origin"), Some("https://evil.example"), "also that page may know");
    assert_eq!(get(address, "/api/connect-check").problem(), "method_not_allowed");
}

#[test]
fn what_became_of_the_handshake_counts_where_a_proxy_treats_it_differently() {
    let harness = Harness::start::<Tag>(|_| ());
    let address = harness.server.play_addr();
    let own = format!("http://{address}");
    let check = || request(address, "POST", "/api/connect-check", &[("Origin", &own)], "");
    let upgrade = |host: &str, connection: &str| {
        let head = format!(
            "GET /ws HTTP/1.1\r\nHost: {host}\r\nConnection: {connection}\r\nUpgrade: websocket\r\nOrigin: {own}\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        http::exchange(&mut http::connect(address), head.as_bytes())
    };
    assert_eq!(check().status, 204);
    assert_eq!(upgrade("tickwire_backend", "Upgrade").problem(), "origin_not_allowed");
    assert_eq!(check().problem(), "origin_not_allowed");
    assert_eq!(upgrade(&address.to_string(), "close").problem(), "upgrade_required");
    assert_eq!(check().problem(), "upgrade_lost");
    let other = format!("{own}0");
    assert_eq!(
        request(address, "POST", "/api/connect-check", &[("Origin", &other)], "").problem(),
        "origin_not_allowed",
        "others ask for themselves"
    );
}

#[test]
fn what_is_no_handshake_is_a_problem() {
    let harness = Harness::start::<Tag>(|_| ());
    let address = harness.server.play_addr();
    assert_eq!(get(address, "/ws").problem(), "upgrade_required");
    assert_eq!(request(address, "POST", "/ws", &[], "").problem(), "method_not_allowed");
    let upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "12")];
    assert_eq!(request(address, "GET", "/ws", &upgrade, "").problem(), "bad_request");
}

#[test]
fn the_answer_is_that_of_the_rfc() {
    let harness = Harness::start::<Tag>(|_| ());
    let (_stream, answer) = handshake(harness.server.play_addr(), "/ws", &[("Sec-WebSocket-Extensions", "permessage-deflate")]);
    assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(answer.header("sec-websocket-extensions"), None, "no compression is agreed on");
}

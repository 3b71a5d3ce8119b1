//! The HTTP API: what it answers, and that every refusal is a problem with a code.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use harness::Harness;
use http::{get, guest, post, request};
use tag::Tag;
use tickwire_game::GameDef;

const JSON: (&str, &str) = ("Content-Type", "application/json");

fn server() -> Harness {
    Harness::start::<Tag>(|config| config.rates.api_calls_per_minute = 0)
}

fn mode() -> &'static str {
    Tag::MODES[0].id
}

#[test]
fn info_tells_what_a_client_must_know() {
    let harness = server();
    let answer = get(harness.server.play_addr(), "/api/info");
    let info = answer.json();
    assert_eq!((answer.status, &info["game"], &info["protocol"]), (200, &"tag".into(), &tickwire_protocol::PROTOCOL_VERSION.into()));
    assert_eq!(info["schema"], format!("{:016x}", Tag::SCHEMA.hash()));
    assert_eq!(info["modes"][0]["id"], mode());
    assert_eq!(info["modes"][0]["tick_rate"], Tag::MODES[0].tick_rate);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[test]
fn a_session_has_a_clean_name_and_a_token() {
    let harness = server();
    let answer = post(harness.server.play_addr(), "/api/session", None, r#"{"name":"  \u202eEve\u0007  Adams "}"#);
    assert_eq!((answer.status, &answer.json()["name"]), (201, &"Eve Adams".into()));
    assert_eq!(answer.json()["token"].as_str().map(str::len), Some(32));
    assert_eq!(post(harness.server.play_addr(), "/api/session", None, r#"{"name":""}"#).json()["name"], "Player");
}

#[test]
fn a_match_is_created_listed_and_joined_by_id_and_code() {
    let harness = server();
    let address = harness.server.play_addr();
    let token = guest(address);
    let created = post(address, "/api/matches", Some(&token), &format!(r#"{{"mode":"{}"}}"#, mode()));
    let join = created.json();
    assert_eq!((created.status, &join["ws_url"], &join["expires_in_s"]), (201, &"/ws".into(), &30.into()));
    assert_eq!(join["ticket"].as_str().map(str::len), Some(32));
    let (id, code) = (join["match"]["id"].as_str().expect("an id"), join["code"].as_str().expect("a code"));

    let listed = get(address, "/api/matches").json();
    assert_eq!(listed["matches"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["matches"][0]["id"], id);
    assert_eq!(listed["matches"][0]["players"], 1, "the creator's seat is reserved");
    for key in [id, code, &code.to_lowercase()] {
        let joined = post(address, &format!("/api/matches/{key}/join"), Some(&token), "{}");
        assert_eq!((joined.status, &joined.json()["match"]["id"]), (200, &id.into()));
    }
    let private = post(address, "/api/matches", Some(&token), &format!(r#"{{"mode":"{}","private":true}}"#, mode()));
    assert_eq!(private.status, 201);
    assert_eq!(get(address, "/api/matches").json()["matches"].as_array().map(Vec::len), Some(1), "a private match is in no list");
}

#[test]
fn a_full_match_says_so() {
    let harness = server();
    let address = harness.server.play_addr();
    let token = guest(address);
    let join = post(address, "/api/matches", Some(&token), &format!(r#"{{"mode":"{}"}}"#, mode())).json();
    let path = format!("/api/matches/{}/join", join["code"].as_str().expect("a code"));
    for _ in 1..Tag::MODES[0].max_players {
        assert_eq!(post(address, &path, Some(&token), "").status, 200);
    }
    let refused = post(address, &path, Some(&token), "");
    assert_eq!((refused.status, refused.problem().as_str()), (409, "match_full"));
}

#[test]
fn as_many_matches_as_allowed_and_no_more() {
    let harness = Harness::start::<Tag>(|config| config.matches.matches_max = 1);
    let address = harness.server.play_addr();
    let token = guest(address);
    let body = format!(r#"{{"mode":"{}","private":true}}"#, mode());
    assert_eq!(post(address, "/api/matches", Some(&token), &body).status, 201);
    let refused = post(address, "/api/matches", Some(&token), &body);
    assert_eq!((refused.status, refused.problem().as_str()), (503, "at_capacity"));
    assert!(refused.header("retry-after").is_some());
}

/// Method, path, headers and body of a request; status and code of its refusal.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, u16, &'a str);

#[test]
fn every_refusal_is_a_problem() {
    let harness = server();
    let address = harness.server.play_addr();
    let token = guest(address);
    let bearer = format!("Bearer {token}");
    let auth = ("Authorization", bearer.as_str());
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(5_000));
    let deep = format!(r#"{{"name":{}"x"{}}}"#, "[".repeat(1_500), "]".repeat(1_500));
    let cases: &[Case] = &[
        ("GET", "/api/none", &[], "", 404, "not_found"),
        ("DELETE", "/api/none", &[], "", 404, "not_found"),
        ("GET", "/api", &[], "", 404, "not_found"),
        ("GET", "/nothing", &[], "", 404, "not_found"),
        ("DELETE", "/api/info", &[], "", 405, "method_not_allowed"),
        ("GET", "/api/session", &[], "", 405, "method_not_allowed"),
        ("POST", "/api/session", &[JSON], "{", 400, "bad_request"),
        ("POST", "/api/session", &[JSON], "{}", 400, "bad_request"),
        ("POST", "/api/session", &[JSON], r#"{"name":7}"#, 400, "bad_request"),
        ("POST", "/api/session", &[JSON], r#"{"name":"a","admin":true}"#, 400, "bad_request"),
        ("POST", "/api/session", &[JSON], &deep, 400, "bad_request"),
        ("POST", "/api/session", &[JSON], "\u{7f}", 400, "bad_request"),
        ("POST", "/api/session", &[], r#"{"name":"a"}"#, 415, "unsupported_media_type"),
        ("POST", "/api/session", &[("Content-Type", "text/plain")], r#"{"name":"a"}"#, 415, "unsupported_media_type"),
        ("POST", "/api/session", &[JSON], &large, 413, "too_large"),
        ("POST", "/api/matches", &[JSON], r#"{"mode":"x"}"#, 401, "session_required"),
        ("POST", "/api/matches", &[JSON, ("Authorization", "Bearer 00")], r#"{"mode":"x"}"#, 401, "session_required"),
        ("POST", "/api/quick-play", &[JSON, ("Authorization", "Basic YTpi")], r#"{"mode":"x"}"#, 401, "session_required"),
        ("POST", "/api/matches/ABCDEF/join", &[("Authorization", "Bearer 0123456789abcdef0123456789abcdef")], "", 401, "session_required"),
        ("POST", "/api/matches", &[JSON, auth], r#"{"mode":"x"}"#, 400, "bad_request"),
        ("POST", "/api/quick-play", &[JSON, auth], r#"{"mode":"x"}"#, 400, "bad_request"),
        ("POST", "/api/matches/ABCDEF/join", &[auth], "", 404, "match_not_found"),
        ("POST", "/api/matches/0123456789abcdef0123456789abcdef/join", &[auth], "", 404, "match_not_found"),
        ("POST", "/api/matches/%F0%9F%92%A3/join", &[auth], "", 404, "match_not_found"),
    ];
    for (method, path, headers, body, status, code) in cases {
        let answer = request(address, method, path, headers, body);
        assert_eq!((answer.status, answer.problem().as_str()), (*status, *code), "{method} {path} {headers:?} {body:.60}");
    }
    assert_eq!(request(address, "DELETE", "/api/matches", &[], "").header("allow"), Some("GET,HEAD,POST"));
    assert_eq!(post(address, "/api/matches", None, "{}").header("www-authenticate"), Some("Bearer"));
}

#[test]
fn a_body_without_announced_length_is_limited_too() {
    let harness = server();
    let address = harness.server.play_addr();
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let raw = format!(
        "POST /api/session HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}{chunk}"
    );
    let answer = http::exchange(&mut http::connect(address), raw.as_bytes());
    assert_eq!((answer.status, answer.problem().as_str()), (413, "too_large"));
}

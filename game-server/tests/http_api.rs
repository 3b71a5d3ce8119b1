//! The HTTP API: what it answers, and that every refusal is a problem with a code.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::net::SocketAddr;
use std::time::Duration;

use harness::Harness;
use http::{get, guest, post, request};
use serde_json::{Value, json};
use tag::Tag;
use tickwire_game::Game;
use tickwire_server::Config;

const JSON: (&str, &str) = ("Content-Type", "application/json");

fn server() -> Harness {
    Harness::start::<Tag>(|_| ())
}

fn mode() -> &'static str {
    Tag::MODES[0].id
}

/// The body of a request for a match, with further members.
fn settings(more: &str) -> String {
    format!(r#"{{"mode":"{}"{more}}}"#, mode())
}

/// Looks again and again until what is looked for is there: the list of matches may be a second
/// old.
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..400 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("never: {what}")
}

fn listed(address: SocketAddr, count: usize) -> Vec<Value> {
    eventually(&format!("{count} in the list"), || {
        let matches = get(address, "/api/matches").json()["matches"].as_array().expect("matches").clone();
        (matches.len() == count).then_some(matches)
    })
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
    assert_eq!(info["grace_s"], Config::default().session.grace_ms / 1_000);
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
    let created = post(address, "/api/matches", Some(&token), &settings(""));
    let join = created.json();
    assert_eq!((created.status, &join["expires_in_s"]), (201, &30.into()));
    assert!(join["ws_url"].as_str().is_some_and(|url| url.starts_with("ws?guest=")), "{join}");
    assert_eq!(join["ticket"].as_str().map(str::len), Some(140));
    assert_eq!(join["settings"], json!({"mode": mode(), "private": false, "lobby": false, "bots": true}));
    let (id, code) = (join["match"]["id"].as_str().expect("an id"), join["code"].as_str().expect("a code"));

    let list = listed(address, 1);
    assert_eq!((&list[0]["id"], &list[0]["players"]), (&id.into(), &1.into()), "the creator's seat is reserved");
    for (key, body) in [(id, ""), (code, "{}"), (&code.to_lowercase(), r#"{"recreate":null,"other":1}"#)] {
        let joined = post(address, &format!("/api/matches/{key}/join"), Some(&token), body);
        assert_eq!((joined.status, &joined.json()["match"]["id"]), (200, &id.into()));
    }
}

#[test]
fn a_match_is_as_its_creator_chose_and_those_who_join_are_told() {
    let harness = server();
    let address = harness.server.play_addr();
    let chosen = json!({"mode": mode(), "private": true, "lobby": true, "bots": false});
    let created = post(address, "/api/matches", Some(&guest(address)), &chosen.to_string());
    assert_eq!((created.status, &created.json()["settings"]), (201, &chosen));
    let path = format!("/api/matches/{}/join", created.json()["code"].as_str().expect("a code"));
    assert_eq!(post(address, &path, Some(&guest(address)), "{}").json()["settings"], chosen);
    let public = post(address, "/api/matches", Some(&guest(address)), &settings(r#","lobby":true"#));
    let list = listed(address, 1);
    assert_eq!((&list[0]["id"], &list[0]["phase"]), (&public.json()["match"]["id"], &"waiting".into()), "the private one is not listed");
}

#[test]
fn a_full_match_says_so_and_still_lets_back_those_who_have_a_seat() {
    let harness = server();
    let address = harness.server.play_addr();
    let token = guest(address);
    let join = post(address, "/api/matches", Some(&token), &settings("")).json();
    let path = format!("/api/matches/{}/join", join["code"].as_str().expect("a code"));
    for _ in 1..Tag::MODES[0].max_players {
        assert_eq!(post(address, &path, Some(&guest(address)), "").status, 200);
    }
    let refused = post(address, &path, Some(&guest(address)), "");
    assert_eq!((refused.status, refused.problem().as_str()), (409, "match_full"));
    assert_eq!(post(address, &path, Some(&token), "").status, 200, "the seat is the creator's already");
}

#[test]
fn the_list_is_sent_only_when_it_has_changed() {
    let harness = server();
    let address = harness.server.play_addr();
    let join = post(address, "/api/matches", Some(&guest(address)), &settings("")).json();
    listed(address, 1);
    let answer = get(address, "/api/matches");
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-cache")));
    let tag = answer.header("etag").expect("a tag").to_owned();
    let unchanged = request(address, "GET", "/api/matches", &[("If-None-Match", &tag)], "");
    assert_eq!((unchanged.status, unchanged.header("etag"), unchanged.body.len()), (304, Some(tag.as_str()), 0));
    let path = format!("/api/matches/{}/join", join["code"].as_str().expect("a code"));
    assert_eq!(post(address, &path, Some(&guest(address)), "").status, 200);
    let changed = eventually("a changed list", || {
        let answer = request(address, "GET", "/api/matches", &[("If-None-Match", &tag)], "");
        (answer.status == 200).then_some(answer)
    });
    assert_eq!(changed.json()["matches"][0]["players"], 2);
}

#[test]
fn who_was_in_a_match_finds_the_others_again_after_a_restart() {
    let (ada, bob);
    let (code, chosen) = {
        let harness = server();
        let address = harness.server.play_addr();
        let join = post(address, "/api/matches", Some(&guest(address)), &settings(r#","private":true,"lobby":true"#)).json();
        (join["code"].as_str().expect("a code").to_owned(), join["settings"].clone())
    };
    let harness = server();
    let address = harness.server.play_addr();
    (ada, bob) = (guest(address), guest(address));
    let path = format!("/api/matches/{code}/join");
    let recreate = json!({ "recreate": chosen }).to_string();
    let lost = post(address, &path, Some(&ada), "{}");
    assert_eq!((lost.status, lost.problem().as_str()), (404, "match_not_found"));
    let joins: Vec<Value> = std::thread::scope(|scope| {
        let threads: Vec<_> = [&ada, &bob].into_iter().map(|token| scope.spawn(|| post(address, &path, Some(token), &recreate))).collect();
        threads.into_iter().map(|thread| thread.join().expect("an answer").json()).collect()
    });
    assert_eq!(joins[0]["match"]["id"], joins[1]["match"]["id"], "both are in one match: {joins:?}");
    for join in &joins {
        assert_eq!((join["code"].as_str(), &join["settings"]), (Some(code.as_str()), &chosen));
    }
    let late = post(address, &path, Some(&guest(address)), r#"{"recreate":{"mode":"none"}}"#);
    assert_eq!((late.status, &late.json()["settings"]), (200, &chosen), "a match that is there is not created");
    for no_code in ["ABC", "ABCDEFG", "ABCDE0", "ABCD%20F", "0123456789abcdef0123456789abcdef"] {
        let refused = post(address, &format!("/api/matches/{no_code}/join"), Some(&ada), &recreate);
        assert_eq!((refused.status, refused.problem().as_str()), (404, "match_not_found"), "{no_code}");
    }
}

#[test]
fn a_session_and_an_address_have_few_matches_alive_and_get_them_back() {
    let harness = Harness::start::<Tag>(|config| {
        config.sessions.matches_max = 2;
        config.sessions.matches_per_address = 3;
        config.matches.empty_ms = 100;
    });
    let address = harness.server.play_addr();
    let (ada, bob) = (guest(address), guest(address));
    let create = |token: &str| post(address, "/api/matches", Some(token), &settings(r#","private":true"#));
    let is_refused = |answer: http::Answer| (answer.status, answer.problem()) == (429, "too_many_matches".to_owned());
    // Friends sit in them, so that they live on when their creators go.
    let keep = |answer: http::Answer| {
        let path = format!("/api/matches/{}/join", answer.json()["code"].as_str().expect("a code"));
        let friend = guest(address);
        assert_eq!(post(address, &path, Some(&friend), "").status, 200);
        friend
    };
    let friends = [keep(create(&ada)), keep(create(&ada))];
    assert!(is_refused(create(&ada)), "two of hers are alive");
    let recreate = format!(r#"{{"recreate":{}}}"#, settings(""));
    assert!(is_refused(post(address, "/api/matches/ABCDEF/join", Some(&ada), &recreate)), "nor in a roundabout way");
    keep(create(&bob));
    assert!(is_refused(create(&bob)), "three of the address are alive");
    // The friends go elsewhere, and the matches end.
    for friend in &friends {
        assert_eq!(post(address, "/api/quick-play", Some(friend), &settings("")).status, 200);
    }
    eventually("room for another match", || (create(&ada).status == 201).then_some(()));
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
        ("POST", "/api/matches", &[JSON, auth], r#"{"mode":"x","lobbies":true}"#, 400, "bad_request"),
        ("POST", "/api/matches/ABCDEF/join", &[auth], "", 404, "match_not_found"),
        ("POST", "/api/matches/ABCDEF/join", &[JSON, auth], r#"{"recreate":{"mode":"x"}}"#, 400, "bad_request"),
        ("POST", "/api/matches/ABCDEF/join", &[JSON, auth], r#"{"recreate":{}}"#, 400, "bad_request"),
        ("POST", "/api/matches/ABCDEF/join", &[auth], "{}", 415, "unsupported_media_type"),
        ("POST", "/api/matches/0123456789abcdef0123456789abcdef/join", &[auth], "", 404, "match_not_found"),
        ("POST", "/api/matches/%F0%9F%92%A3/join", &[auth], "", 404, "match_not_found"),
        ("POST", "/api/matches/%FF/join", &[auth], "", 404, "match_not_found"),
        ("POST", "/api/matches/%00/join", &[auth], "", 404, "match_not_found"),
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

#[test]
fn the_document_lists_every_problem() {
    let document =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/PROTOCOL.md")).expect("the document is in the checkout");
    let folders = ["http", "gateway", "gateway/identity"].map(|folder| format!("{}/src/{folder}", env!("CARGO_MANIFEST_DIR")));
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).expect("our own sources"));
    let files = files.map(|file| file.expect("a source").path()).filter(|file| file.is_file());
    let mut codes = 0;
    for file in files {
        let source = std::fs::read_to_string(file).expect("UTF-8");
        let made = source.split("#[cfg(test)]").next().expect("code").split("new(").skip(1);
        for arguments in made.filter_map(|arguments| arguments.trim_start().strip_prefix("StatusCode::")) {
            let mut arguments = arguments.split(',').map(str::trim);
            let status = arguments.next().expect("a status").replace('_', " ");
            let code = arguments.next().expect("a code").trim_matches('"');
            let row = document.lines().find_map(|line| line.strip_prefix(&format!("| `{code}` | ")));
            let row = row.unwrap_or_else(|| panic!("docs/PROTOCOL.md lists no `{code}`"));
            let number: u16 = row.split(' ').next().and_then(|number| number.parse().ok()).expect("a status");
            let reason = ::http::StatusCode::from_u16(number).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
            assert_eq!(reason.to_uppercase().replace('-', " "), status, "the status of `{code}`");
            codes += 1;
        }
    }
    assert!(codes >= 15, "{codes} found");
}

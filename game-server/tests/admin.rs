//! The operator's listener: nothing without the token, the dashboard, and watching a match.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use harness::{Harness, eventually};
use http::{get, handshake, request};
use tag::Tag;
use tickwire_game::Game;
use tickwire_protocol::codec::encode;
use tickwire_protocol::{ClientMessage, CloseReason, ServerMessage};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const TOKEN: &str = "correct-horse-battery";

struct Admin {
    harness: Harness,
    address: SocketAddr,
    _dir: tempfile::TempDir,
}

fn admin() -> Admin {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).expect("a token file");
    let harness = Harness::start::<Tag>(|config| {
        config.admin.enabled = true;
        config.admin.token_file = Some(file);
    });
    let address = harness.server.admin_addr().expect("an admin listener");
    Admin { harness, address, _dir: dir }
}

fn with_token(address: SocketAddr, path: &str, token: &str) -> http::Answer {
    request(address, "GET", path, &[("Authorization", &format!("Bearer {token}"))], "")
}

#[test]
fn nothing_is_told_without_the_token() {
    let admin = admin();
    let spectate = "/admin/api/matches/0123456789abcdef0123456789abcdef/spectate";
    for path in ["/admin/api/matches", spectate, "/admin/api/none", "/admin/api"] {
        for _ in 0..10 {
            let answer = get(admin.address, path);
            assert_eq!(
                (answer.status, answer.problem().as_str(), answer.header("www-authenticate")),
                (401, "token_required", Some("Bearer")),
                "{path}"
            );
        }
    }
    assert_eq!(handshake(admin.address, spectate, &[("Sec-WebSocket-Protocol", "tickwire.spectate")]).1.status, 401);
    assert_eq!(with_token(admin.address, "/admin/api/none", TOKEN).problem(), "not_found");
    assert_eq!(with_token(admin.address, spectate, TOKEN).problem(), "match_not_found");
    let wrong_method = request(admin.address, "POST", "/admin/api/matches", &[("Authorization", &format!("Bearer {TOKEN}"))], "");
    assert_eq!(wrong_method.problem(), "method_not_allowed");
}

#[test]
fn wrong_tokens_are_limited() {
    let admin = admin();
    for guess in ["0", "x", "correct-horse-batterz", "correct-horse-batteryy"].iter().cycle().take(10) {
        assert_eq!(with_token(admin.address, "/admin/api/matches", guess).problem(), "token_required", "{guess:?}");
    }
    let answer = with_token(admin.address, "/admin/api/matches", "another");
    assert_eq!((answer.status, answer.problem().as_str()), (429, "rate_limited"));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(with_token(admin.address, "/admin/api/matches", TOKEN).status, 200, "the right one is right whatever was guessed before");
}

#[test]
fn a_page_of_another_site_cannot_use_up_the_operators_guesses() {
    let admin = admin();
    let bearer = |token: &str| format!("Bearer {token}");
    for _ in 0..30 {
        let headers = [("Origin", "https://evil.example"), ("Authorization", &bearer("a-wrong-one-of-many"))];
        assert_eq!(request(admin.address, "GET", "/admin/api/matches", &headers, "").problem(), "origin_not_allowed");
    }
    let headers = [("Origin", "https://evil.example"), ("Authorization", &bearer(TOKEN))];
    assert_eq!(
        request(admin.address, "POST", "/admin/api/bans", &headers, "{}").problem(),
        "origin_not_allowed",
        "not even with the token"
    );
    for _ in 0..10 {
        assert_eq!(
            with_token(admin.address, "/admin/api/matches", "a-wrong-one-of-many").problem(),
            "token_required",
            "all of them are left"
        );
    }
}

#[test]
fn strangers_do_not_take_the_operators_place() {
    let admin = admin();
    let elsewhere = std::net::IpAddr::from([127, 0, 0, 9]);
    let mut held = Vec::new();
    let mut operator = http::connect(admin.address);
    let ask = format!("GET /admin/api/matches HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n", admin.address);
    for (nth, part) in ask.as_bytes().chunks(16).enumerate() {
        held.extend((0..40).map(|_| http::connect_from(elsewhere, admin.address)));
        std::io::Write::write_all(&mut operator, part).unwrap_or_else(|error| panic!("pushed out after {nth}: {error}"));
    }
    assert_eq!(http::read_answer(&mut operator).status, 200);
    held.extend((0..300).map(|_| http::connect_from(elsewhere, admin.address)));
    assert_eq!(http::exchange(&mut operator, ask.as_bytes()).status, 200, "who has shown the token stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_tells_of_every_match() {
    let admin = admin();
    let (_ada, _bob, join) = admin.harness.pair::<Tag>().await;
    let dashboard = eventually("bytes in a second", || {
        let dashboard = with_token(admin.address, "/admin/api/matches", TOKEN).json();
        dashboard["matches"][0]["bytes_per_s"].as_u64().is_some_and(|rate| rate > 0).then_some(dashboard)
    })
    .await;
    let server = &dashboard["server"];
    assert_eq!((&server["matches"], &server["workers"], &server["connections"]), (&1.into(), &2.into(), &2.into()));
    let shown = &dashboard["matches"][0];
    assert_eq!((shown["id"].as_str(), shown["code"].as_str()), (Some(join.match_id.as_str()), Some(join.code.as_str())));
    assert_eq!((&shown["players"], &shown["bots"], &shown["spectators"]), (&2.into(), &0.into(), &0.into()));
    let numbers = ["tick", "tick_rate", "max_players", "tick_us_p50", "tick_us_p99", "overruns", "late_p99_us", "bytes_per_s", "age_s"];
    assert!(numbers.iter().all(|name| shown[name].is_u64()), "{shown}");
    assert!(server["uptime_s"].is_u64() && shown["mode"] == Tag::MODES[0].id && shown["phase"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_watches_a_match_and_can_do_nothing_else() {
    let admin = admin();
    let (_ada, _bob, join) = admin.harness.pair::<Tag>().await;
    let url = format!("ws://{}/admin/api/matches/{}/spectate", admin.address, join.match_id);
    let mut handshake = url.into_client_request().expect("a request");
    let headers = handshake.headers_mut();
    headers.insert("Origin", format!("http://{}", admin.address).parse().expect("a header"));
    headers.insert("Sec-WebSocket-Protocol", format!("tickwire.spectate, bearer.{TOKEN}").parse().expect("a header"));
    let stream = tokio::net::TcpStream::connect(admin.address).await.expect("connected");
    let (mut ws, answer) = tokio_tungstenite::client_async(handshake, stream).await.expect("upgraded");
    assert_eq!(answer.headers()["sec-websocket-protocol"], "tickwire.spectate");

    let first = ws.next().await.expect("a message").expect("a message").into_data();
    let mut rest = &first[..];
    let Some(Ok(ServerMessage::Welcome(welcome))) = ServerMessage::decode_next(&mut rest) else { panic!("no Welcome") };
    assert_eq!((welcome.player, welcome.match_id.to_string(), welcome.roster.as_slice().len()), (None, join.match_id.clone(), 2));
    assert!(matches!(ServerMessage::decode_next(&mut rest), Some(Ok(ServerMessage::Keyframe { .. }))));

    let dashboard = eventually("a spectator", || {
        let dashboard = with_token(admin.address, "/admin/api/matches", TOKEN).json();
        (dashboard["matches"][0]["spectators"] == 1).then_some(dashboard)
    })
    .await;
    assert_eq!(dashboard["server"]["connections"], 2, "operators are not among the players' connections");

    let leave = encode(&ClientMessage::<<Tag as Game>::Input>::Leave);
    ws.send(Message::Binary(leave.into())).await.expect("sent");
    let reason = loop {
        let bytes = ws.next().await.expect("a reason").expect("a message").into_data();
        let mut rest = &bytes[..];
        if let Some(Ok(ServerMessage::Closing(reason))) = ServerMessage::decode_next(&mut rest) {
            break reason;
        }
    };
    assert_eq!(reason, CloseReason::Malformed, "a spectator has no seat to leave");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_watches_nothing_even_with_the_token() {
    let admin = admin();
    let (_ada, _bob, join) = admin.harness.pair::<Tag>().await;
    let path = format!("/admin/api/matches/{}/spectate", join.match_id);
    let protocol = format!("tickwire.spectate, bearer.{TOKEN}");
    let (_stream, answer) = handshake(admin.address, &path, &[("Origin", "https://evil.example"), ("Sec-WebSocket-Protocol", &protocol)]);
    assert_eq!(answer.problem(), "origin_not_allowed");
}

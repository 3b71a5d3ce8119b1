//! Operators kick, ban and lift; who is banned gets no session, no seat, no handshake and no way
//! back; what was done is written down. And who is closed for what it sent waits longer each time.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::net::{IpAddr, SocketAddr};

use harness::{Harness, eventually};
use http::{Answer, connect_from, handshake_on, request};
use serde_json::{Value, json};
use tag::Tag;
use tickwire_game::Game;
use tickwire_protocol::CloseReason;
use tickwire_testkit::{Api, Client, Join, script};

const TOKEN: &str = "correct-horse-battery";

struct Operator {
    harness: Harness,
    address: SocketAddr,
    _dir: tempfile::TempDir,
}

impl Operator {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("token");
        std::fs::write(&file, TOKEN).expect("a token file");
        let harness = Harness::start::<Tag>(|config| {
            config.admin.enabled = true;
            config.admin.token_file = Some(file);
        });
        let address = harness.server.admin_addr().expect("an admin listener");
        Self { harness, address, _dir: dir }
    }

    fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        request(self.address, method, path, &[("Authorization", &bearer), ("Content-Type", "application/json")], body)
    }

    fn players(&self, join: &Join) -> Vec<Value> {
        let answer = self.call("GET", &format!("/admin/api/matches/{}/players", join.match_id), "");
        answer.json()["players"].as_array().expect("a list").clone()
    }

    fn kick(&self, join: &Join, player: &Value, reason: &str) -> Answer {
        let body = json!({ "session": player["session"], "reason": reason }).to_string();
        self.call("POST", &format!("/admin/api/matches/{}/kick", join.match_id), &body)
    }

    fn ban(&self, body: &Value) -> Value {
        let answer = self.call("POST", "/admin/api/bans", &body.to_string());
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["bans"].clone()
    }

    fn trail(&self) -> Vec<(String, String, String)> {
        let entries = self.call("GET", "/admin/api/audit", "").json()["entries"].as_array().expect("a list").clone();
        let text = |entry: &Value, key: &str| entry[key].as_str().expect("a text").to_owned();
        entries.iter().map(|entry| (text(entry, "action"), text(entry, "subject"), text(entry, "reason"))).collect()
    }
}

/// Why the server ended a session.
async fn end(client: &mut Client<Tag>) -> Option<CloseReason> {
    script::hear_closing(client).await.ok()
}

/// Two players of a match, and how they got their seats.
async fn two(operator: &Operator) -> (Api, Api, Client<Tag>, Client<Tag>, Join) {
    let (ada, bob) = (operator.harness.guest(1).await, operator.harness.guest(2).await);
    let first = ada.create(Tag::MODES[0].id, true).await.expect("a match");
    let second = bob.join(&first.code).await.expect("a seat");
    let a = script::enter(&ada, &first).await.expect("Welcome");
    let b = script::enter(&bob, &second).await.expect("Welcome");
    (ada, bob, a, b, first)
}

fn named<'a>(players: &'a [Value], name: &str) -> &'a Value {
    players.iter().find(|player| player["name"] == name).unwrap_or_else(|| panic!("no {name} in {players:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_kicked_is_told_and_may_come_again() {
    let operator = Operator::start();
    let (_ada, bob, _a, mut b, join) = two(&operator).await;
    let players = operator.players(&join);
    let seen = named(&players, "player 2");
    let source = Api::loopback_source(2).to_string();
    assert_eq!((players.len(), &seen["presence"], seen["address"].as_str()), (2, &"here".into(), Some(source.as_str())));
    assert_eq!(operator.kick(&join, seen, "shouting").status, 204);
    assert_eq!(end(&mut b).await, Some(CloseReason::Kicked));
    assert_eq!(operator.players(&join).len(), 1);
    assert_eq!(operator.kick(&join, seen, "").problem(), "player_not_found");
    let again = bob.join(&join.code).await.expect("a seat");
    script::enter::<Tag>(&bob, &again).await.expect("Welcome");
    let code = &join.code;
    assert_eq!(operator.trail(), [("kick".to_owned(), format!("player 2 in match {code}"), "shouting".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_banned_player_gets_nothing_until_the_ban_is_lifted() {
    let operator = Operator::start();
    let play = operator.harness.server.play_addr();
    let (ada, bob, mut a, mut b, join) = two(&operator).await;
    let other = ada.create(Tag::MODES[0].id, true).await.expect("another match");
    let session = named(&operator.players(&join), "player 2")["session"].clone();
    let bans = operator.ban(&json!({ "session": session, "name": "player 2", "seconds": 7_200, "reason": "shouting" }));
    assert_eq!(end(&mut b).await, Some(CloseReason::Banned));
    for code in [&join.code, &other.code] {
        let refused = format!("{:?}", bob.join(code).await.map(drop).expect_err("banned"));
        assert!(refused.contains("banned"), "{refused}");
    }
    let guest = session.as_str().expect("a text");
    let mut stream = connect_from(Api::loopback_source(2), play);
    let refused = handshake_on(&mut stream, play, &format!("/ws?guest={guest}"), &[]);
    assert_eq!((refused.status, refused.problem().as_str()), (403, "banned"));
    let detail = refused.json()["detail"].as_str().expect("a sentence").to_owned();
    assert_eq!(detail, "The people who run this server do not let you play here for another 2 hours: shouting");
    script::see(&mut a, |_| true).await.expect("others play on");
    let id = bans[0]["id"].as_u64().expect("an id");
    assert_eq!(operator.call("GET", "/admin/api/bans", "").json()["bans"], bans);
    assert_eq!(operator.call("DELETE", &format!("/admin/api/bans/{id}"), "").status, 204);
    assert_eq!(operator.call("DELETE", &format!("/admin/api/bans/{id}"), "").problem(), "ban_not_found");
    bob.join(&join.code).await.expect("a seat again");
    let actions: Vec<_> = operator.trail().into_iter().map(|(action, ..)| action).collect();
    assert_eq!(actions, ["lift", "ban"], "newest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_banned_network_gets_no_session_no_handshake_and_no_way_back() {
    let operator = Operator::start();
    let play = operator.harness.server.play_addr();
    let (_ada, bob, mut a, mut b, join) = two(&operator).await;
    let network = named(&operator.players(&join), "player 2")["network"].clone();
    operator.ban(&json!({ "network": network, "reason": "" }));
    assert_eq!(end(&mut b).await, Some(CloseReason::Banned));
    assert!(script::enter::<Tag>(&bob, &join).await.is_err(), "no handshake");
    let from = |source: IpAddr, head: &str| http::exchange(&mut connect_from(source, play), head.as_bytes());
    let open = format!(
        "POST /api/session HTTP/1.1\r\nHost: {play}\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{{\"name\":\"B\"}}"
    );
    let refused = from(Api::loopback_source(2), &open);
    assert_eq!((refused.status, refused.problem().as_str()), (403, "banned"));
    assert_eq!(refused.json()["detail"], "The people who run this server do not let you play here.");
    assert_eq!(from(Api::loopback_source(2), &format!("GET /api/info HTTP/1.1\r\nHost: {play}\r\n\r\n")).status, 200, "what all may read");
    let check = format!("POST /api/connect-check HTTP/1.1\r\nHost: {play}\r\n\r\n");
    assert_eq!(from(Api::loopback_source(2), &check).problem(), "banned", "a page can ask why");
    assert_eq!(from(Api::loopback_source(1), &open).status, 201, "others are not affected");
    script::see(&mut a, |_| true).await.expect("others play on");
}

#[test]
fn what_is_no_ban_is_refused() {
    let operator = Operator::start();
    for body in [json!({}), json!({ "network": "0.0.0.0/0" }), json!({ "network": "x" }), json!({ "session": "00" }), json!({ "who": 1 })] {
        assert_eq!(operator.call("POST", "/admin/api/bans", &body.to_string()).problem(), "bad_request", "{body}");
    }
    let nowhere = "/admin/api/matches/0123456789abcdef0123456789abcdef";
    assert_eq!(operator.call("GET", &format!("{nowhere}/players"), "").problem(), "match_not_found");
    assert_eq!(operator.call("POST", &format!("{nowhere}/kick"), "{}").problem(), "match_not_found");
    for (method, path) in
        [("GET", "/admin/api/bans"), ("POST", "/admin/api/bans"), ("DELETE", "/admin/api/bans/1"), ("GET", "/admin/api/audit")]
    {
        assert_eq!(
            request(operator.address, method, path, &[("Content-Type", "application/json")], "").problem(),
            "token_required",
            "{path}"
        );
    }
    assert!(operator.trail().is_empty(), "nothing was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_closed_again_and_again_waits_longer_each_time() {
    let operator = Operator::start();
    let (ada, bob, mut a, b, join) = two(&operator).await;
    drop(b);
    let mut refused = None;
    for round in 0..10 {
        let seat = bob.join(&join.code).await.expect("a seat");
        match script::enter::<Tag>(&bob, &seat).await {
            Ok(mut client) => {
                client.send_bytes(vec![0xff; 9]).await.expect("sent");
                assert_eq!(end(&mut client).await, Some(CloseReason::Malformed), "round {round}");
            }
            Err(error) => {
                refused = Some((round, format!("{error:?}")));
                break;
            }
        }
    }
    let (round, error) = refused.expect("a wait");
    assert!(round == 2 && error.contains("429"), "the first was forgiven: {round} {error}");
    script::see(&mut a, |_| true).await.expect("others play on");
    let again = ada.join(&join.code).await.expect("a seat");
    script::enter::<Tag>(&ada, &again).await.expect("others come and go");
    let (play, seat) = (operator.harness.server.play_addr(), bob.join(&join.code).await.expect("a seat"));
    let come = || handshake_on(&mut connect_from(Api::loopback_source(2), play), play, &seat.ws_url, &[]);
    assert!(come().header("retry-after").is_some(), "it is told when");
    eventually("it may come back", || (come().status == 101).then_some(())).await;
}

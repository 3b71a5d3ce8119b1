//! An operator watches a match of another server from the page of any.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work
#![cfg(unix)]

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;
#[path = "common/redis.rs"]
mod redis;

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use harness::{Harness, eventually};
use http::request;
use redis::Redis;
use serde_json::Value;
use tag::Tag;
use tickwire_game::Game;
use tickwire_protocol::codec::encode;
use tickwire_protocol::{ClientMessage, CloseReason, ServerMessage};
use tickwire_testkit::script::{enter, see};
use tickwire_testkit::{Api, Client, Join};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const TOKEN: &str = "correct-horse-battery";

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

type Page = WebSocketStream<TcpStream>;

/// A server of those that share `redis`, with an operator's listener.
fn server(redis: &Redis, name: &str, dir: &tempfile::TempDir) -> Harness {
    let file = dir.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).expect("a token file");
    Harness::start::<Tag>(|config| {
        config.admin.enabled = true;
        config.admin.token_file = Some(file);
        config.cluster.store = Some(redis.url());
        config.cluster.node_id = Some(name.to_owned());
    })
}

fn admin(harness: &Harness) -> SocketAddr {
    harness.server.admin_addr().expect("an admin listener")
}

fn dashboard(harness: &Harness) -> Value {
    request(admin(harness), "GET", "/admin/api/matches", &[("Authorization", &format!("Bearer {TOKEN}"))], "").json()
}

/// Watches match `id` from the page of a server.
async fn watch(harness: &Harness, id: &str) -> Page {
    let address = admin(harness);
    let mut handshake = format!("ws://{address}/admin/api/matches/{id}/spectate").into_client_request().expect("a request");
    let headers = handshake.headers_mut();
    headers.insert("Origin", format!("http://{address}").parse().expect("a header"));
    headers.insert("Sec-WebSocket-Protocol", format!("tickwire.spectate, bearer.{TOKEN}").parse().expect("a header"));
    let stream = TcpStream::connect(address).await.expect("connected");
    tokio_tungstenite::client_async(handshake, stream).await.expect("upgraded").0
}

/// What the next WebSocket message says. `None` once it is closed.
async fn hear(page: &mut Page) -> Option<Vec<ServerMessage>> {
    let bytes = match page.next().await? {
        Ok(Message::Binary(bytes)) => bytes,
        Ok(Message::Close(_)) | Err(_) => return None,
        Ok(other) => panic!("{other:?}"),
    };
    let mut rest = &bytes[..];
    Some(std::iter::from_fn(|| ServerMessage::decode_next(&mut rest)).map(|message| message.expect("a message")).collect())
}

/// Hears until something `wanted` has come so often.
async fn hear_of(page: &mut Page, count: usize, wanted: impl Fn(&ServerMessage) -> bool) {
    let hear = async {
        let mut heard = 0;
        while heard < count {
            heard += hear(page).await.expect("it goes on").iter().filter(|message| wanted(message)).count();
        }
    };
    tokio::time::timeout(PATIENCE, hear).await.expect("it comes in time");
}

/// Two servers that share a Redis. They end outside of a runtime, as their farewells block.
struct Pair {
    runs: Harness,
    other: Harness,
    runtime: Runtime,
    _redis: Redis,
    _dirs: [tempfile::TempDir; 2],
}

fn pair() -> Pair {
    let redis = Redis::start();
    let dirs = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    let [runs, other] = [("a", &dirs[0]), ("b", &dirs[1])].map(|(name, dir)| server(&redis, name, dir));
    Pair { runs, other, runtime: Runtime::new().expect("a runtime"), _redis: redis, _dirs: dirs }
}

/// A match of the first server, of which the other knows, and somebody who plays in it.
async fn playing(runs: &Harness, other: &Harness) -> (Join, Client<Tag>) {
    let ada = runs.guest(0).await;
    let join = ada.create(Tag::MODES[0].id, true).await.expect("a match");
    let (api, path): (Api, String) = ada.towards(&join.ws_url).await.expect("an address");
    let client = enter(&api, &Join { ws_url: path, ..join.clone() }).await.expect("Welcome");
    let found = || {
        let elsewhere = dashboard(other)["elsewhere"].as_array().expect("a list").clone();
        elsewhere.into_iter().find(|shown| shown["id"] == join.match_id.as_str() && shown["players"] == 1)
    };
    let shown = eventually("listed on the other server's page", found).await;
    assert_eq!((&shown["server"], &shown["mode"]), (&"a".into(), &Tag::MODES[0].id.into()));
    assert_eq!(dashboard(other)["matches"], Value::Array(vec![]));
    assert_eq!(dashboard(runs)["elsewhere"], Value::Array(vec![]), "its own are not elsewhere");
    (join, client)
}

#[test]
fn a_match_of_another_server_is_watched_as_its_own_are() {
    let Pair { runs, other, runtime, .. } = &pair();
    runtime.block_on(async {
        let (join, mut ada) = playing(runs, other).await;
        let mut page = watch(other, &join.match_id).await;
        let first = hear(&mut page).await.expect("a message");
        let [ServerMessage::Welcome(welcome), ServerMessage::Keyframe { .. }, ..] = first.as_slice() else { panic!("{first:?}") };
        assert_eq!((welcome.player, welcome.match_id.to_string()), (None, join.match_id.clone()));
        let ping = encode(&ClientMessage::<<Tag as Game>::Input>::Ping { client_time_ms: 7 });
        page.send(Message::Binary(ping.into())).await.expect("sent");
        hear_of(&mut page, 1, |message| matches!(message, ServerMessage::Pong(_))).await;
        hear_of(&mut page, 20, |message| matches!(message, ServerMessage::Delta { .. })).await;
        assert_eq!(dashboard(runs)["matches"][0]["spectators"], 1);
        see(&mut ada, |_| true).await.expect("Ada plays on");

        drop(page);
        eventually("nobody watches", || (dashboard(runs)["matches"][0]["spectators"] == 0).then_some(())).await;
    });
}

#[test]
fn a_spectator_elsewhere_can_do_nothing_else_either_and_is_told_when_it_ends() {
    let Pair { runs, other, runtime, _redis, _dirs } = pair();
    let (mut page, _ada) = runtime.block_on(async {
        let (join, ada) = playing(&runs, &other).await;
        let mut page = watch(&other, &join.match_id).await;
        hear_of(&mut page, 1, |message| matches!(message, ServerMessage::Keyframe { .. })).await;
        let leave = encode(&ClientMessage::<<Tag as Game>::Input>::Leave);
        page.send(Message::Binary(leave.into())).await.expect("sent");
        hear_of(&mut page, 1, |message| matches!(message, ServerMessage::Closing(CloseReason::Malformed))).await;
        assert!(hear(&mut page).await.is_none(), "closed");

        let unknown = format!("/admin/api/matches/{}/spectate", "0".repeat(32));
        let answer = request(admin(&other), "GET", &unknown, &[("Authorization", &format!("Bearer {TOKEN}"))], "");
        assert_eq!(answer.problem(), "match_not_found");
        let mut page = watch(&other, &join.match_id).await;
        hear_of(&mut page, 1, |message| matches!(message, ServerMessage::Keyframe { .. })).await;
        (page, ada)
    });
    let stopping = std::thread::spawn(move || runs.server.shutdown());
    runtime.block_on(hear_of(&mut page, 1, |message| matches!(message, ServerMessage::Closing(CloseReason::Draining))));
    stopping.join().expect("stopped");
}

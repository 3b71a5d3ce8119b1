//! Several servers that share a Redis are one: a match outlives its server, and players find it.
//!
//! The servers are processes, so that they can be killed; the Redis is a real one.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work
#![cfg(unix)]

#[path = "common/http.rs"]
mod http;
#[path = "common/redis.rs"]
mod redis;

use std::net::SocketAddr;
use std::time::Duration;

use http::{get, post};
use redis::{Redis, Server, pair};
use tag::Tag;
use tickwire_game::Game;
use tickwire_protocol::{CloseReason, Credential, Tick};
use tickwire_testkit::script::{enter, hear, hear_closing, resume, see};
use tickwire_testkit::target::Endpoint;
use tickwire_testkit::{Api, Client, ClientError, Heard, Join};

/// Between two tries of a client that was told to come again.
const AGAIN: Duration = Duration::from_millis(20);
const CONSISTENT: [&str; 2] = ["--set", "cluster.consistent_modes=[\"tag\"]"];

async fn guest(server: &Server, index: usize) -> Api {
    let mut api = Api::to(Endpoint::at(server.play), Api::loopback_source(index));
    api.open_session(&format!("player {index}")).await.expect("a guest session");
    api
}

/// Where an answer sends a client.
fn place(ws_url: &str) -> (SocketAddr, String) {
    let (host, path) = ws_url.strip_prefix("ws://").and_then(|rest| rest.split_once('/')).expect("a whole URL");
    (host.parse().expect("an address"), format!("/{path}"))
}

fn at(server: SocketAddr) -> Api {
    Api::to(Endpoint::at(server), Api::loopback_source(0))
}

async fn play(join: &Join) -> Client<Tag> {
    let (server, path) = place(&join.ws_url);
    enter(&at(server), &Join { ws_url: path, ..join.clone() }).await.expect("Welcome")
}

/// Asks `server` alone for the seat.
async fn try_at(server: SocketAddr, token: Credential) -> Result<Client<Tag>, ClientError> {
    let mut client = Client::connect(&at(server), "/ws").await?;
    client.hello(token).await?;
    hear(&mut client, |heard| matches!(heard, Heard::Welcome(_)).then_some(())).await?;
    Ok(client)
}

/// Comes back at `server`, which may have to take the match over first.
async fn come_back(server: SocketAddr, token: Credential) -> Client<Tag> {
    for _ in 0..1_000 {
        match try_at(server, token).await {
            Ok(client) => return client,
            // Until its lease is over, the match is the lost server's.
            Err(ClientError::Told(CloseReason::Restarting | CloseReason::Moved)) => tokio::time::sleep(AGAIN).await,
            Err(error) => panic!("the seat is there: {error}"),
        }
    }
    panic!("never: the match goes on")
}

/// The server that runs the match, and the other.
fn split<'a>(servers: &'a mut [Server; 2], join: &Join) -> (&'a mut Server, &'a mut Server) {
    let (runs, _) = place(&join.ws_url);
    let [a, b] = servers;
    if a.play == runs { (a, b) } else { (b, a) }
}

/// Hears where the match goes on.
async fn hear_migrate(client: &mut Client<Tag>) -> (SocketAddr, String) {
    let ws_url = hear(client, |heard| match heard {
        Heard::Migrate(ws_url) => Some(ws_url),
        _ => None,
    });
    let place = place(ws_url.await.expect("Migrate").as_str());
    assert_eq!(hear_closing(client).await.expect("and why"), CloseReason::Moved);
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn a_match_goes_on_on_another_server_when_its_own_is_lost() {
    goes_on_elsewhere(&Redis::start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_servers_tell_the_store_goes_over_tls_where_its_address_says_so() {
    goes_on_elsewhere(&Redis::start_with_tls()).await;
}

async fn goes_on_elsewhere(redis: &Redis) {
    let mut servers = pair(redis, &CONSISTENT);
    let join = guest(&servers[0], 0).await.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut ada = play(&join).await;
    let seen: Tick = see(&mut ada, |view| view.tick.0 >= 45).await.expect("a checkpoint, and some steps since");
    let (player, token) = (ada.player(), ada.resume_credential().expect("welcomed"));

    let (runs, other) = split(&mut servers, &join);
    runs.kill();
    let mut back = come_back(other.play, token).await;
    assert_eq!(back.player(), player);
    let tick = see(&mut back, |_| true).await.expect("a keyframe");
    assert!(tick.since(seen) >= 0, "nothing anybody saw is played again: {tick:?} after {seen:?}");
    see(&mut back, |view| view.tick.since(tick) > 10).await.expect("play goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_server_knows_the_guest_and_leads_to_the_match() {
    let redis = Redis::start();
    let mut servers = pair(&redis, &[]);
    let ada = guest(&servers[0], 0).await;
    let join = ada.create(Tag::MODES[0].id, false).await.expect("a match");
    let mut playing = play(&join).await;
    let (_, other) = split(&mut servers, &join);
    let other = other.play;

    let bob = {
        let mut api = Api::to(Endpoint::at(other), Api::loopback_source(1));
        api.open_session("Bob").await.expect("a guest session");
        api.join(&join.code).await.expect("a seat in the match of the other server")
    };
    assert_eq!((&bob.match_id, place(&bob.ws_url).0), (&join.match_id, place(&join.ws_url).0));
    play(&bob).await;

    let again = {
        let token = http::guest(servers[0].play);
        let [first, second] = [servers[0].play, other].map(|server| {
            let mut api = Api::to(Endpoint::at(server), Api::loopback_source(2));
            api.sign_in(&token);
            api
        });
        let first = first.quick_play(Tag::MODES[0].id).await.expect("a seat");
        let second = second.quick_play(Tag::MODES[0].id).await.expect("the other server knows the guest");
        assert_eq!(first.match_id, second.match_id, "and the seat");
        second
    };
    assert_eq!(again.match_id, join.match_id, "one match is filled before another is begun");
    see(&mut playing, |_| true).await.expect("play goes on");
    let listed = |server| get(server, "/api/matches").text().contains(&join.match_id);
    for server in [servers[0].play, servers[1].play] {
        assert!(
            (0..400).any(|_| listed(server) || {
                std::thread::sleep(Duration::from_millis(25));
                false
            }),
            "listed by both"
        );
    }
    assert_eq!(post(other, "/api/matches/NOCODE/join", Some("x"), "{}").status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_hands_its_matches_over() {
    let redis = Redis::start();
    let mut servers = pair(&redis, &[]);
    let join = guest(&servers[0], 0).await.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut ada = play(&join).await;
    let seen = see(&mut ada, |view| view.tick.0 >= 10).await.expect("Ada plays");
    let (player, token) = (ada.player(), ada.resume_credential().expect("welcomed"));

    let (runs, other) = split(&mut servers, &join);
    runs.signal("TERM");
    let (server, path) = hear_migrate(&mut ada).await;
    assert_eq!(server, other.play);
    let mut back: Client<Tag> = resume(&at(server), &path, token).await.expect("the seat is there at once");
    assert_eq!(back.player(), player);
    let tick = see(&mut back, |_| true).await.expect("a keyframe");
    assert!(tick.since(seen) >= 0, "nothing anybody saw is played again: {tick:?} after {seen:?}");
    assert_eq!(runs.end(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stood_still_gives_way() {
    let redis = Redis::start();
    let mut servers = pair(&redis, &CONSISTENT);
    let join = guest(&servers[0], 0).await.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut ada = play(&join).await;
    see(&mut ada, |view| view.tick.0 >= 10).await.expect("Ada plays");
    let token = ada.resume_credential().expect("welcomed");

    let (runs, other) = split(&mut servers, &join);
    runs.signal("STOP");
    let mut back = come_back(other.play, token).await;
    see(&mut back, |_| true).await.expect("a keyframe");
    runs.signal("CONT");
    assert_eq!(hear_migrate(&mut ada).await.0, other.play, "who stayed is sent there");
    let seen = see(&mut back, |_| true).await.expect("one owner");
    see(&mut back, |view| view.tick.since(seen) > 10).await.expect("play goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_dies_ends_no_match_and_is_told_everything_again() {
    let mut redis = Redis::start();
    let mut servers = pair(&redis, &[]);
    let join = guest(&servers[0], 0).await.create(Tag::MODES[0].id, false).await.expect("a match");
    let mut ada = play(&join).await;
    let seen = see(&mut ada, |view| view.tick.0 >= 10).await.expect("Ada plays");
    redis.kill();
    let seen = see(&mut ada, |view| view.tick.since(seen) > 60).await.expect("play goes on without it");
    assert_eq!(get(servers[0].play, "/api/info").status, 200);
    redis.restart();
    let (runs, other) = split(&mut servers, &join);
    let listed = || get(other.play, "/api/matches").text().contains(&join.match_id);
    assert!(
        (0..400).any(|_| listed() || {
            std::thread::sleep(Duration::from_millis(25));
            false
        }),
        "the other server lists it again"
    );
    see(&mut ada, |view| view.tick.since(seen) > 10).await.expect("play goes on");
    let token = ada.resume_credential().expect("welcomed");
    runs.kill();
    let mut back = come_back(other.play, token).await;
    assert_eq!(back.player(), ada.player());
    see(&mut back, |_| true).await.expect("it outlives its server, as before");
}

//! A server that dies, or is replaced, under `--supervise`: its players go on over the connections
//! that they have.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work
#![cfg(target_os = "linux")]

#[path = "common/supervised.rs"]
mod supervised;

use std::net::SocketAddr;

use arena::Arena;
use supervised::Supervised;
use tag::Tag;
use tickwire_game::Game;
use tickwire_protocol::{ClientMessage, CloseReason};
use tickwire_testkit::script::{enter, hear, hear_closing, resume, see};
use tickwire_testkit::{Api, Client, Heard};

/// A supervised server of matches that outlive it, whose clients check every snapshot.
fn keeping(more: &[&str]) -> (Supervised, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let folder_text = folder.path().to_str().expect("UTF-8");
    (Supervised::start(&[&["--state-dir", folder_text, "--hash-every", "1"], more].concat()), folder)
}

async fn guest(play: SocketAddr, name: &str) -> Api {
    let mut api = Api::new(play, Api::loopback_source(1));
    api.open_session(name).await.expect("a session");
    api
}

/// Says something, hears the answer, and sees two more ticks.
async fn plays<G: Game>(client: &mut Client<G>) {
    client.send(ClientMessage::Ping { client_time_ms: 7 }).await.expect("sent");
    hear(client, |heard| matches!(heard, Heard::Pong(_)).then_some(())).await.expect("an answer");
    let tick = see(client, |_| true).await.expect("a snapshot");
    see(client, |view| view.tick.since(tick) > 1).await.expect("play goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_but_for_a_pause_that_a_server_was_killed_or_replaced() {
    let (mut supervised, _folder) = keeping(&[]);
    let mut pid = supervised.started();
    let play = supervised.listening();
    let (for_ada, for_bob) = (guest(play, "Ada").await, guest(play, "Bob").await);
    let join = for_ada.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut ada: Client<Tag> = enter(&for_ada, &join).await.expect("Welcome");
    let mut bob: Client<Tag> = enter(&for_bob, &for_bob.join(&join.code).await.expect("a seat")).await.expect("Welcome");
    for signal in ["KILL", "USR2", "KILL", "KILL"] {
        plays(&mut ada).await;
        plays(&mut bob).await;
        let seen = see(&mut ada, |_| true).await.expect("a snapshot");
        supervised::kill(pid, signal);
        pid = supervised.started();
        let back = supervised.says("matches of the former process go on");
        assert_eq!((back["matches"].as_u64(), back["connections"].as_u64()), (Some(1), Some(2)), "{back}");
        supervised.listening();
        // No tick that was seen is played again: the client's copy would differ.
        let after = see(&mut ada, |_| true).await.expect("a snapshot on the same connection");
        assert!(after.since(seen) > 0);
    }
    plays(&mut bob).await;
    // The seats are what they were: one is given up, the other one can be resumed.
    ada.send(ClientMessage::Leave).await.expect("sent");
    assert_eq!(hear_closing(&mut ada).await.expect("a reason"), CloseReason::Left);
    let token = bob.resume_credential().expect("welcomed");
    let mut again: Client<Tag> = resume(&for_bob, &join.ws_url, token).await.expect("his seat");
    assert_eq!(hear_closing(&mut bob).await.expect("a reason"), CloseReason::Replaced);
    plays(&mut again).await;
    assert_eq!(supervised.stop("TERM"), Some(0));
}

/// What each has in its slots of a divided match no other process knows: the next one has them
/// emptied, and sends what is in sight again.
#[tokio::test(flavor = "multi_thread")]
async fn nor_does_anybody_in_a_match_that_shows_each_only_what_is_near() {
    let (mut supervised, _folder) = keeping(&["--game", "arena"]);
    let mut pid = supervised.started();
    let play = supervised.listening();
    let for_ada = guest(play, "Ada").await;
    let join = for_ada.create(arena::ROYALE_ID, true).await.expect("a match");
    let mut ada: Client<Arena> = enter(&for_ada, &join).await.expect("Welcome");
    for signal in ["KILL", "USR2", "KILL"] {
        plays(&mut ada).await;
        supervised::kill(pid, signal);
        pid = supervised.started();
        let back = supervised.says("matches of the former process go on");
        assert_eq!((back["matches"].as_u64(), back["connections"].as_u64()), (Some(1), Some(1)), "{back}");
        supervised.listening();
    }
    plays(&mut ada).await;
    assert_eq!(supervised.stop("TERM"), Some(0));
}

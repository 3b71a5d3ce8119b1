//! A lobby: a match that waits until its players are ready, or its host starts it.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;

use harness::Harness;
use http::Method;
use serde_json::json;
use tag::Tag;
use tickwire_game::Game;
use tickwire_protocol::messages::Lobby;
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{ClientMessage, CloseReason, Event};
use tickwire_server::Config;
use tickwire_testkit::script::{enter, hear, hear_closing, phase, see};
use tickwire_testkit::{Api, Client, Heard, Join};

/// Ada, the host, and Bob, both in a lobby of Ada's that three bots would fill.
async fn ada_and_bob(adjust: impl FnOnce(&mut Config)) -> (Harness, Client<Tag>, Client<Tag>, Join) {
    let harness = Harness::start::<Tag>(|config| {
        config.matches.bots_fill = Some(5);
        adjust(config);
    });
    let (ada, bob) = (harness.guest(0).await, harness.guest(1).await);
    let join = create(&ada).await;
    let ada = enter(&ada, &join).await.expect("Welcome");
    let bob_join = bob.join(&join.code).await.expect("a seat");
    let bob = enter(&bob, &bob_join).await.expect("Welcome");
    (harness, ada, bob, join)
}

async fn create(api: &Api) -> Join {
    let body = json!({ "mode": Tag::MODES[0].id, "private": true, "lobby": true });
    Join::from_answer(&api.call(Method::POST, "/api/matches", Some(body)).await.expect("a match")).expect("a seat")
}

/// Waits until `client` is told of a lobby that is as `wanted`.
async fn told(client: &mut Client<Tag>, wanted: impl Fn(&Lobby) -> bool) {
    let heard = hear(client, |heard| matches!(heard, Heard::Event(Event::Lobby(lobby)) if wanted(&lobby)).then_some(()));
    heard.await.expect("the lobby changes");
}

/// Waits until the match is no longer waiting; returns how many bots were in it before and are soon
/// after.
async fn begins(client: &mut Client<Tag>, bots_after: usize) {
    let before = client.welcome().map_or(0, |welcome| welcome.roster.as_slice().iter().filter(|entry| entry.bot).count());
    assert_eq!(before, 0, "no bots before the start");
    let runners = |view: &tickwire_protocol::Snapshot| view.rows::<tag::Runner>().count();
    see(client, |view| phase(view) == Phase::Live && runners(view) == 2 + bots_after).await.expect("the match begins");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_begins_when_all_who_are_connected_are_ready() {
    let (_harness, mut ada, mut bob, _) = ada_and_bob(|_| {}).await;
    let [host, guest] = [&ada, &bob].map(|client| client.player().expect("a seat"));
    told(&mut bob, |lobby| lobby.host == Some(host) && lobby.bots && lobby.ready.as_slice().is_empty()).await;
    bob.send(ClientMessage::Ready(true)).await.expect("sent");
    told(&mut ada, |lobby| lobby.ready.as_slice() == [guest]).await;
    bob.send(ClientMessage::Ready(false)).await.expect("sent");
    told(&mut ada, |lobby| lobby.ready.as_slice().is_empty()).await;
    let tick = see(&mut ada, |_| true).await.expect("a snapshot");
    see(&mut ada, |view| view.tick.since(tick) > 30 && phase(view) == Phase::Waiting).await.expect("it waits");
    bob.send(ClientMessage::Ready(true)).await.expect("sent");
    ada.send(ClientMessage::Ready(true)).await.expect("sent");
    begins(&mut bob, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_host_starts_it_and_chooses_whether_there_are_bots() {
    let (_harness, mut ada, mut bob, _) = ada_and_bob(|_| {}).await;
    for out_of_place in [ClientMessage::Start, ClientMessage::Bots(false)] {
        bob.send(out_of_place).await.expect("sent");
    }
    let tick = see(&mut bob, |_| true).await.expect("a snapshot");
    see(&mut bob, |view| view.tick.since(tick) > 30 && phase(view) == Phase::Waiting).await.expect("Bob is not the host");
    ada.send(ClientMessage::Bots(false)).await.expect("sent");
    told(&mut bob, |lobby| !lobby.bots).await;
    ada.send(ClientMessage::Start).await.expect("sent");
    begins(&mut bob, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_is_host_when_the_host_leaves() {
    let (harness, mut ada, mut bob, join) = ada_and_bob(|_| {}).await;
    let next = bob.player();
    let cyd = harness.guest(2).await;
    let cyd_join = cyd.join(&join.code).await.expect("a seat");
    let mut cyd: Client<Tag> = enter(&cyd, &cyd_join).await.expect("Welcome");
    ada.send(ClientMessage::Leave).await.expect("sent");
    assert_eq!(hear_closing(&mut ada).await.expect("a reason"), CloseReason::Left);
    told(&mut cyd, |lobby| lobby.host == next).await;
    bob.send(ClientMessage::Start).await.expect("sent");
    begins(&mut cyd, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_none_before_a_rematch() {
    let (_harness, mut ada, mut bob, _) = ada_and_bob(|config| {
        config.matches.live_seconds = 1;
        config.matches.results_seconds = 60;
    })
    .await;
    ada.send(ClientMessage::Start).await.expect("sent");
    for client in [&mut ada, &mut bob] {
        see(client, |view| phase(view) == Phase::Finished).await.expect("finished");
        client.send(ClientMessage::Rematch).await.expect("sent");
    }
    see(&mut ada, |view| phase(view) == Phase::Live).await.expect("another round, at once");
}

//! Matches outlive their process: whoever starts with what it left behind brings them back, with
//! everybody's seat.
//!
//! What a process leaves that is killed now is what it has written by now. So a test copies the
//! folder of a server that runs, stops the server, and starts another one with the copy. Real
//! kills are `cargo xtask chaos`.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::fs;
use std::path::Path;

use arena::Arena;
use harness::Harness;
use http::get;
use tag::Tag;
use tempfile::TempDir;
use tickwire_game::Game;
use tickwire_protocol::{ClientMessage, CloseReason, Tick};
use tickwire_server::server::StartError;
use tickwire_server::{Config, Server};
use tickwire_testkit::script::{enter, hear, hear_closing, resume, see};
use tickwire_testkit::{ApiError, Client, ClientError, Heard};

/// A server that keeps its matches in `dir`, on `port`.
fn keeping<G: Game>(dir: &Path, port: u16, adjust: impl FnOnce(&mut Config)) -> Harness {
    Harness::start::<G>(|config| {
        config.port = port;
        config.ops.port = Some(0);
        dir.clone_into(&mut config.journal.dir);
        adjust(config);
    })
}

/// What the process leaves if it is killed now.
fn remains(dir: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(dir).expect("the folder") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("copied");
    }
    copy
}

/// The process is killed, and another one starts with what it left.
fn killed<G: Game>(harness: Harness, dir: &Path) -> (Harness, TempDir) {
    killed_with::<G>(harness, dir, |_| {})
}

/// As [`killed`]; the next process has other settings than the usual ones.
fn killed_with<G: Game>(harness: Harness, dir: &Path, adjust: impl FnOnce(&mut Config)) -> (Harness, TempDir) {
    let port = harness.server.play_addr().port();
    let copy = remains(dir);
    harness.server.shutdown();
    (keeping::<G>(copy.path(), port, adjust), copy)
}

/// How many matches there are, as the monitoring system sees it.
fn matches(harness: &Harness) -> u64 {
    let text = get(harness.server.ops_addr(), "/metrics").text();
    let lines = text.lines().filter(|line| line.starts_with("tickwire_matches{"));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
}

/// Says something and hears the answer: the server knows then that the client has its token.
async fn speak<G: Game>(client: &mut Client<G>) {
    client.send(ClientMessage::Ping { client_time_ms: 0 }).await.expect("sent");
    hear(client, |heard| matches!(heard, Heard::Pong(_)).then_some(())).await.expect("an answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_match_goes_on_with_everybody_in_their_seat() {
    let dir = tempfile::tempdir().expect("a folder");
    let harness = keeping::<Arena>(dir.path(), 0, |config| config.matches.bots_fill = Some(6));
    let (mut ada, mut bob, join) = harness.pair::<Arena>().await;
    let (for_ada, for_bob) = (harness.guest(0).await, harness.guest(1).await);
    let seen = see(&mut ada, |view| view.tick.0 >= 75).await.expect("a checkpoint, and some steps since");
    let seen: Tick = see(&mut bob, |view| view.tick.since(seen) >= 0).await.expect("Bob too");
    let before = [&ada, &bob].map(|client| (client.player(), client.resume_credential().expect("welcomed")));

    let (_harness, _dir) = killed::<Arena>(harness, dir.path());
    for ((player, token), api) in before.into_iter().zip([for_ada, for_bob]) {
        let mut back: Client<Arena> = resume(&api, &join.ws_url, token).await.expect("the seat is there");
        assert_eq!(back.player(), player);
        assert_eq!(back.welcome().expect("welcomed").match_id.to_string(), join.match_id);
        let tick = see(&mut back, |_| true).await.expect("a keyframe");
        assert!(tick.since(seen) >= 0, "nothing anybody saw is played again: {tick:?} after {seen:?}");
        see(&mut back, |view| view.tick.since(tick) > 0).await.expect("play goes on");
        speak(&mut back).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_known_by_the_seat_and_gets_it_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let harness = keeping::<Tag>(dir.path(), 0, |_| {});
    let api = harness.guest(0).await;
    let join = api.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut ada: Client<Tag> = enter(&api, &join).await.expect("Welcome");
    see(&mut ada, |view| view.tick.0 >= 3).await.expect("Ada plays");

    let (harness, _dir) = killed::<Tag>(harness, dir.path());
    let again = api.join(&join.code).await.expect("who had a session has one");
    assert_eq!(again.match_id, join.match_id);
    let back: Client<Tag> = enter(&api, &again).await.expect("Welcome");
    assert_eq!(back.player(), ada.player());
    let stranger = harness.guest(1).await.join(&join.code).await.expect("a seat of their own");
    assert_eq!(stranger.match_id, join.match_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_without_a_seat_is_known_and_so_is_one_of_two_processes_ago() {
    let dir = tempfile::tempdir().expect("a folder");
    let harness = keeping::<Tag>(dir.path(), 0, |_| {});
    let early = harness.guest(0).await;
    let (harness, dir) = killed::<Tag>(harness, dir.path());
    let late = harness.guest(1).await;
    let (_harness, _dir) = killed::<Tag>(harness, dir.path());
    for api in [early, late] {
        api.create(Tag::MODES[0].id, true).await.expect("who had a session has one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_created_a_match_is_charged_until_it_ends() {
    let dir = tempfile::tempdir().expect("a folder");
    let few = |config: &mut Config| (config.sessions.matches_max, config.matches.empty_ms) = (1, 300);
    let harness = keeping::<Tag>(dir.path(), 0, few);
    let api = harness.guest(0).await;
    let join = api.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut ada: Client<Tag> = enter(&api, &join).await.expect("Welcome");
    see(&mut ada, |_| true).await.expect("Ada plays");
    let token = ada.resume_credential().expect("welcomed");

    let (_harness, _dir) = killed_with::<Tag>(harness, dir.path(), few);
    let refused = api.create(Tag::MODES[0].id, true).await.err();
    assert!(matches!(&refused, Some(ApiError::Refused { code, .. }) if code == "too_many_matches"), "{refused:?}");
    let mut back: Client<Tag> = resume(&api, &join.ws_url, token).await.expect("the seat is there");
    back.send(ClientMessage::Leave).await.expect("sent");
    while api.create(Tag::MODES[0].id, true).await.is_err() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_count_for_the_address_that_asked_for_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let one = |config: &mut Config| config.sessions.seats_per_address = 1;
    let harness = keeping::<Tag>(dir.path(), 0, one);
    let (api, neighbour) = (harness.guest(0).await, harness.guest(0).await);
    let join = api.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut ada: Client<Tag> = enter(&api, &join).await.expect("Welcome");
    see(&mut ada, |_| true).await.expect("Ada plays");
    let token = ada.resume_credential().expect("welcomed");

    let (_harness, _dir) = killed_with::<Tag>(harness, dir.path(), one);
    let _back: Client<Tag> = resume(&api, &join.ws_url, token).await.expect("the seat is there");
    let refused = neighbour.join(&join.code).await.err();
    assert!(matches!(&refused, Some(ApiError::Refused { code, .. }) if code == "at_capacity"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_in_hand_still_admits() {
    let dir = tempfile::tempdir().expect("a folder");
    let harness = keeping::<Tag>(dir.path(), 0, |_| {});
    let api = harness.guest(0).await;
    let join = api.create(Tag::MODES[0].id, true).await.expect("a match");

    let (_harness, _dir) = killed::<Tag>(harness, dir.path());
    enter::<Tag>(&api, &join).await.expect("Welcome");
    let again = enter::<Tag>(&api, &join).await.err();
    assert!(again.is_none() || matches!(again, Some(ClientError::Told(CloseReason::BadTicket))), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_killed_while_it_came_back_comes_back_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let harness = keeping::<Tag>(dir.path(), 0, |_| {});
    let api = harness.guest(0).await;
    let join = api.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut ada: Client<Tag> = enter(&api, &join).await.expect("Welcome");
    let mut seen = see(&mut ada, |view| view.tick.0 >= 40).await.expect("Ada plays");
    let mut token = ada.resume_credential().expect("welcomed");

    let (mut harness, mut dir) = killed::<Tag>(harness, dir.path());
    for _ in 0..3 {
        let (next, copy) = killed::<Tag>(harness, dir.path());
        (harness, dir) = killed::<Tag>(next, copy.path());
        let mut back: Client<Tag> = resume(&api, &join.ws_url, token).await.expect("the seat is there");
        let tick = see(&mut back, |view| view.tick.since(seen) > 0).await.expect("play goes on");
        (seen, token) = (tick, back.resume_credential().expect("welcomed"));
        speak(&mut back).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_match_that_ended_and_a_seat_that_was_left_do_not_come_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let harness = keeping::<Tag>(dir.path(), 0, |config| config.matches.empty_ms = 300);
    let (ended, goes_on) = (harness.guest(0).await, harness.guest(1).await);
    let over = ended.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut ada: Client<Tag> = enter(&ended, &over).await.expect("Welcome");
    see(&mut ada, |_| true).await.expect("Ada plays");
    let join = goes_on.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut bob: Client<Tag> = enter(&goes_on, &join).await.expect("Welcome");
    see(&mut bob, |_| true).await.expect("Bob plays");
    let (left, kept) = (ada.resume_credential().expect("welcomed"), bob.resume_credential().expect("welcomed"));
    ada.send(ClientMessage::Leave).await.expect("sent");
    let asked = async || harness.guest(9).await.join(&over.code).await;
    while asked().await.is_ok() {}

    let (_harness, _dir) = killed::<Tag>(harness, dir.path());
    let refused = resume::<Tag>(&ended, &over.ws_url, left).await.err();
    assert!(matches!(refused, Some(ClientError::Told(CloseReason::MatchGone | CloseReason::BadResume))), "{refused:?}");
    resume::<Tag>(&goes_on, &join.ws_url, kept).await.expect("the other one goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_leaves_nothing_to_bring_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let harness = keeping::<Tag>(dir.path(), 0, |_| {});
    let api = harness.guest(0).await;
    let join = api.create(Tag::MODES[0].id, true).await.expect("a match");
    let ada: Client<Tag> = enter(&api, &join).await.expect("Welcome");
    let (port, token) = (harness.server.play_addr().port(), ada.resume_credential().expect("welcomed"));
    harness.server.shutdown();

    let harness = keeping::<Tag>(dir.path(), port, |_| {});
    assert_eq!(matches(&harness), 0);
    let refused = resume::<Tag>(&api, &join.ws_url, token).await.err();
    assert!(matches!(refused, Some(ClientError::Told(CloseReason::MatchGone | CloseReason::BadResume))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_end_costs_what_was_torn_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a folder");
    let harness = keeping::<Tag>(dir.path(), 0, |_| {});
    let api = harness.guest(0).await;
    let join = api.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut ada: Client<Tag> = enter(&api, &join).await.expect("Welcome");
    see(&mut ada, |view| view.tick.0 >= 40).await.expect("Ada plays");
    speak(&mut ada).await;
    let token = ada.resume_credential().expect("welcomed");
    let (port, copy) = (harness.server.play_addr().port(), remains(dir.path()));
    harness.server.shutdown();
    let segments = fs::read_dir(copy.path()).expect("the folder").filter_map(Result::ok);
    for entry in segments.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "segment")) {
        let file = fs::OpenOptions::new().write(true).open(entry.path()).expect("a file");
        let length = file.metadata().expect("a length").len();
        file.set_len(length.saturating_sub(5)).expect("cut");
    }
    let _harness = keeping::<Tag>(copy.path(), port, |_| {});
    let mut back: Client<Tag> = resume(&api, &join.ws_url, token).await.expect("the seat is there");
    see(&mut back, |_| true).await.expect("play goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_one_servers() {
    let dir = tempfile::tempdir().expect("a folder");
    let harness = keeping::<Tag>(dir.path(), 0, |_| {});
    let mut config = Config { port: 0, ..Config::default() };
    config.admin.enabled = false;
    dir.path().clone_into(&mut config.journal.dir);
    let Err(error @ StartError::Journal(_)) = Server::start::<Tag>(config) else { panic!("two servers in one folder") };
    assert!(error.to_string().contains(&dir.path().display().to_string()), "{error}");
    drop(harness);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_match_goes_on_where_it_stood_and_its_clients_are_told_to_come_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let harness = keeping::<Tag>(dir.path(), 0, |_| {});
    let (mut ada, bob, join) = harness.pair::<Tag>().await;
    let (api, port) = (harness.guest(0).await, harness.server.play_addr().port());
    see(&mut ada, |view| view.tick.0 >= 20).await.expect("Ada plays");
    drop(bob);
    let freezing = tokio::task::spawn_blocking(move || harness.server.freeze());
    assert_eq!(hear_closing(&mut ada).await.expect("told"), CloseReason::Restarting);
    let (seen, token) = (ada.view().expect("a view").tick, ada.resume_credential().expect("welcomed"));
    freezing.await.expect("frozen");

    let _harness = keeping::<Tag>(dir.path(), port, |_| {});
    let mut back: Client<Tag> = resume(&api, &join.ws_url, token).await.expect("the seat is there");
    let tick = see(&mut back, |_| true).await.expect("a keyframe");
    assert_eq!(tick, seen, "not a tick was played that nobody saw");
    see(&mut back, |view| view.tick.since(tick) > 0).await.expect("play goes on");
}

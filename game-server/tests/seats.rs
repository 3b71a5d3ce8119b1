//! Seats: never more than there are, whoever comes at once; freed when left; kept for a while when
//! a connection is lost.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;

use std::time::Duration;

use harness::Harness;
use tag::Tag;
use tickwire_game::Game;
use tickwire_protocol::{ClientMessage, CloseReason, Credential, Event, MatchId, Secret};
use tickwire_testkit::script::{enter, hear, hear_closing, resume, see};
use tickwire_testkit::{ApiError, Client, ClientError, Heard};

/// Pings and hears the answer: the server knows from then on that the client has its token.
async fn speak(client: &mut Client<Tag>) {
    client.send(ClientMessage::Ping { client_time_ms: 0 }).await.expect("sent");
    hear(client, |heard| matches!(heard, Heard::Pong(_)).then_some(())).await.expect("an answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn simultaneous_joins_never_exceed_the_capacity() {
    let harness = Harness::start::<Tag>(|_| {});
    let mode = Tag::MODES[0];
    let first = harness.guest(0).await.create(mode.id, true).await.expect("a match");
    let mut joins = tokio::task::JoinSet::new();
    for index in 1..40 {
        let (api, code) = (harness.guest(index).await, first.code.clone());
        joins.spawn(async move { api.join(&code).await });
    }
    let results = joins.join_all().await;
    let seated = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(seated + 1, usize::from(mode.max_players));
    let refusals: Vec<String> = results.into_iter().filter_map(Result::err).map(refusal).collect();
    assert!(refusals.iter().all(|code| code == "match_full"), "{refusals:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn simultaneous_quick_plays_share_a_match() {
    let harness = Harness::start::<Tag>(|_| {});
    let mut joins = tokio::task::JoinSet::new();
    let mode = Tag::MODES[0];
    for index in 0..usize::from(mode.max_players) {
        let api = harness.guest(index).await;
        joins.spawn(async move { api.quick_play(mode.id).await.expect("a seat").match_id });
    }
    let mut matches = joins.join_all().await;
    matches.sort();
    matches.dedup();
    assert_eq!(matches.len(), 1, "one match holds them all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_resumes_its_seat_with_a_token_that_is_spent_by_its_successor() {
    let harness = Harness::start::<Tag>(|_| {});
    let (ada, mut bob, join) = harness.pair::<Tag>().await;
    let api = harness.guest(0).await;
    let (player, token) = (ada.player(), ada.resume_credential().expect("welcomed"));
    drop(ada);
    let mut back: Client<Tag> = resume(&api, &join.ws_url, token).await.expect("the seat was kept");
    assert_eq!(back.player(), player);
    assert_ne!(back.resume_credential(), Some(token), "the token was rotated");
    speak(&mut back).await;
    let again = resume::<Tag>(&api, &join.ws_url, token).await.err();
    assert!(matches!(again, Some(ClientError::Told(CloseReason::BadResume))), "a used token: {again:?}");
    see(&mut bob, |_| true).await.expect("the match goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_token_changes_nothing_for_the_rightful_player() {
    let harness = Harness::start::<Tag>(|_| {});
    let (ada, _bob, join) = harness.pair::<Tag>().await;
    let api = harness.guest(0).await;
    let token = ada.resume_credential().expect("welcomed");
    let match_id = join.match_id.parse::<MatchId>().expect("an id");
    drop(ada);
    for guess in [Credential::Resume { match_id, token: Secret([0; 16]) }, Credential::Resume { match_id, token: Secret([7; 16]) }] {
        let refused = resume::<Tag>(&api, &join.ws_url, guess).await.err();
        assert!(matches!(refused, Some(ClientError::Told(CloseReason::BadResume))), "{refused:?}");
    }
    resume::<Tag>(&api, &join.ws_url, token).await.expect("the right token still works");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seat_resumed_elsewhere_replaces_the_first_session() {
    let harness = Harness::start::<Tag>(|_| {});
    let (mut ada, _bob, join) = harness.pair::<Tag>().await;
    let token = ada.resume_credential().expect("welcomed");
    let _elsewhere: Client<Tag> = resume(&harness.guest(0).await, &join.ws_url, token).await.expect("a reload is quicker than a timeout");
    assert_eq!(hear_closing(&mut ada).await.expect("a reason"), CloseReason::Replaced);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_grace_period_ends_and_the_seat_is_freed() {
    let harness = Harness::start::<Tag>(|config| config.session.grace_ms = 300);
    let (ada, mut bob, join) = harness.pair::<Tag>().await;
    let (gone, token) = (ada.player().expect("a seat"), ada.resume_credential().expect("welcomed"));
    drop(ada);
    hear(&mut bob, |heard| (heard == Heard::Event(Event::Left(gone))).then_some(())).await.expect("Bob is told");
    let late = resume::<Tag>(&harness.guest(0).await, &join.ws_url, token).await.err();
    assert!(matches!(late, Some(ClientError::Told(CloseReason::BadResume))), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_frees_the_seat_at_once() {
    let harness = Harness::start::<Tag>(|_| {});
    let (mut ada, mut bob, _join) = harness.pair::<Tag>().await;
    let gone = ada.player().expect("a seat");
    ada.send(ClientMessage::Leave).await.expect("sent");
    assert_eq!(hear_closing(&mut ada).await.expect("a reason"), CloseReason::Left);
    hear(&mut bob, |heard| (heard == Heard::Event(Event::Left(gone))).then_some(())).await.expect("Bob is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_spent_once_its_session_has_spoken() {
    let harness = Harness::start::<Tag>(|_| {});
    let api = harness.guest(0).await;
    let join = api.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut ada: Client<Tag> = enter(&api, &join).await.expect("the ticket is good");
    speak(&mut ada).await;
    let again = enter::<Tag>(&api, &join).await.err();
    assert!(matches!(again, Some(ClientError::Told(CloseReason::BadTicket))), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_match_ends() {
    let harness = Harness::start::<Tag>(|config| config.matches.empty_ms = 200);
    let api = harness.guest(0).await;
    let join = api.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut only: Client<Tag> = enter(&api, &join).await.expect("a seat");
    only.send(ClientMessage::Leave).await.expect("sent");
    let mut code = String::new();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        match api.join(&join.code).await {
            // Someone who came back in the last moment keeps it alive: their reservation must run
            // out too.
            Ok(_) => return,
            Err(error) => code = refusal(error),
        }
        if code == "match_not_found" {
            return;
        }
    }
    panic!("the match is still there: {code}");
}

/// The code of a refusal.
fn refusal(error: ApiError) -> String {
    match error {
        ApiError::Refused { code, .. } => code,
        other => panic!("expected a refusal, not: {other}"),
    }
}

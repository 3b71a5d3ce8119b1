//! A person has one seat in a match, and gets it again; seats in a few matches; and a link that
//! works in every phase.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;

use harness::Harness;
use tag::Tag;
use tickwire_game::Game;
use tickwire_protocol::{ClientMessage, CloseReason, Event};
use tickwire_testkit::script::{enter, hear, hear_closing, see};
use tickwire_testkit::{ApiError, Client, Heard};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_again_gets_the_own_seat_whatever_its_state() {
    let harness = Harness::start::<Tag>(|_| {});
    let mode = Tag::MODES[0].id;
    let (mut ada, mut bob, join) = harness.pair::<Tag>().await;
    let api = harness.guest(0).await;
    // Another session of the same person is somebody else to the server.
    let stranger: Client<Tag> = enter(&api, &api.join(&join.code).await.expect("a seat")).await.expect("Welcome");
    assert_ne!(stranger.player(), ada.player());

    let tom = harness.guest(2).await;
    let first = tom.quick_play(mode).await.expect("a seat");
    let second = tom.join(&first.code).await.expect("the same seat");
    let mut one_tab: Client<Tag> = enter(&tom, &first).await.expect("an older ticket is good too");
    let mut other_tab: Client<Tag> = enter(&tom, &second).await.expect("Welcome");
    assert_eq!(other_tab.player(), one_tab.player());
    assert_eq!(hear_closing(&mut one_tab).await.expect("a reason"), CloseReason::Replaced);
    let player = other_tab.player();
    drop(other_tab);
    let third = tom.quick_play(mode).await.expect("the seat was kept");
    assert_eq!(third.match_id, first.match_id);
    other_tab = enter(&tom, &third).await.expect("Welcome");
    assert_eq!(other_tab.player(), player);

    other_tab.send(ClientMessage::Leave).await.expect("sent");
    assert_eq!(hear_closing(&mut other_tab).await.expect("a reason"), CloseReason::Left);
    let anew: Client<Tag> = enter(&tom, &tom.join(&first.code).await.expect("a seat")).await.expect("Welcome");
    assert!(anew.player().is_some());
    for client in [&mut ada, &mut bob] {
        see(client, |_| true).await.expect("nobody else noticed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_seats_in_a_few_matches_and_no_more() {
    let harness = Harness::start::<Tag>(|config| config.sessions.seats_max = 2);
    let mode = Tag::MODES[0].id;
    let ada = harness.guest(0).await;
    let mut codes = Vec::new();
    let mut friends = Vec::new();
    for index in 1..4 {
        let friend = harness.guest(index).await;
        let join = friend.create(mode, true).await.expect("a match");
        codes.push(join.code.clone());
        friends.push(enter::<Tag>(&friend, &join).await.expect("Welcome"));
    }
    let mut seats = Vec::new();
    for code in &codes[..2] {
        seats.push(enter::<Tag>(&ada, &ada.join(code).await.expect("a seat")).await.expect("Welcome"));
    }
    let refused = [ada.join(&codes[2]).await, ada.quick_play(mode).await, ada.create(mode, true).await];
    assert!(refused.into_iter().all(|answer| refusal(answer.expect_err("refused")) == "too_many_seats"));
    ada.join(&codes[0]).await.expect("one of those she has");
    let left = seats.first_mut().expect("a seat");
    left.send(ClientMessage::Leave).await.expect("sent");
    assert_eq!(hear_closing(left).await.expect("a reason"), CloseReason::Left);
    ada.join(&codes[2]).await.expect("there is room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_drains_gives_back_seats_and_gives_no_new_ones() {
    let harness = Harness::start::<Tag>(|_| {});
    let mode = Tag::MODES[0].id;
    let (ada, bob) = (harness.guest(0).await, harness.guest(1).await);
    let join = ada.quick_play(mode).await.expect("a seat");
    let mut playing: Client<Tag> = enter(&ada, &join).await.expect("Welcome");
    harness.server.start_draining();
    for back in [ada.join(&join.code).await, ada.quick_play(mode).await] {
        assert_eq!(back.expect("her own seat").match_id, join.match_id);
    }
    let refused = [bob.join(&join.code).await, bob.quick_play(mode).await, ada.create(mode, true).await];
    assert!(refused.into_iter().all(|answer| refusal(answer.expect_err("refused")) == "draining"));
    see(&mut playing, |_| true).await.expect("she plays on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_while_the_results_are_shown() {
    let harness = Harness::start::<Tag>(|config| {
        config.matches.live_seconds = 1;
        config.matches.results_seconds = 60;
    });
    let (mut ada, _bob, join) = harness.pair::<Tag>().await;
    hear(&mut ada, |heard| matches!(heard, Heard::Event(Event::Results { .. })).then_some(())).await.expect("the end of the round");
    let late = harness.guest(2).await;
    let mut late: Client<Tag> = enter(&late, &late.join(&join.code).await.expect("a seat")).await.expect("Welcome");
    hear(&mut late, |heard| matches!(heard, Heard::Event(Event::Results { .. })).then_some(())).await.expect("the results");
}

/// The code of a refusal.
fn refusal(error: ApiError) -> String {
    match error {
        ApiError::Refused { code, .. } => code,
        other => panic!("expected a refusal, not: {other}"),
    }
}

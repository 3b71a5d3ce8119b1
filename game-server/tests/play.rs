//! Playing: what one does the others see, every view equals the server's, and a match runs from
//! countdown to rematch.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;

use arena::Arena;
use harness::Harness;
use tag::Tag;
use tickwire_game::{Game, Predict};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{ClientMessage, CloseReason, Event};
use tickwire_testkit::bot::{Bot, Driver};
use tickwire_testkit::client::Traffic;
use tickwire_testkit::script::{hear, hear_closing, phase, see};
use tickwire_testkit::{Client, Heard};
use tokio::time::{Duration, Instant};

/// Two bots play over the wire until each has seen a hundred snapshots; every one of them equals
/// the server's.
async fn two_clients_agree_with_the_server<G: Game>() {
    let harness = Harness::start::<G>(|_| {});
    let (ada, bob, _) = harness.pair::<G>().await;
    let bot = |client, seed| Bot::<G, _>::new(client, Driver::Brain(G::brain(seed)), 0.5);
    let (mut ada, mut bob) = (bot(ada, 1), bot(bob, 2));
    while [&mut ada, &mut bob].into_iter().any(|bot| bot.client().traffic().snapshots < 100) {
        let until = Instant::now() + Duration::from_millis(200);
        let (by_ada, by_bob) = tokio::join!(ada.play(until), bob.play(until));
        by_ada.and(by_bob).expect("both play to the end");
    }
    for bot in [&mut ada, &mut bob] {
        let Traffic { checked, snapshots, .. } = bot.client().traffic();
        assert!(checked == snapshots, "{checked} of {snapshots} checked");
        let counts = &bot.notes().counts;
        assert!(counts.inputs_shown > 0 && counts.inputs_lost == 0, "inputs move the player: {counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn arena_plays_over_the_wire() {
    two_clients_agree_with_the_server::<Arena>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_game_plays_on_the_same_server_unchanged() {
    two_clients_agree_with_the_server::<Tag>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_does_the_other_sees() {
    let harness = Harness::start::<Arena>(|_| {});
    let (mut ada, mut bob, _) = harness.pair::<Arena>().await;
    let me = ada.player().expect("a seat");
    let place = |client: &Client<Arena>| Arena::body(client.view()?, me).map(|body| (body.x, body.y));
    see(&mut bob, |view| Arena::body(view, me).is_some()).await.expect("Ada appears to Bob");
    let start = place(&bob).expect("Ada is there");
    let tick = see(&mut ada, |view| phase(view) == Phase::Live).await.expect("live");
    for ahead in 2..12 {
        let input = arena::Input { move_x: if start.0 < 32_000 { 127 } else { -127 }, ..Default::default() };
        ada.input(tick.plus(ahead), input).await.expect("sent");
    }
    see(&mut bob, |view| Arena::body(view, me).is_some_and(|body| (body.x, body.y) != start)).await.expect("Bob sees Ada move");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_match_goes_on_to_results_and_a_rematch_of_those_who_want_one() {
    let harness = Harness::start::<Tag>(|config| {
        config.matches.live_seconds = 1;
        config.matches.results_seconds = 2;
    });
    let (mut ada, mut bob, _) = harness.pair::<Tag>().await;
    let results = hear(&mut ada, |heard| match heard {
        Heard::Event(Event::Results { ranking, .. }) => Some(ranking),
        _ => None,
    });
    assert_eq!(results.await.expect("results").as_slice().len(), 2, "both are ranked");
    see(&mut ada, |view| phase(view) == Phase::Finished).await.expect("finished");
    ada.send(ClientMessage::Rematch).await.expect("sent");
    see(&mut ada, |view| phase(view) == Phase::Live).await.expect("another round");
    assert_eq!(hear_closing(&mut bob).await.expect("a reason"), CloseReason::MatchOver, "Bob did not vote");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_while_the_results_are_shown_plays_the_rematch() {
    let harness = Harness::start::<Tag>(|config| {
        config.matches.live_seconds = 1;
        config.matches.results_seconds = 3;
    });
    let (mut ada, _bob, join) = harness.pair::<Tag>().await;
    hear(&mut ada, |heard| matches!(heard, Heard::Event(Event::Results { .. })).then_some(())).await.expect("the end of the round");
    let cyd = harness.guest(2).await;
    let join = cyd.join(&join.code).await.expect("a seat");
    let mut cyd: Client<Tag> = tickwire_testkit::script::enter(&cyd, &join).await.expect("Welcome");
    see(&mut cyd, |view| phase(view) == Phase::Finished).await.expect("the results");
    see(&mut cyd, |view| phase(view) == Phase::Live).await.expect("another round, without having voted");
    assert_eq!(hear_closing(&mut ada).await.expect("a reason"), CloseReason::MatchOver, "Ada did not vote");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_wants_a_rematch_and_the_match_is_over() {
    let harness = Harness::start::<Tag>(|config| {
        config.matches.live_seconds = 1;
        config.matches.results_seconds = 1;
    });
    let (mut ada, _bob, _) = harness.pair::<Tag>().await;
    assert_eq!(hear_closing(&mut ada).await.expect("a reason"), CloseReason::MatchOver);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_before_the_results_counts_for_nothing() {
    let harness = Harness::start::<Tag>(|config| {
        config.matches.live_seconds = 1;
        config.matches.results_seconds = 1;
    });
    let (mut ada, mut bob, _) = harness.pair::<Tag>().await;
    for player in [&mut ada, &mut bob] {
        see(player, |view| phase(view) == Phase::Live).await.expect("live");
        player.send(ClientMessage::Rematch).await.expect("sent");
    }
    assert_eq!(hear_closing(&mut ada).await.expect("a reason"), CloseReason::MatchOver);
}

#[tokio::test(flavor = "multi_thread")]
async fn bots_keep_a_lone_player_company_and_make_room() {
    let harness = Harness::start::<Tag>(|config| config.matches.bots_fill = Some(4));
    let (ada, bob) = (harness.guest(0).await, harness.guest(1).await);
    let first = ada.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut ada: Client<Tag> = tickwire_testkit::script::enter(&ada, &first).await.expect("a seat");
    let mut bots = bots_in_roster(&ada);
    while bots < 3 {
        bots += hear(&mut ada, |heard| matches!(heard, Heard::Event(Event::Joined(entry)) if entry.bot).then_some(1))
            .await
            .expect("bots fill up");
    }
    let second = bob.join(&first.code).await.expect("a seat");
    let _bob: Client<Tag> = tickwire_testkit::script::enter(&bob, &second).await.expect("a seat");
    hear(&mut ada, |heard| matches!(heard, Heard::Event(Event::Left(_))).then_some(())).await.expect("a bot makes room");
}

fn bots_in_roster(client: &Client<Tag>) -> usize {
    client.welcome().map_or(0, |welcome| welcome.roster.as_slice().iter().filter(|entry| entry.bot).count())
}

//! The way back to a seat: connections that drop once and again, who is away, and who plays
//! meanwhile.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;

use harness::Harness;
use tag::{Runner, Tag};
use tickwire_game::Game;
use tickwire_protocol::messages::{Presence, RosterEntry};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{ClientMessage, CloseReason, Credential, Event, PlayerId, Snapshot};
use tickwire_testkit::script::{hear, hear_closing, phase, resume, see};
use tickwire_testkit::{Api, Client, Heard};

/// Waits until `client` is told that `player` is `presence`.
async fn told(client: &mut Client<Tag>, player: PlayerId, presence: Presence) {
    let is_it = |entry: &RosterEntry| entry.player == player && entry.presence == presence;
    let heard = hear(client, |heard| matches!(heard, Heard::Event(Event::Updated(entry)) if is_it(&entry)).then_some(()));
    heard.await.unwrap_or_else(|error| panic!("never told that {player:?} is {presence:?}: {error}"));
}

/// Says Hello and is gone before any answer is read.
async fn hello_and_gone(api: &Api, ws_url: &str, credential: Credential) {
    let mut client = Client::<Tag>::connect(api, ws_url).await.expect("connected");
    client.hello(credential).await.expect("sent");
}

fn place(view: &Snapshot, player: PlayerId) -> Option<(i32, i32)> {
    view.rows::<Runner>().map(|(_, runner)| runner).find(|runner| runner.player == player).map(|runner| (runner.x, runner.y))
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_drops_again_before_welcome_comes_back_with_what_they_have() {
    let harness = Harness::start::<Tag>(|_| {});
    let (ada, mut bob, join) = harness.pair::<Tag>().await;
    let api = harness.guest(0).await;
    let (player, token) = (ada.player().expect("a seat"), ada.resume_credential().expect("welcomed"));
    drop(ada);
    told(&mut bob, player, Presence::Away).await;
    for _ in 0..6 {
        hello_and_gone(&api, &join.ws_url, token).await;
        told(&mut bob, player, Presence::Here).await;
        told(&mut bob, player, Presence::Away).await;
    }
    let back: Client<Tag> = resume(&api, &join.ws_url, token).await.expect("nothing was spent");
    assert_eq!(back.player(), Some(player));
    let people = back.welcome().map(|welcome| welcome.roster.as_slice().len());
    assert_eq!(people, Some(2), "no ghost stands there");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_drops_before_the_first_welcome_comes_back_with_the_ticket() {
    let harness = Harness::start::<Tag>(|_| {});
    let (_ada, mut bob, join) = harness.pair::<Tag>().await;
    let api = harness.guest(2).await;
    let join = api.join(&join.code).await.expect("a seat");
    hello_and_gone(&api, &join.ws_url, Credential::Ticket(join.ticket)).await;
    let player = hear(&mut bob, |heard| match heard {
        Heard::Event(Event::Joined(entry)) if entry.name.as_str() == "player 2" => Some(entry.player),
        _ => None,
    });
    let player = player.await.expect("Cyd was there for a moment");
    told(&mut bob, player, Presence::Away).await;
    let cyd: Client<Tag> = tickwire_testkit::script::enter(&api, &join).await.expect("the ticket is not spent");
    assert_eq!(cyd.player(), Some(player));
    assert_eq!(cyd.welcome().map(|welcome| welcome.roster.as_slice().len()), Some(3), "no ghost stands there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_plays_for_who_is_away_and_the_owner_is_back_at_once() {
    let harness = Harness::start::<Tag>(|config| config.matches.live_seconds = 3_600);
    let (ada, mut bob, join) = harness.pair::<Tag>().await;
    let (player, token) = (ada.player().expect("a seat"), ada.resume_credential().expect("welcomed"));
    see(&mut bob, |view| phase(view) == Phase::Live).await.expect("live");
    let before = place(bob.view().expect("a view"), player).expect("Ada is there");
    drop(ada);
    told(&mut bob, player, Presence::Away).await;
    see(&mut bob, |view| place(view, player).is_some_and(|now| now != before)).await.expect("the bot moves, as Ada never did");
    let mut ada: Client<Tag> = resume(&harness.guest(0).await, &join.ws_url, token).await.expect("the seat was kept");
    let entry = ada.welcome().and_then(|welcome| welcome.roster.as_slice().iter().find(|entry| entry.player == player).cloned());
    assert_eq!(entry.map(|entry| (entry.bot, entry.presence)), Some((false, Presence::Here)));
    told(&mut bob, player, Presence::Here).await;
    let mut last = None;
    see(&mut ada, |view| std::mem::replace(&mut last, place(view, player)) == place(view, player)).await.expect("nobody moves Ada now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_plays_for_who_does_nothing_until_they_do_something() {
    let harness = Harness::start::<Tag>(|config| {
        config.matches.live_seconds = 3_600;
        config.session.idle_ms = 500;
    });
    let (mut ada, mut bob, _) = harness.pair::<Tag>().await;
    let player = ada.player().expect("a seat");
    told(&mut bob, player, Presence::Idle).await;
    let before = place(bob.view().expect("a view"), player).expect("Ada is there");
    see(&mut bob, |view| place(view, player).is_some_and(|now| now != before)).await.expect("the bot moves");
    let tick = see(&mut ada, |_| true).await.expect("a snapshot");
    ada.input(tick.plus(4), tag::Input::default()).await.expect("sent");
    ada.input(tick.plus(5), tag::Input { x: 0, y: 1 }).await.expect("sent");
    told(&mut ada, player, Presence::Here).await;
    told(&mut bob, player, Presence::Here).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_closed_for_a_flood_comes_back_to_the_seat() {
    let harness = Harness::start::<Tag>(|config| config.session.drops_before_close = 4);
    let (mut ada, _bob, join) = harness.pair::<Tag>().await;
    let (player, token) = (ada.player(), ada.resume_credential().expect("welcomed"));
    for _ in 0..1_000 {
        // The server may have closed by now.
        if ada.send(ClientMessage::Ping { client_time_ms: 0 }).await.is_err() {
            break;
        }
    }
    assert_eq!(hear_closing(&mut ada).await.expect("a reason"), CloseReason::RateLimited);
    // If the reason got lost the first token may be all that Ada has; here she was heard, so it is
    // spent.
    let newest = ada.resume_credential().expect("welcomed");
    assert_eq!(newest, token);
    let back: Client<Tag> = resume(&harness.guest(0).await, &join.ws_url, newest).await.expect("the seat was kept");
    assert_eq!(back.player(), player);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_as_long_as_the_silence_before_it_closes_nobody() {
    let harness = Harness::start::<Tag>(|config| {
        config.session.message_burst = 10;
        config.session.drops_before_close = 0;
    });
    let (mut ada, _bob, _) = harness.pair::<Tag>().await;
    let mut seq = 0;
    for _ in 0..3 {
        let began = see(&mut ada, |_| true).await.expect("a snapshot");
        see(&mut ada, |view| view.tick.since(began) >= 90).await.expect("Ada says nothing for a second and a half");
        for late in 0..90 {
            seq += 1;
            ada.input(began.plus(late), tag::Input { x: late as i8, y: 0 }).await.expect("sent");
            if late % 15 == 0 {
                ada.send(ClientMessage::Ping { client_time_ms: late }).await.expect("sent");
            }
        }
        let all_heard = |heard| matches!(heard, Heard::Pong(pong) if pong.last_input.0 + 15 > seq).then_some(());
        hear(&mut ada, all_heard).await.expect("everything was heard");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn players_of_the_same_name_are_told_apart() {
    let harness = Harness::start::<Tag>(|_| {});
    let mut guests = Vec::new();
    for index in 0..3 {
        let mut api = Api::new(harness.server.play_addr(), Api::loopback_source(index));
        api.open_session("Ada").await.expect("a session");
        guests.push(api);
    }
    let first = guests[0].create(Tag::MODES[0].id, true).await.expect("a match");
    let mut last: Option<Client<Tag>> = Some(tickwire_testkit::script::enter(&guests[0], &first).await.expect("Welcome"));
    let mut others = Vec::new();
    for api in &guests[1..] {
        let join = api.join(&first.code).await.expect("a seat");
        others.extend(last.replace(tickwire_testkit::script::enter(api, &join).await.expect("Welcome")));
    }
    let roster = last.as_ref().and_then(Client::welcome).expect("welcomed").roster.as_slice();
    let names: Vec<&str> = roster.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["Ada", "Ada (2)", "Ada (3)"]);
}

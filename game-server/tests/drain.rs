//! Stopping: nobody new is admitted, everyone else is told, and nothing of the server is left.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::time::{Duration, Instant};

use harness::Harness;
use http::{get, guest, post};
use tag::Tag;
use tickwire_game::Game;
use tickwire_protocol::{CloseReason, Event};
use tickwire_testkit::Heard;
use tickwire_testkit::script::{hear, hear_closing, see};

#[tokio::test(flavor = "multi_thread")]
async fn newcomers_are_refused_while_players_play_on() {
    let harness = Harness::start::<Tag>(|_| ());
    let address = harness.server.play_addr();
    let token = guest(address);
    let (mut ada, _bob, join) = harness.pair::<Tag>().await;
    harness.server.start_draining();
    let mode = format!(r#"{{"mode":"{}"}}"#, Tag::MODES[0].id);
    let calls = [
        post(address, "/api/session", None, r#"{"name":"late"}"#),
        post(address, "/api/matches", Some(&token), &mode),
        post(address, "/api/quick-play", Some(&token), &mode),
        post(address, &format!("/api/matches/{}/join", join.code), Some(&token), ""),
    ];
    for answer in calls {
        assert_eq!((answer.status, answer.problem().as_str()), (503, "draining"));
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(get(address, "/api/info").status, 200);
    let tick = see(&mut ada, |_| true).await.expect("a snapshot");
    see(&mut ada, |view| view.tick.since(tick) > 10).await.expect("Ada plays on");
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_is_told_and_the_server_is_gone() {
    let harness = Harness::start::<Tag>(|_| ());
    let address = harness.server.play_addr();
    let (mut ada, mut bob, _) = harness.pair::<Tag>().await;
    let server = harness.server;
    let stopping = tokio::task::spawn_blocking(move || server.shutdown());
    assert_eq!(hear_closing(&mut ada).await.expect("a reason"), CloseReason::Draining);
    assert_eq!(hear_closing(&mut bob).await.expect("a reason"), CloseReason::Draining);
    drop((ada, bob));
    stopping.await.expect("stopped");
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_grace_is_given_to_those_who_play_and_no_longer() {
    let harness = Harness::start::<Tag>(|_| ());
    let (mut ada, bob, _) = harness.pair::<Tag>().await;
    let server = harness.server;
    let began = Instant::now();
    let stopping = tokio::task::spawn_blocking(move || server.drain(Duration::from_secs(1)));
    let announced = hear(&mut ada, |heard| match heard {
        Heard::Event(Event::Draining { until }) => Some(until),
        _ => None,
    });
    let until = announced.await.expect("Ada is told when it ends");
    let left = until.since(ada.view().expect("a view").tick);
    assert!((1..=61).contains(&left), "{left} ticks of the second are left");
    assert_eq!(hear_closing(&mut ada).await.expect("a reason"), CloseReason::Draining);
    assert!(began.elapsed() >= Duration::from_secs(1), "Ada could play for as long as was promised");
    drop((ada, bob));
    stopping.await.expect("stopped");

    let empty = Harness::start::<Tag>(|_| ());
    let began = Instant::now();
    empty.server.drain(Duration::from_mins(1));
    assert!(began.elapsed() < Duration::from_secs(5), "nobody plays: no reason to wait");
}

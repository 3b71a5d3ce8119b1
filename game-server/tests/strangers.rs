//! Strangers take up bounded time and room, whatever they do, and do not keep honest players out.

#![allow(clippy::expect_used)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use harness::Harness;
use http::{Answer, connect, connect_from, get, guest, handshake, handshake_on, is_closed_within, post, request};
use tag::Tag;
use tickwire_game::Game;
use tickwire_testkit::{Api, Client, script};

const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_request_that_never_ends_is_cut_off() {
    let harness = Harness::start::<Tag>(|config| config.connections.header_ms = 300);
    let address = harness.server.play_addr();
    let mut slow: Vec<TcpStream> = (0..20).map(|_| connect(address)).collect();
    for round in 0..20 {
        for stream in &mut slow {
            // It may be closed by now.
            let _ = stream.write_all(b"G");
        }
        if round == 2 {
            assert_eq!(get(address, "/api/info").status, 200, "honest requests are answered meanwhile");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(slow.iter_mut().all(|stream| is_closed_within(stream, PATIENCE)));
}

#[test]
fn a_body_that_never_comes_is_a_timeout() {
    let harness = Harness::start::<Tag>(|config| config.connections.request_ms = 200);
    let address = harness.server.play_addr();
    let head = format!("POST /api/session HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{{");
    let answer = http::exchange(&mut connect(address), head.as_bytes());
    assert_eq!((answer.status, answer.problem().as_str()), (408, "timeout"));
}

#[test]
fn a_huge_head_is_refused() {
    let harness = Harness::start::<Tag>(|_| ());
    let address = harness.server.play_addr();
    let mut stream = connect(address);
    let head = format!("GET /ws HTTP/1.1\r\nHost: {address}\r\nX-Long: {}\r\n\r\n", "x".repeat(100_000));
    // The server may close before all of it is sent.
    let _ = stream.write_all(head.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert_eq!(get(address, "/api/info").status, 200);
}

#[test]
fn one_address_has_only_so_many_players() {
    let harness = Harness::start::<Tag>(|config| config.connections.per_address = 3);
    let address = harness.server.play_addr();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let players = [(); 3].map(|()| runtime.block_on(player(address)));
    assert!(is_closed_within(&mut connect(address), PATIENCE));
    let mut other = connect_from(OTHER, address);
    assert_eq!(handshake_on(&mut other, address, "/ws", &[]).status, 101, "others are not affected");
    drop(players);
    let freed = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        !is_closed_within(&mut connect(address), Duration::from_millis(50))
    });
    assert!(freed, "a closed connection gives its place back");
}

/// Someone in a match of their own, from the address that everything in these tests comes from.
async fn player(server: SocketAddr) -> Client<Tag> {
    let mut api = Api::new(server, Ipv4Addr::LOCALHOST.into());
    api.open_session("Ada").await.expect("a guest session");
    let seat = api.create(Tag::MODES[0].id, true).await.expect("a seat");
    script::enter(&api, &seat).await.expect("Welcome")
}

#[test]
fn those_who_say_nothing_have_only_so_much_room_and_time() {
    let harness = Harness::start::<Tag>(|config| {
        config.connections.unauthenticated = 4;
        config.connections.hello_ms = 2_000;
    });
    let address = harness.server.play_addr();
    let mut silent: Vec<_> = (0..4).map(|_| handshake(address, "/ws", &[])).collect();
    let mut newcomer = connect_from(OTHER, address);
    assert_eq!(handshake_on(&mut newcomer, address, "/ws", &[]).status, 101, "a newcomer is let in");
    let mut farewells = silent.iter_mut().map(|(stream, _)| farewell(stream));
    let oldest = farewells.next().expect("the oldest");
    assert!(!oldest.contains("hello_timeout"), "the oldest gave its place to the newcomer: {oldest}");
    for farewell in farewells {
        assert!(farewell.contains("hello_timeout"), "they are told why: {farewell}");
    }
}

/// What a client hears until the server closes.
fn farewell(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    // It may end with a reset.
    let _ = stream.read_to_end(&mut heard);
    String::from_utf8_lossy(&heard).into_owned()
}

#[test]
fn a_flood_of_strangers_does_not_keep_players_out() {
    let harness = Harness::start::<Tag>(|config| config.connections.unauthenticated = 20);
    let address = harness.server.play_addr();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut players = runtime.block_on(harness.pair::<Tag>());
    let flood: Vec<TcpStream> = (0..200).map(|_| connect(address)).collect();
    for _ in 0..20 {
        assert_eq!(get(address, "/api/info").status, 200, "newcomers are served");
    }
    runtime.block_on(tickwire_testkit::script::see(&mut players.0, |_| true)).expect("players play on");
    drop(flood);
}

#[test]
fn fragments_without_end_are_cut_off() {
    let harness = Harness::start::<Tag>(|config| config.connections.hello_ms = 60_000);
    let address = harness.server.play_addr();
    let (mut stream, answer) = handshake(address, "/ws", &[]);
    assert_eq!(answer.status, 101);
    // A binary message of empty, masked fragments, never the last one.
    let first = [0x02, 0x80, 1, 2, 3, 4];
    let next = [0x00, 0x80, 1, 2, 3, 4].repeat(1_000);
    let began = Instant::now();
    let mut sent = stream.write_all(&first).is_ok();
    while sent && began.elapsed() < PATIENCE {
        sent = stream.write_all(&next).is_ok();
    }
    assert!(!sent, "the server closed");
}

/// A request that is refused because there were too many.
fn assert_too_many(answer: &Answer) {
    assert_eq!((answer.status, answer.problem().as_str()), (429, "rate_limited"), "{answer:?}");
    let wait: u64 = answer.header("retry-after").and_then(|wait| wait.parse().ok()).expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
}

#[test]
fn what_strangers_do_has_budgets_by_address_and_each_kind_its_own() {
    let harness = Harness::start::<Tag>(|config| {
        config.rates.handshakes_per_minute = 3;
        config.rates.api_calls_per_minute = 3;
        config.rates.sessions_per_minute = 3;
        config.rates.reads_per_minute = 3;
    });
    let address = harness.server.play_addr();
    let open = || post(address, "/api/session", None, r#"{"name":"Ada"}"#);
    let guess = || post(address, "/api/quick-play", Some("0123456789abcdef0123456789abcdef"), "{}");
    let garble = || post(address, "/api/session", None, "{");
    for _ in 0..3 {
        assert_eq!(handshake(address, "/ws", &[]).1.status, 101);
        assert_eq!(open().status, 201);
    }
    assert_eq!([get(address, "/api/info").status, get(address, "/api/matches").status, get(address, "/api/info").status], [200; 3]);
    assert_eq!([guess().status, garble().status, get(address, "/api/none").status], [401, 400, 404]);
    let refused = [handshake(address, "/ws", &[]).1, get(address, "/api/info"), get(address, "/api/matches"), open(), guess(), garble()];
    refused.iter().for_each(assert_too_many);
    assert_too_many(&get(address, "/api/none"));
    let mut other = connect_from(OTHER, address);
    assert_eq!(handshake_on(&mut other, address, "/ws", &[]).status, 101, "others are not affected");
}

#[test]
fn what_a_session_does_has_a_budget_of_its_own() {
    let harness = Harness::start::<Tag>(|config| {
        config.rates.handshakes_per_minute = 1;
        config.rates.api_calls_per_minute = 1;
        config.rates.reads_per_minute = 1;
        config.rates.calls_per_minute = 3;
    });
    let address = harness.server.play_addr();
    let (ada, bob) = (guest(address), guest(address));
    for used_up in [handshake(address, "/ws", &[]).1, get(address, "/api/none"), get(address, "/api/info")] {
        assert_ne!(used_up.status, 429);
    }
    for refused in [handshake(address, "/ws", &[]).1, get(address, "/api/none"), get(address, "/api/info")] {
        assert_too_many(&refused);
    }
    let body = format!(r#"{{"mode":"{}"}}"#, Tag::MODES[0].id);
    let play = |token: &str| post(address, "/api/quick-play", Some(token), &body);
    let bearer = format!("Bearer {ada}");
    let looked = request(address, "GET", "/api/info", &[("Authorization", &bearer)], "");
    assert_eq!(looked.status, 200, "her own reads are counted with her calls");
    let join = [play(&ada), play(&ada)].map(|answer| format!("/{}", answer.json()["ws_url"].as_str().expect("a URL")));
    let refused = play(&ada);
    assert_too_many(&refused);
    assert!(refused.json()["detail"].as_str().is_some_and(|detail| detail.starts_with("You are asking")), "{refused:?}");
    assert_eq!(play(&bob).status, 200, "others are not affected");
    for _ in 0..3 {
        assert_eq!(handshake(address, &join[0], &[]).1.status, 101, "her handshakes are her own");
    }
    assert_too_many(&handshake(address, &join[0], &[]).1);
}

#[test]
fn matches_are_created_only_so_often() {
    let harness = Harness::start::<Tag>(|config| config.rates.matches_per_minute = 2);
    let address = harness.server.play_addr();
    let token = guest(address);
    let body = format!(r#"{{"mode":"{}","private":true}}"#, Tag::MODES[0].id);
    let create = || post(address, "/api/matches", Some(&token), &body);
    assert_eq!([create().status, create().status], [201; 2]);
    let refused = create();
    assert_eq!((refused.status, refused.problem().as_str()), (429, "rate_limited"));
}

//! A game over HTTP, where no WebSocket gets through: played, resumed, and misused.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;
#[path = "common/slow.rs"]
mod slow;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use arena::Arena;
use harness::{Harness, eventually};
use http::{Answer, connect, exchange};
use tag::Tag;
use tickwire_game::Game;
use tickwire_protocol::codec::encode;
use tickwire_protocol::{ClientMessage, CloseReason, Credential, PROTOCOL_VERSION, ServerMessage};
use tickwire_testkit::bot::{Bot, Driver};
use tickwire_testkit::client::Traffic;
use tickwire_testkit::http_stream::response::{Part, Responses};
use tickwire_testkit::http_stream::{Reading, Records, Request, push_record, secret_in};
use tickwire_testkit::script::{hear, hear_closing, see};
use tickwire_testkit::{Api, Client, Heard, Join, script};
use tokio::time::{Duration, Instant};

/// Its input is the least there is.
type TagMessage = ClientMessage<tag::Input>;

/// Takes a seat over HTTP and hears Welcome.
async fn enter<G: Game>(api: &Api, ws_url: &str, credential: Credential, reading: Reading) -> Client<G> {
    let mut client = Client::<G>::connect_over_http(api, ws_url, reading).await.expect("connected");
    client.hello(credential).await.expect("sent");
    hear(&mut client, |heard| matches!(heard, Heard::Welcome(_)).then_some(())).await.expect("Welcome");
    client
}

/// Two players in a match of their own, both over HTTP.
async fn pair<G: Game>(harness: &Harness, reading: Reading) -> (Client<G>, Client<G>, [(Api, Join); 2]) {
    let (ada, bob) = (harness.guest(0).await, harness.guest(1).await);
    let first = ada.create(G::MODES[0].id, true).await.expect("a match");
    let second = bob.join(&first.code).await.expect("a seat");
    let by_ada = enter(&ada, &first.ws_url, Credential::Ticket(first.ticket), reading).await;
    let by_bob = enter(&bob, &second.ws_url, Credential::Ticket(second.ticket), reading).await;
    (by_ada, by_bob, [(ada, first), (bob, second)])
}

/// Two bots play until each has seen a hundred snapshots; every one of them equals the server's.
async fn two_play<G: Game>(reading: Reading) {
    let harness = Harness::start::<G>(|_| {});
    let (ada, bob, _) = pair::<G>(&harness, reading).await;
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
async fn a_match_is_played_over_one_response() {
    two_play::<Arena>(Reading::Stream).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_match_is_played_by_polling() {
    two_play::<Tag>(Reading::Poll).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seat_is_resumed_across_transports_and_back() {
    let harness = Harness::start::<Tag>(|_| {});
    let ada = harness.guest(0).await;
    let join = ada.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut client: Client<Tag> = script::enter(&ada, &join).await.expect("Welcome");
    let seat = client.player();
    for round in 0..2 {
        for reading in [Some(Reading::Stream), None, Some(Reading::Poll)] {
            let credential = client.resume_credential().expect("a token");
            // Lost, as far as the client is concerned.
            drop(client);
            client = match reading {
                Some(reading) => enter(&ada, &join.ws_url, credential, reading).await,
                None => script::resume(&ada, &join.ws_url, credential).await.expect("Welcome"),
            };
            assert_eq!(client.player(), seat, "round {round}, {reading:?}");
            let tick = see(&mut client, |_| true).await.expect("a snapshot");
            see(&mut client, |view| view.tick.since(tick) > 5).await.expect("it goes on");
        }
    }
}

/// A request as bytes.
fn request_of(server: SocketAddr, path: &str, secret: Option<&str>, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Request { path, host: &server.to_string(), secret, body }.write(&mut bytes);
    bytes
}

/// One request on a connection of its own.
fn ask(server: SocketAddr, path: &str, secret: Option<&str>, body: &[u8]) -> Answer {
    exchange(&mut connect(server), &request_of(server, path, secret, body))
}

fn batch(number: u32, messages: &[TagMessage]) -> Vec<u8> {
    let mut body = number.to_le_bytes().to_vec();
    messages.iter().for_each(|message| push_record(&mut body, &encode(message)));
    body
}

fn hello(credential: Credential) -> Vec<u8> {
    let mut body = Vec::new();
    push_record(&mut body, &encode(&TagMessage::Hello { protocol: PROTOCOL_VERSION, schema: Tag::SCHEMA.hash(), credential }));
    body
}

/// A player over HTTP, its server, and the secret that its requests show.
async fn seated(reading: Reading, adjust: impl FnOnce(&mut tickwire_server::Config)) -> (Harness, Client<Tag>, String) {
    let harness = Harness::start::<Tag>(adjust);
    let ada = harness.guest(0).await;
    let join = ada.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut client = enter::<Tag>(&ada, &join.ws_url, Credential::Ticket(join.ticket), reading).await;
    let secret = client.http_stream().and_then(|http| http.secret()).expect("a secret").to_owned();
    (harness, client, secret)
}

async fn goes_on(client: &mut Client<Tag>) {
    let tick = see(client, |_| true).await.expect("a snapshot");
    see(client, |view| view.tick.since(tick) > 3).await.expect("it goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_nobody_has_is_answered_alike_however_it_is_wrong_and_guesses_are_counted() {
    let (harness, mut client, secret) = seated(Reading::Stream, |config| config.rates.api_calls_per_minute = 20).await;
    let server = harness.server.play_addr();
    let ended = {
        let (other, client, secret) = seated(Reading::Stream, |_| {}).await;
        let server = other.server.play_addr();
        drop(client);
        // What is over is as unknown as what never was.
        eventually("it is over", || (ask(server, "/stream/up", Some(&secret), &batch(0, &[])).status == 404).then_some(())).await;
        ask(server, "/stream/up", Some(&secret), &batch(0, &[]))
    };
    let flipped = secret.chars().map(|digit| if digit == '0' { '1' } else { '0' }).collect::<String>();
    let mut answers = vec![ended];
    for path in ["/stream/up", "/stream/down", "/stream/poll"] {
        for wrong in [None, Some("x"), Some(&flipped[..]), Some(&secret[1..])] {
            answers.push(ask(server, path, wrong, &batch(0, &[])));
        }
    }
    assert!(answers.iter().all(|answer| (answer.status, &answer.body) == (404, &answers[0].body)), "{answers:?}");
    assert_eq!(answers[0].problem(), "stream_gone");
    let limited = (0..30).map(|_| ask(server, "/stream/up", Some(&flipped), &batch(0, &[])).status).find(|status| *status == 429);
    assert_eq!(limited, Some(429));
    // The one with the secret is not a stranger.
    assert_eq!(ask(server, "/stream/up", Some(&secret), &batch(0, &[])).status, 204);
    goes_on(&mut client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_reader_is_refused_and_the_first_reads_on() {
    for (reading, others) in [(Reading::Stream, ["/stream/down", "/stream/poll"]), (Reading::Poll, ["/stream/down", "/stream/down"])] {
        let (harness, mut client, secret) = seated(reading, |_| {}).await;
        for path in others {
            let answer = ask(harness.server.play_addr(), path, Some(&secret), &0u32.to_le_bytes());
            assert_eq!((answer.status, answer.problem().as_str()), (409, "second_stream"), "{path}");
        }
        goes_on(&mut client).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_taken_in_order_and_once() {
    let (harness, mut client, secret) = seated(Reading::Stream, |_| {}).await;
    let server = harness.server.play_addr();
    let ping = |client_time_ms| TagMessage::Ping { client_time_ms };
    let sent = |number, messages: &[TagMessage]| ask(server, "/stream/up", Some(&secret), &batch(number, messages)).status;
    assert_eq!(sent(1, &[ping(9)]), 409, "one is missing before it");
    assert_eq!(sent(0, &[ping(1)]), 204);
    assert_eq!(sent(0, &[ping(1)]), 204, "again, as if its answer was lost");
    assert_eq!(sent(1, &[ping(2), ping(3)]), 204);
    assert_eq!(sent(0, &[ping(1)]), 409);
    let mut pongs = Vec::new();
    while pongs.len() < 3 {
        let pong = hear(&mut client, |heard| match heard {
            Heard::Pong(pong) => Some(pong.client_time_ms),
            _ => None,
        });
        pongs.push(pong.await.expect("a pong"));
    }
    assert_eq!(pongs, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_or_is_too_long_is_refused_and_the_session_goes_on() {
    let (harness, mut client, secret) = seated(Reading::Stream, |config| config.connections.request_ms = 300).await;
    let server = harness.server.play_addr();
    let request = request_of(server, "/stream/up", Some(&secret), &batch(0, &[TagMessage::Ping { client_time_ms: 0 }]));
    let mut unfinished = connect(server);
    let answer = exchange(&mut unfinished, &request[..request.len() - 1]);
    assert_eq!((answer.status, answer.problem().as_str()), (408, "timeout"));
    let answer = ask(server, "/stream/up", Some(&secret), &vec![0; 5_000]);
    assert_eq!((answer.status, answer.problem().as_str()), (413, "too_large"));
    let answer = ask(server, "/stream", None, &vec![0; 600]);
    assert_eq!(answer.status, 413);
    let form = format!(
        "POST /stream/up HTTP/1.1\r\nHost: {server}\r\nContent-Type: text/plain\r\nAuthorization: Bearer {secret}\r\nContent-Length: 4\r\n\r\n1234"
    );
    assert_eq!(exchange(&mut connect(server), form.as_bytes()).status, 415);
    assert_eq!(ask(server, "/stream/up", Some(&secret), &batch(0, &[])).status, 204, "none of it was taken in");
    goes_on(&mut client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_batch_ends_the_session() {
    let mut endless = batch(0, &[]);
    endless.extend(u32::MAX.to_le_bytes());
    let mut empty = batch(0, &[]);
    empty.extend(0u32.to_le_bytes());
    let mut cut = batch(0, &[TagMessage::Leave]);
    cut.pop();
    for body in [b"x".to_vec(), endless, empty, cut] {
        let (harness, mut client, secret) = seated(Reading::Stream, |_| {}).await;
        let answer = ask(harness.server.play_addr(), "/stream/up", Some(&secret), &body);
        assert_eq!((answer.status, answer.problem().as_str()), (400, "bad_request"), "{body:x?}");
        assert_eq!(hear_closing(&mut client).await.expect("a reason"), CloseReason::Malformed, "{body:x?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_requests_is_metered_as_messages_are() {
    let floods: [fn(u32) -> Vec<u8>; 2] = [|number| batch(number, &[]), |_| batch(7_000, &[])];
    for flood in floods {
        let (harness, mut client, secret) = seated(Reading::Stream, |config| {
            config.session.messages_per_second = 1;
            config.session.message_burst = 1;
            config.session.drops_before_close = 20;
        })
        .await;
        let server = harness.server.play_addr();
        let mut stream = connect(server);
        let mut statuses =
            (0..2_000).map(|number| exchange(&mut stream, &request_of(server, "/stream/up", Some(&secret), &flood(number))).status);
        assert!(statuses.any(|status| status == 404), "it was not closed");
        assert_eq!(hear_closing(&mut client).await.expect("a reason"), CloseReason::RateLimited);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_asked_for_again_and_again_is_refused() {
    let harness = Harness::start::<Tag>(|_| {});
    let (server, ada) = (harness.server.play_addr(), harness.guest(0).await);
    let join = ada.create(Tag::MODES[0].id, true).await.expect("a match");
    let opened = ask(server, "/stream", None, &hello(Credential::Ticket(join.ticket)));
    let secret = secret_in(&opened.body).expect("a secret");
    let poll = || ask(server, "/stream/poll", Some(&secret), &0u32.to_le_bytes());
    let welcome = poll();
    assert_eq!((welcome.status, poll().body), (200, welcome.body), "the same again");
    assert!((0..20).any(|_| poll().status == 429));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_alone_says_whose_request_it_is() {
    let (harness, mut client, secret) = seated(Reading::Stream, |_| {}).await;
    let server = harness.server.play_addr();
    // A telephone that has changed networks comes from another address.
    let mut elsewhere = http::connect_from(Api::loopback_source(99), server);
    assert_eq!(exchange(&mut elsewhere, &request_of(server, "/stream/up", Some(&secret), &batch(0, &[]))).status, 204);
    goes_on(&mut client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_is_refused_before_anything_is_counted() {
    let harness = Harness::start::<Tag>(|config| config.rates.handshakes_per_minute = 1);
    let server = harness.server.play_addr();
    for path in ["/stream", "/stream/up", "/stream/down", "/stream/poll"] {
        let headers = [("Origin", "https://evil.example"), ("Content-Type", "application/octet-stream")];
        let answer = http::request(server, "POST", path, &headers, "1234");
        assert_eq!((answer.status, answer.problem().as_str()), (403, "origin_not_allowed"), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    // The budget of one is still there.
    let ada = harness.guest(0).await;
    let join = ada.create(Tag::MODES[0].id, true).await.expect("a match");
    assert_eq!(ask(server, "/stream", None, &hello(Credential::Ticket(join.ticket))).status, 201);
    assert_eq!(ask(server, "/stream", None, b"").status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_is_told_why_as_over_a_websocket() {
    let harness = Harness::start::<Tag>(|_| {});
    let ada = harness.guest(0).await;
    for reading in [Reading::Stream, Reading::Poll] {
        let mut client = Client::<Tag>::connect_over_http(&ada, "/ws", reading).await.expect("connected");
        client.hello(Credential::Ticket(tickwire_protocol::Ticket([7; 70]))).await.expect("sent");
        assert_eq!(hear_closing(&mut client).await.expect("a reason"), CloseReason::BadTicket);
        let mut client = Client::<Tag>::connect_over_http(&ada, "/ws", reading).await.expect("connected");
        client.send(ClientMessage::Leave).await.expect("sent");
        assert_eq!(hear_closing(&mut client).await.expect("a reason"), CloseReason::Malformed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_push_out_no_player_over_http() {
    let (harness, mut client, _) = seated(Reading::Poll, |config| config.connections.unauthenticated = 3).await;
    client.send(ClientMessage::Ping { client_time_ms: 0 }).await.expect("sent");
    goes_on(&mut client).await;
    let _strangers: Vec<TcpStream> = (0..20).map(|_| connect(harness.server.play_addr())).collect();
    client.send(ClientMessage::Ping { client_time_ms: 5 }).await.expect("sent");
    let pong = hear(&mut client, |heard| matches!(heard, Heard::Pong(pong) if pong.client_time_ms == 5).then_some(()));
    pong.await.expect("both connections stand");
    goes_on(&mut client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_nothing_is_closed_and_nothing_old_waits() {
    let harness = Harness::start::<Tag>(|config| {
        config.session.slow_ms = 500;
        config.session.send_buffer_bytes = 1;
        config.matches.tick_rate = 60;
    });
    let (server, ada) = (harness.server.play_addr(), harness.guest(0).await);
    let join = ada.create(Tag::MODES[0].id, true).await.expect("a match");
    let secret = secret_in(&ask(server, "/stream", None, &hello(Credential::Ticket(join.ticket))).body).expect("a secret");
    let mut down = slow::narrow_connection(server).await.into_std().expect("a socket");
    down.set_nonblocking(false).expect("it blocks");
    down.write_all(&request_of(server, "/stream/down", Some(&secret), b"")).expect("sent");
    // It says something all the time, and reads nothing.
    let mut number = 0;
    eventually("it is closed", || {
        let answer = ask(server, "/stream/up", Some(&secret), &batch(number, &[]));
        number += 1;
        (answer.status == 404).then_some(())
    })
    .await;
    let (mut responses, mut records, mut waited) = (Responses::default(), Records::default(), 0);
    'reading: loop {
        let mut bytes = [0; 4_096];
        let count = down.read(&mut bytes).expect("the rest");
        assert!(count > 0, "it ends as a response does");
        responses.push(&bytes[..count]);
        while let Some(part) = responses.advance().expect("a response") {
            match part {
                Part::Data(data) => (waited, ()) = (waited + data.len(), records.push(data)),
                Part::End => break 'reading,
                Part::Head(_) => {}
            }
        }
    }
    assert!(waited < 32 * 1024, "{waited} bytes had waited");
    let mut last = Vec::new();
    while let Some(message) = records.advance().expect("messages") {
        last = message.to_vec();
    }
    assert_eq!(ServerMessage::decode_next(&mut &last[..]), Some(Ok(ServerMessage::Closing(CloseReason::TooSlow))));
}

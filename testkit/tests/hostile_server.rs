//! A hostile server harms no player: what it declares is not believed, what it says is bounded, and
//! however long it talks a player does what it was told and no longer.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use tag::Tag;
use tickwire_protocol::codec::{BoundedVec, encode};
use tickwire_protocol::limits::SERVER_MESSAGE_BYTES_MAX;
use tickwire_protocol::messages::{Pong, Welcome};
use tickwire_protocol::{CloseReason, InputSeq, MatchId, PlayerId, Secret, ServerMessage, Tick};
use tickwire_testkit::bot::{Bot, Driver};
use tickwire_testkit::line::Line;
use tickwire_testkit::{Client, ClientError, Heard};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// What a player may be kept waiting for something that never comes.
const SHORT: Duration = Duration::from_millis(300);

/// A server that upgrades, and then says `first` once and `again` without end.
fn server(first: Vec<u8>, again: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a request");
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).expect("text");
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
        let accept = derive_accept_key(key.as_bytes());
        let upgrade = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
        write!(stream, "{upgrade}Sec-WebSocket-Accept: {accept}\r\n\r\n").expect("sent");
        stream.write_all(&first).expect("sent");
        // Until the client has had enough.
        while stream.write_all(&again).is_ok() {
            if again.is_empty() {
                let _ = stream.read(&mut [0; 64]);
                return;
            }
        }
    });
    address
}

/// A frame with this first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 127];
    frame.extend((payload.len() as u64).to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

async fn meet(first: Vec<u8>, again: Vec<u8>) -> Client<Tag> {
    let address = server(first, again);
    let stream = TcpStream::connect(address).await.expect("connected");
    Client::over(Line::from(stream), format!("ws://{address}/ws")).await.expect("upgraded")
}

/// Why the client gives up.
async fn why(first: Vec<u8>, again: Vec<u8>) -> ClientError {
    let mut client = meet(first, again).await;
    loop {
        if let Err(error) = client.next().await {
            return error;
        }
    }
}

fn welcome() -> Vec<u8> {
    let welcome = Welcome {
        match_id: MatchId([1; 16]),
        player: Some(PlayerId(0)),
        mode: u8::MAX,
        tick_rate: u8::MAX,
        tick: Tick(u32::MAX),
        resume: Secret([2; 16]),
        roster: BoundedVec::truncated(Vec::new()),
    };
    encode(&ServerMessage::Welcome(welcome))
}

fn pong() -> Vec<u8> {
    let pong = Pong { client_time_ms: 0, tick: Tick(0), phase: 0, held: 0, margin: None, last_input: InputSeq(0) };
    encode(&ServerMessage::Pong(pong))
}

#[tokio::test]
async fn a_length_is_refused_before_its_bytes_are_waited_for() {
    for length in [SERVER_MESSAGE_BYTES_MAX as u64 + 1, 1 << 40, u64::MAX >> 1, u64::MAX] {
        let mut header = vec![0x82, 127];
        header.extend(length.to_be_bytes());
        let error = why(header, Vec::new()).await;
        assert!(matches!(error, ClientError::Connection(_)), "{length}: {error}");
    }
}

#[tokio::test]
async fn fragments_are_bounded_together() {
    let error = why(frame(0x02, &[0; 1024]), frame(0x00, &[0; 1024])).await;
    let is_too_long = |error: &tungstenite::Error| matches!(error, tungstenite::Error::Capacity(CapacityError::MessageTooLong { .. }));
    assert!(matches!(&error, ClientError::Connection(error) if is_too_long(error)), "{error}");
}

#[tokio::test]
async fn what_never_becomes_a_message_keeps_nobody_from_giving_up() {
    for again in [frame(0x00, &[]), frame(0x89, b"are you there?")] {
        let mut client = meet(frame(0x02, &[]), again).await;
        let heard = tokio::time::timeout(SHORT, client.next()).await;
        assert!(!matches!(heard, Ok(Ok(_))), "there is nothing to hear: {heard:?}");
    }
}

#[tokio::test]
async fn a_bomb_of_small_messages_is_one_too_many() {
    let many = |message: Vec<u8>| frame(0x82, &message.repeat(SERVER_MESSAGE_BYTES_MAX / message.len()));
    assert!(matches!(why(many(pong()), Vec::new()).await, ClientError::TooMuch));
    // Nothing comes after the last one.
    let mut client = meet(many(encode(&ServerMessage::Closing(CloseReason::Left))), Vec::new()).await;
    assert!(matches!(client.next().await, Ok(Heard::Closing(CloseReason::Left))));
    let more = tokio::time::timeout(SHORT, client.next()).await;
    assert!(!matches!(more, Ok(Ok(_))), "{more:?}");
}

#[tokio::test]
async fn bytes_that_are_no_message_end_it() {
    for bytes in [vec![0xff; 1_000], vec![200], vec![0; 3], frame(0x82, &[3; 64])] {
        assert!(matches!(why(frame(0x82, &bytes), Vec::new()).await, ClientError::Malformed(_)), "{bytes:?}");
    }
}

#[tokio::test]
async fn a_bot_plays_as_long_as_it_was_told_whatever_it_is_told() {
    for message in [pong(), welcome()] {
        let first = frame(0x82, &welcome());
        let mut client = meet(first, frame(0x82, &message).repeat(100)).await;
        assert!(matches!(client.next().await, Ok(Heard::Welcome(_))));
        let mut bot = Bot::new(client, Driver::Idle, 0.0);
        // It returns: that is the test. The server would go on for ever.
        let played = bot.play(Instant::now() + SHORT).await;
        assert!(played.is_ok(), "{played:?}");
    }
}

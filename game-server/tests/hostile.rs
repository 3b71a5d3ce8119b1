//! Hostile and broken clients: each gets a reason, and the others in the same match notice nothing.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;

use futures_util::{SinkExt, StreamExt};
use harness::Harness;
use tag::Tag;
use tickwire_game::{ClientMessageOf, Game};
use tickwire_protocol::codec::encode;
use tickwire_protocol::limits::CLIENT_MESSAGE_BYTES_MAX;
use tickwire_protocol::{ClientMessage, CloseReason, Credential, InputSeq, PROTOCOL_VERSION, ServerMessage, TICKET_BYTES, Tick, Ticket};
use tickwire_server::Config;
use tickwire_testkit::script::{hear_closing, see};
use tickwire_testkit::{Api, Client, Join};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

type TagMessage = ClientMessageOf<Tag>;

/// A seated client does `attack`; returns the reason it hears. Bob, in the same match, must go on
/// seeing snapshots.
async fn seated<F: AsyncFnOnce(&mut Client<Tag>)>(attack: F) -> CloseReason {
    seated_where(|_| {}, attack).await
}

/// As [`seated`], on a server with other settings.
async fn seated_where<F: AsyncFnOnce(&mut Client<Tag>)>(adjust: impl FnOnce(&mut Config), attack: F) -> CloseReason {
    let harness = Harness::start::<Tag>(adjust);
    let (mut mallory, mut bob, _) = harness.pair::<Tag>().await;
    attack(&mut mallory).await;
    let reason = hear_closing(&mut mallory).await.expect("a reason");
    let before = see(&mut bob, |_| true).await.expect("Bob plays");
    see(&mut bob, |view| view.tick.since(before) > 30).await.expect("Bob plays on");
    reason
}

/// A stranger says `first` instead of a good Hello; returns the reason it hears.
async fn at_the_door(first: impl FnOnce(&Join) -> Vec<u8>) -> CloseReason {
    let harness = Harness::start::<Tag>(|_| {});
    let api = harness.guest(0).await;
    let join = api.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut mallory = Client::<Tag>::connect(&api, &join.ws_url).await.expect("connected");
    mallory.send_bytes(first(&join)).await.expect("sent");
    hear_closing(&mut mallory).await.expect("a reason")
}

fn hello(protocol: u16, schema: u64, ticket: Ticket) -> Vec<u8> {
    encode(&TagMessage::Hello { protocol, schema, credential: Credential::Ticket(ticket) })
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_message() {
    for bytes in [vec![], vec![255; 8], vec![0; CLIENT_MESSAGE_BYTES_MAX], vec![1, 252]] {
        let sent = bytes.clone();
        let reason = seated(async |mallory| mallory.send_bytes(sent).await.expect("sent")).await;
        assert_eq!(reason, CloseReason::Malformed, "{bytes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_message_with_trailing_bytes() {
    let mut bytes = encode(&TagMessage::Ping { client_time_ms: 1 });
    bytes.push(0);
    assert_eq!(seated(async |mallory| mallory.send_bytes(bytes).await.expect("sent")).await, CloseReason::Malformed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_over_the_size_limit() {
    let reason = seated(async |mallory| mallory.send_bytes(vec![0; CLIENT_MESSAGE_BYTES_MAX + 1]).await.expect("sent")).await;
    assert_eq!(reason, CloseReason::Malformed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_message() {
    let reason = seated(async |mallory| mallory.websocket().send(Message::text("hi")).await.expect("sent")).await;
    assert_eq!(reason, CloseReason::Malformed);
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_break_the_protocol() {
    let unmasked = vec![0x82, 0x01, 0];
    let reserved_bit = vec![0xc2, 0x80, 0, 0, 0, 0];
    let unknown_opcode = vec![0x83, 0x80, 0, 0, 0, 0];
    let nothing_to_go_on_with = vec![0x80, 0x80, 0, 0, 0, 0];
    // Whole, because tungstenite looks at what a ping may be when all of it has come.
    let long_ping = [&[0x89, 0xfe, 0, 126, 0, 0, 0, 0], &[b'?'; 126][..]].concat();
    for bytes in [unmasked, reserved_bit, unknown_opcode, nothing_to_go_on_with, long_ping] {
        let sent = bytes.clone();
        let reason = seated(async |mallory| mallory.websocket().get_mut().write_all(&sent).await.expect("sent")).await;
        assert_eq!(reason, CloseReason::Malformed, "{bytes:x?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unusual_but_proper_frames_are_understood_and_a_close_is_answered() {
    let harness = Harness::start::<Tag>(|_| {});
    let (mut ada, _bob, _) = harness.pair::<Tag>().await;
    // A message in two pieces with a ping between them, its last bytes later than the rest; the
    // mask is zero.
    let message = encode(&TagMessage::Ping { client_time_ms: 7 });
    let (first, second) = message.split_at(1);
    let mut bytes = [&[0x02, 0x81, 0, 0, 0, 0], first, &[0x89, 0x82, 0, 0, 0, 0], b"hi"].concat();
    bytes.extend([&[0x80, 0x80 | second.len() as u8, 0, 0, 0, 0], second].concat());
    let (now, later) = bytes.split_at(bytes.len() - 1);
    ada.websocket().get_mut().write_all(now).await.expect("sent");
    while ada.websocket().next().await.expect("open").expect("a message") != Message::Pong(b"hi".as_slice().into()) {}
    ada.websocket().get_mut().write_all(later).await.expect("sent");
    let answers = |message: Message| {
        let Message::Binary(bytes) = message else { return false };
        let mut bytes = &bytes[..];
        let mut messages = std::iter::from_fn(|| ServerMessage::decode_next(&mut bytes));
        messages.any(|message| matches!(message, Ok(ServerMessage::Pong(pong)) if pong.client_time_ms == 7))
    };
    while !answers(ada.websocket().next().await.expect("open").expect("a message")) {}
    ada.websocket().close(Some(CloseFrame { code: CloseCode::Away, reason: "".into() })).await.expect("sent");
    let closed = loop {
        if let Message::Close(frame) = ada.websocket().next().await.expect("answered").expect("a message") {
            break frame.expect("a code");
        }
    };
    assert_eq!(closed.code, CloseCode::Away);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goodbye_in_one_breath_with_a_ping_is_answered() {
    let harness = Harness::start::<Tag>(|_| {});
    let (mut ada, _bob, _) = harness.pair::<Tag>().await;
    let ping = encode(&TagMessage::Ping { client_time_ms: 7 });
    let bytes = [&[0x82, 0x80 | ping.len() as u8, 0, 0, 0, 0], &ping[..], &[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]].concat();
    ada.websocket().get_mut().write_all(&bytes).await.expect("sent");
    let closed = loop {
        if let Message::Close(frame) = ada.websocket().next().await.expect("answered").expect("a message") {
            break frame.expect("a code");
        }
    };
    assert_eq!(closed.code, CloseCode::Away);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goodbye_with_a_code_that_may_not_be_sent_is_answered_with_one_that_may() {
    for code in [0u16, 999, 1005, 1006, 1015, 2000, 5000] {
        let harness = Harness::start::<Tag>(|_| {});
        let (mut ada, _bob, _) = harness.pair::<Tag>().await;
        let stream = ada.websocket().get_mut();
        stream.write_all(&[&[0x88, 0x82, 0, 0, 0, 0], &code.to_be_bytes()[..]].concat()).await.expect("sent");
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.expect("closed");
        // At the very end: a close frame with code 1002, and perhaps a reason for people.
        let close = heard.iter().rposition(|byte| *byte == 0x88).map(|start| &heard[start..]);
        let is_answer = |close: &[u8]| matches!(close, [0x88, length, 0x03, 0xea, ..] if usize::from(*length) == close.len() - 2);
        assert!(close.is_some_and(is_answer), "{code}: {heard:x?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_hello() {
    let bytes = hello(PROTOCOL_VERSION, Tag::SCHEMA.hash(), Ticket([1; TICKET_BYTES]));
    assert_eq!(seated(async |mallory| mallory.send_bytes(bytes).await.expect("sent")).await, CloseReason::Malformed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_messages() {
    let reason = seated(async |mallory| {
        for _ in 0..2_000 {
            // The server may have closed by now.
            if mallory.send(ClientMessage::Ping { client_time_ms: 0 }).await.is_err() {
                break;
            }
        }
    });
    assert_eq!(reason.await, CloseReason::RateLimited);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_frames_that_complete_no_message() {
    // So that the flood need not be larger than the server reads away while it says goodbye.
    let adjust = |config: &mut Config| config.session.drops_before_close = 4;
    let reason = seated_where(adjust, async |mallory| {
        let begin = [0x02, 0x80, 0, 0, 0, 0];
        let go_on = [0x00, 0x80, 0, 0, 0, 0].repeat(10_000);
        let stream = mallory.websocket().get_mut();
        stream.write_all(&begin).await.expect("sent");
        for _ in 0..20 {
            stream.write_all(&go_on).await.expect("sent");
        }
    });
    assert_eq!(reason.await, CloseReason::RateLimited);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_get_a_reason() {
    let good = (PROTOCOL_VERSION, Tag::SCHEMA.hash());
    assert_eq!(at_the_door(|join| hello(good.0 + 1, good.1, join.ticket)).await, CloseReason::WrongProtocol);
    assert_eq!(at_the_door(|join| hello(good.0, good.1 ^ 1, join.ticket)).await, CloseReason::WrongSchema);
    assert_eq!(at_the_door(|_| hello(good.0, good.1, Ticket([9; TICKET_BYTES]))).await, CloseReason::BadTicket);
    assert_eq!(at_the_door(|_| vec![255]).await, CloseReason::Malformed);
    assert_eq!(at_the_door(|_| encode(&TagMessage::Ping { client_time_ms: 0 })).await, CloseReason::Malformed, "not Hello first");
}

#[tokio::test(flavor = "multi_thread")]
async fn replayed_future_and_past_inputs_are_dropped_and_the_session_goes_on() {
    let harness = Harness::start::<Tag>(|_| {});
    let (mut mallory, _bob, _) = harness.pair::<Tag>().await;
    let tick = see(&mut mallory, |_| true).await.expect("a snapshot");
    let input = tag::Input::default();
    for (seq, meant_for) in
        [(1, tick.plus(3)), (1, tick.plus(4)), (0, tick.plus(5)), (2, tick.plus(10_000)), (3, Tick(0)), (u32::MAX, tick)]
    {
        mallory.send(ClientMessage::Input { seq: InputSeq(seq), tick: meant_for, input }).await.expect("sent");
    }
    see(&mut mallory, |view| view.tick.since(tick) > 30).await.expect("still seated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_declares_an_enormous_length_is_refused_at_its_header() {
    let harness = Harness::start::<Tag>(|config| config.connections.hello_ms = 60_000);
    let api: Api = harness.guest(0).await;
    let mut stream = api.connect().await.expect("connected");
    let request = "GET /ws HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("sent");
    // A masked binary frame of 2^62 bytes.
    let mut frame = vec![0x82, 0xff];
    frame.extend((1u64 << 62).to_be_bytes());
    frame.extend([0; 4]);
    stream.write_all(&frame).await.expect("sent");
    let mut answer = Vec::new();
    // Not because no Hello came.
    tokio::time::timeout(std::time::Duration::from_secs(30), stream.read_to_end(&mut answer)).await.expect("closed").expect("read");
    assert!(answer.starts_with(b"HTTP/1.1 101"), "upgraded first");
}

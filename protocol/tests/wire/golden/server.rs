//! Every server message, and several in one WebSocket message.

use serde_json::json;
use tickwire_protocol::codec::{BoundedBytes, BoundedVec, encode};
use tickwire_protocol::messages::chunks::{News, Part};
use tickwire_protocol::messages::{Body, Lobby, Pong, Presence, Ranked};
use tickwire_protocol::text::Name;
use tickwire_protocol::{CloseReason, Event, InputSeq, MatchId, PlayerId, RosterEntry, Secret, ServerMessage, Tick, Welcome, WsUrl};

use super::json::server_message;
use super::{Fixture, Vector};

fn entry(player: u16, name: &str, bot: bool) -> RosterEntry {
    RosterEntry { player: PlayerId(player), name: Name::truncated(name), bot, presence: Presence::Here }
}

fn welcome(player: Option<u16>) -> ServerMessage {
    ServerMessage::Welcome(Welcome {
        match_id: MatchId(std::array::from_fn(|index| index as u8)),
        player: player.map(PlayerId),
        mode: 1,
        tick_rate: 30,
        tick: Tick(70_000),
        resume: if player.is_some() { Secret([0xab; 16]) } else { Secret::default() },
        roster: BoundedVec::truncated(vec![entry(0, "Ada", false), entry(300, "Żółw", true)]),
    })
}

fn pong(margin: Option<i16>) -> ServerMessage {
    ServerMessage::Pong(Pong { client_time_ms: 123_456, tick: Tick(500), phase: 255, held: 256, margin, last_input: InputSeq(77) })
}

fn body(bytes: &[u8]) -> Body {
    Body::new(bytes.to_vec()).expect("short")
}

fn game_event(bytes: &[u8]) -> ServerMessage {
    ServerMessage::Event(Event::Game(BoundedBytes::new(bytes.to_vec()).expect("short")))
}

#[test]
fn golden_server_messages() {
    let keyframe = || ServerMessage::Keyframe { tick: Tick(70_001), body: body(&[0xc0, 0xff, 0xee]) };
    let delta = || ServerMessage::Delta { advance: 2, body: body(&[0]) };
    let ranked = |player, score| Ranked { player: PlayerId(player), score };
    let results = |ranking| ServerMessage::Event(Event::Results { ranking: BoundedVec::truncated(ranking), rematch_by: Tick(90_600) });
    let updated = |presence| ServerMessage::Event(Event::Updated(RosterEntry { presence, ..entry(3, "Bo", false) }));
    let lobby = |host: Option<u16>, bots, ready| {
        ServerMessage::Event(Event::Lobby(Lobby { host: host.map(PlayerId), bots, ready: BoundedVec::truncated(ready) }))
    };
    let migrate = |url| ServerMessage::Migrate { ws_url: WsUrl::new(url).expect("an address") };
    let chunks = |parts| ServerMessage::Chunks { tick: Tick(70_001), parts: BoundedVec::truncated(parts) };
    let parts = vec![
        Part { slot: 0, news: News::Keyframe(body(&[0xc0])) },
        Part { slot: 255, news: News::Delta { advance: 64, body: body(&[]) } },
        Part { slot: 3, news: News::Gone },
    ];
    let messages = vec![
        ("welcome", vec![welcome(Some(300))]),
        ("welcome_spectator", vec![welcome(None)]),
        ("keyframe", vec![keyframe()]),
        ("keyframe_long", vec![ServerMessage::Keyframe { tick: Tick(7), body: body(&[9; 300]) }]),
        ("delta", vec![delta()]),
        ("event_joined", vec![ServerMessage::Event(Event::Joined(entry(3, "Bo", false)))]),
        ("event_left", vec![ServerMessage::Event(Event::Left(PlayerId(3)))]),
        ("event_results", vec![results(vec![ranked(3, 1_000), ranked(300, -2)])]),
        ("event_results_of_nobody", vec![results(Vec::new())]),
        ("event_game", vec![game_event(&[0, 251, 255])]),
        ("event_game_empty", vec![game_event(&[])]),
        ("event_updated_idle", vec![updated(Presence::Idle)]),
        ("event_updated_away", vec![updated(Presence::Away)]),
        ("event_lobby", vec![lobby(Some(300), true, vec![PlayerId(0), PlayerId(300)])]),
        ("event_lobby_of_nobody", vec![lobby(None, false, Vec::new())]),
        ("event_draining", vec![ServerMessage::Event(Event::Draining { until: Tick(70_300) })]),
        ("pong", vec![pong(Some(300))]),
        ("pong_late", vec![pong(Some(-1))]),
        ("pong_no_input", vec![pong(None)]),
        ("check", vec![ServerMessage::Check { tables: BoundedVec::truncated(vec![0xfedc_ba98_7654_3210, 7]) }]),
        ("chunks_of_nothing", vec![chunks(Vec::new())]),
        ("chunks_reset", vec![chunks(vec![Part { slot: 0, news: News::Reset }])]),
        ("migrate", vec![migrate("wss://b.play.example/n/b/ws?guest=5c")]),
        ("migrate_near", vec![migrate("ws?guest=5c"), ServerMessage::Closing(CloseReason::Moved)]),
        ("chunks_check", vec![ServerMessage::ChunksCheck { hash: 1 }]),
        ("tick_with_chunks", vec![chunks(parts), delta()]),
        ("session_start", vec![welcome(Some(0)), keyframe()]),
        ("tick_with_events", vec![game_event(&[1]), ServerMessage::Event(Event::Left(PlayerId(9))), delta()]),
    ];
    let closings = CloseReason::ALL.into_iter().map(|reason| (closing_name(reason), vec![ServerMessage::Closing(reason)]));
    let vectors = messages.into_iter().chain(closings).map(|(name, messages)| {
        let bytes: Vec<u8> = messages.iter().flat_map(encode).collect();
        let mut rest = bytes.as_slice();
        let read: Vec<_> = std::iter::from_fn(|| ServerMessage::decode_next(&mut rest)).map(Result::unwrap).collect();
        assert_eq!(read, messages, "{name}");
        Vector::new(name, &bytes, messages.iter().map(server_message).collect())
    });
    let about = "Server messages: each vector is one WebSocket message, its value the list of messages in it. Bodies are opaque here.";
    Fixture { file: "server_messages.json", head: vec![("about", json!(about))], vectors: vectors.collect() }.check();
}

/// Vectors are named by constants; a few leaked bytes make one of two.
fn closing_name(reason: CloseReason) -> &'static str {
    format!("closing_{}", reason.name()).leak()
}

//! Every message reads back as it was written, alone and in company.

use proptest::prelude::*;
use tickwire_protocol::codec::{BoundedBytes, BoundedVec, encode, encode_into};
use tickwire_protocol::limits::TABLES_MAX;
use tickwire_protocol::messages::chunks::{News, Part};
use tickwire_protocol::messages::{Body, Lobby, Pong, Presence, Ranked};
use tickwire_protocol::text::Name;
use tickwire_protocol::{
    ClientMessage, CloseReason, Credential, Event, InputSeq, MatchId, PlayerId, RosterEntry, Secret, ServerMessage, TICKET_BYTES, Tick,
    Ticket, Welcome, WsUrl,
};

use crate::support::{Stick, cases};

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn a_client_message_reads_back(message in any_client_message()) {
        prop_assert_eq!(ClientMessage::decode(&encode(&message)), Ok(message));
    }

    #[test]
    fn server_messages_read_back_one_after_the_other(messages in prop::collection::vec(any_server_message(), 0..6)) {
        let mut bytes = Vec::new();
        messages.iter().for_each(|message| encode_into(message, &mut bytes));
        let mut rest = bytes.as_slice();
        for message in messages {
            prop_assert_eq!(ServerMessage::decode_next(&mut rest), Some(Ok(message)));
        }
        prop_assert_eq!(ServerMessage::decode_next(&mut rest), None);
    }
}

#[test]
fn close_reasons_have_distinct_names_and_their_place_is_their_byte() {
    for (index, reason) in CloseReason::ALL.into_iter().enumerate() {
        assert_eq!(encode(&reason), [index as u8], "{}", reason.name());
        assert_eq!(CloseReason::ALL.iter().filter(|other| other.name() == reason.name()).count(), 1, "{}", reason.name());
    }
    assert!(tickwire_protocol::decode::<CloseReason, 16>(&[CloseReason::ALL.len() as u8]).is_err(), "ALL is all");
}

pub(crate) fn any_client_message() -> impl Strategy<Value = ClientMessage<Stick>> {
    let stick = any::<(i8, i8, u16, bool)>().prop_map(|(x, y, aim, fire)| Stick { x, y, aim, fire });
    prop_oneof![
        (any::<u16>(), any::<u64>(), any_credential()).prop_map(|(protocol, schema, credential)| ClientMessage::Hello {
            protocol,
            schema,
            credential
        }),
        (any::<u32>(), any::<u32>(), stick).prop_map(|(seq, tick, input)| ClientMessage::Input {
            seq: InputSeq(seq),
            tick: Tick(tick),
            input
        }),
        any::<u32>().prop_map(|client_time_ms| ClientMessage::Ping { client_time_ms }),
        Just(ClientMessage::Leave),
        Just(ClientMessage::Rematch),
        any::<bool>().prop_map(ClientMessage::Ready),
        Just(ClientMessage::Start),
        any::<bool>().prop_map(ClientMessage::Bots),
    ]
}

fn any_credential() -> impl Strategy<Value = Credential> {
    prop_oneof![
        prop::array::uniform::<_, TICKET_BYTES>(any::<u8>()).prop_map(|bytes| Credential::Ticket(Ticket(bytes))),
        any::<[[u8; 16]; 2]>().prop_map(|[id, token]| Credential::Resume { match_id: MatchId(id), token: Secret(token) }),
    ]
}

pub(crate) fn any_server_message() -> impl Strategy<Value = ServerMessage> {
    prop_oneof![
        any_welcome().prop_map(ServerMessage::Welcome),
        (any::<u32>(), any_body()).prop_map(|(tick, body)| ServerMessage::Keyframe { tick: Tick(tick), body }),
        (any::<u8>(), any_body()).prop_map(|(advance, body)| ServerMessage::Delta { advance, body }),
        any_event().prop_map(ServerMessage::Event),
        any_pong().prop_map(ServerMessage::Pong),
        prop::sample::select(CloseReason::ALL.to_vec()).prop_map(ServerMessage::Closing),
        prop::collection::vec(any::<u64>(), 0..=TABLES_MAX)
            .prop_map(|hashes| ServerMessage::Check { tables: BoundedVec::truncated(hashes) }),
        (any::<u32>(), prop::collection::vec(any_part(), 0..8))
            .prop_map(|(tick, parts)| ServerMessage::Chunks { tick: Tick(tick), parts: BoundedVec::truncated(parts) }),
        any::<u64>().prop_map(|hash| ServerMessage::ChunksCheck { hash }),
        "(wss?://[a-z0-9.-]{1,20}/)?[a-z]{1,10}(\\?[!$-/0-9]{0,100})?"
            .prop_map(|url| ServerMessage::Migrate { ws_url: WsUrl::new(&url).expect("an address") }),
    ]
}

fn any_part() -> impl Strategy<Value = Part> {
    let news = prop_oneof![
        any_body().prop_map(News::Keyframe),
        (1..=64u8, any_body()).prop_map(|(advance, body)| News::Delta { advance, body }),
        Just(News::Gone),
        Just(News::Reset),
    ];
    (any::<u8>(), news).prop_map(|(slot, news)| Part { slot, news })
}

fn any_body() -> impl Strategy<Value = Body> {
    prop::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| Body::new(bytes).expect("short"))
}

fn any_welcome() -> impl Strategy<Value = Welcome> {
    let head = (any::<[u8; 16]>(), prop::option::of(any::<u16>().prop_map(PlayerId)), any::<u8>(), any::<u8>());
    let rest = (any::<u32>(), any::<[u8; 16]>(), prop::collection::vec(any_roster_entry(), 0..8));
    (head, rest).prop_map(|((match_id, player, mode, tick_rate), (tick, resume, roster))| Welcome {
        match_id: MatchId(match_id),
        player,
        mode,
        tick_rate,
        tick: Tick(tick),
        resume: Secret(resume),
        roster: BoundedVec::truncated(roster),
    })
}

fn any_roster_entry() -> impl Strategy<Value = RosterEntry> {
    let presence = prop_oneof![Just(Presence::Here), Just(Presence::Idle), Just(Presence::Away)];
    (any::<u16>(), ".{0,20}", any::<bool>(), presence).prop_map(|(player, name, bot, presence)| RosterEntry {
        player: PlayerId(player),
        name: Name::truncated(&name),
        bot,
        presence,
    })
}

fn any_event() -> impl Strategy<Value = Event> {
    let ranked = any::<(u16, i32)>().prop_map(|(player, score)| Ranked { player: PlayerId(player), score });
    let game_event = prop::collection::vec(any::<u8>(), 0..=256).prop_map(|bytes| BoundedBytes::new(bytes).expect("short"));
    prop_oneof![
        any_roster_entry().prop_map(Event::Joined),
        any::<u16>().prop_map(|player| Event::Left(PlayerId(player))),
        (prop::collection::vec(ranked, 0..8), any::<u32>())
            .prop_map(|(ranking, tick)| Event::Results { ranking: BoundedVec::truncated(ranking), rematch_by: Tick(tick) }),
        game_event.prop_map(Event::Game),
        any_roster_entry().prop_map(Event::Updated),
        (any::<Option<u16>>(), any::<bool>(), prop::collection::vec(any::<u16>(), 0..8)).prop_map(|(host, bots, ready)| {
            let ready = BoundedVec::truncated(ready.into_iter().map(PlayerId).collect());
            Event::Lobby(Lobby { host: host.map(PlayerId), bots, ready })
        }),
        any::<u32>().prop_map(|until| Event::Draining { until: Tick(until) }),
    ]
}

fn any_pong() -> impl Strategy<Value = Pong> {
    (any::<u32>(), any::<u32>(), any::<u8>(), any::<u16>(), any::<Option<i16>>(), any::<u32>()).prop_map(
        |(client_time_ms, tick, phase, held, margin, last_input)| Pong {
            client_time_ms,
            tick: Tick(tick),
            phase,
            held,
            margin,
            last_input: InputSeq(last_input),
        },
    )
}

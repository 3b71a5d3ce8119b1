//! Prints, as JSON, what the module's own code does when it runs natively; `tests/*.mjs` compare it with the built module.
//!
//! `session`: a client's match among bots, message by message. `replay`: 10,000 ticks of a player alone, a hash per tick.

#![allow(clippy::expect_used)] // part of the tests: what cannot be recorded fails

use arena::page::SHOT_FLIGHT;
use arena::tables::Fighter;
use arena::{Arena, Input};
use serde_json::{Value, json};
use tickwire_game::derive::FromNumbers;
use tickwire_game::testing::TestMatch;
use tickwire_game::{Game, Rng};
use tickwire_protocol::codec::{BoundedBytes, BoundedVec, encode};
use tickwire_protocol::delta::{self, Scratch};
use tickwire_protocol::hash::Fnv;
use tickwire_protocol::messages::{Credential, Event, Presence, Ranked, TableHashes};
use tickwire_protocol::schema::{Columns, Phase};
use tickwire_protocol::text::Name;
use tickwire_protocol::{
    CloseReason, InputSeq, MatchId, PlayerId, RosterEntry, Secret, ServerMessage, Snapshot, TICKET_BYTES, Tick, Ticket, Welcome,
};
use tickwire_web::client::ClientCore;

const ME: PlayerId = PlayerId(2);
const SESSION_TICKS: u32 = 600;
const REPLAY_TICKS: u32 = 10_000;

fn main() {
    println!("{}", json!({ "session": session(), "replay": replay() }));
}

/// What the page does and what happens, step by step, with the client's answers.
fn session() -> Value {
    let mut recording = Recording { client: ClientCore::default(), steps: Vec::new() };
    let mut game = TestMatch::<Arena>::new(11, Tick(5000));
    for player in 0..6 {
        if PlayerId(player) == ME { game.join(ME) } else { game.join_bot(PlayerId(player), u64::from(player)) }
    }
    game.enter(Phase::Live);
    recording.hello();
    let mut last = game.step().clone();
    recording.receive(&[welcome(last.tick), keyframe(&last)]);
    let mut rng = Rng::new(4);
    let mut held = [0; 4];
    for count in 0..SESSION_TICKS {
        let next = last.tick.next();
        if count % 9 == 0 {
            held = [rng.between(-128, 127), rng.between(-200, 200), rng.between(0, 65_535), rng.between(0, 3)];
        }
        recording.input(next.plus(2), held);
        // Now and then an input is lost on its way, so that the prediction errs.
        if count % 50 > 2 {
            game.hold(ME, Input::from_numbers(&held));
        }
        let view = game.step().clone();
        let events = game.events().iter().filter_map(|bytes| Some(ServerMessage::Event(Event::Game(BoundedBytes::new(bytes.clone())?))));
        let mut messages: Vec<ServerMessage> = events.collect();
        messages.push(delta(&last, &view));
        messages.push(ServerMessage::Check { tables: view.table_hashes() });
        recording.receive(&messages);
        last = view;
    }
    recording.receive(&the_rest(last.tick));
    recording.receive(&[ServerMessage::Check { tables: TableHashes::truncated(vec![1]) }]);
    Value::Array(recording.steps)
}

struct Recording {
    client: ClientCore<Arena>,
    steps: Vec<Value>,
}

impl Recording {
    fn hello(&mut self) {
        let mut out = Vec::new();
        self.client.hello(Credential::Ticket(Ticket([0xab; TICKET_BYTES])), &mut out);
        self.steps.push(json!({ "hello": hex(&[0xab; TICKET_BYTES]), "message": hex(&out) }));
    }

    fn receive(&mut self, messages: &[ServerMessage]) {
        let bytes: Vec<u8> = messages.iter().flat_map(encode).collect();
        let mut records = Vec::new();
        let received = self.client.receive(&bytes, &mut records).expect("our own messages");
        let view = self.client.snapshot();
        self.steps.push(json!({
            "receive": hex(&bytes),
            "flags": i32::from(received.snapshot) + 2 * i32::from(received.records),
            "records": String::from_utf8(records).expect("JSON is UTF-8"),
            "tick": view.map(|view| view.tick.0),
            "hash": view.map(|view| format!("{:016x}", view.hash())),
            "predicted": self.predicted(),
            "correction": self.client.correction(),
        }));
    }

    fn input(&mut self, tick: Tick, held: [i32; 4]) {
        let mut out = Vec::new();
        self.client.input(tick, Input::from_numbers(&held), &mut out);
        self.steps.push(json!({ "input": held, "tick": tick.0, "message": hex(&out), "predicted": self.predicted() }));
    }

    fn predicted(&self) -> Option<Vec<i32>> {
        self.client.predicted().map(row)
    }
}

fn row(body: &Fighter) -> Vec<i32> {
    let mut row = vec![0; Fighter::TABLE.fields.len()];
    body.write(&mut row);
    row
}

/// The keyframe to start from, the inputs, and the state's hash after each.
fn replay() -> Value {
    let mut game = TestMatch::<Arena>::new(3, Tick(0));
    game.join(ME);
    game.enter(Phase::Waiting);
    let start = game.step().clone();
    let bytes: Vec<u8> = [welcome(start.tick), keyframe(&start)].iter().flat_map(encode).collect();
    let mut client = ClientCore::<Arena>::default();
    client.receive(&bytes, &mut Vec::new()).expect("our own messages");
    let mut rng = Rng::new(77);
    let mut held = [0; 4];
    let (mut inputs, mut hashes) = (Vec::new(), Vec::new());
    let mut shots: Vec<[i32; 4]> = Vec::new();
    let mut hash = Fnv::new();
    for count in 0..REPLAY_TICKS {
        let tick = start.tick.next().plus(count);
        if rng.below(12) == 0 {
            held = [rng.between(-128, 127), rng.between(-128, 127), 0, rng.between(0, 3)];
        }
        held[2] = (held[2] + rng.between(-900, 900)).rem_euclid(65_536);
        let before = client.predicted().map(|body| body.fire_ready);
        client.input(tick, Input::from_numbers(&held), &mut Vec::new());
        let body = client.predicted().expect("alive");
        if before != Some(body.fire_ready) {
            shots.push([body.x, body.y, i32::from(body.aim), tick.0 as i32]);
        }
        row(body).iter().for_each(|value| hash.word(*value as u32));
        shots.retain(|[x, y, aim, born]| {
            let flight = SHOT_FLIGHT.ask(&Arena::MODES[0], &[*x, *y, *aim, tick.0 as i32 - born]);
            flight.iter().for_each(|value| hash.word(*value as u32));
            flight[2] == 1
        });
        inputs.push(held);
        hashes.push(format!("{:016x}", hash.finish()));
    }
    json!({ "start": hex(&bytes), "first_tick": start.tick.0 + 1, "inputs": inputs, "hashes": hashes })
}

fn welcome(tick: Tick) -> ServerMessage {
    let entry = |player: u16, name: &str| RosterEntry {
        player: PlayerId(player),
        name: Name::truncated(name),
        bot: player != ME.0,
        presence: Presence::Here,
    };
    ServerMessage::Welcome(Welcome {
        match_id: MatchId([0x5a; 16]),
        player: Some(ME),
        mode: 0,
        tick_rate: 30,
        tick,
        resume: Secret([0xcd; 16]),
        roster: BoundedVec::truncated(vec![entry(0, "Euler"), entry(2, "\"Zoë\" \\ \u{1}\n</script>🎯")]),
    })
}

fn keyframe(view: &Snapshot) -> ServerMessage {
    ServerMessage::Keyframe { tick: view.tick, body: body(&Snapshot::empty(&Arena::SCHEMA), view) }
}

fn delta(base: &Snapshot, next: &Snapshot) -> ServerMessage {
    ServerMessage::Delta { advance: next.tick.since(base.tick) as u8, body: body(base, next) }
}

fn body(base: &Snapshot, next: &Snapshot) -> tickwire_protocol::messages::Body {
    let mut bytes = Vec::new();
    delta::encode(base, next, &mut Scratch::default(), &mut bytes);
    BoundedBytes::new(bytes).expect("a small match")
}

/// A message of every kind that a match's ticks do not bring.
fn the_rest(tick: Tick) -> Vec<ServerMessage> {
    use tickwire_protocol::messages::Pong;
    let pong = |margin| Pong { client_time_ms: u32::MAX, tick, phase: 255, held: 300, margin, last_input: InputSeq(9) };
    vec![
        ServerMessage::Event(Event::Joined(RosterEntry {
            player: PlayerId(7),
            name: Name::truncated("Ada"),
            bot: false,
            presence: Presence::Here,
        })),
        ServerMessage::Event(Event::Left(PlayerId(7))),
        ServerMessage::Event(Event::Game(BoundedBytes::new(vec![250, 1, 2]).expect("short"))),
        ServerMessage::Event(Event::Results {
            ranking: BoundedVec::truncated(vec![Ranked { player: ME, score: 150 }, Ranked { player: PlayerId(0), score: -1 }]),
            rematch_by: tick.plus(600),
        }),
        ServerMessage::Pong(pong(None)),
        ServerMessage::Pong(pong(Some(-300))),
        ServerMessage::Closing(CloseReason::MatchOver),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|nibble| char::from_digit(u32::from(nibble), 16)).collect()
}

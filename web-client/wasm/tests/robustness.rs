//! What a server, or somebody in its place, may send: nothing makes the client panic or misread what follows a reset.

#![allow(clippy::expect_used)] // a test fails by panicking

use arena::page::SHOT_FLIGHT;
use arena::{Arena, Input};
use proptest::prelude::*;
use tickwire_game::Game;
use tickwire_game::derive::FromNumbers;
use tickwire_game::testing::TestMatch;
use tickwire_protocol::codec::{BoundedBytes, BoundedVec, encode};
use tickwire_protocol::delta::{self, Scratch};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{MatchId, PlayerId, Secret, ServerMessage, Snapshot, Tick, Welcome};
use tickwire_web::client::{ClientCore, Received};

/// A session's messages: Welcome and keyframe, then deltas.
fn session() -> Vec<Vec<u8>> {
    let mut game = TestMatch::<Arena>::new(1, Tick(0));
    (0..4).for_each(|player| game.join_bot(PlayerId(player), u64::from(player)));
    game.enter(Phase::Live);
    let mut last = game.step().clone();
    let welcome = ServerMessage::Welcome(Welcome {
        match_id: MatchId([1; 16]),
        player: Some(PlayerId(1)),
        mode: 0,
        tick_rate: 30,
        tick: last.tick,
        resume: Secret([2; 16]),
        roster: BoundedVec::truncated(Vec::new()),
    });
    let body = |base: &Snapshot, next: &Snapshot| {
        let mut bytes = Vec::new();
        delta::encode(base, next, &mut Scratch::default(), &mut bytes);
        BoundedBytes::new(bytes).expect("a small match")
    };
    let keyframe = ServerMessage::Keyframe { tick: last.tick, body: body(&Snapshot::empty(&Arena::SCHEMA), &last) };
    let mut messages = vec![[encode(&welcome), encode(&keyframe)].concat()];
    for _ in 0..60 {
        let next = game.step().clone();
        messages.push(encode(&ServerMessage::Delta { advance: 1, body: body(&last, &next) }));
        last = next;
    }
    messages
}

fn play(client: &mut ClientCore<Arena>, messages: &[Vec<u8>]) -> bool {
    let mut records = Vec::new();
    let fine = messages.iter().all(|message| client.receive(message, &mut records).is_ok());
    client.input(Tick(client.predicted_tick().0.wrapping_add(2)), Input::from_numbers(&[1, 2, 3, 3]), &mut records);
    fine
}

#[test]
fn the_session_is_sound() {
    let mut client = ClientCore::<Arena>::default();
    assert!(play(&mut client, &session()));
    assert_eq!(client.snapshot().map(|view| view.tick), Some(Tick(61)));
    assert!(client.predicted().is_some());
    assert_eq!(client.receive(&[], &mut Vec::new()), Ok(Received::default()));
}

#[test]
fn a_mode_the_game_does_not_have_is_refused() {
    let mut welcome = session().swap_remove(0);
    // The mode's place: tag, 16 bytes of match id, player's tag and number.
    let place = 1 + 16 + 2;
    assert_eq!(welcome[place], 0);
    welcome[place] = 9;
    assert!(ClientCore::<Arena>::default().receive(&welcome, &mut Vec::new()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_answered(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..4)) {
        play(&mut ClientCore::default(), &messages);
    }

    #[test]
    fn a_damaged_session_is_answered_and_a_reset_heals(
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let sound = session();
        let mut damaged = sound.clone();
        for (message, place, value) in damages {
            let message = message.get_mut::<Vec<u8>>(&mut damaged);
            if !message.is_empty() {
                let place = place.index(message.len());
                message[place] = value;
            }
        }
        let mut client = ClientCore::default();
        play(&mut client, &damaged);
        client.reset();
        prop_assert!(play(&mut client, &sound));
    }

    #[test]
    fn any_numbers_from_the_page_are_answered(numbers in any::<[i32; 5]>(), tick in any::<u32>()) {
        let [a, b, c, d, e] = numbers;
        let mut client = ClientCore::<Arena>::default();
        play(&mut client, &session());
        client.input(Tick(tick), Input::from_numbers(&[a, b, c, d]), &mut Vec::new());
        for count in 0..=4 {
            let flight = SHOT_FLIGHT.ask(&Arena::MODES[0], &[a, b, c, e][..count]);
            prop_assert!(flight.len() == 3 && flight.iter().all(|place| (0..=64_000).contains(place)));
        }
    }
}

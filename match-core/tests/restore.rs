//! A match that was stored in the middle and restored does what it would have done: the same
//! outcomes, the same hashes, and in the end the same bytes.

#![allow(clippy::expect_used)] // a test fails by panicking

#[path = "common/recording.rs"]
mod recording;

use arena::Arena;
use proptest::prelude::*;
use recording::{record, setup};
use tag::Tag;
use tickwire_game::Game;
use tickwire_match::{MatchCore, RestoreError, View};
use tickwire_protocol::{PlayerId, Replica, ServerMessage};

/// Records a match and restores it after step `at`.
fn goes_on<G: Game>(mode: u8, seed: u64, count: usize, at: usize) {
    let setup = setup::<G>(mode, seed);
    let recording = record::<G>(setup, count);
    let at = at % recording.steps.len();
    let mut original = MatchCore::<G>::new(&setup);
    for step in &recording.steps[..at] {
        original.step(step);
    }
    let stored = original.state();
    let mut restored = MatchCore::<G>::restore(&setup, &stored).expect("what was stored").core;
    assert!(restored.state() == stored, "seed {seed}, at {at}: what is restored is what was stored");
    for (number, step) in recording.steps.iter().enumerate().skip(at) {
        let (outcome, hash) = &recording.after[number];
        assert_eq!(&restored.step(step), outcome, "seed {seed}, restored at {at}, step {number}: {step:?}");
        assert_eq!(restored.hash(), *hash, "seed {seed}, restored at {at}, step {number}: {step:?}");
        original.step(step);
    }
    assert!(restored.state() == original.state(), "seed {seed}, at {at}: the same in the end");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_arena_goes_on_as_it_would_have(seed in 0u64..1_000, at in 0usize..400) {
        goes_on::<Arena>(0, seed, 400, at);
    }

    #[test]
    fn tag_goes_on_as_it_would_have(seed in 0u64..1_000, at in 0usize..400) {
        goes_on::<Tag>(0, seed, 400, at);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn royale_goes_on_as_it_would_have(seed in 0u64..1_000, at in 0usize..250) {
        goes_on::<Arena>(1, seed, 250, at);
    }
}

/// A client that comes to a restored match sees what one of the original sees.
#[test]
fn clients_of_a_restored_match_see_the_same() {
    let setup = setup::<Tag>(0, 5);
    let recording = record::<Tag>(setup, 300);
    let mut original = MatchCore::<Tag>::new(&setup);
    for step in &recording.steps[..200] {
        original.step(step);
    }
    let stored = original.state();
    let mut restored = MatchCore::<Tag>::restore(&setup, &stored).expect("what was stored").core;
    let mut clients = [
        (View::new(Some(PlayerId(0))), Replica::new(&<Tag as tickwire_game::Game>::SCHEMA)),
        (View::new(None), Replica::new(&<Tag as tickwire_game::Game>::SCHEMA)),
    ];
    let cores = [&mut original, &mut restored];
    let [(first_view, first), (second_view, second)] = &mut clients;
    let [original, restored] = cores;
    feed(first, &original.replication().first_frame(first_view));
    feed(second, &restored.replication().first_frame(second_view));
    assert_eq!(first.snapshot(), second.snapshot());
    for step in &recording.steps[200..] {
        let before = original.tick();
        original.step(step);
        restored.step(step);
        if original.tick() != before {
            feed(first, &original.replication().frame(first_view));
            feed(second, &restored.replication().frame(second_view));
            assert_eq!(first.snapshot(), second.snapshot());
        }
    }
}

fn feed(replica: &mut Replica, mut bytes: &[u8]) {
    while let Some(message) = ServerMessage::decode_next(&mut bytes) {
        replica.apply(&message.expect("well formed")).expect("applies");
    }
}

#[test]
fn bytes_that_are_no_stored_match_are_refused() {
    let setup = setup::<Tag>(0, 1);
    let recording = record::<Tag>(setup, 100);
    let mut core = MatchCore::<Tag>::new(&setup);
    recording.steps.iter().for_each(|step| drop(core.step(step)));
    let stored = core.state();
    for length in 0..stored.len() {
        assert_eq!(MatchCore::<Tag>::restore(&setup, &stored[..length]).err(), Some(RestoreError::Unreadable), "{length} bytes of it");
    }
    assert_eq!(MatchCore::<Arena>::restore(&setup, &stored).err(), Some(RestoreError::OtherGame));
}

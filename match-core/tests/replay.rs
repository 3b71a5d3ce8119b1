//! A setup and its steps are a recording: played again, also after they were written down and read,
//! they give the same outcomes and every hash.

#![allow(clippy::expect_used)] // a test fails by panicking

#[path = "common/recording.rs"]
mod recording;

use arena::Arena;
use recording::{Recording, record, setup};
use tag::Tag;
use tickwire_game::Game;
use tickwire_match::{Happened, MatchCore, Step};
use tickwire_protocol::codec::{decode, encode};

fn replays<G: Game>(recording: &Recording<G>) {
    let written = encode(&recording.steps);
    let steps: Vec<Step<G::Input>> = decode::<_, { 1 << 24 }>(&written).expect("what was written");
    let mut core = MatchCore::<G>::new(&recording.setup);
    for (number, (step, (outcome, hash))) in steps.iter().zip(&recording.after).enumerate() {
        assert_eq!(&core.step(step), outcome, "seed {}, step {number}: {step:?}", recording.setup.seed);
        assert_eq!(core.hash(), *hash, "seed {}, step {number}: {step:?}", recording.setup.seed);
    }
}

#[test]
fn a_recorded_match_of_the_arena_gives_every_hash_again() {
    for seed in 0..6 {
        replays(&record::<Arena>(setup::<Arena>(0, seed), 600));
    }
}

#[test]
fn a_recorded_match_of_royale_gives_every_hash_again() {
    replays(&record::<Arena>(setup::<Arena>(1, 7), 300));
}

#[test]
fn a_recorded_match_of_tag_gives_every_hash_again() {
    for seed in 0..6 {
        replays(&record::<Tag>(setup::<Tag>(0, seed), 600));
    }
}

#[test]
fn a_recording_has_what_happens_in_matches() {
    let recordings: Vec<_> = (0..8).map(|seed| record::<Tag>(setup::<Tag>(0, seed), 600)).collect();
    let happened = |wanted: fn(&Happened) -> bool| {
        recordings.iter().flat_map(|recording| &recording.after).flat_map(|(outcome, _)| &outcome.happened).any(wanted)
    };
    assert!(happened(|happened| matches!(happened, Happened::Reserved(_))));
    assert!(happened(|happened| matches!(happened, Happened::NotReserved(_))));
    assert!(happened(|happened| matches!(happened, Happened::Seated { .. })));
    assert!(happened(|happened| matches!(happened, Happened::Refused(..))));
    assert!(happened(|happened| matches!(happened, Happened::Dismissed(..))));
    assert!(happened(|happened| matches!(happened, Happened::Freed(_))));
    let hashes: std::collections::BTreeSet<u64> = recordings.iter().flat_map(|recording| &recording.after).map(|(_, hash)| *hash).collect();
    assert!(hashes.len() > 1_000, "{} states", hashes.len());
}

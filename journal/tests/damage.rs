//! Files that are not what was written: what is good is used, what is not is told, and nothing
//! makes recovery panic or take more memory than the files explain.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use tickwire_journal::sim::Sim;
use tickwire_journal::{Durability, Journal, Options, Recovered, StreamKey, What, recover, retire};

const A: StreamKey = StreamKey([1; 16]);
const B: StreamKey = StreamKey([2; 16]);

fn options() -> Options {
    Options { dir: "journal".into(), durability: Durability::Process, segment_bytes: 1 << 20, build: 1 }
}

fn found(sim: &Sim) -> Recovered {
    recover(sim, Path::new("journal")).unwrap()
}

fn open(sim: &Sim) -> Journal<Sim> {
    Journal::open(sim.clone(), options(), found(sim).epoch, 0)
}

/// A stream with three records, and another that has ended.
fn written() -> Sim {
    let sim = Sim::default();
    let mut journal = open(&sim);
    journal.checkpoint(A, b"a0");
    journal.append(A, b"a1");
    journal.checkpoint(B, b"b0");
    journal.append(A, b"a2");
    journal.end(B);
    journal.append(A, b"a3");
    journal.commit();
    sim
}

fn only_file(sim: &Sim) -> (PathBuf, Vec<u8>) {
    let mut contents = sim.contents();
    assert_eq!(contents.len(), 1);
    contents.remove(0)
}

/// Whether what was found is what `written` had at some moment.
fn has_been(found: &Recovered) -> bool {
    let is_prefix = |records: &[Vec<u8>]| records.iter().zip([b"a1", b"a2", b"a3"]).all(|(record, was)| record == was);
    let is_good = |(key, stream): (&StreamKey, &tickwire_journal::Stream)| match *key {
        A => stream.checkpoint == b"a0" && is_prefix(&stream.records),
        B => stream.checkpoint == b"b0" && stream.records.is_empty(),
        _ => false,
    };
    found.streams.iter().all(is_good)
}

#[test]
fn a_flipped_bit_costs_what_comes_after_it_and_is_told() {
    let (path, good) = only_file(&written());
    for bit in 0..good.len() * 8 {
        let sim = Sim::default();
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        sim.put(&path, bytes);
        let found = found(&sim);
        assert!(has_been(&found), "bit {bit}: {found:?}");
        assert!(!found.problems.is_empty(), "bit {bit}");
        assert!(found.problems.iter().all(|problem| problem.offset as usize <= bit / 8), "bit {bit}: {:?}", found.problems);
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_has_what_is_before_that() {
    let (path, good) = only_file(&written());
    let mut most = 0;
    for length in 0..good.len() {
        let sim = Sim::default();
        sim.put(&path, good[..length].to_vec());
        let found = found(&sim);
        assert!(has_been(&found), "{length}: {found:?}");
        let count = found.streams.get(&A).map_or(0, |stream| 1 + stream.records.len());
        assert!(count >= most, "{length} bytes have less than fewer bytes");
        most = count;
    }
    assert_eq!(most, 3);
}

#[test]
fn a_gap_ends_a_stream_until_a_checkpoint_heals_it() {
    let small = Options { segment_bytes: 1, ..options() };
    let sim = Sim::default();
    let mut journal = Journal::open(sim.clone(), small, found(&sim).epoch, 0);
    // Each commit in a segment of its own.
    for step in [b"a0", b"a1", b"a2", b"a3"] {
        if step == b"a0" {
            journal.checkpoint(A, step);
        } else {
            journal.append(A, step);
        }
        journal.commit();
    }
    let files = sim.contents();
    let lost = &files[2];
    let mut bytes = lost.1.clone();
    *bytes.last_mut().unwrap() ^= 1;
    sim.put(&lost.0, bytes);
    let before = found(&sim);
    assert_eq!(before.streams[&A].records, [b"a1"]);
    let whats: Vec<&What> = before.problems.iter().map(|problem| &problem.what).collect();
    assert_eq!(whats, [&What::Damaged, &What::Gap { key: A, expected: 1 }]);

    journal.checkpoint(A, b"a3");
    journal.append(A, b"a4");
    journal.commit();
    let after = found(&sim);
    assert_eq!((after.streams[&A].checkpoint.as_slice(), after.streams[&A].records.as_slice()), (&b"a3"[..], &[b"a4".to_vec()][..]));
    assert_eq!(after.problems.len(), 1, "{:?}", after.problems);
}

#[test]
fn an_epoch_without_a_checkpoint_of_a_stream_hides_no_older_one() {
    let sim = written();
    let mut next = open(&sim);
    next.checkpoint(B, b"again");
    next.commit();
    // A newer process that is ended before it has written everything.
    let found = found(&sim);
    assert_eq!(found.streams.len(), 2);
    assert_eq!(found.streams[&A].records.len(), 3);
    assert_eq!(found.streams[&B].checkpoint, b"again");
    assert_eq!((found.streams[&A].epoch, found.streams[&B].epoch, found.epoch.number()), (1, 2, 3));
}

#[test]
fn what_a_newer_build_wrote_is_set_aside_and_its_epoch_is_not_used_again() {
    let sim = written();
    let name = format!("{:016x}-{:04x}-{:016x}.segment", 9, 0, 1);
    sim.put(&Path::new("journal").join(&name), b"TWJOURNL\x02\0\0\0 and something that is to come, with its checksum".to_vec());
    let first = found(&sim);
    assert_eq!(first.problems.iter().map(|problem| problem.what.clone()).collect::<Vec<_>>(), [What::UnknownVersion(2)]);
    assert_eq!(first.problems[0].file, name);
    assert_eq!(first.epoch.number(), 10);

    let mut journal = Journal::open(sim.clone(), options(), first.epoch.clone(), 0);
    journal.checkpoint(A, b"a3");
    journal.commit();
    retire(&sim, &options(), &first).unwrap();
    let names: Vec<String> = sim.contents().iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert!(names.contains(&format!("{name}.aside")), "{names:?}");
    assert_eq!(names.len(), 2);
    let second = found(&sim);
    assert!(second.problems.is_empty() && second.epoch.number() == 11);
}

#[test]
fn other_files_are_left_alone() {
    let sim = written();
    for name in ["lock", "notes.txt", "0000.segment", "ffffffffffffffff-0000-0000000000000001.segment"] {
        sim.put(&Path::new("journal").join(name), b"something".to_vec());
    }
    let found = found(&sim);
    assert!(found.problems.is_empty() && found.epoch.number() == 2);
}

/// A segment's bytes: nearly right, so that they are read far.
fn nearly_right() -> impl Strategy<Value = Vec<u8>> {
    let good = only_file(&written()).1;
    (vec((any::<prop::sample::Index>(), any::<u8>()), 0..8), vec(any::<u8>(), 0..200), any::<bool>()).prop_map(
        move |(changes, more, is_whole)| {
            let mut bytes = if is_whole { good.clone() } else { Vec::new() };
            for (at, byte) in changes.into_iter().filter(|_| !good.is_empty()) {
                let at = at.index(good.len());
                bytes.get_mut(at).into_iter().for_each(|old| *old = byte);
            }
            bytes.extend(more);
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_may_be_in_a_file(bytes in nearly_right()) {
        let (path, _) = only_file(&written());
        let sim = Sim::default();
        let length = bytes.len();
        sim.put(&path, bytes);
        let mut result = None;
        let taken = allocation_counter::measure(|| result = Some(found(&sim)));
        prop_assert!(has_been(&result.unwrap()));
        prop_assert!(taken.bytes_max < 16 * length as u64 + 4096, "{} bytes for {length}", taken.bytes_max);
    }
}

/// A length that promises more than there is reserves nothing.
#[test]
fn a_lying_length_is_not_believed() {
    let (path, mut bytes) = only_file(&written());
    let first_record = 44;
    bytes[first_record + 4..first_record + 8].copy_from_slice(&(70_u32 << 20).to_le_bytes());
    let sim = Sim::default();
    sim.put(&path, bytes);
    let mut result = None;
    let taken = allocation_counter::measure(|| result = Some(found(&sim)));
    assert!(taken.bytes_max < 8192, "{}", taken.bytes_max);
    assert_eq!(result.unwrap().problems[0].what, What::Torn);
}

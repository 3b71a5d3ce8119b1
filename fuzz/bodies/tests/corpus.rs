//! Every target against what it was given and has found: each file of its corpus, and some hundred neighbours of it.
//!
//! The neighbours are the same in every run. What fails is printed, with the bytes that did it. `TICKWIRE_NEIGHBOURS` says how many
//! there are of each file: a hundred thousand are a poor man's fuzzer, where there is no other.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use tickwire_fuzz_bodies::{TARGETS, Target};

/// Neighbours of each file, unless the environment says otherwise.
const NEIGHBOURS: u64 = 200;
/// A corpus is small enough for the repository, and each file for whoever reads it.
const FILES_MAX: usize = 64;
const FILE_BYTES_MAX: usize = 4096;
/// Values that lengths and varints turn on.
const TELLING: [u8; 10] = [0, 1, 2, 127, 128, 250, 251, 252, 253, 255];

fn fuzz_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// By name, so that the order is the same everywhere.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let dir = fuzz_dir().join("corpus").join(target);
    let entries = dir.read_dir().unwrap_or_else(|error| panic!("no corpus {}: {error}", dir.display()));
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("a folder that can be read").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(&path).expect("a file that can be read"))
        })
        .collect();
    files.sort();
    files
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        self.next() as usize % end.max(1)
    }
}

/// `bytes` with a few things about them changed, or with the end of another.
fn neighbour(bytes: &[u8], others: &[(String, Vec<u8>)], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let place = random.below(bytes.len() + 1);
        let end = (place + random.below(16)).min(bytes.len());
        let telling = TELLING.get(random.below(TELLING.len())).copied().unwrap_or_default();
        match (random.below(8), bytes.get_mut(place)) {
            (0 | 1, Some(byte)) => *byte ^= 1 << random.below(8),
            (2 | 3, Some(byte)) => *byte = telling,
            (4, _) => bytes.insert(place, telling),
            (5, _) => drop(bytes.drain(place..end)),
            (6, _) => {
                let again = bytes.get(place..end).unwrap_or_default().to_vec();
                bytes.splice(place..place, again).for_each(drop);
            }
            _ => {
                let (_, other) = &others[random.below(others.len())];
                bytes.truncate(place);
                bytes.extend_from_slice(other.get(random.below(other.len() + 1)..).unwrap_or_default());
            }
        }
        bytes.truncate(FILE_BYTES_MAX);
    }
    bytes
}

fn try_it(target: Target, what: &str, bytes: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).is_err() {
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        panic!("{} fails with {what}, which is\n{}", target.name, hex.concat());
    }
}

fn replay(target: Target) {
    let files = corpus(target.name);
    assert!(!files.is_empty(), "{} has no corpus", target.name);
    let neighbours = std::env::var("TICKWIRE_NEIGHBOURS").map_or(NEIGHBOURS, |count| count.parse().expect("a number of neighbours"));
    for (nth, (name, bytes)) in files.iter().enumerate() {
        try_it(target, name, bytes);
        let mut random = Random(nth as u64);
        for count in 0..neighbours {
            try_it(target, &format!("neighbour {count} of {name}"), &neighbour(bytes, &files, &mut random));
        }
    }
}

macro_rules! replay {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let target = TARGETS.iter().find(|target| target.name == stringify!($name));
            replay(*target.expect("a target"));
        }
    )*

        #[test]
        fn every_target_is_replayed_and_has_a_binary_and_a_small_corpus() {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
            for (folder, ending) in [("fuzz_targets", ".rs"), ("corpus", "")] {
                let entries = fuzz_dir().join(folder).read_dir().expect("a folder that can be read");
                let mut found: Vec<String> = entries
                    .map(|entry| entry.expect("a folder that can be read").file_name().to_string_lossy().into_owned())
                    .map(|name| name.strip_suffix(ending).map(str::to_owned).unwrap_or(name))
                    .collect();
                found.sort();
                assert_eq!(found, names, "fuzz/{folder}");
            }
            for name in names {
                let files = corpus(name);
                assert!(files.len() <= FILES_MAX, "fuzz/corpus/{name} has {} files", files.len());
                for (file, bytes) in files {
                    assert!(bytes.len() <= FILE_BYTES_MAX, "fuzz/corpus/{name}/{file} has {} bytes", bytes.len());
                }
            }
        }
    };
}

replay! {
    client_message delta_apply delta_round_trip forwarded frames http_stream journal jwt proxy_header replica_stream server_message ticket
}

//! A directory of the journal's: written by processes, then damaged, or made up altogether.
//!
//! Input: what the processes do and what happens to the files, an instruction a byte with what it needs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tickwire_journal::sim::Sim;
use tickwire_journal::{Durability, Journal, Options, Recovered, StreamKey, recover, retire};

use crate::source::Source;

/// More than 64 instructions need.
const INPUT_BYTES_MAX: usize = 4096;

/// Tries it.
pub fn run(bytes: &[u8]) {
    if bytes.len() > INPUT_BYTES_MAX {
        return;
    }
    let mut source = Source::new(bytes);
    let sim = Sim::default();
    let mut written = BTreeSet::new();
    let mut found = recovered(&sim);
    let mut journal = open(&sim, &found);
    for _ in 0..64 {
        let instruction = source.byte();
        let key = StreamKey([source.byte() % 4; 16]);
        match instruction {
            1 | 2 => {
                let payload: Vec<u8> = (0..source.byte() % 32).map(|_| source.byte()).collect();
                if instruction == 1 {
                    journal.append(key, &payload);
                } else {
                    journal.checkpoint(key, &payload);
                }
                written.insert(payload);
            }
            3 => journal.end(key),
            4 => drop(journal.commit()),
            5 => journal.tidy(2),
            6 => {
                found = recovered(&sim);
                journal = open(&sim, &found);
                for (key, stream) in &found.streams {
                    journal.checkpoint(*key, &stream.checkpoint);
                }
            }
            7 => drop(retire(&sim, &options(), &found)),
            8 | 9 => {
                let files = sim.contents();
                let Some((path, mut data)) = files.get(usize::from(source.byte()) % files.len().max(1)).cloned() else { continue };
                let at = source.word() as usize % data.len().max(1);
                if instruction == 8 {
                    data.truncate(at);
                } else {
                    data.get_mut(at).into_iter().for_each(|byte| *byte ^= source.byte());
                }
                sim.put(&path, data);
            }
            10 => {
                let name = format!("{:016x}-{:04x}-{:016x}.segment", source.byte() % 4, source.byte() % 4, source.byte() % 4);
                let data = (0..source.byte()).map(|_| source.byte()).collect();
                sim.put(&PathBuf::from("journal").join(name), data);
            }
            _ => break,
        }
    }
    for stream in recovered(&sim).streams.into_values() {
        assert!(written.contains(&stream.checkpoint), "a checkpoint that nobody wrote");
        assert!(stream.records.iter().all(|record| written.contains(record)), "a record that nobody wrote");
    }
}

fn options() -> Options {
    Options { dir: "journal".into(), durability: Durability::Process, segment_bytes: 200, build: 1 }
}

fn recovered(sim: &Sim) -> Recovered {
    recover(sim, Path::new("journal")).expect("the directory can be listed")
}

fn open(sim: &Sim, found: &Recovered) -> Journal<Sim> {
    Journal::open(sim.clone(), options(), found.epoch.clone(), 0)
}

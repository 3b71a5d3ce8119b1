//! A real process on the real disk is killed in the middle of its work, again and again: the next
//! one finds every number that it had told after its commit, and goes on from there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tickwire_journal::{Commit, Disk, Durability, Journal, Options, StreamKey, lock, recover, retire};

/// Where the killed process keeps its journal; set for it only.
const DIR: &str = "TICKWIRE_JOURNAL_KILL_DIR";
const COUNTER: StreamKey = StreamKey([3; 16]);
const KILLS: usize = 20;

/// The last number in the journal. Those since the checkpoint follow each other.
fn last(dir: &Path) -> u64 {
    let found = recover(&Disk, dir).unwrap();
    let Some(stream) = found.streams.get(&COUNTER) else { return 0 };
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    stream.records.iter().fold(number(&stream.checkpoint), |last, record| {
        assert_eq!(number(record), last + 1);
        last + 1
    })
}

/// What the killed process does: it counts on, and tells each number that is kept.
#[test]
fn counts_until_it_is_killed() {
    let Some(dir) = std::env::var_os(DIR).map(PathBuf::from) else { return };
    let _lock = lock(&dir).unwrap();
    let options = Options { dir, durability: Durability::Process, segment_bytes: 4096, build: 1 };
    let mut number = last(&options.dir);
    let found = recover(&Disk, &options.dir).unwrap();
    let mut journal = Journal::open(Disk, options.clone(), found.epoch.clone(), 0);
    journal.checkpoint(COUNTER, &number.to_le_bytes());
    journal.commit();
    retire(&Disk, &options, &found).unwrap();
    loop {
        number += 1;
        journal.append(COUNTER, &number.to_le_bytes());
        if number.is_multiple_of(50) {
            journal.checkpoint(COUNTER, &number.to_le_bytes());
        }
        assert!(matches!(journal.commit(), Commit::Written { .. }));
        journal.tidy(1);
        println!("\nkept {number}");
        std::io::stdout().flush().unwrap();
    }
}

#[test]
fn a_killed_process_has_kept_what_it_said_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("journal");
    let mut told = 0;
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "counts_until_it_is_killed", "--nocapture"])
            .env(DIR, &dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut numbers = lines.filter_map(|line| line.strip_prefix("kept ").map(|number| number.parse::<u64>().unwrap()));
        let before = told;
        // Somewhere else each time.
        for _ in 0..=kill * 37 % 300 {
            told = numbers.next().expect("it counts until it is killed");
        }
        child.kill().unwrap();
        // What it had told and nobody had read yet.
        told = numbers.last().unwrap_or(told);
        child.wait().unwrap();
        assert!(told > before);
        assert!(last(&dir) >= told, "kill {kill}: {told} was told, and {} is kept", last(&dir));
    }
    assert!(std::fs::read_dir(&dir).unwrap().count() < 10, "older files are deleted");
}

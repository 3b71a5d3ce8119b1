//! On the real disk: a process's streams are there for the next.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::path::Path;

use std::time::Duration;

use tickwire_journal::{Background, Commit, Disk, Durability, Health, Journal, LockError, Options, StreamKey, lock, recover, retire};

const A: StreamKey = StreamKey([1; 16]);
const B: StreamKey = StreamKey([2; 16]);

fn options(dir: &Path, durability: Durability) -> Options {
    Options { dir: dir.to_path_buf(), durability, segment_bytes: 1 << 20, build: 7 }
}

#[test]
fn streams_go_on_in_the_next_process() {
    for durability in [Durability::Process, Durability::Second, Durability::Tick] {
        let dir = tempfile::tempdir().unwrap();
        let options = options(&dir.path().join("state/journal"), durability);

        let found = recover(&Disk, &options.dir).unwrap();
        assert!(found.streams.is_empty() && found.problems.is_empty());
        let mut journal = Journal::open(Disk, options.clone(), found.epoch, 0);
        journal.checkpoint(A, b"a0");
        journal.append(A, b"a1");
        journal.append(A, b"a2");
        journal.checkpoint(B, b"b0");
        journal.end(B);
        assert!(matches!(journal.commit(), Commit::Written { .. }));
        assert_eq!(journal.commit(), Commit::Nothing);
        assert_eq!(journal.health(), Health::Durable);
        assert_eq!(journal.syncer().sync().unwrap(), durability == Durability::Second);
        drop(journal);

        let found = recover(&Disk, &options.dir).unwrap();
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        assert_eq!(found.streams.keys().collect::<Vec<_>>(), [&A]);
        let stream = &found.streams[&A];
        assert_eq!((stream.checkpoint.as_slice(), stream.checkpoint_build), (&b"a0"[..], 7));
        assert_eq!(stream.records, [b"a1", b"a2"]);

        let mut journal = Journal::open(Disk, options.clone(), found.epoch.clone(), 0);
        retire(&Disk, &options, &found).unwrap_err();
        journal.checkpoint(A, b"a2");
        journal.commit();
        retire(&Disk, &options, &found).unwrap();
        assert_eq!(std::fs::read_dir(&options.dir).unwrap().count(), 1);
        assert_eq!(recover(&Disk, &options.dir).unwrap().streams[&A].checkpoint, b"a2");
    }
}

#[test]
fn a_directory_is_of_one_process_and_of_one_user() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("state");
    let held = lock(&dir).unwrap();
    let error = lock(&dir).unwrap_err().to_string();
    assert!(error.contains("state") && error.contains("another process"), "{error}");
    drop(held);
    let _held = lock(&dir).unwrap();
    let mut journal = Journal::open(Disk, options(&dir, Durability::Process), recover(&Disk, &dir).unwrap().epoch, 0);
    journal.checkpoint(A, b"a0");
    journal.commit();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir), 0o700);
        assert!(std::fs::read_dir(&dir).unwrap().all(|entry| mode(&entry.unwrap().path()) == 0o600));
    }
}

#[test]
fn a_directory_that_cannot_be_had_degrades_and_fails_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "no directory").unwrap();
    assert!(matches!(lock(&file), Err(LockError::Io { .. })));
    let dir = file.join("below");
    let epoch =
        recover(&Disk, &dir.join("not there")).map_or_else(|_| recover(&Disk, Path::new("not there")).unwrap().epoch, |found| found.epoch);
    let mut journal = Journal::open(Disk, options(&dir, Durability::Tick), epoch, 0);
    journal.checkpoint(A, b"a0");
    assert_eq!(journal.commit(), Commit::Lost);
    journal.tidy(1);
    assert!(matches!(journal.health(), Health::Degraded { lost: 1, .. }));
    assert!(!journal.wants_checkpoint(A), "nothing can be written");
}

#[test]
fn a_thread_syncs_what_is_committed() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(dir.path(), Durability::Second);
    options.segment_bytes = 1000;
    let mut journal = Journal::open(Disk, options, recover(&Disk, dir.path()).unwrap().epoch, 0);
    let background = Background::start(vec![journal.syncer()], Duration::from_millis(1)).unwrap();
    for _ in 0..100 {
        journal.checkpoint(A, &[0; 100]);
        journal.commit();
        journal.tidy(1);
    }
    while journal.unsynced() > 0 {
        std::thread::yield_now();
    }
    journal.append(A, b"last");
    journal.commit();
    drop(background);
    assert_eq!(journal.unsynced(), 0, "a last sync");
    assert_eq!(journal.health(), Health::Durable);
}

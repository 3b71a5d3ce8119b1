//! On the real disk: a process's streams are there for the next.

use std::path::Path;

use tickwire_journal::{Commit, Disk, Durability, Health, Journal, Options, StreamKey, recover, retire};

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

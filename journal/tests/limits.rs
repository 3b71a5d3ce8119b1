//! What bounds the journal, and what happens there.

#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking

use std::path::Path;

use tickwire_journal::sim::Sim;
use tickwire_journal::{BUFFER_MAX, Commit, Durability, Health, Journal, Options, RECORD_MAX, STREAMS_MAX, StreamKey, recover};

fn open(sim: &Sim, segment_bytes: u64) -> Journal<Sim> {
    let options = Options { dir: "journal".into(), durability: Durability::Process, segment_bytes, build: 1 };
    Journal::open(sim.clone(), options, recover(sim, Path::new("journal")).unwrap().epoch, 0)
}

fn key(number: usize) -> StreamKey {
    StreamKey((number as u128).to_le_bytes())
}

#[test]
fn what_is_more_than_the_buffer_holds_is_written_early() {
    for segment_bytes in [1 << 16, 1 << 30] {
        let sim = Sim::default();
        let mut journal = open(&sim, segment_bytes);
        let record = vec![7; BUFFER_MAX / 3];
        for number in 0..10 {
            journal.checkpoint(key(number), &record);
            journal.append(key(number), &record);
        }
        journal.checkpoint(key(10), &vec![8; 3 * BUFFER_MAX]);
        assert!(matches!(journal.commit(), Commit::Written { bytes } if bytes > 9 * BUFFER_MAX));
        let found = recover(&sim, Path::new("journal")).unwrap();
        assert!(found.problems.is_empty());
        assert_eq!(found.streams.len(), 11);
        assert!((0..10).all(|number| found.streams[&key(number)].records == [record.clone()]));
    }
}

#[test]
fn a_record_that_is_too_long_is_refused_until_there_is_a_shorter_checkpoint() {
    let sim = Sim::default();
    let mut journal = open(&sim, 1 << 20);
    journal.checkpoint(key(1), b"state");
    journal.append(key(1), &vec![0; RECORD_MAX + 1]);
    journal.append(key(1), b"after");
    assert_eq!(journal.commit(), Commit::Lost);
    let Health::Degraded { lost: 1, error } = journal.health() else { panic!("{:?}", journal.health()) };
    assert!(error.contains("more than"), "{error}");
    assert!(journal.wants_checkpoint(key(1)));
    journal.append(key(1), b"of no use");
    assert_eq!(journal.commit(), Commit::Lost, "records after a gap are dropped");
    assert_eq!(journal.commit(), Commit::Nothing);
    journal.checkpoint(key(1), b"newer");
    assert!(matches!(journal.commit(), Commit::Written { .. }));
    assert_eq!(journal.health(), Health::Durable);
    assert_eq!(recover(&sim, Path::new("journal")).unwrap().streams[&key(1)].checkpoint, b"newer");
}

#[test]
fn a_stream_too_many_is_refused_until_there_is_room() {
    let sim = Sim::default();
    let mut journal = open(&sim, 1 << 20);
    for number in 0..STREAMS_MAX {
        journal.checkpoint(key(number), &[]);
    }
    journal.checkpoint(key(STREAMS_MAX), &[]);
    assert_eq!(journal.commit(), Commit::Lost);
    assert!(matches!(journal.health(), Health::Degraded { error, .. } if error.contains("streams")));
    assert!(journal.wants_checkpoint(key(STREAMS_MAX)));
    // What has ended counts until its segment is gone.
    (0..STREAMS_MAX / 2).for_each(|number| journal.end(key(number)));
    journal.commit();
    for _ in 0..8 {
        (STREAMS_MAX / 2..STREAMS_MAX).for_each(|number| journal.checkpoint(key(number), &[]));
        journal.commit();
        journal.tidy(16);
    }
    journal.checkpoint(key(STREAMS_MAX), &[]);
    assert!(matches!(journal.commit(), Commit::Written { .. }));
    assert_eq!(journal.health(), Health::Durable);
    assert_eq!(recover(&sim, Path::new("journal")).unwrap().streams.len(), STREAMS_MAX / 2 + 1);
}

/// However many streams come and go, and however little each of them takes.
#[test]
fn streams_that_have_ended_take_nobodys_place() {
    let sim = Sim::default();
    let mut journal = open(&sim, 1 << 30);
    journal.checkpoint(key(0), b"rests");
    for number in 1..3 * STREAMS_MAX {
        journal.checkpoint(key(number), &[]);
        journal.end(key(number));
        if number % 1000 == 0 {
            assert!(matches!(journal.commit(), Commit::Written { .. }));
            journal.tidy(4);
        }
    }
    journal.commit();
    assert_eq!(journal.health(), Health::Durable);
    assert!(journal.disk_bytes() < 4 << 20, "{}", journal.disk_bytes());
    let found = recover(&sim, Path::new("journal")).unwrap();
    assert_eq!((found.streams.len(), found.streams[&key(0)].checkpoint.as_slice()), (1, &b"rests"[..]));
}

#[test]
fn a_first_checkpoint_that_is_too_long_is_told_until_the_stream_is_kept_or_over() {
    let sim = Sim::default();
    let mut journal = open(&sim, 1 << 20);
    for ends in [true, false] {
        journal.checkpoint(key(1), &vec![0; RECORD_MAX + 1]);
        assert_eq!(journal.commit(), Commit::Lost);
        assert_eq!(journal.commit(), Commit::Nothing);
        assert!(matches!(journal.health(), Health::Degraded { lost: 1, .. }));
        if ends {
            journal.end(key(1));
        } else {
            journal.checkpoint(key(1), b"short");
        }
        journal.commit();
        assert_eq!(journal.health(), Health::Durable);
    }
}

/// Streams that nobody touches any more do not keep the disk full, and are copied at most about
/// once for each byte that is written.
#[test]
fn what_is_of_no_use_is_deleted() {
    let sim = Sim::default();
    let mut journal = open(&sim, 10_000);
    (0..50).for_each(|number| journal.checkpoint(key(number), &[1; 500]));
    let mut written = 0;
    for round in 0..2000 {
        for number in 50..55 {
            if round % 20 == 0 { journal.checkpoint(key(number), &[2; 500]) } else { journal.append(key(number), &[3; 100]) }
        }
        if let Commit::Written { bytes } = journal.commit() {
            written += bytes;
        }
        journal.tidy(8);
        assert!(journal.disk_bytes() < 2 * 55 * 600 + 6 * 10_000, "{} in round {round}", journal.disk_bytes());
    }
    let appended = 2000 * 5 * 133;
    assert!(written < 2 * appended, "{written} bytes were written for {appended}");
    let found = recover(&sim, Path::new("journal")).unwrap();
    assert_eq!(found.streams.len(), 55);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
}

/// Somebody who never retires what is older pays for that with the older files, and nothing else.
#[test]
fn what_has_ended_stays_so_while_older_epochs_are_there_and_takes_little_room() {
    let sim = Sim::default();
    let mut before = open(&sim, 1000);
    before.checkpoint(key(1), b"ends in the next process");
    before.checkpoint(key(2), b"plays");
    before.commit();
    let mut journal = open(&sim, 1000);
    journal.end(key(1));
    for _ in 0..200 {
        journal.checkpoint(key(2), &[1; 100]);
        journal.commit();
        journal.tidy(4);
        let found = recover(&sim, Path::new("journal")).unwrap();
        assert_eq!(found.streams.into_keys().collect::<Vec<_>>(), [key(2)]);
        assert!(journal.disk_bytes() < 5000, "{}", journal.disk_bytes());
    }
}

#[test]
fn a_steady_journal_allocates_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for durability in [Durability::Process, Durability::Second, Durability::Tick] {
        let dir = dir.path().join(format!("{durability:?}"));
        let options = Options { dir: dir.clone(), durability, segment_bytes: 1 << 30, build: 1 };
        let disk = tickwire_journal::Disk;
        let mut journal = Journal::open(disk, options, recover(&disk, &dir).unwrap().epoch, 0);
        let mut round = |checkpoints: bool| {
            for number in 0..20 {
                if checkpoints {
                    journal.checkpoint(key(number), &[1; 1000]);
                } else {
                    journal.append(key(number), &[2; 200]);
                }
                assert!(!journal.wants_checkpoint(key(number)));
            }
            assert!(matches!(journal.commit(), Commit::Written { .. }));
            journal.tidy(4);
        };
        round(true);
        round(false);
        let steady = allocation_counter::measure(|| (0..10).for_each(|number| round(number % 5 == 0)));
        assert_eq!(steady.count_total, 0, "{durability:?}: {steady:?}");
    }
}

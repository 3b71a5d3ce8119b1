//! Disks that are full, read-only or broken: play goes on, and durability comes back.

use std::path::Path;

use tickwire_journal::sim::{Faults, Sim, Survivors};
use tickwire_journal::{Commit, Durability, Health, Journal, Options, StreamKey, recover};

use crate::exhaustive::MODES;
use crate::life::{Do, World};
use crate::model::Crash;

const FULL: Faults = Faults { space: Some(600), is_read_only: false, failing_syncs: 0, has_short_writes: false };
const READ_ONLY: Faults = Faults { space: None, is_read_only: true, failing_syncs: 0, has_short_writes: false };
const FINE: Faults = Faults { space: None, is_read_only: false, failing_syncs: 0, has_short_writes: false };

fn round() -> [Do; 6] {
    [Do::Append(1), Do::Append(2), Do::Append(3), Do::Commit, Do::Tidy, Do::Sync]
}

#[test]
fn a_disk_that_cannot_be_written_costs_durability_until_it_can() {
    for durability in MODES {
        for fault in [FULL, READ_ONLY] {
            let mut world = World::new(durability);
            let before = {
                let mut life = world.begin(&[]);
                for what in round().into_iter().chain([Do::End(3), Do::Commit, Do::Sync, Do::Faults(fault)]) {
                    life.go(what);
                }
                for _ in 0..100 {
                    round().into_iter().for_each(|what| life.go(what));
                    life.go(Do::Checkpoint(2));
                }
                assert!(!life.is_durable(), "{fault:?}");
                let Health::Degraded { lost, error } = life.journals[0].health() else { panic!("{fault:?}") };
                assert!(lost > 0 && !error.is_empty());
                life.journals.iter().map(tickwire_journal::Journal::disk_bytes).sum::<u64>()
            };
            assert!(before < 3000, "{before}");
            // Whatever happens now, what was kept before is there.
            for crash in [Crash::Process, Crash::Power(Survivors::None)] {
                world.fork().crash(crash).unwrap();
            }
            let mut world = World::new(durability);
            let mut life = world.begin(&[]);
            [Do::Append(4), Do::Commit, Do::Faults(fault)].into_iter().for_each(|what| life.go(what));
            (0..30).flat_map(|_| round()).for_each(|what| life.go(what));
            [Do::End(4), Do::Faults(FINE)].into_iter().for_each(|what| life.go(what));
            (0..70).flat_map(|_| round()).for_each(|what| life.go(what));
            assert!(life.is_durable(), "{:?}", life.journals);
            drop(life);
            world.crash(Crash::Process).unwrap();
            assert!((1..=3).all(|stream| world.model.state(StreamKey([stream; 16])).is_some_and(|state| state.len() == 100)));
            assert!(world.model.state(StreamKey([4; 16])).is_none(), "an end that could not be written is written later");
        }
    }
}

/// After a failed sync the system may say of the next that it is fine, and the bytes are gone.
#[test]
fn a_sync_that_failed_is_never_believed_again() {
    for durability in [Durability::Second, Durability::Tick] {
        for failing_syncs in 1..4 {
            let mut world = World::new(durability);
            let mut life = world.begin(&[]);
            (0..3).flat_map(|_| round()).for_each(|what| life.go(what));
            life.go(Do::Faults(Faults { failing_syncs, ..FINE }));
            (0..20).flat_map(|_| round()).for_each(|what| life.go(what));
            assert!(life.is_durable());
            drop(life);
            world.crash(Crash::Power(Survivors::All)).unwrap();
            assert!(world.model.state(StreamKey([1; 16])).is_some_and(|state| state.len() == 23));
        }
    }
}

#[test]
fn writes_that_take_less_than_they_are_given_are_gone_on_with() {
    for durability in MODES {
        let mut world = World::new(durability);
        world.sim.set_faults(Faults { has_short_writes: true, ..FINE });
        world.live(&[], &(0..20).flat_map(|_| round()).collect::<Vec<_>>());
        world.crash(Crash::Process).unwrap();
        assert!(world.model.state(StreamKey([1; 16])).is_some_and(|state| state.len() == 20));
    }
}

const A: StreamKey = StreamKey([1; 16]);

/// A journal that syncs once a second, each of whose commits is in a segment of its own.
fn of_small_segments(sim: &Sim) -> Journal<Sim> {
    let options = Options { segment_bytes: 1, ..World::new(Durability::Second).options() };
    Journal::open(sim.clone(), options, recover(sim, Path::new("journal")).unwrap().epoch, 0)
}

/// What a power loss may leave of the stream, by seed.
fn after_power_loss(sim: &Sim) -> impl Iterator<Item = Option<Vec<u8>>> {
    (0..256).map(|seed| {
        let lost = sim.fork();
        lost.lose_power(Survivors::Some(seed));
        recover(&lost, Path::new("journal")).unwrap().streams.remove(&A).map(|stream| stream.checkpoint)
    })
}

#[test]
fn a_tombstone_stays_until_the_removal_of_what_it_ends_is_safe() {
    let sim = Sim::default();
    let mut journal = of_small_segments(&sim);
    journal.checkpoint(A, b"1");
    journal.commit();
    journal.end(A);
    journal.commit();
    journal.tidy(1);
    for _ in 0..3 {
        journal.syncer().sync().unwrap();
        journal.tidy(1);
        assert!(after_power_loss(&sim).all(|found| found.is_none()), "a removed checkpoint came back");
    }
    assert_eq!(sim.contents().len(), 1);
}

#[test]
fn a_checkpoint_stays_until_its_successor_is_safe_whatever_failed_between() {
    let sim = Sim::default();
    let mut journal = of_small_segments(&sim);
    journal.checkpoint(A, b"1");
    journal.commit();
    journal.syncer().sync().unwrap();
    journal.checkpoint(A, b"2");
    journal.commit();
    journal.tidy(1);
    sim.set_faults(Faults { failing_syncs: 1, ..FINE });
    journal.syncer().sync().unwrap_err();
    assert_eq!(journal.commit(), Commit::Lost);
    journal.tidy(1);
    // Another segment, in which nothing is yet.
    journal.syncer().sync().unwrap();
    journal.checkpoint(A, b"3");
    journal.commit();
    assert_eq!(journal.health(), Health::Durable);
    journal.tidy(1);
    assert!(after_power_loss(&sim).all(|found| found.is_some()), "nothing is left of it");
    journal.syncer().sync().unwrap();
    assert!(after_power_loss(&sim).all(|found| found.as_deref() == Some(b"3")));
}

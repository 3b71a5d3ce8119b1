//! Null controls: what is broken on purpose is noticed.

use tickwire_journal::Durability;
use tickwire_journal::sim::Planted;

use crate::exhaustive::{MODES, violations};
use crate::model::Crash;

fn is_process(crash: &Crash) -> bool {
    *crash == Crash::Process
}

fn is_power(crash: &Crash) -> bool {
    !is_process(crash)
}

#[test]
fn a_commit_that_does_nothing_is_noticed() {
    for durability in MODES {
        assert!(!violations(durability, Some(Planted::NoWrites), is_process).is_empty(), "{durability:?}");
    }
}

#[test]
fn a_recovery_that_ignores_the_tail_is_noticed() {
    for durability in MODES {
        assert!(!violations(durability, Some(Planted::HalfReads), is_process).is_empty(), "{durability:?}");
    }
}

#[test]
fn a_missing_sync_of_the_directory_is_noticed() {
    for durability in [Durability::Second, Durability::Tick] {
        assert!(!violations(durability, Some(Planted::NoDirSyncs), is_power).is_empty(), "{durability:?}");
    }
}

#[test]
fn a_missing_sync_of_the_file_is_noticed() {
    for durability in [Durability::Second, Durability::Tick] {
        assert!(!violations(durability, Some(Planted::NoFileSyncs), is_power).is_empty(), "{durability:?}");
    }
}

#[test]
fn ignored_tombstones_are_noticed() {
    for durability in MODES {
        assert!(!violations(durability, Some(Planted::NoTombstones), is_process).is_empty(), "{durability:?}");
    }
}

#[test]
fn a_kill_that_is_left_out_is_noticed() {
    for durability in MODES {
        assert!(!violations(durability, Some(Planted::NoEnd), is_process).is_empty(), "{durability:?}");
    }
}

/// The modes differ in what they promise, and the checker knows it: without a sync a power loss
/// takes something from each but the strictest.
#[test]
fn a_power_loss_takes_what_was_not_synced() {
    use crate::life::{Do, World};
    use tickwire_journal::StreamKey;
    use tickwire_journal::sim::Survivors;
    for (durability, is_left) in [(Durability::Process, false), (Durability::Second, false), (Durability::Tick, true)] {
        let mut world = World::new(durability);
        world.live(&[], &[Do::Append(1), Do::Commit]);
        world.crash(Crash::Power(Survivors::None)).unwrap();
        assert_eq!(world.model.state(StreamKey([1; 16])).is_some(), is_left, "{durability:?}");
    }
}

//! Random processes on random disks, ended at random: proptest prints what fails, and finds the
//! shortest that does.

use proptest::collection::vec;
use proptest::prelude::*;
use tickwire_journal::Durability;
use tickwire_journal::sim::{Faults, Survivors};

use crate::exhaustive::MODES;
use crate::life::{Do, World};
use crate::model::Crash;

#[derive(Clone, Debug)]
struct Life {
    ended: Vec<u8>,
    script: Vec<Do>,
    /// Boundaries until it is ended, if it has not been done by then.
    boundaries: u64,
    crash: Crash,
}

fn a_thing_to_do() -> impl Strategy<Value = Do> {
    let faults = (prop::option::weighted(0.3, 0..4000_usize), prop::bool::weighted(0.1), 0..3_u32, any::<bool>());
    prop_oneof![
        8 => (0..6_u8).prop_map(Do::Append),
        3 => (0..6_u8).prop_map(Do::Checkpoint),
        1 => (0..6_u8).prop_map(Do::End),
        5 => Just(Do::Commit),
        4 => Just(Do::Tidy),
        2 => Just(Do::Sync),
        1 => Just(Do::Retire),
        1 => faults.prop_map(|(space, is_read_only, failing_syncs, has_short_writes)| {
            Do::Faults(Faults { space, is_read_only, failing_syncs, has_short_writes })
        }),
        1 => Just(Do::Faults(Faults::default())),
    ]
}

fn a_crash() -> impl Strategy<Value = Crash> {
    let survivors =
        prop_oneof![Just(Survivors::None), Just(Survivors::All), Just(Survivors::Zeros), any::<u64>().prop_map(Survivors::Some)];
    prop_oneof![Just(Crash::Process), survivors.prop_map(Crash::Power)]
}

fn a_life() -> impl Strategy<Value = Life> {
    (vec(0..6_u8, 0..2), vec(a_thing_to_do(), 0..150), 0..400_u64, a_crash()).prop_map(|(ended, script, boundaries, crash)| Life {
        ended,
        script,
        boundaries,
        crash,
    })
}

fn a_mode() -> impl Strategy<Value = Durability> {
    prop::sample::select(&MODES[..])
}

proptest! {
    // PROPTEST_CASES makes it more.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_nothing_that_was_kept_is_lost(durability in a_mode(), lives in vec(a_life(), 1..6)) {
        let mut world = World::new(durability);
        for life in lives {
            world.sim.set_faults(Faults::default());
            world.sim.end_at(world.sim.boundaries() + life.boundaries);
            world.live(&life.ended, &life.script);
            world.crash(life.crash).map_err(TestCaseError::fail)?;
        }
    }
}

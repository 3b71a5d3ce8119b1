//! A script of two processes, ended at every boundary, in each mode, in each way.

use tickwire_journal::sim::{Planted, Survivors};
use tickwire_journal::{Durability, sim::Sim};

use crate::life::{Do, World};
use crate::model::Crash;

pub(crate) const MODES: [Durability; 3] = [Durability::Process, Durability::Second, Durability::Tick];

/// Six streams: 0 to 2 play, 3 ends and begins again, 4 ends for good, 5 only has a beginning.
pub(crate) fn first() -> Vec<Do> {
    let mut script = vec![Do::Append(5)];
    for round in 0..28 {
        script.extend((0..3).map(Do::Append));
        match round {
            0..3 => script.extend([Do::Append(3), Do::Append(4)]),
            3 => script.extend([Do::End(3), Do::End(4)]),
            7 => script.push(Do::Append(3)),
            _ => {}
        }
        if round % 3 == 2 {
            script.extend((0..3).map(Do::Checkpoint));
        }
        script.extend([Do::Commit, Do::Tidy]);
        if round % 4 == 3 {
            script.push(Do::Sync);
        }
    }
    script
}

/// The next process ends 0 at once, and goes on with the others.
pub(crate) const ENDED: &[u8] = &[0];

pub(crate) fn second() -> Vec<Do> {
    let mut script = vec![Do::Append(1), Do::Commit, Do::Retire];
    for round in 0..20 {
        script.extend([1, 2, 3].map(Do::Append));
        if round % 4 == 3 {
            script.extend([1, 2, 3].map(Do::Checkpoint));
        }
        script.extend([Do::Commit, Do::Tidy]);
        match round {
            3 | 6 | 9 => script.push(Do::Sync),
            7 => script.push(Do::End(2)),
            _ => {}
        }
    }
    script
}

fn play(world: &mut World) {
    world.live(&[], &first());
    if !world.sim.has_ended() {
        // The first process ends by itself here, and the machine goes on.
        world.crash(Crash::Process).unwrap();
        world.live(ENDED, &second());
    }
}

pub(crate) fn crashes(seed: u64) -> Vec<Crash> {
    let some = (0..4).map(|n| Survivors::Some(seed.wrapping_mul(4) + n));
    let power = [Survivors::None, Survivors::All, Survivors::Zeros].into_iter().chain(some).map(Crash::Power);
    std::iter::once(Crash::Process).chain(power).collect()
}

/// What is wrong if the script is ended at every boundary, with something planted or not.
pub(crate) fn violations(durability: Durability, planted: Option<Planted>, kinds: impl Fn(&Crash) -> bool) -> Vec<String> {
    let mut whole = World::new(durability);
    play(&mut whole);
    let total = whole.sim.boundaries();
    assert!(total > 300, "the script has only {total} boundaries");
    let mut violations = Vec::new();
    for boundary in 0..total {
        let mut world = World::new(durability);
        if let Some(planted) = planted {
            world.sim.plant(planted);
        }
        world.sim.end_at(boundary);
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play(&mut world)));
        if played.is_err() || !world.sim.has_ended() {
            violations.push(format!("boundary {boundary}: the world did not end there"));
            continue;
        }
        for crash in crashes(boundary).into_iter().filter(&kinds) {
            if let Err(wrong) = goes_on(world.fork(), crash) {
                violations.push(format!("{durability:?}, boundary {boundary}, {crash:?}: {wrong}"));
            }
        }
    }
    violations
}

/// After a crash everything is there, and another process can go on with it, twice over.
fn goes_on(mut world: World, crash: Crash) -> Result<(), String> {
    world.crash(crash)?;
    let script = [1, 2].map(Do::Append).into_iter().chain([Do::Commit, Do::Sync, Do::Retire, Do::Tidy, Do::Commit, Do::Sync]);
    world.live(&[], &script.collect::<Vec<_>>());
    let epochs = epochs(&world.sim);
    if epochs.len() > 1 {
        return Err(format!("after retiring, there are still the epochs {epochs:?}"));
    }
    world.crash(crash)
}

fn epochs(sim: &Sim) -> std::collections::BTreeSet<String> {
    let names = sim.contents().into_iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap().to_owned());
    // A header that was cut off may look like a newer build's, whose files are set aside.
    names.filter(|name| !name.contains("aside")).map(|name| name[..16].to_owned()).collect()
}

#[test]
fn wherever_it_ends_nothing_that_was_committed_is_lost() {
    for durability in MODES {
        let violations = violations(durability, None, |_| true);
        assert!(violations.is_empty(), "{} violations, such as\n{}", violations.len(), violations[..violations.len().min(5)].join("\n"));
    }
}

/// The script is worth something: it rotates, carries, ends and removes.
#[test]
fn the_script_does_what_a_journal_does() {
    let mut world = World::new(Durability::Process);
    world.live(&[], &first());
    let mut names: Vec<String> =
        world.sim.contents().iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    let sequences =
        |lane: &str| -> Vec<String> { names.iter().filter(|name| &name[17..21] == lane).map(|name| name[22..38].to_owned()).collect() };
    for lane in ["0000", "0001"] {
        let sequences = sequences(lane);
        assert!(u64::from_str_radix(&sequences[0], 16).unwrap() > 1, "no segment was removed: {names:?}");
        assert!(sequences.len() < 6, "{names:?}");
    }
}

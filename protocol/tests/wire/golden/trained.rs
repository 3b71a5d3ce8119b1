//! Bodies of a schema with a model: columns by context, rows as expected and not.

use tickwire_protocol::{Snapshot, Tick};

use super::snapshots::check;
use crate::support::{Rows, snapshot};
use crate::trained::TRAINED;

const ABOUT: &str = "Bodies of a schema with a model, which is beside each table. A shot is expected of each gun whose `ready` is 3 \
                     ticks after the snapshot's, in the order of owners: the same owner, vx 40, x 10 times the gun's aim.";

fn at(tick: u32, guns: &[(u32, [i32; 3])], shots: &[(u32, [i32; 3])]) -> Snapshot {
    let rows = |rows: &[(u32, [i32; 3])]| -> Rows { rows.iter().map(|(id, row)| (*id, row.to_vec())).collect() };
    snapshot(&TRAINED, Tick(tick), &[Rows::from([(0, vec![2, 900])]), rows(guns), rows(shots)])
}

/// Four guns with these moments and aims.
fn guns(tick: u32, ready: [i32; 4], aims: [i32; 4], shots: &[(u32, [i32; 3])]) -> Snapshot {
    let rows: Vec<_> = (0..4).map(|gun| (gun as u32, [gun as i32, ready[gun], aims[gun]])).collect();
    at(tick, &rows, shots)
}

#[test]
fn golden_trained_snapshots() {
    let calm = guns(100, [0; 4], [0, 64, 128, 192], &[]);
    let fired = |shots: &[(u32, [i32; 3])]| guns(101, [0, 104, 0, 104], [0, 64, 128, 200], shots);
    let flying = guns(100, [90, 103, 104, 99], [1, 2, 3, 4], &[(10, [0, 40, 100]), (11, [1, -40, 100]), (12, [2, 0, 0])]);
    let many =
        |turn: i32| at(100 + u32::from(turn != 0), &(0..20).map(|id| (id, [0, 0, (7 * id as i32 + turn) % 256])).collect::<Vec<_>>(), &[]);
    let deltas = vec![
        ("calm", (calm.clone(), guns(101, [0; 4], [0, 64, 128, 192], &[]))),
        ("aims_turn", (calm.clone(), guns(101, [0; 4], [255, 66, 128, 182], &[]))),
        (
            "a_moment_ends",
            (flying.clone(), guns(101, [0, 103, 104, 102], [1, 2, 3, 4], &[(10, [0, 40, 140]), (11, [1, -40, 60]), (12, [2, 0, 0])])),
        ),
        ("two_fire_as_expected", (calm.clone(), fired(&[(4, [1, 40, 640]), (5, [3, 40, 2000])]))),
        ("one_fires_otherwise", (calm.clone(), fired(&[(4, [1, 40, 640]), (5, [3, -40, 1990])]))),
        ("none_comes", (calm.clone(), fired(&[]))),
        ("one_that_was_not_expected", (calm.clone(), fired(&[(9, [0, 3, 4]), (10, [1, 40, 640]), (11, [1, 40, 640])]))),
        ("one_without_a_gun", (at(100, &[], &[]), at(101, &[], &[(7, [2, -3, 2000])]))),
        ("shots_go", (flying.clone(), guns(101, [90, 103, 104, 99], [1, 2, 3, 4], &[(11, [1, -40, 60])]))),
        (
            "shots_are_stopped",
            (flying.clone(), guns(101, [90, 103, 104, 99], [1, 2, 3, 4], &[(10, [0, 40, 120]), (11, [1, -40, 60]), (12, [2, 1, 0])])),
        ),
        ("the_model_is_wrong", (many(0), many(100))),
        (
            "after_64_ticks",
            (flying.clone(), guns(164, [90, 103, 167, 99], [1, 2, 77, 4], &[(10, [0, 40, 2660]), (11, [1, -40, 0]), (20, [2, 40, 770])])),
        ),
    ];
    check("trained.json", ABOUT, &TRAINED, &[("keyframe", flying)], deltas);
}

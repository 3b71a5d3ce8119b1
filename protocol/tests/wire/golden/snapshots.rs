//! Keyframe and delta bodies: every form a part of them can take.

use serde_json::json;
use tickwire_protocol::schema::{Columns, Field, MatchState};
use tickwire_protocol::{Schema, Snapshot, TableSchema, Tick};

use super::json::{schema, snapshot, word};
use super::{Fixture, Vector};
use crate::support::{Rows, applied, encoded};

/// Two tables beside `match`: things that move, and gauges with as many bits as a field may have and with none.
pub(crate) const FIXTURE_SCHEMA: Schema = Schema::new(&[
    MatchState::TABLE,
    TableSchema {
        name: "mover",
        fields: &[
            Field::new("vx", -100, 100),
            Field { moved_by: Some(0), ..Field::new("x", 0, 4000) },
            Field::new("heading", 0, 255).wrapping(),
            Field::new("health", 0, 100),
        ],
    },
    TableSchema { name: "gauge", fields: &[Field::new("kind", 5, 5), Field::new("level", -(1 << 30), (1 << 30) - 1)] },
]);

/// The match is live until tick 900.
fn live() -> Rows {
    Rows::from([(0, vec![2, 900])])
}

fn rows<const N: usize>(rows: &[(u32, [i32; N])]) -> Rows {
    rows.iter().map(|(id, row)| (*id, row.to_vec())).collect()
}

fn at(tick: u32, movers: &[(u32, [i32; 4])], gauges: &[(u32, [i32; 2])]) -> Snapshot {
    crate::support::snapshot(&FIXTURE_SCHEMA, Tick(tick), &[live(), rows(movers), rows(gauges)])
}

/// Movers with these ids, standing.
fn standing(tick: u32, ids: &[u32]) -> Snapshot {
    let movers: Vec<_> = ids.iter().map(|id| (*id, [0, 50, 0, 100])).collect();
    at(tick, &movers, &[])
}

/// Nothing but a match whose phase ends at another tick, or not.
fn ending_at(tick: i32, now: u32) -> Snapshot {
    crate::support::snapshot(&FIXTURE_SCHEMA, Tick(now), &[Rows::from([(0, vec![2, tick])]), Rows::new(), Rows::new()])
}

/// The delta that `docs/PROTOCOL.md` reads symbol by symbol: one mover turns past the wrap, one goes, one comes.
pub(crate) fn worked_example() -> (Snapshot, Snapshot) {
    let base = at(100, &[(1, [10, 100, 250, 100]), (2, [0, 50, 0, 30])], &[]);
    let next = at(101, &[(1, [10, 110, 4, 100]), (3, [-20, 4000, 128, 100])], &[]);
    (base, next)
}

// Fields of `mover`.
const VX: usize = 0;
const X: usize = 1;
const HEADING: usize = 2;
const HEALTH: usize = 3;

/// Eight movers at tick 100, and `advance` ticks later, as predicted but for `changes`: a mover, a field, its value.
fn eight(advance: u32, changes: &[(usize, usize, i32)]) -> (Snapshot, Snapshot) {
    let before: Vec<_> = (0..8).map(|id| (id, [5, 100 * id as i32, 10, 100])).collect();
    let mut after = before.clone();
    after.iter_mut().for_each(|(_, row)| row[X] += row[VX] * advance as i32);
    changes.iter().for_each(|(id, field, value)| after[*id].1[*field] = *value);
    (at(100, &before, &[]), at(100 + advance, &after, &[]))
}

/// A new heading for each of the eight.
fn headings(values: [i32; 8]) -> Vec<(usize, usize, i32)> {
    values.into_iter().enumerate().map(|(id, value)| (id, HEADING, value)).collect()
}

fn deltas() -> Vec<(&'static str, (Snapshot, Snapshot))> {
    let gauge = |tick, level| at(tick, &[], &[(9, [5, level])]);
    vec![
        ("worked_example", worked_example()),
        ("quiet", (standing(100, &[1, 2]), standing(101, &[1, 2]))),
        ("moved_as_predicted", eight(1, &[])),
        ("moved_as_predicted_over_5_ticks", eight(5, &[])),
        ("steered", eight(1, &[(3, VX, 25), (3, X, 325)])),
        ("pushed_off_course", eight(1, &[(3, X, 298)])),
        ("sparse", eight(1, &[(6, HEALTH, 40)])),
        ("dense", eight(1, &headings([13, 14, 15, 13, 14, 15, 13, 14]))),
        ("dense_and_sparse_over_64_ticks", eight(64, &[headings([10, 226, 186, 146, 106, 66, 26, 242]), vec![(0, HEALTH, 99)]].concat())),
        ("wrapped_upwards", (at(100, &[(1, [0, 50, 250, 100])], &[]), at(101, &[(1, [0, 50, 3, 100])], &[]))),
        ("wrapped_downwards", (at(100, &[(1, [0, 50, 3, 100])], &[]), at(101, &[(1, [0, 50, 250, 100])], &[]))),
        ("half_a_turn", (at(100, &[(1, [0, 50, 0, 100])], &[]), at(101, &[(1, [0, 50, 128, 100])], &[]))),
        ("stopped_at_the_edge", (at(100, &[(1, [60, 3990, 0, 100])], &[]), at(101, &[(1, [60, 4000, 0, 100])], &[]))),
        ("spawned_last", (standing(100, &[1, 2]), standing(101, &[1, 2, 3, 5]))),
        ("spawned_between", (standing(100, &[10, 20]), standing(101, &[5, 10, 15, 20, 21]))),
        ("spawned_into_an_empty_table", (standing(100, &[]), standing(101, &[7]))),
        ("despawned", (standing(100, &[1, 2, 3, 4]), standing(101, &[1, 4]))),
        ("all_gone", (standing(100, &[1, 2]), standing(101, &[]))),
        ("all_replaced", (standing(100, &[1, 2]), standing(101, &[3, 4]))),
        ("after_the_last_id", (standing(100, &[u32::MAX]), standing(101, &[3, u32::MAX]))),
        ("up_to_the_last_id", (standing(100, &[1]), standing(101, &[1, u32::MAX]))),
        ("tick_wraps", (standing(u32::MAX, &[1]), standing(1, &[1, 2]))),
        ("far", (gauge(100, 0), gauge(101, -327_680))),
        ("as_far_as_there_is", (gauge(100, -(1 << 30)), gauge(101, (1 << 30) - 1))),
        ("a_phase_that_ends", (standing(100, &[]), ending_at(0, 101))),
        ("a_phase_that_ends_later", (standing(100, &[]), ending_at(1000, 101))),
    ]
}

#[test]
fn golden_snapshots() {
    let full = at(70_000, &[(1, [-100, 0, 255, 0]), (2, [100, 4000, 0, 100]), (70_000, [0, 2000, 128, 50])], &[(9, [5, -1])]);
    let about = "Bodies of Keyframe (base is null: apply to an empty snapshot) and Delta messages, of this schema.";
    check("snapshots.json", about, &FIXTURE_SCHEMA, &[("keyframe", full)], deltas());
}

/// Fails unless `file` has these keyframes, one of nothing, and these deltas.
pub(super) fn check(
    file: &'static str,
    about: &str,
    of: &Schema,
    keyframes: &[(&'static str, Snapshot)],
    deltas: Vec<(&'static str, (Snapshot, Snapshot))>,
) {
    let empty = Snapshot::empty(of);
    let keyframes = [("keyframe_empty", empty.clone())]
        .iter()
        .chain(keyframes)
        .map(|(name, next)| {
            let body = encoded(&empty, next);
            assert_eq!(applied(of, &empty, &body, next.tick).as_ref(), Ok(next), "{name}");
            Vector::new(name, &body, json!({ "base": null, "snapshot": snapshot(next) }))
        })
        .collect::<Vec<_>>();
    let deltas = deltas.into_iter().map(|(name, (base, next))| {
        let body = encoded(&base, &next);
        assert_eq!(applied(of, &base, &body, next.tick).as_ref(), Ok(&next), "{name}");
        let advance = next.tick.since(base.tick);
        Vector::new(name, &body, json!({ "base": snapshot(&base), "advance": advance, "snapshot": snapshot(&next) }))
    });
    let head = vec![("about", json!(about)), ("schema", schema(of)), ("schema_hash", json!(word(of.hash())))];
    Fixture { file, head, vectors: keyframes.into_iter().chain(deltas).collect() }.check();
}

//! What the codec has to tell of a pair of snapshots, number by number, with everything both ends know of each.
//!
//! It follows `docs/PROTOCOL.md` and not the encoder, so that the two check each other.

use tickwire_protocol::delta::residual::{from_tick, predict, residual, zigzag};
use tickwire_protocol::delta::{class_of_residual, class_of_value};
use tickwire_protocol::schema::Which;
use tickwire_protocol::snapshot::Table;
use tickwire_protocol::{NetId, Schema, Snapshot, Tick, limits};

/// Columns of one table in all pairs of snapshots.
#[derive(Clone, Debug, Default)]
pub struct TableObservations {
    /// Pairs in which nothing was otherwise than expected, and others.
    pub quiet: [u64; 2],
    /// Whether rows go.
    pub gone: Column,
    /// By whether a row was expected: how often none came, and one came.
    pub no_more: [[u64; 2]; 2],
    /// Distances of ids of rows that came.
    pub ids: Vec<u32>,
    /// Fields of rows that stayed.
    pub fields: Vec<Column>,
    /// Fields of rows that came: value, and whether a row was expected and the residual from it.
    pub spawned: Vec<Vec<Spawned>>,
}

/// A field of a row that came.
#[derive(Clone, Copy, Debug)]
pub struct Spawned {
    /// Its value.
    pub value: i32,
    /// Its residual, if a row was expected.
    pub residual: Option<u32>,
    /// The snapshot's tick.
    pub tick: Tick,
}

/// One column in all pairs of snapshots.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// Pairs of snapshots in which nothing differed, and others.
    pub quiet: [u64; 2],
    /// Residuals of columns in which something differed.
    pub residuals: Vec<u32>,
    /// For each residual the classes of all fields in the baseline, then those of the residuals before it.
    pub classes: Vec<u8>,
    /// Classes per residual.
    pub width: usize,
}

impl Column {
    /// Classes known with residual `index`.
    pub fn classes_of(&self, index: usize) -> &[u8] {
        self.classes.get(index * self.width..(index + 1) * self.width).unwrap_or(&[])
    }

    fn add(&mut self, residuals: &[u32], width: usize, classes: impl Fn(usize) -> Vec<u8>) {
        let is_quiet = residuals.iter().all(|residual| *residual == 0);
        self.quiet[usize::from(!is_quiet)] += 1;
        self.width = width;
        if !is_quiet {
            self.residuals.extend_from_slice(residuals);
            (0..residuals.len()).for_each(|row| self.classes.extend(classes(row)));
        }
    }
}

/// Adds what the delta from `base` to `next` tells.
pub fn observe(schema: &Schema, base: &Snapshot, next: &Snapshot, into: &mut Vec<TableObservations>) {
    into.resize_with(schema.tables().len(), TableObservations::default);
    for (index, observations) in into.iter_mut().enumerate() {
        if let (Some(before), Some(after)) = (base.table(index), next.table(index)) {
            observe_table(schema, index, before, after, base, next, observations);
        }
    }
}

fn observe_table(
    schema: &Schema,
    index: usize,
    before: &Table,
    after: &Table,
    base: &Snapshot,
    next: &Snapshot,
    into: &mut TableObservations,
) {
    let advance = (next.tick.since(base.tick).max(0) as u32).min(limits::BASELINE_AGE_MAX);
    let fields = after.fields();
    into.fields.resize_with(fields.len(), Column::default);
    into.spawned.resize_with(fields.len(), Vec::new);
    let stays: Vec<(usize, usize)> = before.ids().iter().enumerate().filter_map(|(from, id)| Some((from, after.row_of(*id)?))).collect();
    let comes: Vec<usize> = (0..after.len()).filter(|row| before.row_of(after.ids()[*row]).is_none()).collect();
    let gone: Vec<u32> = before.ids().iter().map(|id| u32::from(after.row_of(*id).is_none())).collect();
    let residuals: Vec<Vec<u32>> = fields
        .iter()
        .enumerate()
        .map(|(column, field)| {
            let one = |&(from, to): &(usize, usize)| {
                let stayed = before.column(column)[from];
                let expected = field.moved_by.map_or(stayed, |velocity| predict(field, stayed, after.column(velocity)[to], advance));
                residual(field, expected, after.column(column)[to], next.tick)
            };
            stays.iter().map(one).collect()
        })
        .collect();
    let is_quiet = before.ids() == after.ids() && residuals.iter().flatten().all(|residual| *residual == 0);
    into.quiet[usize::from(!is_quiet)] += 1;
    if is_quiet {
        return;
    }
    let base_classes = |row: usize| -> Vec<u8> {
        fields
            .iter()
            .enumerate()
            .map(|(column, field)| {
                let value = before.column(column)[row];
                class_of_value(if field.moment { from_tick(field, value, next.tick) } else { value }) as u8
            })
            .collect()
    };
    if !gone.is_empty() {
        into.gone.add(&gone, fields.len(), base_classes);
    }
    observe_spawned(schema, index, before, after, next, &comes, into);
    if stays.is_empty() {
        return;
    }
    for column in 0..fields.len() {
        into.fields[column].add(&residuals[column], fields.len() + column, |row| {
            let mut classes = base_classes(stays[row].0);
            classes.extend(residuals[..column].iter().map(|residuals| class_of_residual(residuals[row]) as u8));
            classes
        });
    }
}

fn observe_spawned(
    schema: &Schema,
    index: usize,
    before: &Table,
    after: &Table,
    next: &Snapshot,
    comes: &[usize],
    into: &mut TableObservations,
) {
    let fields = after.fields();
    let expect = |which: Which| -> Option<Vec<i32>> {
        let spawn = schema.spawns().iter().find(|spawn| spawn.table == after.name())?;
        let mut row = vec![0; fields.len()];
        (spawn.expect)(&next.seen_before(index), which, &mut row)
            .then(|| row.iter().zip(fields).map(|(value, field)| field.clamp(i64::from(*value))).collect())
    };
    let mut expected = expect(Which::First);
    let mut expected_id = before.ids().last().map_or(0, |last| last.0.wrapping_add(1));
    for (count, row) in comes.iter().enumerate() {
        into.no_more[usize::from(expected.is_some())][1] += 1;
        let NetId(id) = after.ids()[*row];
        let gap = id.wrapping_sub(expected_id);
        into.ids.push(if count == 0 { zigzag(gap as i32) } else { gap });
        expected_id = id.wrapping_add(1);
        let key = after.column(0)[*row];
        for (column, field) in fields.iter().enumerate() {
            let value = after.column(column)[*row];
            let residual = expected.as_ref().map(|row| residual(field, row[column], value, next.tick));
            into.spawned[column].push(Spawned { value, residual, tick: next.tick });
            if column == 0 && expected.as_ref().is_none_or(|row| row[0] != key) {
                expected = expect(Which::Of(key));
            }
        }
        expected = expect(Which::After(key));
    }
    into.no_more[usize::from(expected.is_some())][0] += 1;
}

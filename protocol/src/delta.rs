//! The difference between two snapshots, in bytes: tables in schema order, a table's rows that go and come, then its columns.
//!
//! A keyframe is the delta from an empty snapshot. A value is expected to stay, or to move by its velocity field's *new*
//! value, which the reader has because it comes earlier in the table. `docs/PROTOCOL.md` describes every bit.
//!
//! Invariants: `apply(a, encode(a, b)) == b`; applying any bytes ends, in memory bounded by [`limits`], with a valid
//! snapshot or an error.

mod rows;

use crate::DecodeError;
use crate::column::{Surroundings, read_column, write_column};
use crate::ids::{NetId, Tick};
use crate::limits;
use crate::range::{RangeDecoder, RangeEncoder};
use crate::residual::{predict, residual, restore};
use crate::schema::Field;
use crate::snapshot::{Seen, Snapshot, Table};

/// Working memory of the encoder and decoder, kept between calls so that neither allocates in steady state.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Rows that stay: where each is in the baseline ...
    from: Vec<u32>,
    /// ... and in the next snapshot.
    to: Vec<u32>,
    /// Rows of the next snapshot that come.
    spawned: Vec<u32>,
    spawned_ids: Vec<NetId>,
    /// Values of rows that come, row after row.
    spawned_values: Vec<i32>,
    /// Whether each row of the baseline goes, as 0 or 1.
    gone: Vec<u32>,
    /// Numbers from 0.
    counting: Vec<u32>,
    /// Residuals of all columns of one table, column after column.
    residuals: Vec<u32>,
    /// The contexts of one column.
    contexts: Vec<u16>,
}

/// How the next snapshot follows the baseline.
#[derive(Clone, Copy)]
struct Step {
    tick: Tick,
    advance: u32,
}

impl Step {
    fn between(base: &Snapshot, next: &Snapshot) -> Self {
        let advance = u32::try_from(next.tick.since(base.tick)).unwrap_or(0).min(limits::BASELINE_AGE_MAX);
        Self { tick: next.tick, advance }
    }
}

/// Appends the delta from `base` to `next` to `out`. Both must be of one schema. The caller sends
/// `next.tick - base.tick` beside it; for a keyframe `base` is empty and the difference does not matter.
pub fn encode(base: &Snapshot, next: &Snapshot, scratch: &mut Scratch, out: &mut Vec<u8>) {
    let step = Step::between(base, next);
    let mut encoder = RangeEncoder::new(out);
    for (index, (before, after)) in base.tables().iter().zip(next.tables()).enumerate() {
        encode_table(before, after, step, &next.seen_before(index), scratch, &mut encoder);
    }
    encoder.finish();
}

/// Makes `next` what [`encode`] was given, from `base` and its bytes. `next.tick` must be set; its rows are replaced.
/// After an error `next` is unspecified.
pub fn apply(base: &Snapshot, body: &[u8], scratch: &mut Scratch, next: &mut Snapshot) -> Result<(), DecodeError> {
    let step = Step::between(base, next);
    let mut decoder = RangeDecoder::new(body)?;
    for (index, before) in base.tables().iter().enumerate() {
        let (done, rest) = next.tables_mut().split_at_mut_checked(index).ok_or(DecodeError::Malformed)?;
        let after = rest.first_mut().ok_or(DecodeError::Malformed)?;
        apply_table(before, after, step, &Seen::new(step.tick, done), scratch, &mut decoder)?;
    }
    decoder.finish()
}

fn encode_table(base: &Table, next: &Table, step: Step, seen: &Seen<'_>, scratch: &mut Scratch, encoder: &mut RangeEncoder<'_>) {
    let same_ids = base.ids() == next.ids();
    rows::compare(base.ids(), next.ids(), same_ids, scratch);
    find_residuals(base, next, step, scratch);
    let model = next.known().model;
    let quiet = same_ids && scratch.residuals.iter().all(|residual| *residual == 0);
    encoder.flag(!quiet, model.quiet);
    if quiet {
        return;
    }
    rows::write_gone(base, step.tick, scratch, encoder);
    rows::write_spawned(base, next, seen, scratch, encoder);
    let Scratch { from, residuals, contexts, .. } = scratch;
    if from.is_empty() {
        return;
    }
    for (index, column) in residuals.chunks_exact(from.len()).enumerate() {
        let around = Surroundings { base, rows: from, done: residuals, tick: step.tick };
        write_column(column, model.field(index), &around, contexts, encoder);
    }
}

/// Fills `scratch.residuals`.
fn find_residuals(base: &Table, next: &Table, step: Step, scratch: &mut Scratch) {
    let Scratch { from, to, residuals, .. } = scratch;
    residuals.clear();
    for (index, field) in next.fields().iter().enumerate() {
        let (before, after) = (base.column(index), next.column(index));
        let rows = from.iter().zip(&*to);
        match field.moved_by.map(|velocity| next.column(velocity)) {
            None => residuals.extend(rows.map(|(from, to)| residual(field, at(before, *from), at(after, *to), step.tick))),
            Some(velocities) => residuals.extend(rows.map(|(from, to)| {
                let expected = predict(field, at(before, *from), at(velocities, *to), step.advance);
                residual(field, expected, at(after, *to), step.tick)
            })),
        }
    }
}

fn apply_table(
    base: &Table,
    next: &mut Table,
    step: Step,
    seen: &Seen<'_>,
    scratch: &mut Scratch,
    decoder: &mut RangeDecoder<'_>,
) -> Result<(), DecodeError> {
    next.clear();
    let model = next.known().model;
    let changed = decoder.flag(model.quiet)?;
    rows::clear(scratch);
    if changed {
        rows::read_gone(base, step.tick, scratch, decoder)?;
        rows::read_spawned(base, next, seen, scratch, decoder)?;
    }
    rows::merge(base.ids(), scratch, next.ids_mut())?;
    let Scratch { from, to, residuals, contexts, spawned, spawned_values, .. } = scratch;
    let (rows, count) = (next.len(), from.len());
    residuals.clear();
    for (index, field) in next.fields().iter().enumerate() {
        residuals.resize((index + 1) * count, 0);
        let (done, column) = residuals.split_at_mut_checked(index * count).ok_or(DecodeError::Malformed)?;
        if changed && count > 0 {
            let around = Surroundings { base, rows: from, done, tick: step.tick };
            read_column(column, model.field(index), &around, contexts, decoder)?;
        }
        let (columns, values) = next.split_columns(index).ok_or(DecodeError::Malformed)?;
        values.resize(rows, field.min);
        let velocities = field.moved_by.and_then(|velocity| columns.get(velocity));
        restore_column(field, base.column(index), velocities, from, to, column, step, values)?;
    }
    rows::place_spawned(next, spawned, spawned_values)
}

/// Fills `values` at the rows that stay.
///
/// A moved field's prediction needs the new velocity of the same row, which is complete: spawned rows' velocities are not
/// needed, because spawned rows are told whole.
#[allow(clippy::too_many_arguments)] // the inner loop of decoding: a column and what it is made from
fn restore_column(
    field: &Field,
    before: &[i32],
    velocities: Option<&Vec<i32>>,
    from: &[u32],
    to: &[u32],
    residuals: &[u32],
    step: Step,
    values: &mut [i32],
) -> Result<(), DecodeError> {
    for ((from, to), residual) in from.iter().zip(to).zip(residuals) {
        let stayed = at(before, *from);
        let expected = velocities.map_or(stayed, |velocities| predict(field, stayed, at(velocities, *to), step.advance));
        *values.get_mut(*to as usize).ok_or(DecodeError::Malformed)? = restore(field, expected, *residual, step.tick)?;
    }
    Ok(())
}

/// Value of `row`. Rows come from the table's own ids, so it is there.
fn at(column: &[i32], row: u32) -> i32 {
    column.get(row as usize).copied().unwrap_or(0)
}

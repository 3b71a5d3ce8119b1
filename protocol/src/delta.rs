//! The difference between two snapshots, in bytes: tables in schema order, a table's rows that go and come, then its columns.
//!
//! A keyframe is the delta from an empty snapshot. A value is expected to stay, or to move by its velocity field's *new*
//! value, which the reader has because it comes earlier in the table. `docs/PROTOCOL.md` describes every bit.
//!
//! ```
//! use tickwire_protocol::delta::{self, Scratch};
//! use tickwire_protocol::schema::{Columns, MatchState};
//! use tickwire_protocol::{NetId, Schema, Snapshot, Tick, columns};
//!
//! columns! {
//!     struct Mover as "mover" {
//!         vx: i32 = -100..=100,
//!         x: i32 = 0..=4000; moved_by vx,
//!     }
//! }
//! const SCHEMA: Schema = Schema::new(&[MatchState::TABLE, Mover::TABLE]);
//! let at = |tick: u32, x: i32| {
//!     let mut snapshot = Snapshot::empty(&SCHEMA);
//!     snapshot.tick = Tick(tick);
//!     snapshot.table_mut(1).expect("two tables").push(NetId(1), &[5, x]);
//!     snapshot
//! };
//!
//! // Three ticks on, it is where its speed has taken it: nothing has to be said.
//! let (before, after, mut body) = (at(10, 200), at(13, 215), Vec::new());
//! delta::encode(&before, &after, &mut Scratch::default(), &mut body);
//! assert_eq!(body.len(), 0);
//!
//! let mut next = Snapshot::empty(&SCHEMA);
//! next.tick = after.tick;
//! delta::apply(&before, &body, &mut Scratch::default(), &mut next)?;
//! assert_eq!(next, after);
//! # Ok::<(), tickwire_protocol::DecodeError>(())
//! ```
//!
//! Invariants: `apply(a, encode(a, b)) == b`; applying any bytes ends, in memory bounded by [`limits`], with a valid
//! snapshot or an error.

mod classes;
mod column;
pub mod range;
pub mod residual;
mod rows;
mod scratch;
mod tokens;

use core::borrow::Borrow;

pub use classes::{class_of_residual, class_of_value};
pub use scratch::Scratch;

use crate::state::schema::Field;
use crate::state::snapshot::{Seen, Snapshot, Table};
use crate::wire::codec::DecodeError;
use crate::wire::ids::Tick;
use crate::wire::limits;
use column::{Run, Surroundings, read_column, write_column, write_quiet};
use range::{RangeDecoder, RangeEncoder};
use residual::{predict, residual, restore};

/// How the next snapshot follows the baseline.
#[derive(Clone, Copy)]
struct Stride {
    tick: Tick,
    advance: u32,
}

impl Stride {
    fn between(base: &Snapshot, next: &Snapshot) -> Self {
        let advance = u32::try_from(next.tick.since(base.tick)).unwrap_or(0).min(limits::BASELINE_AGE_MAX);
        Self { tick: next.tick, advance }
    }
}

/// Appends the delta from `base` to `next` to `out`. Both must be of one schema. The caller sends
/// `next.tick - base.tick` beside it; for a keyframe `base` is empty and the difference does not matter.
pub fn encode(base: &Snapshot, next: &Snapshot, scratch: &mut Scratch, out: &mut Vec<u8>) {
    let stride = Stride::between(base, next);
    let mut encoder = RangeEncoder::new(out);
    for (index, (before, after)) in base.tables().iter().zip(next.tables()).enumerate() {
        encode_table(before, after, stride, &next.seen_before(index), scratch, &mut encoder);
    }
    encoder.finish();
}

/// Makes `next` what [`encode`] was given, from `base` and its bytes. `next.tick` must be set; its rows are replaced.
/// After an error `next` is unspecified.
pub fn apply(base: &Snapshot, body: &[u8], scratch: &mut Scratch, next: &mut Snapshot) -> Result<(), DecodeError> {
    follow(base, body, scratch, next, |base, index, after| {
        if let Some(before) = base.table(index) {
            after.copy_from(before);
        }
    })
}

/// Like [`apply`], for a caller who needs `base` no more: tables in which nothing changed are moved instead of copied. After an error
/// `base` is what it was.
pub fn advance(base: &mut Snapshot, body: &[u8], scratch: &mut Scratch, next: &mut Snapshot) -> Result<(), DecodeError> {
    let mut moved = 0u32;
    let result = follow(&mut *base, body, scratch, next, |base, index, after| {
        if let Some(before) = base.table_mut(index) {
            core::mem::swap(before, after);
            moved |= 1 << index;
        }
    });
    if result.is_err() {
        let tables = base.tables_mut().iter_mut().zip(next.tables_mut()).enumerate();
        tables.filter(|(index, _)| moved >> index & 1 == 1).for_each(|(_, (before, after))| core::mem::swap(before, after));
    }
    result
}

/// Reads table after table. `keep` makes a table of the next snapshot what it was in the baseline.
fn follow<B: Borrow<Snapshot>>(
    mut base: B,
    body: &[u8],
    scratch: &mut Scratch,
    next: &mut Snapshot,
    mut keep: impl FnMut(&mut B, usize, &mut Table),
) -> Result<(), DecodeError> {
    let stride = Stride::between(base.borrow(), next);
    let mut decoder = RangeDecoder::new(body)?;
    for index in 0..base.borrow().tables().len() {
        let (done, rest) = next.tables_mut().split_at_mut_checked(index).ok_or(DecodeError::Malformed)?;
        let after = rest.first_mut().ok_or(DecodeError::Malformed)?;
        let changed = decoder.flag(after.known().model.quiet)?;
        if !changed && base.borrow().table(index).is_some_and(Table::is_still) {
            keep(&mut base, index, after);
            continue;
        }
        let before = base.borrow().table(index).ok_or(DecodeError::Malformed)?;
        apply_table(before, after, stride, changed, &Seen::new(stride.tick, done), scratch, &mut decoder)?;
    }
    decoder.finish()
}

const _: () = assert!(limits::TABLES_MAX <= u32::BITS as usize, "`advance` has a bit for each table");

fn encode_table(base: &Table, next: &Table, stride: Stride, seen: &Seen<'_>, scratch: &mut Scratch, encoder: &mut RangeEncoder<'_>) {
    let model = next.known().model;
    if next.is_still() && base.has_rows_of(next) {
        return encoder.flag(false, model.quiet);
    }
    let same_ids = base.ids() == next.ids();
    rows::compare(base.ids(), next.ids(), same_ids, scratch);
    let changed = find_residuals(base, next, stride, scratch);
    let quiet = same_ids && changed == 0;
    encoder.flag(!quiet, model.quiet);
    if quiet {
        return;
    }
    rows::write_gone(base, stride.tick, scratch, encoder);
    rows::write_spawned(base, next, seen, scratch, encoder);
    let Scratch { runs, kept, residuals, column, .. } = scratch;
    if *kept == 0 {
        return;
    }
    for (index, residuals_of_field) in residuals.chunks_exact(*kept).enumerate() {
        let model = model.field(index);
        if changed >> index & 1 == 0 {
            write_quiet(model, encoder);
        } else {
            let around = Surroundings { base, runs, done: residuals, tick: stride.tick };
            write_column(residuals_of_field, model, &around, column, encoder);
        }
    }
}

/// Fills `scratch.residuals`. Gives a bit for each field, set if it is not everywhere as expected.
fn find_residuals(base: &Table, next: &Table, stride: Stride, scratch: &mut Scratch) -> u32 {
    let Scratch { runs, kept, residuals, .. } = scratch;
    residuals.clear();
    residuals.resize(next.fields().len() * *kept, 0);
    let mut changed = 0;
    for ((index, field), out) in next.fields().iter().enumerate().zip(residuals.chunks_exact_mut((*kept).max(1))) {
        let column = Pair {
            field,
            base: base.column(index),
            next: next.column(index),
            velocities: field.moved_by.map(|by| next.column(by)),
            stride,
        };
        if runs.iter().all(|run| column.is_undisturbed(run)) {
            continue;
        }
        let mut places = out.iter_mut();
        runs.iter().for_each(|run| column.residuals(run, &mut places));
        changed |= u32::from(out.iter().any(|residual| *residual != 0)) << index;
    }
    changed
}

/// A field's column before and after.
struct Pair<'a> {
    field: &'a Field,
    base: &'a [i32],
    next: &'a [i32],
    velocities: Option<&'a [i32]>,
    stride: Stride,
}

impl Pair<'_> {
    /// Whether all residuals of `run` are 0 and no value was held back by an edge or turned round: most columns are so, and this is the
    /// fast way to see it.
    fn is_undisturbed(&self, run: &Run) -> bool {
        let (before, after) = (run.of_base(self.base), run.of_next(self.next));
        let Some(velocities) = self.velocities else { return before == after };
        let advance = i64::from(self.stride.advance);
        let rows = before.iter().zip(after).zip(run.of_next(velocities));
        rows.fold(true, |same, ((before, after), velocity)| {
            same & (i64::from(*before) + i64::from(*velocity) * advance == i64::from(*after))
        })
    }

    /// Fills the next places of `out`, one for each row of `run`.
    fn residuals(&self, run: &Run, out: &mut core::slice::IterMut<'_, u32>) {
        let Self { field, stride, .. } = *self;
        let rows = run.of_base(self.base).iter().zip(run.of_next(self.next));
        match self.velocities {
            None => rows.zip(out).for_each(|((before, after), out)| *out = residual(field, *before, *after, stride.tick)),
            Some(velocities) => rows.zip(run.of_next(velocities)).zip(out).for_each(|(((before, after), velocity), out)| {
                *out = residual(field, predict(field, *before, *velocity, stride.advance), *after, stride.tick);
            }),
        }
    }
}

fn apply_table(
    base: &Table,
    next: &mut Table,
    stride: Stride,
    changed: bool,
    seen: &Seen<'_>,
    scratch: &mut Scratch,
    decoder: &mut RangeDecoder<'_>,
) -> Result<(), DecodeError> {
    next.clear();
    let model = next.known().model;
    rows::clear(scratch);
    if changed {
        rows::read_gone(base, stride.tick, scratch, decoder)?;
        rows::read_spawned(base, next, seen, scratch, decoder)?;
    }
    rows::merge(base.ids(), scratch, next.ids_mut())?;
    next.make_room();
    let Scratch { runs, kept, residuals, column, spawned, spawned_values, .. } = scratch;
    let kept = *kept;
    residuals.clear();
    for (index, field) in next.fields().iter().enumerate() {
        residuals.resize((index + 1) * kept, 0);
        let (done, residuals) = residuals.split_at_mut_checked(index * kept).ok_or(DecodeError::Malformed)?;
        let mut quiet = true;
        if changed && kept > 0 {
            let around = Surroundings { base, runs, done, tick: stride.tick };
            quiet = read_column(residuals, model.field(index), &around, column, decoder)?;
        }
        let (values, velocities) = next.column_mut(index, field.moved_by).ok_or(DecodeError::Malformed)?;
        let restore = Restore { field, base: base.column(index), velocities, stride };
        let mut residuals = &*residuals;
        for run in &*runs {
            let (of_run, rest) = residuals.split_at_checked(run.count as usize).ok_or(DecodeError::Malformed)?;
            residuals = rest;
            let place = values.get_mut(run.to as usize..(run.to + run.count) as usize).ok_or(DecodeError::Malformed)?;
            if quiet { restore.stay(run, place) } else { restore.differ(run, of_run, place)? }
        }
    }
    rows::place_spawned(next, spawned, spawned_values)
}

/// How a column's rows that stay become what they were. A moved field needs the new velocities of the same rows, which are complete:
/// those of rows that come are not needed, because such rows are told whole.
struct Restore<'a> {
    field: &'a Field,
    base: &'a [i32],
    velocities: Option<&'a [i32]>,
    stride: Stride,
}

impl Restore<'_> {
    /// Fills `values`, the rows of `run`, where all is as expected.
    fn stay(&self, run: &Run, values: &mut [i32]) {
        let before = run.of_base(self.base);
        match self.velocities {
            None => values.iter_mut().zip(before).for_each(|(value, before)| *value = *before),
            Some(velocities) => {
                for ((value, before), velocity) in values.iter_mut().zip(before).zip(run.of_next(velocities)) {
                    *value = predict(self.field, *before, *velocity, self.stride.advance);
                }
            }
        }
    }

    /// Fills `values`, the rows of `run`, with what `residuals` say.
    fn differ(&self, run: &Run, residuals: &[u32], values: &mut [i32]) -> Result<(), DecodeError> {
        self.stay(run, values);
        for (value, residual) in values.iter_mut().zip(residuals) {
            *value = restore(self.field, *value, *residual, self.stride.tick)?;
        }
        Ok(())
    }
}

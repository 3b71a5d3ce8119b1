//! The difference between two snapshots, as bits: tables in schema order, a table's changed ids, then its columns.
//!
//! A keyframe is the delta from an empty snapshot. A value is expected to stay, or to move by its velocity field's *new*
//! value, which the reader has because it comes earlier in the table. `docs/PROTOCOL.md` describes every bit.
//!
//! Invariants: `apply(a, encode(a, b)) == b`; applying any bytes ends, in memory bounded by [`limits`], with a valid
//! snapshot or an error.

use crate::DecodeError;
use crate::bits::{BitReader, BitWriter, unzigzag, zigzag};
use crate::ids::NetId;
use crate::limits;
use crate::residual::{predict, read_column, residual, restore, write_column};
use crate::schema::Field;
use crate::snapshot::{Snapshot, Table};

/// Working memory of the encoder and decoder, kept between calls so that neither allocates in steady state.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Rows that stay, as (row in the baseline, row in the next snapshot).
    kept: Vec<(u32, u32)>,
    /// Rows of the baseline that go.
    removed: Vec<u32>,
    /// Rows of the next snapshot that come.
    spawned: Vec<u32>,
    spawned_ids: Vec<NetId>,
    residuals: Vec<u32>,
    /// Residuals of all columns of one table, column after column.
    columns: Vec<u32>,
}

/// Appends the delta from `base` to `next` to `out`. Both must be of one schema. The caller sends
/// `next.tick - base.tick` beside it; for a keyframe `base` is empty and the difference does not matter.
pub fn encode(base: &Snapshot, next: &Snapshot, scratch: &mut Scratch, out: &mut Vec<u8>) {
    let advance = advance(base, next);
    let mut bits = BitWriter::new(out);
    for (before, after) in base.tables().iter().zip(next.tables()) {
        encode_table(before, after, advance, scratch, &mut bits);
    }
    bits.finish();
}

/// Makes `next` what [`encode`] was given, from `base` and its bytes. `next.tick` must be set; its rows are replaced.
/// After an error `next` is unspecified.
pub fn apply(base: &Snapshot, body: &[u8], scratch: &mut Scratch, next: &mut Snapshot) -> Result<(), DecodeError> {
    let advance = advance(base, next);
    let mut bits = BitReader::new(body);
    for (before, after) in base.tables().iter().zip(next.tables_mut()) {
        apply_table(before, after, advance, scratch, &mut bits)?;
    }
    bits.finish()
}

fn advance(base: &Snapshot, next: &Snapshot) -> u32 {
    u32::try_from(next.tick.since(base.tick)).unwrap_or(0).min(limits::BASELINE_AGE_MAX)
}

fn encode_table(base: &Table, next: &Table, advance: u32, scratch: &mut Scratch, bits: &mut BitWriter<'_>) {
    let same_ids = base.ids() == next.ids();
    match_rows(base.ids(), next.ids(), same_ids, scratch);
    let Scratch { kept, columns, removed, spawned, .. } = scratch;
    columns.clear();
    for (index, field) in next.fields().iter().enumerate() {
        let (before, after) = (base.column(index), next.column(index));
        match field.moved_by.map(|velocity| next.column(velocity)) {
            None => columns.extend(kept.iter().map(|&(from, to)| residual(field, at(before, from), at(after, to)))),
            Some(velocities) => columns.extend(
                kept.iter()
                    .map(|&(from, to)| residual(field, predict(field, at(before, from), at(velocities, to), advance), at(after, to))),
            ),
        }
    }
    let quiet = same_ids && columns.iter().all(|residual| *residual == 0);
    bits.flag(!quiet);
    if quiet {
        return;
    }
    bits.flag(!same_ids);
    if !same_ids {
        write_ranks(removed, bits);
        write_spawned_ids(base.ids(), spawned.iter().filter_map(|&row| next.ids().get(row as usize).copied()), spawned.len(), bits);
    }
    if !kept.is_empty() {
        columns.chunks_exact(kept.len()).for_each(|column| write_column(column, bits));
    }
    for (index, field) in next.fields().iter().enumerate() {
        let column = next.column(index);
        spawned.iter().for_each(|&row| bits.bits(at(column, row).wrapping_sub(field.min) as u32, field.bits()));
    }
}

fn apply_table(base: &Table, next: &mut Table, advance: u32, scratch: &mut Scratch, bits: &mut BitReader<'_>) -> Result<(), DecodeError> {
    next.clear();
    let changed = bits.flag()?;
    let ids_changed = changed && bits.flag()?;
    if ids_changed {
        read_ranks(base.len(), &mut scratch.removed, bits)?;
        read_spawned_ids(base.ids(), &mut scratch.spawned_ids, bits)?;
        merge_ids(base.ids(), &scratch.removed, &scratch.spawned_ids, next.ids_mut())?;
    } else {
        next.ids_mut().extend_from_slice(base.ids());
    }
    let Scratch { kept, residuals, spawned, spawned_ids, .. } = scratch;
    if ids_changed {
        find_rows(base.ids(), next.ids(), spawned_ids, kept, spawned);
    } else {
        kept.clear();
        kept.extend((0..base.len() as u32).map(|row| (row, row)));
        spawned.clear();
    }
    residuals.clear();
    residuals.resize(kept.len(), 0);
    let rows = next.len();
    for (index, field) in next.fields().iter().enumerate() {
        if changed && !kept.is_empty() {
            read_column(residuals, bits)?;
        }
        let (done, column) = next.split_columns(index).ok_or(DecodeError::Malformed)?;
        column.resize(rows, field.min);
        let velocities = field.moved_by.and_then(|velocity| done.get(velocity));
        restore_column(field, base.column(index), velocities, kept, residuals, advance, column)?;
    }
    read_spawned_rows(next, spawned, bits)
}

/// Fills `column` at the rows that stay.
///
/// A moved field's prediction needs the new velocity of the same row, which is complete: spawned rows' velocities are not
/// needed, because spawned rows are sent whole.
fn restore_column(
    field: &Field,
    before: &[i32],
    velocities: Option<&Vec<i32>>,
    kept: &[(u32, u32)],
    residuals: &[u32],
    advance: u32,
    column: &mut [i32],
) -> Result<(), DecodeError> {
    for (&(from, to), residual) in kept.iter().zip(residuals) {
        let stayed = at(before, from);
        let predicted = velocities.map_or(stayed, |velocities| predict(field, stayed, at(velocities, to), advance));
        *column.get_mut(to as usize).ok_or(DecodeError::Malformed)? = restore(field, predicted, *residual)?;
    }
    Ok(())
}

fn read_spawned_rows(next: &mut Table, spawned: &[u32], bits: &mut BitReader<'_>) -> Result<(), DecodeError> {
    for (index, field) in next.fields().iter().enumerate() {
        let column = next.column_mut(index).ok_or(DecodeError::Malformed)?;
        for &row in spawned {
            let offset = bits.bits(field.bits())?;
            if offset > field.span() {
                return Err(DecodeError::Malformed);
            }
            *column.get_mut(row as usize).ok_or(DecodeError::Malformed)? = field.min.wrapping_add(offset as i32);
        }
    }
    Ok(())
}

/// Sorts rows into kept, removed and spawned. Both id lists rise.
fn match_rows(base: &[NetId], next: &[NetId], same: bool, scratch: &mut Scratch) {
    let Scratch { kept, removed, spawned, .. } = scratch;
    kept.clear();
    removed.clear();
    spawned.clear();
    if same {
        kept.extend((0..base.len() as u32).map(|row| (row, row)));
        return;
    }
    let mut to = 0;
    for (from, id) in base.iter().enumerate() {
        while next.get(to).is_some_and(|other| other < id) {
            spawned.push(to as u32);
            to += 1;
        }
        if next.get(to) == Some(id) {
            kept.push((from as u32, to as u32));
            to += 1;
        } else {
            removed.push(from as u32);
        }
    }
    spawned.extend(to as u32..next.len() as u32);
}

/// Sorts the rows of a merged table: those in the baseline are kept, those in `spawned_ids` are spawned.
fn find_rows(base: &[NetId], next: &[NetId], spawned_ids: &[NetId], kept: &mut Vec<(u32, u32)>, spawned: &mut Vec<u32>) {
    kept.clear();
    spawned.clear();
    let mut from = 0;
    for (to, id) in next.iter().enumerate() {
        if spawned_ids.get(spawned.len()) == Some(id) {
            spawned.push(to as u32);
            continue;
        }
        while base.get(from).is_some_and(|other| other < id) {
            from += 1;
        }
        kept.push((from as u32, to as u32));
    }
}

/// Rising row numbers as gaps.
fn write_ranks(ranks: &[u32], bits: &mut BitWriter<'_>) {
    bits.gamma(ranks.len() as u32);
    let mut expected = 0;
    for rank in ranks {
        bits.gamma(rank - expected);
        expected = rank + 1;
    }
}

fn read_ranks(rows: usize, ranks: &mut Vec<u32>, bits: &mut BitReader<'_>) -> Result<(), DecodeError> {
    ranks.clear();
    let count = bits.gamma()? as usize;
    if count > rows {
        return Err(DecodeError::Malformed);
    }
    let mut expected = 0u32;
    for _ in 0..count {
        let rank = expected.checked_add(bits.gamma()?).filter(|rank| (*rank as usize) < rows).ok_or(DecodeError::Malformed)?;
        ranks.push(rank);
        expected = rank + 1;
    }
    Ok(())
}

/// Rising ids: the first as its distance from the one after the baseline's last, the others as gaps.
fn write_spawned_ids(base: &[NetId], ids: impl Iterator<Item = NetId>, count: usize, bits: &mut BitWriter<'_>) {
    bits.gamma(count as u32);
    let mut expected = following(base);
    for (index, id) in ids.enumerate() {
        let gap = id.0.wrapping_sub(expected);
        bits.gamma(if index == 0 { zigzag(gap as i32) } else { gap });
        expected = id.0.wrapping_add(1);
    }
}

fn read_spawned_ids(base: &[NetId], ids: &mut Vec<NetId>, bits: &mut BitReader<'_>) -> Result<(), DecodeError> {
    ids.clear();
    let count = bits.gamma()? as usize;
    if count > limits::ROWS_MAX {
        return Err(DecodeError::Malformed);
    }
    let mut expected = following(base);
    for index in 0..count {
        let gap = bits.gamma()?;
        let id = expected.wrapping_add(if index == 0 { unzigzag(gap) as u32 } else { gap });
        if ids.last().is_some_and(|last| last.0 >= id) {
            return Err(DecodeError::Malformed);
        }
        ids.push(NetId(id));
        expected = id.wrapping_add(1);
    }
    Ok(())
}

/// The id a new entity gets when nothing else was spawned meanwhile.
fn following(base: &[NetId]) -> u32 {
    base.last().map_or(0, |last| last.0.wrapping_add(1))
}

/// The baseline's ids without `removed` and with `spawned`, all rising; an error if an id would stand twice.
fn merge_ids(base: &[NetId], removed: &[u32], spawned: &[NetId], out: &mut Vec<NetId>) -> Result<(), DecodeError> {
    let mut gone = removed.iter().copied().peekable();
    let staying = base.iter().enumerate().filter(|(row, _)| gone.next_if_eq(&(*row as u32)).is_none());
    let mut coming = spawned.iter().copied().peekable();
    for (_, id) in staying {
        while let Some(new) = coming.next_if(|new| new < id) {
            out.push(new);
        }
        if coming.peek() == Some(id) {
            return Err(DecodeError::Malformed);
        }
        out.push(*id);
    }
    out.extend(coming);
    if out.len() > limits::ROWS_MAX { Err(DecodeError::Malformed) } else { Ok(()) }
}

/// Value of `row`. Rows come from the table's own ids, so it is there.
fn at(column: &[i32], row: u32) -> i32 {
    column.get(row as usize).copied().unwrap_or(0)
}

//! Which rows of a table go, which come, and what is in those that come.
//!
//! A row that goes is a 1 in a column of its own, with contexts like any other: a shot whose time is up is expected to go. Rows that
//! come are told one after another, each with its id and, against what the game expects, its values.

use super::Scratch;
use crate::DecodeError;
use crate::column::{Run, Surroundings, read_column, read_number, write_column, write_number};
use crate::ids::{NetId, Tick};
use crate::limits::{FIELDS_MAX, ROWS_MAX};
use crate::model::{SpawnModel, Tokens};
use crate::range::{RangeDecoder, RangeEncoder, WHOLE};
use crate::residual::{residual, restore, unzigzag, zigzag};
use crate::schema::Which;
use crate::snapshot::{Seen, Table};

/// Weight of "as expected" in a field of which nothing is known.
const AS_EXPECTED: u16 = WHOLE / 2;

/// Sorts rows into those that stay, go and come. Both id lists rise.
pub(super) fn compare(base: &[NetId], next: &[NetId], same: bool, scratch: &mut Scratch) {
    clear(scratch);
    scratch.gone.resize(base.len(), 0);
    if same {
        scratch.keep_run(Run { from: 0, to: 0, count: base.len() as u32 });
        return;
    }
    let (mut from, mut to) = (0, 0);
    while let (Some(before), Some(after)) = (base.get(from), next.get(to)) {
        if before == after {
            let same = base.iter().skip(from).zip(next.iter().skip(to)).take_while(|(before, after)| before == after).count();
            scratch.keep_run(Run { from: from as u32, to: to as u32, count: same as u32 });
            (from, to) = (from + same, to + same);
        } else if after < before {
            scratch.spawned.push(to as u32);
            to += 1;
        } else {
            scratch.gone.iter_mut().skip(from).take(1).for_each(|gone| *gone = 1);
            from += 1;
        }
    }
    scratch.gone.iter_mut().skip(from).for_each(|gone| *gone = 1);
    scratch.spawned.extend(to as u32..next.len() as u32);
}

/// Nothing stays, goes or comes.
pub(super) fn clear(scratch: &mut Scratch) {
    let Scratch { runs, kept, gone, spawned, spawned_ids, spawned_values, .. } = scratch;
    runs.clear();
    *kept = 0;
    [gone, spawned].into_iter().for_each(Vec::clear);
    spawned_ids.clear();
    spawned_values.clear();
}

impl Scratch {
    fn keep_run(&mut self, run: Run) {
        if run.count > 0 {
            self.runs.push(run);
            self.kept += run.count as usize;
        }
    }

    /// A row stays.
    fn keep(&mut self, from: u32, to: u32) {
        self.kept += 1;
        match self.runs.last_mut() {
            Some(run) if run.from + run.count == from && run.to + run.count == to => run.count += 1,
            _ => self.runs.push(Run { from, to, count: 1 }),
        }
    }
}

pub(super) fn write_gone(base: &Table, tick: Tick, scratch: &mut Scratch, encoder: &mut RangeEncoder<'_>) {
    if base.is_empty() {
        return;
    }
    let Scratch { gone, column, .. } = scratch;
    let around = Surroundings { base, runs: &[whole(base)], done: &[], tick };
    write_column(gone, &base.known().model.gone, &around, column, encoder);
}

/// Fills `scratch.gone`.
pub(super) fn read_gone(base: &Table, tick: Tick, scratch: &mut Scratch, decoder: &mut RangeDecoder<'_>) -> Result<(), DecodeError> {
    let Scratch { gone, column, .. } = scratch;
    gone.clear();
    if base.is_empty() {
        return Ok(());
    }
    gone.resize(base.len(), 0);
    let around = Surroundings { base, runs: &[whole(base)], done: &[], tick };
    read_column(gone, &base.known().model.gone, &around, column, decoder)?;
    if gone.iter().any(|gone| *gone > 1) { Err(DecodeError::Malformed) } else { Ok(()) }
}

/// All rows of the baseline.
fn whole(base: &Table) -> Run {
    Run { from: 0, to: 0, count: base.len() as u32 }
}

pub(super) fn write_spawned(base: &Table, next: &Table, seen: &Seen<'_>, scratch: &Scratch, encoder: &mut RangeEncoder<'_>) {
    let model = next.known().model;
    let mut expected_id = following(base.ids());
    let mut expected = Expected::new(next, seen);
    expected.find(Which::First);
    for (index, row) in scratch.spawned.iter().enumerate() {
        encoder.flag(true, model.no_more[usize::from(expected.is_there)]);
        let id = next.ids().get(*row as usize).map_or(0, |id| id.0);
        let gap = id.wrapping_sub(expected_id);
        let gap = if index == 0 { zigzag(gap as i32) } else { gap };
        write_gap(gap, &model.ids, encoder);
        expected_id = id.wrapping_add(1);
        let mut key = 0;
        for (index, field) in next.fields().iter().enumerate() {
            let value = next.column(index).get(*row as usize).copied().unwrap_or(field.min);
            let usual = expected.value(index, field.min);
            match model.spawned_field(index) {
                Some(SpawnModel { tokens, .. }) => {
                    let distribution = tokens.distribution(usize::from(expected.is_there));
                    tokens.write(residual(field, usual, value, seen.tick), distribution, encoder);
                }
                None => {
                    if expected.is_there {
                        encoder.flag(value != usual, AS_EXPECTED);
                    }
                    if !expected.is_there || value != usual {
                        encoder.raw(value.wrapping_sub(field.min) as u32, field.bits());
                    }
                }
            }
            if index == 0 {
                key = value;
                expected.settle(key);
            }
        }
        expected.find(Which::After(key));
    }
    encoder.flag(false, model.no_more[usize::from(expected.is_there)]);
}

/// Fills `scratch.spawned_ids` and `scratch.spawned_values`.
pub(super) fn read_spawned(
    base: &Table,
    next: &Table,
    seen: &Seen<'_>,
    scratch: &mut Scratch,
    decoder: &mut RangeDecoder<'_>,
) -> Result<(), DecodeError> {
    let model = next.known().model;
    let Scratch { spawned_ids, spawned_values, .. } = scratch;
    let mut expected_id = following(base.ids());
    let mut expected = Expected::new(next, seen);
    expected.find(Which::First);
    while decoder.flag(model.no_more[usize::from(expected.is_there)])? {
        let gap = read_gap(&model.ids, decoder)?;
        let id = expected_id.wrapping_add(if spawned_ids.is_empty() { unzigzag(gap) as u32 } else { gap });
        if spawned_ids.len() >= ROWS_MAX || spawned_ids.last().is_some_and(|last| last.0 >= id) {
            return Err(DecodeError::Malformed);
        }
        spawned_ids.push(NetId(id));
        expected_id = id.wrapping_add(1);
        let mut key = 0;
        for (index, field) in next.fields().iter().enumerate() {
            let usual = expected.value(index, field.min);
            let value = match model.spawned_field(index) {
                Some(SpawnModel { tokens, .. }) => {
                    let distribution = tokens.distribution(usize::from(expected.is_there));
                    restore(field, usual, tokens.read(distribution, decoder)?, seen.tick)?
                }
                None if expected.is_there && !decoder.flag(AS_EXPECTED)? => usual,
                None => {
                    let offset = decoder.raw(field.bits())?;
                    if offset > field.span() {
                        return Err(DecodeError::Malformed);
                    }
                    field.min.wrapping_add(offset as i32)
                }
            };
            spawned_values.push(value);
            if index == 0 {
                key = value;
                expected.settle(key);
            }
        }
        expected.find(Which::After(key));
    }
    Ok(())
}

/// The row that is expected to come next.
struct Expected<'a> {
    table: &'a Table,
    seen: &'a Seen<'a>,
    is_there: bool,
    row: [i32; FIELDS_MAX],
}

impl<'a> Expected<'a> {
    fn new(table: &'a Table, seen: &'a Seen<'a>) -> Self {
        Self { table, seen, is_there: false, row: [0; FIELDS_MAX] }
    }

    fn find(&mut self, which: Which) {
        self.is_there = false;
        let Some(expect) = self.table.known().expect else { return };
        let fields = self.table.fields();
        let Some(row) = self.row.get_mut(..fields.len()) else { return };
        row.fill(0);
        self.is_there = expect(self.seen, which, row);
        // A game may expect what a field cannot hold.
        row.iter_mut().zip(fields).for_each(|(value, field)| *value = field.clamp(i64::from(*value)));
    }

    /// The key is known; if it is another than was expected, so is the row.
    fn settle(&mut self, key: i32) {
        if !self.is_there || self.row.first() != Some(&key) {
            self.find(Which::Of(key));
        }
    }

    fn value(&self, index: usize, min: i32) -> i32 {
        if self.is_there {
            return self.row.get(index).copied().unwrap_or(min);
        }
        self.table.known().model.spawned_field(index).map_or(min, |field| field.usual)
    }
}

fn write_gap(gap: u32, tokens: &Tokens, encoder: &mut RangeEncoder<'_>) {
    match tokens.distributions.first() {
        Some(distribution) => tokens.write(gap, distribution, encoder),
        None => write_number(gap, 0, encoder),
    }
}

fn read_gap(tokens: &Tokens, decoder: &mut RangeDecoder<'_>) -> Result<u32, DecodeError> {
    match tokens.distributions.first() {
        Some(distribution) => tokens.read(distribution, decoder),
        None => read_number(0, decoder),
    }
}

/// The id a new entity gets when nothing else was spawned meanwhile.
fn following(base: &[NetId]) -> u32 {
    base.last().map_or(0, |last| last.0.wrapping_add(1))
}

/// The baseline's ids without those that go and with those that come, all rising; an error if an id would stand twice. Says which
/// rows stay and which come.
pub(super) fn merge(base: &[NetId], scratch: &mut Scratch, out: &mut Vec<NetId>) -> Result<(), DecodeError> {
    if scratch.spawned_ids.is_empty() && scratch.gone.iter().all(|gone| *gone == 0) {
        out.extend_from_slice(base);
        scratch.keep_run(Run { from: 0, to: 0, count: base.len() as u32 });
        return Ok(());
    }
    let mut coming = 0;
    for (row, id) in base.iter().enumerate() {
        if scratch.gone.get(row) == Some(&1) {
            continue;
        }
        while let Some(new) = scratch.spawned_ids.get(coming).filter(|new| *new <= id) {
            if new == id {
                return Err(DecodeError::Malformed);
            }
            scratch.spawned.push(out.len() as u32);
            out.push(*new);
            coming += 1;
        }
        scratch.keep(row as u32, out.len() as u32);
        out.push(*id);
    }
    for new in scratch.spawned_ids.iter().skip(coming) {
        scratch.spawned.push(out.len() as u32);
        out.push(*new);
    }
    if out.len() > ROWS_MAX { Err(DecodeError::Malformed) } else { Ok(()) }
}

/// Puts the rows that come where they belong.
pub(super) fn place_spawned(next: &mut Table, spawned: &[u32], values: &[i32]) -> Result<(), DecodeError> {
    let width = next.fields().len();
    for index in 0..width {
        let column = next.column_mut(index).ok_or(DecodeError::Malformed)?;
        for (row, values) in spawned.iter().zip(values.chunks_exact(width)) {
            let value = values.get(index).ok_or(DecodeError::Malformed)?;
            *column.get_mut(*row as usize).ok_or(DecodeError::Malformed)? = *value;
        }
    }
    Ok(())
}

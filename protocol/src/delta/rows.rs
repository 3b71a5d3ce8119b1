//! Which rows of a table go, which come, and what is in those that come.
//!
//! A row that goes is a 1 in a column of its own, with contexts like any other: a shot whose time is up is expected to go. Rows that
//! come are told one after another, each with its id and, against what the game expects, its values.

use core::cmp::Ordering;

use super::column::{Run, Surroundings, read_column, read_number, write_column, write_number};
use super::range::{RangeDecoder, RangeEncoder};
use super::residual::{residual, restore, unzigzag, zigzag};
use super::scratch::Scratch;
use crate::state::model::{Distribution, SpawnModel, Tokens, WHOLE};
use crate::state::schema::{Field, Which};
use crate::state::snapshot::{Seen, Table};
use crate::wire::codec::DecodeError;
use crate::wire::ids::{NetId, Tick};
use crate::wire::limits::{FIELDS_MAX, ROWS_MAX};

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
        match before.cmp(after) {
            Ordering::Equal => {
                let same = base.iter().skip(from).zip(next.iter().skip(to)).take_while(|(before, after)| before == after).count();
                scratch.keep_run(Run { from: from as u32, to: to as u32, count: same as u32 });
                (from, to) = (from + same, to + same);
            }
            Ordering::Greater => {
                scratch.spawned.push(to as u32);
                to += 1;
            }
            Ordering::Less => {
                scratch.gone.iter_mut().skip(from).take(1).for_each(|gone| *gone = 1);
                from += 1;
            }
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
    for (index, row) in scratch.spawned.iter().enumerate() {
        encoder.flag(true, expected.weight_of_no_more());
        let id = next.ids().get(*row as usize).map_or(0, |id| id.0);
        let gap = id.wrapping_sub(expected_id);
        write_gap(if index == 0 { zigzag(gap as i32) } else { gap }, &model.ids, encoder);
        expected_id = id.wrapping_add(1);
        for (index, field) in next.fields().iter().enumerate() {
            let value = next.column(index).get(*row as usize).copied().unwrap_or(field.min);
            expected.write(index, field, value, encoder);
            expected.has_come(index, value);
        }
        expected.find_next();
    }
    encoder.flag(false, expected.weight_of_no_more());
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
    while decoder.flag(expected.weight_of_no_more())? {
        let gap = read_gap(&model.ids, decoder)?;
        let id = expected_id.wrapping_add(if spawned_ids.is_empty() { unzigzag(gap) as u32 } else { gap });
        if spawned_ids.len() >= ROWS_MAX || spawned_ids.last().is_some_and(|last| last.0 >= id) {
            return Err(DecodeError::Malformed);
        }
        spawned_ids.push(NetId(id));
        expected_id = id.wrapping_add(1);
        for (index, field) in next.fields().iter().enumerate() {
            let value = expected.read(index, field, decoder)?;
            expected.has_come(index, value);
            spawned_values.push(value);
        }
        expected.find_next();
    }
    Ok(())
}

/// The row that is expected to come next.
struct Expected<'a> {
    table: &'a Table,
    seen: &'a Seen<'a>,
    is_there: bool,
    row: [i32; FIELDS_MAX],
    /// The key of the row that came last.
    key: i32,
}

impl<'a> Expected<'a> {
    /// The first.
    fn new(table: &'a Table, seen: &'a Seen<'a>) -> Self {
        let mut first = Self { table, seen, is_there: false, row: [0; FIELDS_MAX], key: 0 };
        first.find(Which::First);
        first
    }

    /// The one after the row that came.
    fn find_next(&mut self) {
        self.find(Which::After(self.key));
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

    /// Field `index` came. If the key is another than was expected, so is the rest of the row.
    fn has_come(&mut self, index: usize, value: i32) {
        if index > 0 {
            return;
        }
        self.key = value;
        if !self.is_there || self.row.first() != Some(&value) {
            self.find(Which::Of(value));
        }
    }

    fn weight_of_no_more(&self) -> u16 {
        let [unexpected, expected] = self.table.known().model.no_more;
        if self.is_there { expected } else { unexpected }
    }

    /// What field `index` is expected to be, and how residuals from that are told; `None` where nothing is known.
    fn residuals_of(&self, index: usize) -> Option<(i32, &'static Tokens, &'static Distribution)> {
        let SpawnModel { usual, tokens } = self.table.known().model.spawned_field(index)?;
        let distribution = tokens.distribution(usize::from(self.is_there));
        Some((self.value(index).unwrap_or(*usual), tokens, distribution))
    }

    fn value(&self, index: usize) -> Option<i32> {
        self.row.get(index).copied().filter(|_| self.is_there)
    }

    fn write(&self, index: usize, field: &Field, value: i32, encoder: &mut RangeEncoder<'_>) {
        if let Some((expected, tokens, distribution)) = self.residuals_of(index) {
            return tokens.write(residual(field, expected, value, self.seen.tick), distribution, encoder);
        }
        if let Some(expected) = self.value(index) {
            encoder.flag(value != expected, AS_EXPECTED);
            if value == expected {
                return;
            }
        }
        encoder.raw(value.wrapping_sub(field.min) as u32, field.bits());
    }

    fn read(&self, index: usize, field: &Field, decoder: &mut RangeDecoder<'_>) -> Result<i32, DecodeError> {
        if let Some((expected, tokens, distribution)) = self.residuals_of(index) {
            return restore(field, expected, tokens.read(distribution, decoder)?, self.seen.tick);
        }
        if let Some(expected) = self.value(index)
            && !decoder.flag(AS_EXPECTED)?
        {
            return Ok(expected);
        }
        let offset = decoder.raw(field.bits())?;
        if offset > field.span() { Err(DecodeError::Malformed) } else { Ok(field.min.wrapping_add(offset as i32)) }
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
        let (column, _) = next.column_mut(index, None).ok_or(DecodeError::Malformed)?;
        for (row, values) in spawned.iter().zip(values.chunks_exact(width)) {
            let value = values.get(index).ok_or(DecodeError::Malformed)?;
            *column.get_mut(*row as usize).ok_or(DecodeError::Malformed)? = *value;
        }
    }
    Ok(())
}

//! The rows of one component, as integer columns.
//!
//! Invariants: ids rise strictly; every column is as long as the ids; every value is within its field's range.
//! Buffers are kept when a table is cleared, so a reused one allocates nothing.

use super::fields::{Columns, Field, TableSchema};
use super::hash::Fnv;
use super::model::TableModel;
use crate::wire::ids::{NetId, Tick};
use crate::wire::limits;

/// Rows that a table with any has room for.
const ROOM_FIRST: usize = 4;
/// Room for a few rows is never given up: a chunk's rows come and go.
const ROOM_KEPT: usize = 64;

/// The rows of one component. All columns lie in one buffer, so that a small table is a few cache lines.
#[derive(Clone, Debug)]
pub struct Table {
    schema: TableSchema,
    known: Known,
    ids: Vec<NetId>,
    /// Column after column, each with room for as many rows.
    values: Vec<i32>,
    /// Rows that fit; at least as many as there are.
    room: usize,
}

/// What helps to tell a table's changes shortly. It says nothing of what is in the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) model: &'static TableModel,
    pub(crate) expect: Option<Expect>,
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema && self.has_rows_of(other)
    }
}

impl Eq for Table {}

/// What both ends know of a snapshot when one of its tables is told: its tick, and the tables before that one.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The tick it shows.
    pub tick: Tick,
    tables: &'a [Table],
}

impl<'a> Seen<'a> {
    pub(crate) const fn new(tick: Tick, tables: &'a [Table]) -> Self {
        Self { tick, tables }
    }

    /// The table of component `C`, if the schema has it before the one that is told.
    pub fn table_of<C: Columns>(&self) -> Option<&'a Table> {
        self.tables.iter().find(|table| table.schema.name == C::TABLE.name)
    }
}

/// See [`Spawn::expect`](super::schema::Spawn::expect).
pub type Expect = fn(&Seen<'_>, Which, &mut [i32]) -> bool;

/// Which new row is asked for. Its *key* is its first field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The first that is expected.
    First,
    /// The next, after one with this key.
    After(i32),
    /// One with this key, which was not expected by itself.
    Of(i32),
}

impl Table {
    /// No rows.
    pub fn empty(schema: &TableSchema) -> Self {
        Self::knowing(schema, Known { model: &TableModel::UNKNOWN, expect: None })
    }

    pub(super) fn knowing(schema: &TableSchema, known: Known) -> Self {
        Self { schema: *schema, known, ids: Vec::new(), values: Vec::new(), room: 0 }
    }

    pub(crate) fn known(&self) -> Known {
        self.known
    }

    /// What the columns are.
    pub fn fields(&self) -> &'static [Field] {
        self.schema.fields
    }

    /// Its name in the schema.
    pub fn name(&self) -> &'static str {
        self.schema.name
    }

    /// Entities that have the component, rising.
    pub fn ids(&self) -> &[NetId] {
        &self.ids
    }

    /// Values of field `index`, one per id.
    pub fn column(&self, index: usize) -> &[i32] {
        if index >= self.schema.fields.len() {
            return &[];
        }
        let start = index * self.room;
        self.values.get(start..start + self.ids.len()).unwrap_or(&[])
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Row of entity `id`.
    pub fn row_of(&self, id: NetId) -> Option<usize> {
        self.ids.binary_search(&id).ok()
    }

    /// Row `row` as a component.
    pub fn get<C: Columns>(&self, row: usize) -> Option<C> {
        (row < self.ids.len()).then(|| {
            let mut values = [0; limits::FIELDS_MAX];
            let width = self.schema.fields.len();
            for (value, column) in values.iter_mut().zip(self.values.chunks_exact(self.room)) {
                *value = column.get(row).copied().unwrap_or(0);
            }
            C::read(values.get(..width).unwrap_or(&values))
        })
    }

    /// All rows as components.
    pub fn rows<C: Columns + 'static>(&self) -> impl Iterator<Item = (NetId, C)> + '_ {
        self.ids.iter().enumerate().filter_map(|(row, id)| Some((*id, self.get(row)?)))
    }

    /// Adds a row. `id` must be greater than all before; a row that is not, or one past
    /// [`limits::ROWS_MAX`], is refused. Values are clamped into their fields' ranges.
    pub fn push(&mut self, id: NetId, values: &[i32]) -> bool {
        let rises = self.ids.last().is_none_or(|last| *last < id);
        if !rises || self.ids.len() >= limits::ROWS_MAX || values.len() != self.schema.fields.len() {
            return false;
        }
        let row = self.new_row(id);
        for ((column, value), field) in self.values.chunks_exact_mut(self.room).zip(values).zip(self.schema.fields) {
            if let Some(place) = column.get_mut(row) {
                *place = field.clamp(i64::from(*value));
            }
        }
        true
    }

    /// Replaces all rows. `order` says their ids, which must rise, and for each its place in `rows`, which has as many values for a row
    /// as the table has fields, clamped into their ranges. Leaves no rows and says so if ids do not rise, or are more than
    /// [`limits::ROWS_MAX`].
    pub fn fill(&mut self, order: &(impl Iterator<Item = (NetId, usize)> + Clone), rows: &[i32]) -> bool {
        self.ids.clear();
        self.ids.extend(order.clone().map(|(id, _)| id).take(limits::ROWS_MAX + 1));
        if self.ids.len() > limits::ROWS_MAX || !self.ids.is_sorted_by(|one, next| one < next) {
            self.ids.clear();
            return false;
        }
        self.make_room();
        let fields = self.schema.fields;
        for ((index, field), column) in fields.iter().enumerate().zip(self.values.chunks_exact_mut(self.room.max(1))) {
            for (to, (_, place)) in column.iter_mut().zip(order.clone()) {
                *to = rows.get(place * fields.len() + index).copied().unwrap_or(0).max(field.min).min(field.max);
            }
        }
        true
    }

    /// Adds row `row` of `other`, a table of the same schema, under the same rules as [`Table::push`].
    pub fn push_from(&mut self, other: &Self, row: usize) -> bool {
        let Some(id) = other.ids.get(row) else { return false };
        if self.ids.len() >= limits::ROWS_MAX || self.ids.last().is_some_and(|last| last >= id) {
            return false;
        }
        let to = self.new_row(*id);
        for (column, theirs) in self.values.chunks_exact_mut(self.room).zip(other.values.chunks_exact(other.room)) {
            if let (Some(place), Some(value)) = (column.get_mut(to), theirs.get(row)) {
                *place = *value;
            }
        }
        true
    }

    /// Makes room for a row of values that are still to come.
    fn new_row(&mut self, id: NetId) -> usize {
        let row = self.ids.len();
        if row == self.room {
            self.resize_room((2 * row).max(ROOM_FIRST));
        }
        self.ids.push(id);
        row
    }

    /// Forgets all rows and keeps the buffers.
    pub fn clear(&mut self) {
        self.ids.clear();
    }

    /// Becomes a copy of `other`, a table of the same schema, without giving up buffers.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.ids.clone_from(&other.ids);
        self.make_room();
        let (rows, room) = (self.ids.len(), self.room.max(1));
        for (index, column) in self.values.chunks_exact_mut(room).enumerate() {
            column.iter_mut().zip(other.column(index)).take(rows).for_each(|(value, theirs)| *value = *theirs);
        }
    }

    /// Whether its rows are expected to stay exactly what they are.
    pub(crate) fn is_still(&self) -> bool {
        self.is_empty() || self.schema.fields.iter().all(|field| field.moved_by.is_none())
    }

    pub(crate) fn has_rows_of(&self, other: &Self) -> bool {
        self.ids == other.ids && (0..self.schema.fields.len()).all(|index| self.column(index) == other.column(index))
    }

    /// The ids, to be replaced. [`Table::make_room`] and new values of all rows must follow.
    pub(crate) fn ids_mut(&mut self) -> &mut Vec<NetId> {
        &mut self.ids
    }

    /// Makes every column as long as the ids. What is in them is not kept.
    pub(crate) fn make_room(&mut self) {
        if self.ids.len() > self.room {
            self.room = self.ids.len().next_power_of_two().max(ROOM_FIRST);
            self.values.resize(self.room * self.schema.fields.len(), 0);
        }
    }

    /// Column `index`, to fill, and an earlier one, to read.
    pub(crate) fn column_mut(&mut self, index: usize, earlier: Option<usize>) -> Option<(&mut [i32], Option<&[i32]>)> {
        let (rows, room) = (self.ids.len(), self.room);
        let (before, rest) = self.values.split_at_mut_checked(index * room)?;
        let earlier = earlier.and_then(|index| before.get(index * room..index * room + rows));
        Some((rest.get_mut(..rows)?, earlier))
    }

    /// Gives up room that is much more than is needed.
    pub(super) fn fit(&mut self) {
        let rows = self.ids.len();
        if self.room > ROOM_KEPT && self.room / 4 > rows {
            self.resize_room((2 * rows).next_power_of_two().max(ROOM_FIRST));
            self.ids.shrink_to(self.room);
        }
    }

    /// Moves all rows into columns with room for `room`, which must be enough.
    fn resize_room(&mut self, room: usize) {
        let width = self.schema.fields.len();
        let mut values = vec![0; room * width];
        for (index, column) in values.chunks_exact_mut(room).enumerate() {
            column.iter_mut().zip(self.column(index)).for_each(|(to, from)| *to = *from);
        }
        (self.values, self.room) = (values, room);
    }

    /// Equal on two machines exactly when (2^-64 aside) their rows are equal.
    pub fn hash(&self) -> u64 {
        let mut hash = Fnv::new();
        self.hash_into(&mut hash);
        hash.finish()
    }

    /// Adds this table to a hash.
    pub fn hash_into(&self, hash: &mut Fnv) {
        hash.word(self.ids.len() as u32);
        self.ids.iter().for_each(|id| hash.word(id.0));
        for index in 0..self.schema.fields.len() {
            self.column(index).iter().for_each(|value| hash.word(*value as u32));
        }
    }
}

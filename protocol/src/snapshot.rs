//! One tick's view, as tables of integer columns. The unit of capture, delta, interpolation and hashing.
//!
//! Invariants: a table's ids rise strictly; every column is as long as its ids; every value is within its field's range.
//! Buffers are kept when a snapshot is cleared, so a reused one allocates nothing.

use crate::ids::{NetId, Tick};
use crate::messages::TableHashes;
use crate::model::TableModel;
use crate::schema::{Columns, Expect, Field, Fnv, Schema, Table as TableSchema};

/// One tick's view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The tick it shows.
    pub tick: Tick,
    tables: Vec<Table>,
}

/// The rows of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    schema: TableSchema,
    known: Known,
    ids: Vec<NetId>,
    columns: Vec<Vec<i32>>,
}

/// What helps to tell a table's changes shortly. It says nothing of what is in the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) model: &'static TableModel,
    pub(crate) expect: Option<Expect>,
}

impl PartialEq for Known {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Known {}

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

impl Snapshot {
    /// No rows, tick 0.
    pub fn empty(schema: &Schema) -> Self {
        let known = |(index, table): (usize, &TableSchema)| Known { model: schema.model_of(index), expect: schema.expect_of(table.name) };
        let tables = schema.tables().iter().enumerate().map(|table| Table::knowing(table.1, known(table)));
        Self { tick: Tick(0), tables: tables.collect() }
    }

    /// The tables, in schema order.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Table `index`, to fill it.
    pub fn table_mut(&mut self, index: usize) -> Option<&mut Table> {
        self.tables.get_mut(index)
    }

    /// Table `index`, if the schema has so many.
    pub fn table(&self, index: usize) -> Option<&Table> {
        self.tables.get(index)
    }

    /// What is known of this snapshot when table `index` is told.
    pub fn seen_before(&self, index: usize) -> Seen<'_> {
        Seen::new(self.tick, self.tables.get(..index).unwrap_or(&[]))
    }

    /// The tables, to fill them.
    pub(crate) fn tables_mut(&mut self) -> &mut [Table] {
        &mut self.tables
    }

    /// The rows of component `C` with their ids; none if the schema does not have it.
    pub fn rows<C: Columns + 'static>(&self) -> impl Iterator<Item = (NetId, C)> + '_ {
        self.table_of::<C>().into_iter().flat_map(Table::rows::<C>)
    }

    /// The table of component `C`, if the schema has it.
    pub fn table_of<C: Columns>(&self) -> Option<&Table> {
        self.tables.iter().find(|table| table.schema.name == C::TABLE.name)
    }

    /// Forgets all rows and keeps the buffers.
    pub fn clear(&mut self) {
        self.tables.iter_mut().for_each(Table::clear);
    }

    /// Becomes a copy of `other` without giving up buffers.
    pub fn copy_from(&mut self, other: &Self) {
        self.tick = other.tick;
        for (mine, theirs) in self.tables.iter_mut().zip(&other.tables) {
            mine.ids.clone_from(&theirs.ids);
            for (column, source) in mine.columns.iter_mut().zip(&theirs.columns) {
                column.clone_from(source);
            }
        }
    }

    /// Equal on two machines exactly when (2^-64 aside) their views of this tick are equal.
    pub fn hash(&self) -> u64 {
        let mut hash = Fnv::new();
        hash.word(self.tick.0);
        self.tables.iter().for_each(|table| table.hash_into(&mut hash));
        hash.finish()
    }

    /// The hash of each table, in schema order: what a server tells so that a client that differs can name the table.
    pub fn table_hashes(&self) -> TableHashes {
        TableHashes::truncated(self.tables.iter().map(Table::hash).collect())
    }

    /// The first table whose hash is not the one in `theirs`.
    pub fn first_difference(&self, theirs: &TableHashes) -> Option<&Table> {
        let mut theirs = theirs.as_slice().iter();
        self.tables.iter().find(|table| theirs.next() != Some(&table.hash()))
    }
}

impl Table {
    /// No rows.
    pub fn empty(schema: &TableSchema) -> Self {
        Self::knowing(schema, Known { model: &TableModel::UNKNOWN, expect: None })
    }

    fn knowing(schema: &TableSchema, known: Known) -> Self {
        Self { schema: *schema, known, ids: Vec::new(), columns: vec![Vec::new(); schema.fields.len()] }
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
        self.columns.get(index).map_or(&[], Vec::as_slice)
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
            let mut values = [0; crate::limits::FIELDS_MAX];
            for (value, column) in values.iter_mut().zip(&self.columns) {
                *value = column.get(row).copied().unwrap_or(0);
            }
            C::read(values.get(..self.columns.len()).unwrap_or(&values))
        })
    }

    /// All rows as components.
    pub fn rows<C: Columns + 'static>(&self) -> impl Iterator<Item = (NetId, C)> + '_ {
        self.ids.iter().enumerate().filter_map(|(row, id)| Some((*id, self.get(row)?)))
    }

    /// Adds a row. `id` must be greater than all before; a row that is not, or one past
    /// [`ROWS_MAX`](crate::limits::ROWS_MAX), is refused. Values are clamped into their fields' ranges.
    pub fn push(&mut self, id: NetId, values: &[i32]) -> bool {
        let rises = self.ids.last().is_none_or(|last| *last < id);
        if !rises || self.ids.len() >= crate::limits::ROWS_MAX || values.len() != self.schema.fields.len() {
            return false;
        }
        self.ids.push(id);
        for ((column, value), field) in self.columns.iter_mut().zip(values).zip(self.schema.fields) {
            column.push(field.clamp(i64::from(*value)));
        }
        true
    }

    /// Forgets all rows and keeps the buffers.
    pub fn clear(&mut self) {
        self.ids.clear();
        self.columns.iter_mut().for_each(Vec::clear);
    }

    pub(crate) fn ids_mut(&mut self) -> &mut Vec<NetId> {
        &mut self.ids
    }

    pub(crate) fn column_mut(&mut self, index: usize) -> Option<&mut Vec<i32>> {
        self.columns.get_mut(index)
    }

    /// The columns before `index`, to read, and column `index`, to fill.
    pub(crate) fn split_columns(&mut self, index: usize) -> Option<(&[Vec<i32>], &mut Vec<i32>)> {
        let (done, rest) = self.columns.split_at_mut_checked(index)?;
        Some((done, rest.first_mut()?))
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
        for column in &self.columns {
            column.iter().for_each(|value| hash.word(*value as u32));
        }
    }
}

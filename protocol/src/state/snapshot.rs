//! One tick's view, a table for each component. The unit of capture, delta, interpolation and hashing.
//!
//! ```
//! use tickwire_protocol::schema::{Columns, MatchState, Phase, Schema};
//! use tickwire_protocol::{NetId, Snapshot};
//!
//! const SCHEMA: Schema = Schema::new(&[MatchState::TABLE]);
//! let mut snapshot = Snapshot::empty(&SCHEMA);
//! let table = snapshot.table_mut(0).expect("one table");
//! assert!(table.push(NetId(4), &[Phase::Live as i32, 600]));
//! assert!(!table.push(NetId(4), &[0, 0]), "ids rise");
//!
//! let states: Vec<_> = snapshot.rows::<MatchState>().collect();
//! assert_eq!(states, [(NetId(4), MatchState { phase: Phase::Live as u8, phase_ends: 600 })]);
//! ```

use super::fields::{Columns, TableSchema};
use super::hash::Fnv;
use super::schema::Schema;
use crate::wire::ids::{NetId, Tick};
use crate::wire::messages::TableHashes;

use super::table::Known;
pub use super::table::{Seen, Table};

/// One tick's view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The tick it shows.
    pub tick: Tick,
    tables: Vec<Table>,
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
        self.tables.iter().find(|table| table.name() == C::TABLE.name)
    }

    /// Forgets all rows and keeps the buffers.
    pub fn clear(&mut self) {
        self.tables.iter_mut().for_each(Table::clear);
    }

    /// Becomes a copy of `other` without giving up buffers.
    pub fn copy_from(&mut self, other: &Self) {
        self.tick = other.tick;
        self.tables.iter_mut().zip(&other.tables).for_each(|(mine, theirs)| mine.copy_from(theirs));
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

    /// Like [`Snapshot::hash`], but the same at every tick while the rows are.
    pub fn rows_hash(&self) -> u64 {
        let mut hash = Fnv::new();
        self.tables.iter().for_each(|table| table.hash_into(&mut hash));
        hash.finish()
    }

    /// Whether it has the rows of `other`.
    pub fn has_rows_of(&self, other: &Self) -> bool {
        self.tables.iter().zip(&other.tables).all(|(mine, theirs)| mine.has_rows_of(theirs))
    }

    /// Gives up buffers that are much larger than what is in them.
    pub(crate) fn fit(&mut self) {
        self.tables.iter_mut().for_each(Table::fit);
    }
}

//! What is replicated: tables (one per component) of integer fields, each with its range and how it is predicted.
//!
//! A schema is a constant of the game, so both ends have it at compile time; its hash is compared when joining.
//!
//! ```
//! use tickwire_protocol::schema::{Columns, Field, MatchState, Schema, TableSchema};
//!
//! const FLAG: TableSchema = TableSchema {
//!     name: "flag",
//!     fields: &[Field::new("x", 0, 4000), Field::new("aim", 0, 255).wrapping()],
//! };
//! // A mistake in it does not compile.
//! const SCHEMA: Schema = Schema::new(&[MatchState::TABLE, FLAG]);
//! assert_eq!(SCHEMA.index_of("flag"), Some(1));
//! assert_ne!(SCHEMA.hash(), Schema::new(&[MatchState::TABLE]).hash());
//! ```

use super::fields::same;
use super::hash::Fnv;
use super::model::{Model, TableModel};
use crate::wire::limits;

pub use super::fields::{Columns, Field, TableSchema};
pub use super::match_state::{MatchState, Phase};
pub use super::table::{Expect, Which};

/// Everything a game replicates, in wire order. Table 0 is [`MatchState`].
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    tables: &'static [TableSchema],
    model: Option<&'static Model>,
    spawns: &'static [Spawn],
}

/// What a game expects of a table's new rows. It saves bytes when it is right, and nothing else depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Spawn {
    /// The table's name.
    pub table: &'static str,
    /// Raised when `expect` begins to answer otherwise: it is part of the schema's hash.
    pub version: u32,
    /// Writes the row that is expected and says whether there is one. It must not depend on anything but what it is given, which
    /// may be any values within their ranges.
    pub expect: Expect,
}

impl Schema {
    /// Checks the tables against [`limits`] when the constant is built.
    ///
    /// # Panics
    /// At compile time, if a limit is broken, a name is taken twice, a field moves by a later one, or table 0 is not
    /// [`MatchState`].
    pub const fn new(tables: &'static [TableSchema]) -> Self {
        assert!(!tables.is_empty() && tables.len() <= limits::TABLES_MAX, "a schema has 1 to TABLES_MAX tables");
        assert!(same(tables[0].name, MatchState::TABLE.name), "table 0 of a schema is MatchState");
        let mut t = 0;
        while t < tables.len() {
            let fields = tables[t].fields;
            assert!(!fields.is_empty() && fields.len() <= limits::FIELDS_MAX, "a table has 1 to FIELDS_MAX fields");
            let mut f = 0;
            while f < fields.len() {
                assert!(
                    fields[f].is_valid_at(f),
                    "a field's range is empty or too wide, it is moved by a later field, or no range of moments"
                );
                let mut earlier = 0;
                while earlier < f {
                    assert!(!same(fields[earlier].name, fields[f].name), "two fields of a table have one name");
                    earlier += 1;
                }
                f += 1;
            }
            let mut earlier = 0;
            while earlier < t {
                assert!(!same(tables[earlier].name, tables[t].name), "two tables have one name");
                earlier += 1;
            }
            t += 1;
        }
        Self { tables, model: None, spawns: &[] }
    }

    /// With what was learned from recorded matches. A model of other tables, such as one from before a field was added, is left out: a
    /// game whose model is out of date works, and can be recorded to train it anew.
    #[must_use]
    pub const fn trained(self, model: &'static Model) -> Self {
        Self { model: if model.is_of(self.tables) { Some(model) } else { None }, ..self }
    }

    /// With what the game expects of new rows.
    #[must_use]
    pub const fn spawning(self, spawns: &'static [Spawn]) -> Self {
        Self { spawns, ..self }
    }

    /// What the game expects of new rows.
    pub const fn spawns(&self) -> &'static [Spawn] {
        self.spawns
    }

    /// What was learned from recorded matches.
    pub const fn model(&self) -> Option<&'static Model> {
        self.model
    }

    /// What is known of table `index`.
    pub(crate) fn model_of(&self, index: usize) -> &'static TableModel {
        const UNKNOWN: &TableModel = &TableModel::UNKNOWN;
        self.model.and_then(|model| model.tables.get(index)).unwrap_or(UNKNOWN)
    }

    /// What is expected of new rows of table `name`.
    pub(crate) fn expect_of(&self, name: &str) -> Option<Expect> {
        self.spawns.iter().find(|spawn| spawn.table == name).map(|spawn| spawn.expect)
    }

    /// The tables, in wire order.
    pub const fn tables(&self) -> &'static [TableSchema] {
        self.tables
    }

    /// Index of the table `name`.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.name == name)
    }

    /// Differs between schemas whose snapshots could be confused.
    pub fn hash(&self) -> u64 {
        let mut hash = Fnv::new();
        for table in self.tables {
            hash.text(table.name);
            for field in table.fields {
                hash.text(field.name);
                let moved_by = field.moved_by.map_or(u32::MAX, |index| index as u32);
                let kind = u32::from(field.wraps) | u32::from(field.moment) << 1;
                [field.min as u32, field.max as u32, kind, moved_by].into_iter().for_each(|word| hash.word(word));
            }
            hash.word(u32::MAX);
        }
        for spawn in self.spawns {
            hash.text(spawn.table);
            hash.word(spawn.version);
        }
        if let Some(model) = self.model {
            model.tables.iter().for_each(|table| table.hash_into(&mut hash));
        }
        hash.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_hash_sees_another_range_and_another_table() {
        const NARROW: TableSchema = TableSchema { name: "mover", fields: &[Field::new("x", 0, 7)] };
        const WIDE: TableSchema = TableSchema { name: "mover", fields: &[Field::new("x", 0, 8)] };
        const A: Schema = Schema::new(&[MatchState::TABLE]);
        const B: Schema = Schema::new(&[MatchState::TABLE, NARROW]);
        const C: Schema = Schema::new(&[MatchState::TABLE, WIDE]);
        assert_ne!(A.hash(), B.hash());
        assert_ne!(B.hash(), C.hash());
    }
}

//! What the targets share: schemas, snapshots made from the fuzzer's bytes, and what must hold of any snapshot.

use tickwire_protocol::schema::{Columns, Field, MatchState};
use tickwire_protocol::{NetId, Schema, Snapshot, TableSchema, limits};

/// The schema of `protocol/fixtures/snapshots.json`, so that its bodies are seeds.
pub const FIXTURE: Schema = Schema::new(&[
    MatchState::TABLE,
    TableSchema {
        name: "mover",
        fields: &[
            Field::new("vx", -100, 100),
            Field { moved_by: Some(0), ..Field::new("x", 0, 4000) },
            Field::new("heading", 0, 255).wrapping(),
            Field::new("health", 0, 100),
        ],
    },
    TableSchema { name: "gauge", fields: &[Field::new("kind", 5, 5), Field::new("level", -(1 << 30), (1 << 30) - 1)] },
]);

/// The widest fields there are, moved by one another.
pub const WIDE: Schema = Schema::new(&[
    MatchState::TABLE,
    TableSchema {
        name: "wide",
        fields: &[
            Field::new("low", i32::MIN, -1),
            Field::new("high", 0, i32::MAX),
            Field { moved_by: Some(0), ..Field::new("falling", i32::MIN, -1) },
            Field { moved_by: Some(1), ..Field::new("turning", 0, i32::MAX).wrapping() },
            Field { moved_by: Some(3), ..Field::new("whirling", i32::MIN, -1).wrapping() },
        ],
    },
]);

/// The fuzzer's bytes, taken from the front; zeros once they are used up.
pub struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    /// All of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *byte
    }

    /// The next four bytes as a number.
    pub fn word(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// One of the schemas. The arena's has a model and expectations.
    pub fn schema(&mut self) -> &'static Schema {
        match self.byte() % 3 {
            0 => &FIXTURE,
            1 => &WIDE,
            _ => &arena::tables::SCHEMA,
        }
    }

    /// A snapshot with up to 31 rows a table, their ids close together or anywhere.
    pub fn snapshot(&mut self, schema: &Schema) -> Snapshot {
        let mut snapshot = Snapshot::empty(schema);
        for (index, declared) in schema.tables().iter().enumerate() {
            let Some(table) = snapshot.table_mut(index) else { return snapshot };
            let mut id = 0u32;
            for _ in 0..self.byte() % 32 {
                let gap = self.byte();
                let gap = if gap == u8::MAX { self.word() } else { u32::from(gap % 8) };
                let Some(next) = id.checked_add(gap) else { break };
                let row: Vec<i32> = declared.fields.iter().map(|field| self.value(field)).collect();
                table.push(NetId(next), &row);
                id = next.saturating_add(1);
            }
        }
        snapshot
    }

    fn value(&mut self, field: &Field) -> i32 {
        let offset = match self.byte() {
            u8::MAX => self.word(),
            254 => field.span(),
            small => u32::from(small),
        };
        field.min.wrapping_add(offset.min(field.span()) as i32)
    }

    /// What was not taken.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// Every invariant of a snapshot of `schema`.
pub fn assert_valid(schema: &Schema, snapshot: &Snapshot) {
    for (declared, table) in schema.tables().iter().zip(snapshot.tables()) {
        assert!(table.len() <= limits::ROWS_MAX, "too many rows");
        assert!(table.ids().is_sorted_by(|a, b| a < b), "ids do not rise");
        for (index, field) in declared.fields.iter().enumerate() {
            let column = table.column(index);
            assert_eq!(column.len(), table.len(), "a value per row");
            assert!(column.iter().all(|value| field.contains(i64::from(*value))), "{} is out of range", field.name);
        }
    }
}

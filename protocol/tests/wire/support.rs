//! Schemas from the plain to the extreme, and random snapshots of them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use tickwire_protocol::codec::{Decode, Encode};
use tickwire_protocol::delta::residual::predict;
use tickwire_protocol::delta::{Scratch, apply, encode};
use tickwire_protocol::limits::{FIELDS_MAX, TABLES_MAX};
use tickwire_protocol::schema::{Columns, Field, MatchState};
use tickwire_protocol::{DecodeError, NetId, Schema, Snapshot, TableSchema, Tick};

/// A game's input as the tests imagine it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(crate) struct Stick {
    pub(crate) x: i8,
    pub(crate) y: i8,
    pub(crate) aim: u16,
    pub(crate) fire: bool,
}

/// Small ranges, one of them a single value that takes no bits.
pub(crate) const PLAIN: Schema = Schema::new(&[
    MatchState::TABLE,
    TableSchema { name: "plain", fields: &[Field::new("few", 0, 7), Field::new("one", 5, 5), Field::new("signed", -100, 100)] },
]);

/// Fields that move others: clamped at the edge, round an angle, and one that is moved by a moved one.
pub(crate) const MOVING: Schema = Schema::new(&[
    MatchState::TABLE,
    TableSchema {
        name: "mover",
        fields: &[
            Field::new("vx", -300, 300),
            Field { moved_by: Some(0), ..Field::new("x", 0, 4000) },
            Field::new("spin", -40, 40),
            Field { moved_by: Some(2), ..Field::new("heading", 0, 255).wrapping() },
            Field { moved_by: Some(1), ..Field::new("drift", -9, 1_000_000) },
        ],
    },
]);

/// The widest fields there are, where sums leave 32 bits.
pub(crate) const WIDE: Schema = Schema::new(&[
    MatchState::TABLE,
    TableSchema {
        name: "wide",
        fields: &[
            Field::new("low", i32::MIN, -1),
            Field::new("high", 0, i32::MAX),
            Field { moved_by: Some(0), ..Field::new("falling", i32::MIN, -1) },
            Field { moved_by: Some(1), ..Field::new("turning", 0, i32::MAX).wrapping() },
            Field { moved_by: Some(0), ..Field::new("whirling", i32::MIN, -1).wrapping() },
            Field::new("middle", -(1 << 30), (1 << 30) - 1).wrapping(),
        ],
    },
]);

/// As many tables and fields as there may be.
pub(crate) const FULL: Schema = Schema::new(&FULL_TABLES);

const FULL_TABLES: [TableSchema; TABLES_MAX] = {
    let mut tables = [MatchState::TABLE; TABLES_MAX];
    let mut index = 1;
    while index < TABLES_MAX {
        tables[index] = TableSchema { name: NAMES[index], fields: &FULL_FIELDS };
        index += 1;
    }
    tables
};

const FULL_FIELDS: [Field; FIELDS_MAX] = {
    let mut fields = [Field::new(NAMES[0], -50, 50); FIELDS_MAX];
    let mut index = 1;
    while index < FIELDS_MAX {
        fields[index] = Field { name: NAMES[index], wraps: index % 3 == 0, moved_by: Some(index - 1), ..fields[0] };
        index += 1;
    }
    fields
};

const NAMES: [&str; 16] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"];

/// All of them.
pub(crate) const SCHEMAS: [&Schema; 4] = [&PLAIN, &MOVING, &WIDE, &FULL];

/// `count` cases; failing seeds are kept in one file.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proptest-regressions.txt");
    ProptestConfig { failure_persistence: Some(Box::new(FileFailurePersistence::Direct(file))), ..ProptestConfig::with_cases(count) }
}

/// A row, by entity.
pub(crate) type Rows = BTreeMap<u32, Vec<i32>>;

/// A snapshot of `tables`, one per table of `schema`.
pub(crate) fn snapshot(schema: &Schema, tick: Tick, tables: &[Rows]) -> Snapshot {
    let mut snapshot = Snapshot::empty(schema);
    snapshot.tick = tick;
    for (index, rows) in tables.iter().enumerate() {
        let table = snapshot.table_mut(index).expect("a table of the schema");
        rows.iter().for_each(|(id, row)| assert!(table.push(NetId(*id), row), "a row of the table"));
    }
    snapshot
}

/// A value of `field`: its ends as often as all between.
pub(crate) fn any_value(field: &Field) -> BoxedStrategy<i32> {
    prop_oneof![1 => Just(field.min), 1 => Just(field.max), 3 => field.min..=field.max].boxed()
}

fn any_row(table: TableSchema) -> BoxedStrategy<Vec<i32>> {
    table.fields.iter().map(any_value).collect::<Vec<_>>().boxed()
}

/// Ids of entities young and old, close together and far apart, up to the last there is.
fn any_id() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0u32..24, 1 => u32::MAX - 3..=u32::MAX, 1 => any::<u32>()]
}

/// What becomes of an entity between two snapshots.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Comes,
    Goes,
    Stays,
    /// Stays, and moves as predicted.
    Coasts,
    /// Stays, with other values.
    Changes,
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![Just(Fate::Comes), Just(Fate::Goes), Just(Fate::Stays), Just(Fate::Coasts), Just(Fate::Changes)]
}

/// Ticks between two snapshots: mostly within reach of a delta, sometimes anything.
fn any_advance() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0u32..=64, 1 => any::<u32>()]
}

/// Two snapshots of `schema`, related as two ticks of one match are.
pub(crate) fn any_pair(schema: &'static Schema) -> impl Strategy<Value = (Snapshot, Snapshot)> {
    let tables: Vec<_> = schema
        .tables()
        .iter()
        .map(|table| prop::collection::btree_map(any_id(), (any_fate(), any_row(*table), any_row(*table)), 0..24))
        .collect();
    (any::<u32>(), any_advance(), tables).prop_map(move |(tick, advance, tables)| {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for (table, entities) in schema.tables().iter().zip(tables) {
            let (mut old, mut new) = (Rows::new(), Rows::new());
            for (id, (fate, row, other)) in entities {
                match fate {
                    Fate::Comes => drop(new.insert(id, row)),
                    Fate::Goes => drop(old.insert(id, row)),
                    Fate::Stays => drop((old.insert(id, row.clone()), new.insert(id, row))),
                    Fate::Coasts => drop((new.insert(id, coast(table, &row, advance)), old.insert(id, row))),
                    Fate::Changes => drop((old.insert(id, row), new.insert(id, other))),
                }
            }
            before.push(old);
            after.push(new);
        }
        (snapshot(schema, Tick(tick), &before), snapshot(schema, Tick(tick.wrapping_add(advance)), &after))
    })
}

/// Snapshots of one match, each 1 to 64 ticks after the one before.
pub(crate) fn any_match(schema: &'static Schema, length: usize) -> impl Strategy<Value = Vec<Snapshot>> {
    let tables: Vec<_> = schema.tables().iter().map(|table| prop::collection::btree_map(0u32..12, any_row(*table), 0..10)).collect();
    (any::<u32>(), prop::collection::vec((1u32..=64, tables), 1..=length)).prop_map(move |(mut tick, ticks)| {
        let mut at = |(advance, tables): (u32, Vec<Rows>)| {
            tick = tick.wrapping_add(advance);
            snapshot(schema, Tick(tick), &tables)
        };
        ticks.into_iter().map(&mut at).collect()
    })
}

fn coast(table: &TableSchema, row: &[i32], advance: u32) -> Vec<i32> {
    let mut next = row.to_vec();
    for (index, field) in table.fields.iter().enumerate() {
        if let Some(velocity) = field.moved_by {
            next[index] = predict(field, row[index], next[velocity], advance.min(64));
        }
    }
    next
}

/// Encoded with fresh working memory.
pub(crate) fn encoded(base: &Snapshot, next: &Snapshot) -> Vec<u8> {
    let mut body = Vec::new();
    encode(base, next, &mut Scratch::default(), &mut body);
    body
}

/// Applied with fresh working memory, over rows that must all go.
pub(crate) fn applied(schema: &Schema, base: &Snapshot, body: &[u8], tick: Tick) -> Result<Snapshot, DecodeError> {
    let mut next = base.clone();
    next.tick = tick;
    debug_assert_eq!(next.tables().len(), schema.tables().len());
    apply(base, body, &mut Scratch::default(), &mut next)?;
    Ok(next)
}

/// Fails unless `snapshot` keeps every invariant of a snapshot of `schema`.
pub(crate) fn assert_valid(schema: &Schema, snapshot: &Snapshot) {
    for (declared, table) in schema.tables().iter().zip(snapshot.tables()) {
        assert!(table.len() <= tickwire_protocol::limits::ROWS_MAX, "{}: too many rows", declared.name);
        assert!(table.ids().is_sorted_by(|a, b| a < b), "{}: ids rise", declared.name);
        for (index, field) in declared.fields.iter().enumerate() {
            let column = table.column(index);
            assert_eq!(column.len(), table.len(), "{}.{}: a value per row", declared.name, field.name);
            assert!(column.iter().all(|value| field.contains(i64::from(*value))), "{}.{}: in range", declared.name, field.name);
        }
    }
}

//! What is replicated: tables (one per component) of integer fields, each with its range and how it is predicted.
//!
//! A schema is a constant of the game, so both ends have it at compile time; its hash is compared when joining.

use crate::codec::{Decode, Encode};
use crate::ids::PlayerId;
use crate::limits;
use crate::model::{Model, TableModel};
use crate::snapshot::Seen;

/// One integer column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name, unique in its table.
    pub name: &'static str,
    /// Least value.
    pub min: i32,
    /// Greatest value.
    pub max: i32,
    /// Whether `max` is followed by `min`, as in an angle.
    pub wraps: bool,
    /// Index of the field, earlier in the table, that this one grows by every tick.
    pub moved_by: Option<usize>,
    /// Whether it holds moments: low bits of a tick, or `min` for none. `min` is 0 then and `max` all ones.
    pub moment: bool,
}

impl Field {
    /// A field that is expected to stay as it is.
    pub const fn new(name: &'static str, min: i32, max: i32) -> Self {
        Self { name, min, max, wraps: false, moved_by: None, moment: false }
    }

    /// After the greatest value comes the least.
    #[must_use]
    pub const fn wrapping(self) -> Self {
        Self { wraps: true, ..self }
    }

    /// A moment near the tick in which it changes, such as the end of a wait that began: low bits of a tick, or 0 for none.
    #[must_use]
    pub const fn moment(self) -> Self {
        Self { moment: true, ..self }
    }

    /// Expected to grow by the field `velocity` every tick. `names` are the table's fields.
    #[must_use]
    pub const fn moved_by(self, names: &[&str], velocity: &str) -> Self {
        Self { moved_by: Some(position(names, velocity)), ..self }
    }

    /// Expected to grow by the field at place `index` of the table every tick.
    #[must_use]
    pub const fn moved_by_column(self, index: usize) -> Self {
        Self { moved_by: Some(index), ..self }
    }

    /// Greatest minus least value.
    pub const fn span(&self) -> u32 {
        self.max.wrapping_sub(self.min) as u32
    }

    /// Bits that hold any value.
    pub const fn bits(&self) -> u32 {
        u32::BITS - self.span().leading_zeros()
    }

    /// The greatest residual there can be, or more.
    pub(crate) const fn residual_max(&self) -> u32 {
        // A zigzag distance; a moment's is at most half as far, and 2 more.
        let max = 2 * self.span() as u64 + 4;
        if max > u32::MAX as u64 { u32::MAX } else { max as u32 }
    }

    /// Whether the field can hold `value`.
    pub const fn contains(&self, value: i64) -> bool {
        self.min as i64 <= value && value <= self.max as i64
    }

    /// `value`, or the nearest the field can hold.
    pub const fn clamp(&self, value: i64) -> i32 {
        if value < self.min as i64 {
            self.min
        } else if value > self.max as i64 {
            self.max
        } else {
            value as i32
        }
    }

    const fn is_valid_at(&self, index: usize) -> bool {
        let moved_by_an_earlier_field = match self.moved_by {
            Some(velocity) => velocity < index,
            None => true,
        };
        // All ones, so that the low bits of any tick are in the range.
        let holds_moments = self.min == 0 && self.max > 0 && self.max & (self.max.wrapping_add(1)) == 0;
        let is_one_kind = !self.moment || holds_moments && !self.wraps && self.moved_by.is_none();
        self.min <= self.max
            && (self.max as i64 - self.min as i64) < 1 << limits::FIELD_BITS_MAX
            && moved_by_an_earlier_field
            && is_one_kind
    }
}

/// One replicated component: its entities' values, a column per field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Name, unique in the schema.
    pub name: &'static str,
    /// Columns, in wire order.
    pub fields: &'static [Field],
}

impl Table {
    /// Index of the field `name`.
    ///
    /// # Panics
    /// At compile time, if there is no such field.
    #[allow(clippy::panic, clippy::indexing_slicing)] // for constants: it fails to compile
    pub const fn field(&self, name: &str) -> usize {
        let mut index = 0;
        while index < self.fields.len() {
            if same(self.fields[index].name, name) {
                return index;
            }
            index += 1;
        }
        panic!("the table has no field of this name")
    }
}

/// Everything a game replicates, in wire order. Table 0 is [`MatchState`].
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    tables: &'static [Table],
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

/// See [`Spawn::expect`].
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

impl Schema {
    /// Checks the tables against [`limits`] when the constant is built.
    ///
    /// # Panics
    /// At compile time, if a limit is broken, a name is taken twice, a field moves by a later one, or table 0 is not
    /// [`MatchState`].
    #[allow(clippy::panic, clippy::indexing_slicing)] // a constant: it fails to compile
    pub const fn new(tables: &'static [Table]) -> Self {
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
    pub const fn tables(&self) -> &'static [Table] {
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

/// A component that can be replicated: a struct of integers, one per field of its table.
///
/// Implement it with [`columns!`](crate::columns), or by hand to quantise other types.
pub trait Columns: Sized {
    /// The component's table.
    const TABLE: Table;
    /// Writes the fields into `row`, which has one place per field. Values out of range are clamped by the caller.
    fn write(&self, row: &mut [i32]);
    /// Reads what [`Columns::write`] wrote. A missing place reads as 0.
    fn read(row: &[i32]) -> Self;
    /// The player whose leaving takes the component's entity away; `None` for what nobody owns.
    fn owner(&self) -> Option<PlayerId> {
        None
    }
}

/// Declares a struct of integers and its [`Columns`]: each field with its range and, where it applies, `wrapping`,
/// `moment`, or `moved_by` the velocity field before it.
///
/// ```
/// tickwire_protocol::columns! {
///     /// A thing that moves.
///     #[derive(Clone, Debug, PartialEq)]
///     pub struct Mover as "mover" {
///         /// Speed, units per tick.
///         pub vx: i32 = -100..=100,
///         /// Place, units.
///         pub x: i32 = 0..=4000; moved_by vx,
///         /// Heading, 1/256 turn.
///         pub heading: u8 = 0..=255; wrapping,
///     }
/// }
/// ```
#[macro_export]
macro_rules! columns {
    ($(#[$meta:meta])* $vis:vis struct $name:ident as $table:literal {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $ty:ty = $min:literal ..= $max:literal $(; $how:ident $($velocity:ident)?)?),* $(,)?
    }) => {
        $(#[$meta])*
        $vis struct $name { $($(#[$field_meta])* $field_vis $field: $ty),* }

        impl $crate::schema::Columns for $name {
            const TABLE: $crate::schema::Table = {
                const NAMES: &[&str] = &[$(stringify!($field)),*];
                const FIELDS: &[$crate::schema::Field] = &[$(
                    $crate::schema::Field::new(stringify!($field), $min, $max)$(.$how($(NAMES, stringify!($velocity))?))?
                ),*];
                let _ = NAMES;
                $crate::schema::Table { name: $table, fields: FIELDS }
            };
            fn write(&self, row: &mut [i32]) {
                let values = [$(self.$field as i32),*];
                for (place, value) in row.iter_mut().zip(values) {
                    *place = value;
                }
            }
            fn read(row: &[i32]) -> Self {
                let mut values = row.iter().copied();
                Self { $($field: values.next().unwrap_or(0) as $ty),* }
            }
        }
    };
}

columns! {
    /// The one row of table 0: where the match is in its life.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct MatchState as "match" {
        /// A [`Phase`] as a number.
        pub phase: u8 = 0..=3,
        /// Low 31 bits of the tick at which the phase ends by itself; 0 when it does not.
        pub phase_ends: u32 = 0..=0x7fff_ffff; moment,
    }
}

/// Where a match is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
pub enum Phase {
    /// For the first player.
    #[default]
    Waiting,
    /// Players are in; the start is announced.
    Countdown,
    /// Play.
    Live,
    /// Results are shown; votes for a rematch count.
    Finished,
}

impl Phase {
    /// Stable name, for JSON, logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Countdown => "countdown",
            Self::Live => "live",
            Self::Finished => "finished",
        }
    }
}

impl From<u8> for Phase {
    /// Unknown numbers are [`Phase::Finished`]: nothing to play.
    fn from(number: u8) -> Self {
        match number {
            0 => Self::Waiting,
            1 => Self::Countdown,
            2 => Self::Live,
            _ => Self::Finished,
        }
    }
}

#[allow(clippy::panic, clippy::indexing_slicing)] // constants: it fails to compile
const fn position(names: &[&str], name: &str) -> usize {
    let mut index = 0;
    while index < names.len() {
        if same(names[index], name) {
            return index;
        }
        index += 1;
    }
    panic!("`moved_by` names no field of the table")
}

#[allow(clippy::indexing_slicing)] // bounded by the loop
const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// FNV-1a over 32-bit words, 64 bits wide: to compare states, not to resist an attacker.
#[derive(Clone, Copy, Debug)]
pub struct Fnv(u64);

impl Fnv {
    /// An empty hash.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a word.
    pub const fn word(&mut self, word: u32) {
        self.0 = (self.0 ^ word as u64).wrapping_mul(0x0000_0100_0000_01b3);
    }

    /// Adds a text and its end.
    pub fn text(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.word(u32::from(byte)));
        self.word(0x100);
    }

    /// The hash so far. The final mix spreads the last words over all bits.
    pub const fn finish(self) -> u64 {
        let x = (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        x ^ (x >> 29)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    columns! {
        #[derive(Debug, PartialEq)]
        struct Mover as "mover" {
            vx: i32 = -100..=100,
            x: i32 = 0..=4000; moved_by vx,
            heading: u8 = 0..=255; wrapping,
        }
    }

    #[test]
    fn columns_read_back_what_they_wrote() {
        let mover = Mover { vx: -3, x: 9, heading: 200 };
        let mut row = [0; 3];
        mover.write(&mut row);
        assert_eq!(row, [-3, 9, 200]);
        assert_eq!(Mover::read(&row), mover);
    }

    #[test]
    fn declarations_become_fields() {
        let [vx, x, heading] = Mover::TABLE.fields else { panic!("three fields") };
        assert_eq!((vx.bits(), x.bits(), heading.bits()), (8, 12, 8));
        assert_eq!((x.moved_by, heading.wraps, vx.wraps), (Some(0), true, false));
    }

    #[test]
    fn a_schema_hash_sees_a_changed_range() {
        const A: Schema = Schema::new(&[MatchState::TABLE]);
        const B: Schema = Schema::new(&[MatchState::TABLE, Mover::TABLE]);
        assert_ne!(A.hash(), B.hash());
    }
}

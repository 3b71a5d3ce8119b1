//! What one component's table is: its columns, each with its range and how it is predicted.
//!
//! A game declares them with [`columns!`](crate::columns) or derives them.

use crate::wire::ids::PlayerId;
use crate::wire::limits;

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

    pub(super) const fn is_valid_at(&self, index: usize) -> bool {
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
pub struct TableSchema {
    /// Name, unique in the schema.
    pub name: &'static str,
    /// Columns, in wire order.
    pub fields: &'static [Field],
}

impl TableSchema {
    /// Index of the field `name`.
    ///
    /// # Panics
    /// At compile time, if there is no such field.
    #[expect(clippy::panic, reason = "for constants: it fails to compile")]
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

/// A component that can be replicated: a struct of integers, one per field of its table.
///
/// Implement it with [`columns!`](crate::columns), or by hand to quantise other types.
pub trait Columns: Sized {
    /// The component's table.
    const TABLE: TableSchema;
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
            const TABLE: $crate::schema::TableSchema = {
                const NAMES: &[&str] = &[$(stringify!($field)),*];
                const FIELDS: &[$crate::schema::Field] = &[$(
                    $crate::schema::Field::new(stringify!($field), $min, $max)$(.$how($(NAMES, stringify!($velocity))?))?
                ),*];
                let _ = NAMES;
                $crate::schema::TableSchema { name: $table, fields: FIELDS }
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

#[expect(clippy::panic, reason = "for constants: it fails to compile")]
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

pub(super) const fn same(a: &str, b: &str) -> bool {
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
}

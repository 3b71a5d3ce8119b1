//! What the derives of `Replicate`, `Input` and `Event` stand on. A game names none of this.

pub use tickwire_protocol::PlayerId;
pub use tickwire_protocol::codec::{Decode, Encode, bincode};
pub use tickwire_protocol::schema::{Columns, Field, TableSchema};

use tickwire_protocol::Tick;
use tickwire_protocol::limits::{FIELD_BITS_MAX, PLAYERS_MAX};

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as a number",
    label = "not a whole number, a bool, a PlayerId, a Tick, nor an enum that derives Replicate",
    note = "keep what clients must not see in a component that is only persisted"
)]
/// A type that a replicated field or an input's field can have: it becomes a whole number and back.
pub trait FieldValue: Copy {
    /// The least number a value becomes.
    const MIN: i64;
    /// The greatest number a value becomes.
    const MAX: i64;
    /// Whether it is a `bool`.
    const IS_FLAG: bool = false;
    /// The value as a number.
    fn to_column(self) -> i32;
    /// The value that became `number`; of a number that no value becomes, some value.
    fn from_column(number: i32) -> Self;
}

macro_rules! whole_numbers {
    ($($ty:ty),*) => {$(
        impl FieldValue for $ty {
            const MIN: i64 = <$ty>::MIN as i64;
            const MAX: i64 = <$ty>::MAX as i64;

            fn to_column(self) -> i32 {
                self as i32
            }

            fn from_column(number: i32) -> Self {
                number as Self
            }
        }
    )*};
}

whole_numbers!(u8, i8, u16, i16, u32, i32);

impl FieldValue for bool {
    const MIN: i64 = 0;
    const MAX: i64 = 1;
    const IS_FLAG: bool = true;

    fn to_column(self) -> i32 {
        i32::from(self)
    }

    fn from_column(number: i32) -> Self {
        number != 0
    }
}

impl FieldValue for PlayerId {
    const MIN: i64 = 0;
    const MAX: i64 = PLAYERS_MAX as i64 - 1;

    fn to_column(self) -> i32 {
        i32::from(self.0)
    }

    fn from_column(number: i32) -> Self {
        Self(number as u16)
    }
}

/// Low 31 bits of the tick; 0 stands for no tick.
impl FieldValue for Tick {
    const MIN: i64 = 0;
    const MAX: i64 = i32::MAX as i64;

    fn to_column(self) -> i32 {
        (self.0 & i32::MAX as u32) as i32
    }

    fn from_column(number: i32) -> Self {
        Self(number as u32)
    }
}

/// The player that a field marked `#[owner]` names.
pub fn owner_of(field: impl Into<PlayerId>) -> PlayerId {
    field.into()
}

/// The range of moments in a type whose greatest value is `max`: at most the low 31 bits of a tick.
pub const fn moment_max(max: i64) -> i64 {
    if max > i32::MAX as i64 { i32::MAX as i64 } else { max }
}

/// Whether a table can hold a field with these bounds.
pub const fn are_bounds(min: i64, max: i64) -> bool {
    let is_narrow = min <= max && max - min < 1 << FIELD_BITS_MAX;
    is_narrow && min >= i32::MIN as i64 && max <= i32::MAX as i64
}

/// An input's field as the page knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputField {
    /// The name that the page gives its value under.
    pub name: &'static str,
    /// Least value.
    pub min: i32,
    /// Greatest value.
    pub max: i32,
    /// What its bits are called, from the lowest; nothing if it is a plain number.
    pub buttons: &'static [&'static str],
}

impl InputField {
    /// `number`, or the nearest that the field can hold.
    pub const fn nearest(&self, number: i32) -> i32 {
        if number < self.min {
            self.min
        } else if number > self.max {
            self.max
        } else {
            number
        }
    }
}

/// An input that a page can give as numbers.
pub trait FromNumbers: Sized {
    /// Its fields, in the order of the numbers.
    const FIELDS: &'static [InputField];
    /// The input; a number out of its field's range counts as the nearest, a missing one as 0.
    fn from_numbers(numbers: &[i32]) -> Self;
}

macro_rules! numbers_as_inputs {
    ($($ty:ty),*) => {$(
        impl FromNumbers for $ty {
            const FIELDS: &'static [InputField] =
                &[InputField { name: "value", min: <$ty>::MIN as i32, max: <$ty>::MAX as i32, buttons: &[] }];

            fn from_numbers(numbers: &[i32]) -> Self {
                let number = numbers.first().copied().unwrap_or(0);
                Self::FIELDS.iter().map(|field| field.nearest(number) as Self).next().unwrap_or(0)
            }
        }
    )*};
}

numbers_as_inputs!(u8, i8, u16, i16, i32);

/// A type of which an event's fields may be: it has a form in JSON, and a type on the page.
pub trait JsonValue {
    /// Its type in TypeScript.
    const TYPESCRIPT: &'static str;
    /// Appends it to `json`.
    fn write_json(&self, json: &mut String);
}

macro_rules! json_numbers {
    ($($ty:ty),*) => {$(
        impl JsonValue for $ty {
            const TYPESCRIPT: &'static str = "number";

            fn write_json(&self, json: &mut String) {
                use core::fmt::Write;
                // Writing into a string does not fail.
                let _ = write!(json, "{self}");
            }
        }
    )*};
}

json_numbers!(u8, i8, u16, i16, u32, i32);

impl JsonValue for bool {
    const TYPESCRIPT: &'static str = "boolean";

    fn write_json(&self, json: &mut String) {
        json.push_str(if *self { "true" } else { "false" });
    }
}

impl JsonValue for PlayerId {
    const TYPESCRIPT: &'static str = "number";

    fn write_json(&self, json: &mut String) {
        self.0.write_json(json);
    }
}

impl JsonValue for Tick {
    const TYPESCRIPT: &'static str = "number";

    fn write_json(&self, json: &mut String) {
        self.0.write_json(json);
    }
}

impl<T: JsonValue, const N: usize> JsonValue for [T; N] {
    const TYPESCRIPT: &'static str = T::TYPESCRIPT;

    fn write_json(&self, json: &mut String) {
        json.push('[');
        for (index, value) in self.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            value.write_json(json);
        }
        json.push(']');
    }
}

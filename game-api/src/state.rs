//! A match's state outside of its world: rows that can be stored, and put back into another world.
//!
//! Rows have their component's and their fields' names with them, so that a game that has changed
//! since can be given them. What fits by name goes on; the rules are those of [`Rows`].
//!
//! Invariant: a world that was restored goes on as the one that was stored. Both hold the same rows, by
//! [`NetId`]; the order in which an ECS keeps entities is not part of a state, and no system may depend on it.

use tickwire_protocol::codec::{Decode, Encode};
use tickwire_protocol::hash::Fnv;
use tickwire_protocol::schema::{Field, Phase, TableSchema};
use tickwire_protocol::{NetId, Tick};

use crate::{Game, Registry};

/// The rows of every replicated and every persisted table of a world.
///
/// The game may have changed when they are put back:
///
/// - A component or a field that is gone is dropped, and so are entities that have nothing else.
/// - A component that is new is on no entity.
/// - A field that is new is 0, or the nearest that its range has.
/// - A field with another range keeps its values. One that does not fit refuses all rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct Rows {
    /// Replicated tables, and then persisted ones, as the game lists them.
    pub(crate) tables: Vec<TableRows>,
}

/// The rows of one table, in order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(crate) struct TableRows {
    pub(crate) name: String,
    pub(crate) fields: Vec<StoredField>,
    pub(crate) ids: Vec<NetId>,
    /// Row after row, as the component wrote them: not clamped to what the wire can carry.
    pub(crate) values: Vec<i32>,
}

/// A column, as it was when the rows were stored.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(crate) struct StoredField {
    name: String,
    min: i32,
    max: i32,
}

impl TableRows {
    /// No rows of `table`.
    pub(crate) fn none_of(table: &TableSchema) -> Self {
        let stored = |field: &Field| StoredField { name: field.name.to_owned(), min: field.min, max: field.max };
        Self { name: table.name.to_owned(), fields: table.fields.iter().map(stored).collect(), ids: Vec::new(), values: Vec::new() }
    }

    /// The rows' values in the layout that `table` has now. Names of fields that are gone are put
    /// into `left_out`.
    pub(crate) fn fit(&self, table: &TableSchema, left_out: &mut Vec<String>) -> Result<Vec<i32>, Unfit> {
        if self.values.len() != self.ids.len() * self.fields.len() {
            return Err(Unfit::Torn { component: self.name.clone() });
        }
        let gone = self.fields.iter().filter(|stored| table.fields.iter().all(|field| field.name != stored.name));
        left_out.extend(gone.map(|field| format!("field `{}` of `{}`", field.name, self.name)));
        // For each field of now its place in what was stored.
        let places: Vec<Option<usize>> =
            table.fields.iter().map(|field| self.fields.iter().position(|stored| stored.name == field.name)).collect();
        let mut values = Vec::with_capacity(self.ids.len() * table.fields.len());
        for row in self.values.chunks_exact(self.fields.len().max(1)) {
            for (field, place) in table.fields.iter().zip(&places) {
                values.push(self.value(row, field, *place)?);
            }
        }
        Ok(values)
    }

    fn value(&self, row: &[i32], field: &Field, place: Option<usize>) -> Result<i32, Unfit> {
        let Some((stored, value)) = place.and_then(|place| Some((self.fields.get(place)?, *row.get(place)?))) else {
            return Ok(field.clamp(0));
        };
        // In the range that it had a value may be out of range already: it was clamped when it was sent.
        let is_as_before = (stored.min, stored.max) == (field.min, field.max);
        if is_as_before || field.contains(value.into()) {
            return Ok(value);
        }
        Err(Unfit::OutOfRange { component: self.name.clone(), field: field.name.to_owned(), value })
    }
}

/// All that a [`Simulation`](crate::Simulation) is, to be stored and put back.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct SimulationState {
    pub(crate) tick: Tick,
    /// A [`Phase`] as a number.
    pub(crate) phase: u8,
    pub(crate) phase_ends: Option<Tick>,
    pub(crate) random: u64,
    pub(crate) next_net_id: u32,
    pub(crate) rows: Rows,
}

impl SimulationState {
    /// The tick that was simulated last.
    pub fn tick(&self) -> Tick {
        self.tick
    }

    pub(crate) fn phase(&self) -> Phase {
        Phase::from(self.phase)
    }
}

/// Why rows cannot be put into a game's world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// A value is not in the range that its field has now.
    OutOfRange {
        /// The component's table.
        component: String,
        /// The name of the field in its table.
        field: String,
        /// What was stored.
        value: i32,
    },
    /// Not every row has all fields: no world was stored so.
    Torn {
        /// The component's table.
        component: String,
    },
}

impl core::fmt::Display for Unfit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::OutOfRange { component, field, value } => {
                write!(f, "the field `{field}` of `{component}` was {value}, which is not in the range that it has now")
            }
            Self::Torn { component } => write!(f, "the rows of `{component}` are not whole"),
        }
    }
}

impl core::error::Error for Unfit {}

/// Differs between games, and versions of a game, of which one could misread what the other wrote: by
/// the names, order and ranges of components and fields, hidden ones too, and by the input's fields. What
/// was learned of the tables does not matter here.
///
/// # Panics
/// As [`Registry::new`].
pub fn layout<G: Game>() -> u64 {
    use crate::derive::FromNumbers;
    let mut hash = Fnv::new();
    hash.text(G::NAME);
    for table in Registry::new::<G::Components>(G::SCHEMA).tables() {
        hash.text(table.name);
        for field in table.fields {
            hash.text(field.name);
            [field.min, field.max].into_iter().for_each(|bound| hash.word(bound as u32));
        }
    }
    hash.word(core::mem::size_of::<G::Input>() as u32);
    for field in G::Input::FIELDS {
        hash.text(field.name);
        [field.min, field.max].into_iter().for_each(|bound| hash.word(bound as u32));
        field.buttons.iter().for_each(|button| hash.text(button));
    }
    hash.finish()
}

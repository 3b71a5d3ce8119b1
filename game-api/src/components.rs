//! What a match's state is made of, stated once: a tuple of component types. From it follow the
//! tables on the wire, what is captured, what is stored, what goes when its owner leaves, and who
//! is sent what.
//!
//! Invariant: whatever is said of a component is found by its type. No table has a number in a
//! game's code.

use bevy_ecs::component::{Component, Mutable};
use tickwire_protocol::Schema;
use tickwire_protocol::schema::{Columns, MatchState, TableSchema};

use crate::capture::Registry;
use crate::interest::{Look, Place, Row, TableSight};

/// A component that can be in a game's list. Derive it: see [`Replicate`](derive@crate::Replicate).
#[diagnostic::on_unimplemented(message = "`{Self}` is no component that a game can list", note = "add `#[derive(Replicate)]` to it")]
pub trait Replicate: Columns + Component<Mutability = Mutable> {
    /// The column that says whose it is.
    const OWNER: Option<usize> = None;
    /// Whether clients never see it: it is only part of the match's state.
    const IS_HIDDEN: bool = false;
    /// Whether a player looks from a row of it.
    const LOOKS: bool = false;

    /// The columns that say where it is on the map.
    const PLACE: Option<[usize; 2]> = None;

    /// Where a row is and who may see it, in a mode that is divided. Asked for every row every
    /// tick.
    fn place(row: Row<'_>) -> Place {
        Self::PLACE.map_or(Place::EVERYWHERE, |columns| Place::at(columns.map(|column| row.value(column))))
    }

    /// Who looks from a row, if [`Replicate::LOOKS`]. Asked for every row every tick.
    fn look(_row: Row<'_>) -> Option<Look> {
        None
    }
}

/// A tuple of components: what a match's state is made of.
pub trait Components {
    /// The match's own table, and those of the components that are not hidden.
    const SCHEMA: Schema;
    /// For each table of the schema, where its rows are and who may see them.
    const SIGHTS: &'static [TableSight];

    /// Registers each of them.
    fn register(registry: &mut Registry);
}

/// Most components of a game.
const COMPONENTS_MAX: usize = 16;

/// One component of a list.
#[derive(Clone, Copy)]
struct Listed {
    table: TableSchema,
    sight: TableSight,
    is_hidden: bool,
}

impl Listed {
    const MATCH: Self = Self { table: MatchState::TABLE, sight: TableSight::EVERYWHERE, is_hidden: false };

    const fn of<C: Replicate>() -> Self {
        Self { table: C::TABLE, sight: TableSight::of::<C>(), is_hidden: C::IS_HIDDEN }
    }
}

/// The ones that are sent, in order, and how many they are.
struct Sent {
    tables: [TableSchema; COMPONENTS_MAX + 1],
    sights: [TableSight; COMPONENTS_MAX + 1],
    count: usize,
}

const fn sent(listed: &[Listed]) -> Sent {
    let mut sent = Sent { tables: [MatchState::TABLE; COMPONENTS_MAX + 1], sights: [TableSight::EVERYWHERE; COMPONENTS_MAX + 1], count: 0 };
    let mut index = 0;
    while index < listed.len() {
        if !listed[index].is_hidden {
            sent.tables[sent.count] = listed[index].table;
            sent.sights[sent.count] = listed[index].sight;
            sent.count += 1;
        }
        index += 1;
    }
    sent
}

/// A list with its constants, each of which must be one of its own to live for ever.
struct List<T>(core::marker::PhantomData<T>);

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: Replicate),*> List<($($name,)*)> {
            const SENT: Sent = sent(&[Listed::MATCH, $(Listed::of::<$name>()),*]);
            const TABLES: &'static [TableSchema] = &Self::SENT.tables;
            const SIGHTS: &'static [TableSight] = &Self::SENT.sights;
        }

        impl<$($name: Replicate),*> Components for ($($name,)*) {
            const SCHEMA: Schema = Schema::new(List::<Self>::TABLES.split_at(List::<Self>::SENT.count).0);
            const SIGHTS: &'static [TableSight] = List::<Self>::SIGHTS.split_at(List::<Self>::SENT.count).0;

            fn register(_registry: &mut Registry) {
                $(_registry.register::<$name>();)*
            }
        }
    };
}

tuples!();
tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);
tuples!(A B C D E F G H I J K L M);
tuples!(A B C D E F G H I J K L M N);
tuples!(A B C D E F G H I J K L M N O);
tuples!(A B C D E F G H I J K L M N O P);

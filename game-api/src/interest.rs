//! Who is sent what of a match that is too large to be sent whole: where rows are, who may see
//! them, from where players look.
//!
//! A mode without an [`Interest`] sends everything to everyone.
//!
//! ```
//! use tickwire_game::interest::{Group, Row};
//! use tickwire_game::prelude::*;
//!
//! #[derive(Replicate, Clone, Debug, PartialEq)]
//! #[place(x, y)]
//! #[eyes]
//! struct Body {
//!     #[owner]
//!     player: PlayerId,
//!     x: u16,
//!     y: u16,
//! }
//!
//! #[derive(Replicate, Clone, Debug, PartialEq)]
//! #[private]
//! struct Purse {
//!     #[owner]
//!     player: PlayerId,
//!     coins: u16,
//! }
//!
//! struct Crowd;
//!
//! #[game]
//! impl Game for Crowd {
//!     type Input = u8;
//!     type Components = (Body, Purse);
//!
//!     fn join(world: &mut World, player: PlayerId) {
//!         spawn(world, (Body { player, x: 700, y: 300 }, Purse { player, coins: 3 }));
//!     }
//!
//!     /// Cells of 100 by 100, all seen that are at most 4 away, at every tick, for 400 bytes.
//!     fn sight(_mode: &Mode) -> Option<Interest> {
//!         const TIERS: &[Tier] = &[Tier { cells: 4, every: 1 }];
//!         Some(Interest::new([1000; 2], [100; 2], TIERS, 400))
//!     }
//! }
//!
//! let mut crowd = TestMatch::<Crowd>::new(1, Tick(0));
//! crowd.join(PlayerId(6));
//! let view = crowd.step().clone();
//! let interest = Crowd::interest(&Mode::DEFAULT).expect("it is divided");
//! // Table 0 is the match's own.
//! let [body, purse] = [1, 2].map(|table| interest.place(table, Row::new(view.table(table).expect("there"), 0)));
//! assert_eq!((body.at, body.group), (Some([700, 300]), Group::Everyone));
//! assert_eq!((purse.at, purse.group), (None, Group::Player(PlayerId(6))));
//! ```

use tickwire_protocol::schema::Columns;
use tickwire_protocol::{NetId, PlayerId, Snapshot, Table};

use crate::{Components, Replicate};

/// How a mode's matches are divided. Lengths are in the units of the rows' places.
#[derive(Clone, Copy, Debug)]
pub struct Interest {
    /// Width and height of the map, from 0. What is outside counts as at its border.
    pub map: [i32; 2],
    /// Width and height of a cell.
    pub cell: [i32; 2],
    /// How far players see and how often they are told, from the nearest cells to the farthest: at
    /// least one.
    pub tiers: &'static [Tier],
    /// Most bytes in a client's frame. It is exceeded only by the least a frame can be: the tick's
    /// events, the rows without a place, the player's own chunk and one other.
    pub bytes_per_tick: usize,
    /// For each table of the schema, where its rows are and who may see them.
    tables: &'static [TableSight],
}

impl Interest {
    /// A map of this size, in such cells, which are seen so often, for so many bytes a tick and
    /// client.
    pub const fn new(map: [i32; 2], cell: [i32; 2], tiers: &'static [Tier], bytes_per_tick: usize) -> Self {
        Self { map, cell, tiers, bytes_per_tick, tables: &[] }
    }

    /// Says where rows are by what the components `C` say. A match does this with its game's
    /// components.
    #[must_use]
    pub const fn of<C: Components>(self) -> Self {
        Self { tables: C::SIGHTS, ..self }
    }

    /// Where row `row` of table `table` is and who may see it. Called for every row every tick.
    pub fn place(&self, table: usize, row: Row<'_>) -> Place {
        self.tables.get(table).map_or(Place::EVERYWHERE, |sight| (sight.place)(row))
    }

    /// From where the players look. Called every tick. Who is not named keeps looking from where
    /// they did.
    pub fn eyes(&self, view: &Snapshot, eyes: &mut Eyes) {
        for (index, (table, sight)) in view.tables().iter().zip(self.tables).enumerate() {
            let Some(look) = sight.look else { continue };
            for row in 0..table.len() {
                eyes.0.extend(look(Row::new(table, row)).map(|look| Eye { look, row: (index, row) }));
            }
        }
    }
}

/// What a table's component says of its rows.
#[derive(Clone, Copy, Debug)]
pub struct TableSight {
    place: fn(Row<'_>) -> Place,
    look: Option<fn(Row<'_>) -> Option<Look>>,
}

impl TableSight {
    /// Rows that everyone sees, always.
    pub(crate) const EVERYWHERE: Self = Self { place: |_| Place::EVERYWHERE, look: None };

    pub(crate) const fn of<C: Replicate>() -> Self {
        Self { place: C::place, look: if C::LOOKS { Some(C::look) } else { None } }
    }
}

/// Cells that are updated equally often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// It ends this many cells away from the viewer's own, diagonals counting as one.
    pub cells: u8,
    /// Ticks from one update to the next, at least 1.
    pub every: u8,
}

/// Where a row is, and who may see it there.
///
/// ```
/// use tickwire_game::PlayerId;
/// use tickwire_game::interest::{Group, Place};
///
/// let seen_by_a_team = Place::at([300, 40]).only_for(Group::Team(2));
/// assert_eq!(seen_by_a_team, Place { at: Some([300, 40]), group: Group::Team(2) });
/// assert_eq!(Place::private_to(PlayerId(3)).at, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// On the map; `None` for what has no place: it is always in sight.
    pub at: Option<[i32; 2]>,
    /// Who may see it.
    pub group: Group,
}

/// Who may see a row. What a player may not see is never sent to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// All whose sight it is in.
    #[default]
    Everyone,
    /// This player alone.
    Player(PlayerId),
    /// The players of this team, or whatever the game means by the number: see [`Look::in_teams`].
    Team(u16),
}

impl Place {
    /// Always in everyone's sight.
    pub const EVERYWHERE: Self = Self { at: None, group: Group::Everyone };

    /// There, for all who look.
    pub const fn at(place: [i32; 2]) -> Self {
        Self { at: Some(place), group: Group::Everyone }
    }

    /// In sight of `player` only, and always.
    pub const fn private_to(player: PlayerId) -> Self {
        Self { at: None, group: Group::Player(player) }
    }

    /// This place, in sight of `group` only.
    #[must_use]
    pub const fn only_for(self, group: Group) -> Self {
        Self { group, ..self }
    }
}

/// A row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    table: &'a Table,
    index: usize,
}

impl<'a> Row<'a> {
    /// Row `index` of `table`.
    pub const fn new(table: &'a Table, index: usize) -> Self {
        Self { table, index }
    }

    /// The network id of its entity; 0 for a row that is not there.
    pub fn id(&self) -> NetId {
        self.table.ids().get(self.index).copied().unwrap_or_default()
    }

    /// The value of column `field`, in replicated units; 0 for a row or column that is not there.
    pub fn value(&self, field: usize) -> i32 {
        self.table.column(field).get(self.index).copied().unwrap_or(0)
    }

    /// The row as a component.
    pub fn read<C: Columns>(&self) -> Option<C> {
        self.table.get(self.index)
    }
}

/// From where the players look this tick.
#[derive(Clone, Debug, Default)]
pub struct Eyes(Vec<Eye>);

/// From where one player looks.
#[derive(Clone, Copy, Debug)]
pub struct Eye {
    /// Who, and what for.
    pub look: Look,
    /// The table and the row it looks from: most often its own body. The row's chunk is sent every
    /// tick.
    pub row: (usize, usize),
}

/// Who looks from a row, which has a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The player who looks.
    pub player: PlayerId,
    /// The [`Group::Team`]s whose rows it may see.
    pub teams: [Option<u16>; Eyes::TEAMS_MAX],
}

impl Look {
    /// `player` sees what everyone and what it alone may see.
    pub const fn of(player: PlayerId) -> Self {
        Self { player, teams: [None; Eyes::TEAMS_MAX] }
    }

    /// Lets the player see the rows of `teams` too: at most [`Eyes::TEAMS_MAX`] of them.
    #[must_use]
    pub fn in_teams(mut self, teams: &[u16]) -> Self {
        for (place, team) in self.teams.iter_mut().zip(teams) {
            *place = Some(*team);
        }
        self
    }
}

impl Eyes {
    /// Most teams that a player can see the rows of.
    pub const TEAMS_MAX: usize = 4;

    /// Forgets all and keeps the buffer.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Eye> {
        self.0.iter()
    }
}

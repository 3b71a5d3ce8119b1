//! What bots see of a divided match: the rows in the cells around, by where they are now.
//!
//! Invariant: it follows from the newest snapshot alone. Chunks remember on which side of a border
//! a row was; a match that is restored does not, and its bots must do the same.

use tickwire_game::interest::{Eyes, Group, Row};
use tickwire_protocol::{PlayerId, Snapshot, Tick};

use super::grid::Grid;

/// The rows of one snapshot, by cell.
#[derive(Default)]
pub(super) struct Survey {
    /// The tick of the snapshot whose rows these are.
    tick: Option<Tick>,
    /// Row after row, those of a shelf together.
    rows: Vec<Found>,
    /// Where each shelf begins in `rows`: one for each cell, one for what has no place, and one for
    /// what only one player sees and has no place.
    shelves: Vec<u32>,
    found: Vec<(u32, Found)>,
    /// From where each player looks.
    looks: Vec<Option<Look>>,
    seen: Vec<(u32, u32)>,
}

#[derive(Clone, Copy)]
struct Found {
    table: u32,
    row: u32,
    group: Group,
}

#[derive(Clone, Copy)]
struct Look {
    cell: [i32; 2],
    teams: [Option<u16>; Eyes::TEAMS_MAX],
}

impl Survey {
    /// All of `view`, the newest snapshot, that `player` has in sight.
    pub(super) fn see(&mut self, grid: &Grid, view: &Snapshot, player: PlayerId, out: &mut Snapshot) {
        if self.tick != Some(view.tick) {
            self.look_over(grid, view);
        }
        let look = self.looks.get(usize::from(player.0)).copied().flatten();
        let teams = look.map_or([None; Eyes::TEAMS_MAX], |look| look.teams);
        let may_see = |group: Group| match group {
            Group::Everyone => true,
            Group::Player(other) => other == player,
            Group::Team(team) => teams.contains(&Some(team)),
        };
        let mut seen = std::mem::take(&mut self.seen);
        seen.clear();
        let mut take = |shelf: usize| {
            let found = self.shelf(shelf).iter().filter(|found| may_see(found.group));
            seen.extend(found.map(|found| (found.table, found.row)));
        };
        take(grid.cell_count());
        take(grid.cell_count() + 1 + usize::from(player.0));
        if let Some(look) = look {
            grid.for_each_cell(look.cell, |_, cell| take(cell as usize));
        }
        seen.sort_unstable();
        out.clear();
        out.tick = view.tick;
        for (table, row) in &seen {
            if let (Some(from), Some(to)) = (view.table(*table as usize), out.table_mut(*table as usize)) {
                to.push_from(from, *row as usize);
            }
        }
        self.seen = seen;
    }

    /// Puts every row of `view`, which `grid` took in last, on its shelf.
    fn look_over(&mut self, grid: &Grid, view: &Snapshot) {
        self.tick = Some(view.tick);
        self.found.clear();
        let cells = grid.cell_count();
        for (index, table) in view.tables().iter().enumerate() {
            for row in 0..table.len() {
                let place = grid.interest.place(index, Row::new(table, row));
                let shelf = match (place.at, place.group) {
                    (Some(at), _) => grid.cell_index(grid.cell_at(at)),
                    (None, Group::Player(player)) => cells + 1 + usize::from(player.0),
                    (None, _) => cells,
                };
                self.found.push((shelf as u32, Found { table: index as u32, row: row as u32, group: place.group }));
            }
        }
        // Whatever is on one shelf is put in order when it is seen.
        self.found.sort_unstable_by_key(|(shelf, _)| *shelf);
        self.shelves.clear();
        for (place, (shelf, _)) in self.found.iter().enumerate() {
            self.shelves.resize(self.shelves.len().max(*shelf as usize + 1), place as u32);
        }
        self.rows.clear();
        self.rows.extend(self.found.iter().map(|(_, found)| *found));
        self.note_looks(grid, view);
    }

    fn note_looks(&mut self, grid: &Grid, view: &Snapshot) {
        self.looks.clear();
        for eye in grid.eyes.iter() {
            let (table, row) = eye.row;
            let Some(at) = view.table(table).and_then(|rows| grid.interest.place(table, Row::new(rows, row)).at) else { continue };
            let index = usize::from(eye.look.player.0);
            self.looks.resize(self.looks.len().max(index + 1), None);
            if let Some(look) = self.looks.get_mut(index) {
                *look = Some(Look { cell: grid.cell_at(at), teams: eye.look.teams });
            }
        }
    }

    fn shelf(&self, shelf: usize) -> &[Found] {
        let Some(start) = self.shelves.get(shelf) else { return &[] };
        let end = self.shelves.get(shelf + 1).map_or(self.rows.len(), |end| *end as usize);
        self.rows.get(*start as usize..end).unwrap_or_default()
    }
}

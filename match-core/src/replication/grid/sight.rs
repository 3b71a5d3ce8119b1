//! From where players look, and which chunks they see from there.
//!
//! Invariant: in which order chunks are seen follows from where they and the viewer are, and so do
//! slots: nothing of it tells of what others see.

use tickwire_game::interest::{Eyes, Group, Row};
use tickwire_protocol::{PlayerId, Snapshot};

use super::watcher::{Sight, Watcher};
use super::{Grid, NONE, State};

impl Grid {
    pub(in crate::replication) fn watcher(&self, player: PlayerId) -> Option<&Watcher> {
        self.watchers.get(usize::from(player.0))?.as_ref()
    }

    /// Whether something is in sight from a cell it is `way` cells away from.
    pub(in crate::replication) fn is_in_sight(&self, way: [i32; 2]) -> bool {
        let reach = self.interest.tiers.last().map_or(0, |tier| i32::from(tier.cells));
        way[0].abs().max(way[1].abs()) <= reach
    }

    /// The cell of a place.
    pub(in crate::replication) fn cell_at(&self, at: [i32; 2]) -> [i32; 2] {
        self.cell_of(self.inside(at))
    }

    /// The number of a cell.
    pub(in crate::replication) fn cell_index(&self, cell: [i32; 2]) -> usize {
        (cell[1] * self.size[0] + cell[0]) as usize
    }

    /// How many cells there are.
    pub(in crate::replication) fn cell_count(&self) -> usize {
        self.everyone.len()
    }

    /// The chunks that `player` sees: those without a place, then those nearby, the nearest cells
    /// first.
    pub(in crate::replication) fn sights(&mut self, player: PlayerId, sights: &mut Vec<Sight>) {
        sights.clear();
        let watcher = self.watcher(player).copied();
        let teams = watcher.map_or([None; Eyes::TEAMS_MAX], |watcher| watcher.teams);
        let groups = || [Some(Group::Player(player))].into_iter().chain(teams.map(|team| team.map(Group::Team))).flatten();
        self.leaves(self.private_root(player), 0, sights);
        for group in groups().skip(1) {
            if let Some(root) = self.grouped.get(&(group, None)) {
                self.leaves(*root, 0, sights);
            }
        }
        let Some(watcher) = watcher else { return };
        let center = self.cell_index(watcher.cell);
        let known = self.vista_of.get(center).copied().flatten();
        let (start, end) = known.unwrap_or_else(|| self.look_round(watcher.cell, center));
        sights.extend_from_slice(self.vistas.get(start as usize..end as usize).unwrap_or_default());
        for group in groups().filter(|group| self.spread.contains_key(group)) {
            self.for_each_cell(watcher.cell, |every, cell| {
                let root = self.grouped.get(&(group, Some(cell))).copied().unwrap_or(NONE);
                self.leaves(root, every, sights);
            });
        }
        if let Some(own) = sights.iter_mut().find(|sight| sight.node == watcher.node) {
            own.every = 0;
        }
    }

    /// Notes what is in everyone's sight from the cell `center`, whose number is `index`.
    fn look_round(&mut self, center: [i32; 2], index: usize) -> (u32, u32) {
        let mut vistas = std::mem::take(&mut self.vistas);
        let start = vistas.len() as u32;
        self.for_each_cell(center, |every, cell| {
            self.leaves(self.everyone.get(cell as usize).copied().unwrap_or(NONE), every, &mut vistas);
        });
        let vista = (start, vistas.len() as u32);
        self.vistas = vistas;
        if let Some(place) = self.vista_of.get_mut(index) {
            *place = Some(vista);
        }
        vista
    }

    /// The cells in sight from the cell `center`, the nearest first, and how often each is due.
    pub(in crate::replication) fn for_each_cell(&self, center: [i32; 2], mut each: impl FnMut(u8, u32)) {
        let mut inner = -1;
        for tier in self.interest.tiers {
            for ring in inner + 1..=i32::from(tier.cells) {
                self.ring(center, ring).for_each(|cell| each(tier.every, cell));
            }
            inner = i32::from(tier.cells);
        }
    }

    /// The cells of the map that are `ring` away from `center`.
    fn ring(&self, center: [i32; 2], ring: i32) -> impl Iterator<Item = u32> + '_ {
        let [across, down] = self.size;
        (center[1] - ring..=center[1] + ring).filter(move |y| (0..down).contains(y)).flat_map(move |y| {
            let step = if (y - center[1]).abs() == ring { 1 } else { (2 * ring).max(1) };
            (center[0] - ring..=center[0] + ring)
                .step_by(step as usize)
                .filter(move |x| (0..across).contains(x))
                .map(move |x| (y * across + x) as u32)
        })
    }

    /// Adds the chunks of a cell that have rows.
    fn leaves(&self, root: u32, every: u8, sights: &mut Vec<Sight>) {
        let Some(node) = self.nodes.get(root as usize) else { return };
        match node.state {
            State::Leaf if node.chunk.since().is_some() => sights.push(Sight { node: root, every }),
            State::Free | State::Leaf => {}
            State::Divided(children) => children.into_iter().for_each(|child| self.leaves(child, every, sights)),
        }
    }

    /// Notes from where the players look.
    pub(super) fn look(&mut self, view: &Snapshot) {
        self.watchers.iter_mut().flatten().for_each(|watcher| watcher.node = NONE);
        let mut eyes = std::mem::take(&mut self.eyes);
        eyes.clear();
        self.interest.eyes(view, &mut eyes);
        for eye in eyes.iter() {
            let (table, row) = eye.row;
            let Some(at) = view.table(table).and_then(|rows| self.interest.place(table, Row::new(rows, row)).at) else { continue };
            let at = self.inside(at);
            let node = self.placed.get(table).and_then(|rows| rows.get(row)).map_or(NONE, |(_, node)| *node);
            let index = usize::from(eye.look.player.0);
            if index >= self.watchers.len() {
                self.watchers.resize(index + 1, None);
            }
            let before = self.watchers.get(index).copied().flatten();
            let cell = before.map(|watcher| watcher.cell).filter(|cell| self.cell_area(*cell).almost_contains(at));
            let cell = cell.unwrap_or_else(|| self.cell_of(at));
            if let Some(watcher) = self.watchers.get_mut(index) {
                *watcher = Some(Watcher { at, cell, node, teams: eye.look.teams });
            }
        }
        self.eyes = eyes;
    }
}

//! The map's cells, and which chunk each row is in.
//!
//! Each cell has a tree for each group that has rows there. A leaf of the tree is a chunk.
//!
//! ```text
//!  a cell, depth 0                  quarters, depths 1 to 4          halves by id, depths 5 to 13
//! +---------------+  41 rows: 4    +-------+-------+  a quarter      +-----------+-----------+
//! |               |  children      |   0   |   1   |  with 21 rows   | bit 0 of  | bit 0 of  |
//! |   one chunk   | -------------> +-------+-------+  has children   | the id: 0 | the id: 1 |
//! |               | <------------- |   2   |   3   |  of its own     |           |           |
//! +---------------+  24 rows left  +-------+-------+ (back at 8)     +-----------+-----------+
//! ```
//!
//! Quarters divide the area, because rows near each other are seen together. The smallest quarters
//! are divided by a bit of the rows' ids, because rows in one spot cannot be told apart by place.
//! Dividing and joining have different limits, so a crowd of about 40 rows does not flip between
//! both.
//!
//! A tick ([`Grid::advance`]): nodes with few rows are joined; each row finds its leaf, the one of
//! the tick before if it is still about there; leaves with too many rows are divided; chunks take
//! their rows in, and get a new version where something changed.
//!
//! A row's hint is the leaf it was in. It stays there until it is a sixteenth of the leaf's size
//! beyond the leaf's border, so a fighter who walks along a border does not change chunks in every
//! tick.
//!
//! Invariants: what is in a chunk depends on the rows seen so far and on nothing else; rows of
//! different groups share no chunk; a row leaves its chunk only when it is well outside of its
//! area.

mod sight;
mod watcher;

use std::collections::HashMap;

use tickwire_game::interest::{Group, Place, Row};
use tickwire_game::{Interest, interest::Eyes};
use tickwire_protocol::{NetId, PlayerId, Schema, Snapshot, Tick};

use super::area::Area;
use super::chunk::{Chunk, SnapshotPool};
pub(super) use watcher::{Sight, Watcher};

/// A cell with more rows is divided: it is a crowd, and no budget has room for all of it.
const CELL_ROWS_MAX: usize = 40;
/// A divided cell with no more rows than these becomes one chunk again.
const CELL_ROWS_MIN: usize = 24;
/// A part of a cell with more rows is divided: what a budget is spent on must be small.
const PART_ROWS_MAX: usize = 20;
/// A divided part of a cell with no more rows than these becomes one chunk again.
const PART_ROWS_MIN: usize = 8;
/// How many times in a row a cell is divided into quarters.
const QUARTERINGS: u8 = 4;
/// How many times in a row the smallest quarters are divided by a bit of the ids: 4,096 rows in one
/// place come to 8 a chunk.
const HALVINGS: u8 = 9;
/// Ticks between two looks for cells that nothing has been in.
const TIDY_EVERY: u32 = 64;
/// No node.
pub(super) const NONE: u32 = u32::MAX;

pub(super) struct Grid {
    pub(super) interest: Interest,
    /// Cells across and down.
    size: [i32; 2],
    pub(super) nodes: Vec<Node>,
    free: Vec<u32>,
    /// Roots of the cells as everyone sees them.
    everyone: Vec<u32>,
    /// Roots of the cells as groups see them; `None` for what has no place.
    grouped: HashMap<(Group, Option<u32>), u32>,
    /// Roots of what only one player sees and has no place, by player; [`NONE`] for most.
    private: Vec<u32>,
    /// How many cells a group has roots in.
    spread: HashMap<Group, u32>,
    /// Nodes with children, by index, in the order in which they were divided.
    divided: Vec<u32>,
    /// Leaves found to have too many rows.
    crowded: Vec<u32>,
    /// For each table, the ids of its rows and the node each is in.
    placed: Vec<Vec<(NetId, u32)>>,
    /// Working memory: the next `placed` of the table at hand.
    settled: Vec<(NetId, u32)>,
    pool: SnapshotPool,
    /// From where the players look at the newest snapshot.
    pub(super) eyes: Eyes,
    /// By player.
    watchers: Vec<Option<Watcher>>,
    /// What views look at of each node, close together in memory.
    briefs: Vec<Brief>,
    /// By cell: which part of `vistas` is what everyone in that cell sees of rows for everyone.
    /// Made when the tick's first viewer in it looks.
    vista_of: Vec<Option<(u32, u32)>>,
    /// Chunks in sight from each cell that somebody looked from in this tick, one cell after
    /// another.
    vistas: Vec<Sight>,
}

/// What a view looks at of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Brief {
    /// Rises when the node is divided, joined or freed. A view that knows another generation has
    /// rows of a chunk that is gone.
    pub(super) generation: u32,
    /// In which tick of a tier's interval its chunk is due, so that not all far chunks are due in
    /// one tick.
    pub(super) stagger: u32,
    /// The newest version of its chunk; `None` while there are no rows.
    pub(super) since: Option<Tick>,
    pub(super) area: Option<Area>,
}

/// A part of a cell.
pub(super) struct Node {
    pub(super) chunk: Chunk,
    generation: u32,
    stagger: u32,
    state: State,
    group: Group,
    /// `None` for what has no place.
    cell: Option<u32>,
    area: Option<Area>,
    depth: u8,
    rows: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Leaf,
    /// Quarters, or two halves and twice [`NONE`].
    Divided([u32; 4]),
}

impl Grid {
    pub(super) fn new(schema: &Schema, interest: Interest) -> Self {
        let size = [0, 1].map(|axis| interest.map[axis].max(1).unsigned_abs().div_ceil(interest.cell[axis].max(1).unsigned_abs()) as i32);
        Self {
            interest,
            size,
            nodes: Vec::new(),
            free: Vec::new(),
            everyone: vec![NONE; (size[0] * size[1]) as usize],
            grouped: HashMap::new(),
            private: Vec::new(),
            spread: HashMap::new(),
            divided: Vec::new(),
            crowded: Vec::new(),
            placed: vec![Vec::new(); schema.tables().len()],
            settled: Vec::new(),
            pool: SnapshotPool::new(Snapshot::empty(schema)),
            eyes: Eyes::default(),
            watchers: Vec::new(),
            briefs: Vec::new(),
            vista_of: Vec::new(),
            vistas: Vec::new(),
        }
    }

    /// Takes the rows of a tick in. Those that are always in everyone's sight go into `everywhere`.
    pub(super) fn advance(&mut self, view: &Snapshot, everywhere: &mut Snapshot) {
        self.take_back();
        self.nodes.iter_mut().for_each(|node| node.rows = 0);
        self.settle_all(view);
        while !self.crowded.is_empty() {
            self.divide_crowded(view);
        }
        self.fill(view, everywhere);
        self.look(view);
        if view.tick.0.is_multiple_of(TIDY_EVERY) {
            self.tidy();
        }
        self.vistas.clear();
        self.vista_of.clear();
        self.vista_of.resize(self.everyone.len(), None);
        let brief = |node: &Node| Brief { generation: node.generation, stagger: node.stagger, since: node.chunk.since(), area: node.area };
        self.briefs.clear();
        self.briefs.extend(self.nodes.iter().map(brief));
    }

    /// Forgets the versions nobody has.
    pub(super) fn sweep(&mut self, now: Tick) {
        let Self { nodes, pool, .. } = self;
        nodes.iter_mut().for_each(|node| node.chunk.sweep(now, pool));
        pool.limit(nodes.len());
    }

    /// The player has left: who comes next looks from nowhere.
    pub(super) fn forget(&mut self, player: PlayerId) {
        if let Some(watcher) = self.watchers.get_mut(usize::from(player.0)) {
            *watcher = None;
        }
    }

    /// What views look at of a node.
    pub(super) fn brief(&self, node: u32) -> Option<&Brief> {
        self.briefs.get(node as usize)
    }

    /// How many nodes there are.
    pub(super) fn count(&self) -> usize {
        self.briefs.len()
    }

    /// Finds every row's leaf: the one it was in, if it is still about there. Rows of a table are
    /// in order of their ids in both ticks, so one pass over both finds each row's hint.
    fn settle_all(&mut self, view: &Snapshot) {
        for (index, table) in view.tables().iter().enumerate() {
            let mut before = self.placed.get_mut(index).map(std::mem::take).unwrap_or_default();
            let mut settled = std::mem::take(&mut self.settled);
            settled.clear();
            let mut hints = before.iter().peekable();
            for (row, id) in table.ids().iter().enumerate() {
                while hints.next_if(|(other, _)| other < id).is_some() {}
                let hint = hints.next_if(|(other, _)| other == id).map_or(NONE, |(_, node)| *node);
                let place = self.interest.place(index, Row::new(table, row));
                let node = self.settle(place, *id, hint);
                self.note(node);
                settled.push((*id, node));
            }
            std::mem::swap(&mut before, &mut settled);
            self.settled = settled;
            if let Some(placed) = self.placed.get_mut(index) {
                *placed = before;
            }
        }
    }

    fn settle(&mut self, place: Place, id: NetId, hint: u32) -> u32 {
        if place == Place::EVERYWHERE {
            return NONE;
        }
        let at = place.at.map(|at| self.inside(at));
        if let Some(node) = self.nodes.get(hint as usize)
            && node.state == State::Leaf
            && node.group == place.group
            && node.still_holds(at)
        {
            return hint;
        }
        let cell = at.map(|at| self.cell_of(at)).map(|[x, y]| (y * self.size[0] + x) as u32);
        let root = self.root(place.group, cell);
        self.descend(root, at, id)
    }

    /// The leaf below node `index` that a row belongs to.
    fn descend(&self, mut index: u32, at: Option<[i32; 2]>, id: NetId) -> u32 {
        while let Some(Node { state: State::Divided(children), area: Some(area), depth, .. }) = self.nodes.get(index as usize) {
            let child = match at {
                Some(at) if *depth < QUARTERINGS => area.quarter_of(at),
                _ => (id.0 >> (depth - QUARTERINGS) & 1) as usize,
            };
            index = children.get(child).copied().unwrap_or(NONE);
            debug_assert_ne!(index, NONE, "a divided node has the child that a row belongs to");
        }
        debug_assert!(self.is_leaf(index), "the way down ends at a leaf");
        index
    }

    fn is_leaf(&self, index: u32) -> bool {
        self.nodes.get(index as usize).is_some_and(|node| node.state == State::Leaf)
    }

    /// Counts a row in leaf `index`, and notes the leaf when that is one too many.
    fn note(&mut self, index: u32) {
        if let Some(node) = self.nodes.get_mut(index as usize) {
            node.rows += 1;
            let most = if node.depth == 0 { CELL_ROWS_MAX } else { PART_ROWS_MAX };
            if node.rows == most + 1 && node.area.is_some() && node.depth < QUARTERINGS + HALVINGS {
                self.crowded.push(index);
            }
        }
    }

    /// Divides the leaves in `crowded` and moves their rows down, which may find further ones
    /// crowded.
    fn divide_crowded(&mut self, view: &Snapshot) {
        for index in std::mem::take(&mut self.crowded) {
            self.divide(index);
        }
        let mut placed = std::mem::take(&mut self.placed);
        for (index, (table, rows)) in view.tables().iter().zip(&mut placed).enumerate() {
            for (row, (id, node)) in rows.iter_mut().enumerate() {
                if self.nodes.get(*node as usize).is_some_and(|node| matches!(node.state, State::Divided(_))) {
                    let place = self.interest.place(index, Row::new(table, row));
                    *node = self.descend(*node, place.at.map(|at| self.inside(at)), *id);
                    self.note(*node);
                }
            }
        }
        self.placed = placed;
    }

    /// Makes a leaf a node with children that have no rows yet.
    fn divide(&mut self, index: u32) {
        debug_assert!(self.is_leaf(index), "only leaves are crowded");
        let Some(node) = self.nodes.get(index as usize) else { return };
        let (Some(area), group, cell, depth, stagger) = (node.area, node.group, node.cell, node.depth, node.stagger) else { return };
        let mut children = [NONE; 4];
        let count = if depth < QUARTERINGS { 4 } else { 2 };
        for (place, child) in children.iter_mut().enumerate().take(count) {
            let part = if depth < QUARTERINGS { area.quarter(place) } else { area };
            *child = self.add(group, cell, Some(part), depth + 1, stagger.wrapping_mul(5).wrapping_add(place as u32 + 1));
        }
        if let Some(node) = self.nodes.get_mut(index as usize) {
            node.chunk.clear(&mut self.pool);
            node.generation = node.generation.wrapping_add(1);
            node.state = State::Divided(children);
            node.rows = 0;
            self.divided.push(index);
        }
    }

    /// Joins nodes whose children have few rows between them. A child that is divided itself counts
    /// as full.
    fn take_back(&mut self) {
        let mut divided = std::mem::take(&mut self.divided);
        divided.retain(|index| {
            let Some(Node { state: State::Divided(children), depth, .. }) = self.nodes.get(*index as usize) else { return false };
            let (children, few) = (*children, if *depth == 0 { CELL_ROWS_MIN } else { PART_ROWS_MIN });
            let rows = |child: &u32| match self.nodes.get(*child as usize) {
                Some(node) if node.state == State::Leaf => node.rows,
                Some(_) => CELL_ROWS_MAX,
                None => 0,
            };
            if children.iter().map(rows).sum::<usize>() > few {
                return true;
            }
            children.into_iter().for_each(|child| self.remove(child));
            if let Some(node) = self.nodes.get_mut(*index as usize) {
                node.state = State::Leaf;
            }
            false
        });
        self.divided = divided;
    }

    /// Gives up the roots of cells in which there is nothing.
    fn tidy(&mut self) {
        for index in 0..self.nodes.len() as u32 {
            let Some(node) = self.nodes.get(index as usize) else { continue };
            if node.state != State::Leaf || node.depth > 0 || node.rows > 0 {
                continue;
            }
            let (group, cell) = (node.group, node.cell);
            if group == Group::Everyone {
                if let Some(root) = cell.and_then(|cell| self.everyone.get_mut(cell as usize)) {
                    *root = NONE;
                }
            } else if let (Group::Player(player), None) = (group, cell) {
                if let Some(root) = self.private.get_mut(usize::from(player.0)) {
                    *root = NONE;
                }
            } else {
                self.grouped.remove(&(group, cell));
                if cell.is_some()
                    && let Some(count) = self.spread.get_mut(&group)
                {
                    *count -= 1;
                    if *count == 0 {
                        self.spread.remove(&group);
                    }
                }
            }
            self.remove(index);
        }
    }

    /// Puts every row into its chunk, or into `everywhere`.
    fn fill(&mut self, view: &Snapshot, everywhere: &mut Snapshot) {
        let Self { nodes, placed, pool, .. } = self;
        everywhere.clear();
        for (index, (table, rows)) in view.tables().iter().zip(placed.iter()).enumerate() {
            for (row, (_, node)) in rows.iter().enumerate() {
                if let Some(node) = nodes.get_mut(*node as usize) {
                    node.chunk.gather(view, index, row, pool);
                    continue;
                }
                debug_assert_eq!(*node, NONE, "a row whose node is gone would be in everyone's sight");
                if let Some(everywhere) = everywhere.table_mut(index) {
                    everywhere.push_from(table, row);
                }
            }
        }
        nodes.iter_mut().for_each(|node| node.chunk.advance(view.tick, pool));
    }

    fn inside(&self, at: [i32; 2]) -> [i32; 2] {
        let [width, height] = self.interest.map;
        [at[0].clamp(0, width - 1), at[1].clamp(0, height - 1)]
    }

    fn cell_of(&self, at: [i32; 2]) -> [i32; 2] {
        let [width, height] = self.interest.cell;
        [at[0] / width, at[1] / height]
    }

    fn cell_area(&self, cell: [i32; 2]) -> Area {
        let size = self.interest.cell;
        Area { min: [cell[0] * size[0], cell[1] * size[1]], size }
    }

    /// The root of what only `player` sees and has no place.
    fn private_root(&self, player: PlayerId) -> u32 {
        self.private.get(usize::from(player.0)).copied().unwrap_or(NONE)
    }

    /// The root of the tree for `group` in `cell`, made if there is none.
    fn root(&mut self, group: Group, cell: Option<u32>) -> u32 {
        let known = match (group, cell) {
            (Group::Everyone, Some(cell)) => self.everyone.get(cell as usize).copied().filter(|root| *root != NONE),
            (Group::Player(player), None) => Some(self.private_root(player)).filter(|root| *root != NONE),
            _ => self.grouped.get(&(group, cell)).copied(),
        };
        if let Some(root) = known {
            return root;
        }
        let across = self.size[0].unsigned_abs();
        let place = cell.map(|cell| [cell % across, cell / across]);
        let area = place.map(|[x, y]| self.cell_area([x as i32, y as i32]));
        let stagger = place.map_or(0, |[x, y]| x + 2 * y);
        let root = self.add(group, cell, area, 0, stagger);
        if group == Group::Everyone {
            if let Some(place) = cell.and_then(|cell| self.everyone.get_mut(cell as usize)) {
                *place = root;
            }
        } else if let (Group::Player(player), None) = (group, cell) {
            let index = usize::from(player.0);
            self.private.resize(self.private.len().max(index + 1), NONE);
            if let Some(place) = self.private.get_mut(index) {
                *place = root;
            }
        } else {
            self.grouped.insert((group, cell), root);
            if cell.is_some() {
                *self.spread.entry(group).or_default() += 1;
            }
        }
        root
    }

    /// A new leaf.
    fn add(&mut self, group: Group, cell: Option<u32>, area: Option<Area>, depth: u8, stagger: u32) -> u32 {
        let fresh =
            |generation| Node { generation, stagger, chunk: Chunk::default(), state: State::Leaf, group, cell, area, depth, rows: 0 };
        if let Some(index) = self.free.pop()
            && let Some(node) = self.nodes.get_mut(index as usize)
        {
            *node = fresh(node.generation);
            return index;
        }
        self.nodes.push(fresh(0));
        self.nodes.len() as u32 - 1
    }

    fn remove(&mut self, index: u32) {
        let Self { nodes, free, pool, .. } = self;
        if let Some(node) = nodes.get_mut(index as usize) {
            node.chunk.clear(pool);
            node.state = State::Free;
            node.generation = node.generation.wrapping_add(1);
            free.push(index);
        }
    }
}

impl Node {
    /// Whether a row that was in it still counts as being there.
    fn still_holds(&self, at: Option<[i32; 2]>) -> bool {
        match (&self.area, at) {
            (None, None) => true,
            (Some(area), Some(at)) => area.almost_contains(at),
            _ => false,
        }
    }
}

//! The maps. The arena is walls, spawn points and pickup places: a quarter is written down, the
//! rest is that quarter turned. The large map is the arena sixteen times, open where one meets the
//! next.
//!
//! Invariants, tested: nothing but walls is inside a wall; every wall is thicker than a tick's
//! movement; all free places are connected.

use tickwire_game::Mode;

use crate::geometry::{Rect, Vec2};
use crate::tables::PickupKind;

/// 1/16ths in a game unit.
pub const UNIT: i32 = 16;
/// Side of the square arena, 1/16 unit. A [`Map`] is as many of them wide and high as it has tiles.
pub const SIDE: i32 = 4000 * UNIT;

/// Walls of the top left quarter: left, top, width, height, in units.
const QUARTER_WALLS: [[i32; 4]; WALL_COUNT / 4] = [
    // A bunker in the corner, open towards it.
    [480, 480, 300, 60],
    [480, 540, 60, 240],
    // Barriers that break the long views along the edges.
    [1120, 0, 60, 420],
    [1120, 620, 60, 320],
    [300, 1240, 460, 60],
    // Cover in the field.
    [860, 1120, 120, 120],
    [1480, 860, 320, 60],
    [1360, 1360, 140, 140],
    [1700, 340, 160, 80],
    // A corner of the keep in the middle.
    [1700, 1700, 180, 60],
    [1700, 1760, 60, 120],
];

/// Spawn points of the top left quarter, in units.
const QUARTER_SPAWNS: [[i32; 2]; SPAWN_COUNT / 4] = [[200, 200], [1300, 200], [200, 1450], [1250, 1150]];

/// Health pickups of the top left quarter, in units.
const QUARTER_HEALTH: [[i32; 2]; 2] = [[640, 640], [1640, 1180]];
/// An overcharge in each quarter, and one in the keep, in units.
const QUARTER_OVERCHARGE: [[i32; 2]; 1] = [[930, 780]];

/// How many walls there are.
pub const WALL_COUNT: usize = 44;
/// How many spawn points there are.
pub const SPAWN_COUNT: usize = 16;
/// How many pickup places there are.
pub const PICKUP_COUNT: usize = 13;

/// A fighter whose center is this near to a pickup takes it.
pub const PICKUP_REACH: i32 = 36 * UNIT;
const REACH_SQUARED: i64 = PICKUP_REACH as i64 * PICKUP_REACH as i64;

/// Walls of one arena: those of a quarter, turned four times.
pub static WALLS: [Rect; WALL_COUNT] = {
    let mut walls = [Rect { min: Vec2::new(0, 0), max: Vec2::new(0, 0) }; WALL_COUNT];
    let mut index = 0;
    while index < WALL_COUNT {
        let [left, top, width, height] = QUARTER_WALLS[index / 4];
        let (a, b) = (turned([left, top], index % 4), turned([left + width, top + height], index % 4));
        walls[index] = Rect { min: Vec2::new(min(a.x, b.x), min(a.y, b.y)), max: Vec2::new(max(a.x, b.x), max(a.y, b.y)) };
        index += 1;
    }
    walls
};

/// Spawn points of one arena: those of a quarter, turned four times.
pub static SPAWNS: [Vec2; SPAWN_COUNT] = {
    let mut spawns = [Vec2::new(0, 0); SPAWN_COUNT];
    let mut index = 0;
    while index < SPAWN_COUNT {
        spawns[index] = turned(QUARTER_SPAWNS[index / 4], index % 4);
        index += 1;
    }
    spawns
};

/// Where pickups appear.
pub static PICKUPS: [(PickupKind, Vec2); PICKUP_COUNT] = {
    let mut pickups = [(PickupKind::Overcharge, Vec2::new(SIDE / 2, SIDE / 2)); PICKUP_COUNT];
    let mut index = 0;
    while index < 12 {
        pickups[index] = if index < 8 {
            (PickupKind::Health, turned(QUARTER_HEALTH[index / 4], index % 4))
        } else {
            (PickupKind::Overcharge, turned(QUARTER_OVERCHARGE[(index - 8) / 4], index % 4))
        };
        index += 1;
    }
    pickups
};

/// The place given in units, turned by `quarters` around the middle, in 1/16 units.
pub const fn turned(place: [i32; 2], quarters: usize) -> Vec2 {
    let (x, y) = (place[0] * UNIT, place[1] * UNIT);
    match quarters {
        0 => Vec2::new(x, y),
        1 => Vec2::new(SIDE - y, x),
        2 => Vec2::new(SIDE - x, SIDE - y),
        _ => Vec2::new(y, SIDE - x),
    }
}

/// What a mode is played on: the arena, or many of them side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Map {
    /// Arenas across, and as many down.
    tiles: i32,
}

impl Map {
    /// One arena, as a match of sixteen has it.
    pub const ARENA: Self = Self { tiles: 1 };
    /// Sixteen arenas, four by four.
    pub const ROYALE: Self = Self { tiles: 4 };

    /// What `mode` is played on.
    pub fn of(mode: &Mode) -> Self {
        if mode.id == crate::ROYALE_ID { Self::ROYALE } else { Self::ARENA }
    }

    /// Side of the square map, 1/16 unit.
    pub const fn side(self) -> i32 {
        self.tiles * SIDE
    }

    /// The middle of the map.
    pub const fn middle(self) -> Vec2 {
        Vec2::new(self.side() / 2, self.side() / 2)
    }

    /// Where its arenas have their upper left corners.
    pub fn corners(self) -> impl Iterator<Item = Vec2> {
        (0..self.tiles * self.tiles).map(move |tile| Vec2::new(tile % self.tiles * SIDE, tile / self.tiles * SIDE))
    }

    /// The upper left corner of the arena that `place` is in.
    pub const fn corner_of(self, place: Vec2) -> Vec2 {
        let last = self.tiles - 1;
        Vec2::new(min(max(place.x / SIDE, 0), last) * SIDE, min(max(place.y / SIDE, 0), last) * SIDE)
    }

    /// The walls of all its arenas, in the map's coordinates.
    pub fn walls(self) -> impl Iterator<Item = Rect> {
        self.corners().flat_map(|corner| WALLS.iter().map(move |wall| wall.moved(corner)))
    }

    /// The walls of the arenas that a straight way from `from` to `to` can pass.
    pub fn walls_between(self, from: Vec2, to: Vec2) -> impl Iterator<Item = Rect> {
        let near = |place: Vec2, way: i32| self.corner_of(place.plus(Vec2::new(way, way)));
        let low = near(Vec2::new(min(from.x, to.x), min(from.y, to.y)), -NEAR);
        let high = near(Vec2::new(max(from.x, to.x), max(from.y, to.y)), NEAR);
        let rows = (low.y..=high.y).step_by(SIDE as usize);
        let corners = rows.flat_map(move |y| (low.x..=high.x).step_by(SIDE as usize).map(move |x| Vec2::new(x, y)));
        corners.flat_map(|corner| WALLS.iter().map(move |wall| wall.moved(corner)))
    }

    /// What pickup there is at place `index`, and where.
    pub fn pickup(self, index: usize) -> Option<(PickupKind, Vec2)> {
        let (kind, place) = PICKUPS.get(index % PICKUP_COUNT)?;
        self.corners().nth(index / PICKUP_COUNT).map(|corner| (*kind, place.plus(corner)))
    }

    /// The pickup places at most [`PICKUP_REACH`] away from `place`, by index. Mostly there is
    /// none.
    pub fn pickups_near(self, place: Vec2) -> impl Iterator<Item = usize> {
        let (x, y) = (self.cell(place.x), self.cell(place.y));
        let first = ((y / CELLS * self.tiles) + x / CELLS) as usize * PICKUP_COUNT;
        let mut bits = PICKUPS_NEAR[(y % CELLS * CELLS + x % CELLS) as usize];
        core::iter::from_fn(move || {
            let index = (bits != 0).then(|| first + bits.trailing_zeros() as usize)?;
            bits &= bits - 1;
            Some(index)
        })
        .filter(move |index| self.pickup(*index).is_some_and(|(_, at)| at.minus(place).length_squared_wide() <= REACH_SQUARED))
    }

    /// How many pickup places there are.
    pub const fn pickup_count(self) -> usize {
        (self.tiles * self.tiles) as usize * PICKUP_COUNT
    }

    /// Walls that come within [`NEAR`] of a place in the same cell as `place`, always in the same
    /// order.
    pub fn walls_near(self, place: Vec2) -> WallsNear {
        let (x, y) = (self.cell(place.x), self.cell(place.y));
        let mut walls = WallsNear { corner: Vec2::default(), bits: 0, more: [(Vec2::default(), 0); 3] };
        (walls.corner, walls.bits) = walls_of((x / CELLS, x % CELLS), (y / CELLS, y % CELLS));
        if self.tiles > 1 {
            let (right, below) = (self.neighbour(x), self.neighbour(y));
            let sources = [(Some((x / CELLS, x % CELLS)), below), (right, Some((y / CELLS, y % CELLS))), (right, below)];
            walls.more = sources.map(|(x, y)| x.zip(y).map_or((Vec2::default(), 0), |(x, y)| walls_of(x, y)));
        }
        walls
    }

    /// The column, or row, of cells that a coordinate is in.
    fn cell(self, coordinate: i32) -> i32 {
        (coordinate / CELL).clamp(0, self.tiles * CELLS - 1)
    }

    /// The arena that a column of cells borders on, and the column's number as counted there.
    const fn neighbour(self, cell: i32) -> Option<(i32, i32)> {
        let (tile, local) = (cell / CELLS, cell % CELLS);
        if local == 0 && tile > 0 {
            Some((tile - 1, CELLS))
        } else if local == CELLS - 1 && tile + 1 < self.tiles {
            Some((tile + 1, -1))
        } else {
            None
        }
    }
}

/// The walls near a place: those of its own arena, and of those it borders on.
#[derive(Clone, Debug)]
pub struct WallsNear {
    /// Of the arena whose walls come next: its corner, and a bit for each wall that is left.
    corner: Vec2,
    bits: u64,
    /// Corners and bits of the arenas after it; no bits where there is none.
    more: [(Vec2, u64); 3],
}

impl Iterator for WallsNear {
    type Item = Rect;

    fn next(&mut self) -> Option<Rect> {
        if self.bits == 0 {
            let next = self.more.iter_mut().find(|(_, bits)| *bits != 0)?;
            (self.corner, self.bits) = core::mem::take(next);
        }
        let index = self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        WALLS.get(index).map(|wall| wall.moved(self.corner))
    }
}

/// The corner of an arena, and a bit for each of its walls near a cell. Both coordinates are an
/// arena's and a cell's as counted there.
fn walls_of((tile_x, x): (i32, i32), (tile_y, y): (i32, i32)) -> (Vec2, u64) {
    (Vec2::new(tile_x * SIDE, tile_y * SIDE), WALLS_NEAR[((y + 1) * (CELLS + 2) + x + 1) as usize])
}

/// How far [`Map::walls_near`] looks: further than anything reaches within a tick.
pub const NEAR: i32 = 60 * UNIT;

const CELLS: i32 = 16;
const CELL: i32 = SIDE / CELLS;
const _: () = assert!(NEAR < CELL, "a cell borders on one other arena at most");

/// For each cell of the arena, and each just outside of it, a bit for each wall near it. Worked out
/// at compile time, so that a step looks at two or three walls.
static WALLS_NEAR: [u64; ((CELLS + 2) * (CELLS + 2)) as usize] = {
    assert!(WALL_COUNT <= 64, "a wall is a bit");
    let mut cells = [0; ((CELLS + 2) * (CELLS + 2)) as usize];
    let mut index = 0;
    while index < (CELLS + 2) * (CELLS + 2) {
        let (left, top) = ((index % (CELLS + 2) - 1) * CELL, (index / (CELLS + 2) - 1) * CELL);
        let cell = Rect { min: Vec2::new(left, top), max: Vec2::new(left + CELL, top + CELL) }.grown(NEAR);
        let mut wall = 0;
        while wall < WALL_COUNT {
            if cell.touches(&WALLS[wall]) {
                cells[index as usize] |= 1 << wall;
            }
            wall += 1;
        }
        index += 1;
    }
    cells
};

/// For each cell of the arena, a bit for each pickup place that is in reach from somewhere in it.
static PICKUPS_NEAR: [u16; (CELLS * CELLS) as usize] = {
    assert!(PICKUP_COUNT <= 16, "a pickup place is a bit");
    let arena = Rect { min: Vec2::new(0, 0), max: Vec2::new(SIDE, SIDE) }.grown(-PICKUP_REACH);
    let mut cells = [0; (CELLS * CELLS) as usize];
    let mut index = 0;
    while index < CELLS * CELLS {
        let (left, top) = (index % CELLS * CELL, index / CELLS * CELL);
        let cell = Rect { min: Vec2::new(left, top), max: Vec2::new(left + CELL, top + CELL) }.grown(PICKUP_REACH);
        let mut pickup = 0;
        while pickup < PICKUP_COUNT {
            let place = Rect { min: PICKUPS[pickup].1, max: PICKUPS[pickup].1 };
            assert!(arena.touches(&place), "a pickup place is out of reach from other arenas");
            if cell.touches(&place) {
                cells[index as usize] |= 1 << pickup;
            }
            pickup += 1;
        }
        index += 1;
    }
    cells
};

const fn min(a: i32, b: i32) -> i32 {
    if a < b { a } else { b }
}

const fn max(a: i32, b: i32) -> i32 {
    if a < b { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::movement::{FIGHTER_RADIUS, is_free};

    #[test]
    fn spawns_and_pickups_are_free() {
        let pickups = (0..Map::ROYALE.pickup_count()).filter_map(|index| Map::ROYALE.pickup(index)).map(|(_, place)| place);
        assert_eq!(pickups.clone().count(), 16 * PICKUP_COUNT);
        for place in SPAWNS.into_iter().chain(pickups) {
            assert!(is_free(Map::ROYALE, place), "{place:?} is in a wall");
        }
    }

    #[test]
    fn walls_are_inside_and_thick() {
        for wall in &WALLS {
            assert!(wall.min.x >= 0 && wall.min.y >= 0 && wall.max.x <= SIDE && wall.max.y <= SIDE, "{wall:?}");
            assert!((wall.max.x - wall.min.x).min(wall.max.y - wall.min.y) >= 60 * UNIT, "{wall:?} is thin");
        }
    }

    #[test]
    fn the_arena_looks_the_same_from_each_side() {
        for wall in &WALLS {
            let (a, b) = (Vec2::new(SIDE - wall.min.y, wall.min.x), Vec2::new(SIDE - wall.max.y, wall.max.x));
            let turned = Rect { min: Vec2::new(a.x.min(b.x), a.y.min(b.y)), max: Vec2::new(a.x.max(b.x), a.y.max(b.y)) };
            assert!(WALLS.contains(&turned), "{wall:?} turned is no wall");
        }
    }

    #[test]
    fn every_wall_near_a_place_is_found() {
        for map in [Map::ARENA, Map::ROYALE] {
            for step in 0..8_000 {
                let place = Vec2::new(step * 7919 % map.side(), step * 7727 % map.side());
                let around = Rect { min: place, max: place }.grown(NEAR);
                let found = map.walls_near(place).filter(|wall| around.touches(wall)).count();
                assert_eq!(found, map.walls().filter(|wall| around.touches(wall)).count(), "at {place:?}");
            }
        }
    }

    #[test]
    fn every_pickup_in_reach_is_found_and_no_other() {
        for map in [Map::ARENA, Map::ROYALE] {
            let mut count = 0;
            for step in 0..20_000 {
                // Around each place in turn, and a little outside of its reach.
                let (index, spread) = (step as usize % map.pickup_count(), 2 * PICKUP_REACH + 200);
                let (_, at) = map.pickup(index).expect("there are as many");
                let place = at.plus(Vec2::new(step * 7919 % spread, step * 7727 % spread)).minus(Vec2::new(spread / 2, spread / 2));
                let in_reach = at.minus(place).length() < PICKUP_REACH || at.minus(place).length_squared_wide() == REACH_SQUARED;
                count += i32::from(in_reach);
                assert_eq!(map.pickups_near(place).collect::<Vec<_>>(), if in_reach { vec![index] } else { vec![] }, "at {place:?}");
            }
            assert!((5_000..15_000).contains(&count), "{count}");
        }
    }

    /// Floods the free places on a grid finer than a fighter is wide.
    #[test]
    fn all_free_places_are_connected() {
        let (pitch, count) = (FIGHTER_RADIUS, Map::ROYALE.side() / FIGHTER_RADIUS + 1);
        let free = |cell: i32| is_free(Map::ROYALE, Vec2::new(cell % count * pitch, cell / count * pitch));
        let mut seen = vec![false; (count * count) as usize];
        let start = SPAWNS[0].y / pitch * count + SPAWNS[0].x / pitch;
        let mut open = vec![start];
        while let Some(cell) = open.pop() {
            if !free(cell) || core::mem::replace(&mut seen[cell as usize], true) {
                continue;
            }
            open.extend([cell - 1, cell + 1, cell - count, cell + count].into_iter().filter(|next| (0..count * count).contains(next)));
        }
        let lost = (0..count * count).filter(|cell| free(*cell) && !seen[*cell as usize]).count();
        assert_eq!(lost, 0, "free places that cannot be reached");
    }
}

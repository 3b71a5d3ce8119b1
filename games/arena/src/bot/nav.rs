//! How bots find their way: a handful of points from which everything is seen, and the shortest
//! ways between them.
//!
//! On the large map that is so within each of its arenas; from one to the next a bot goes through
//! gates, where both are free.

use std::sync::LazyLock;

use tickwire_game::Rng;

use crate::geometry::Vec2;
use crate::map::{Map, SIDE, UNIT, turned};
use crate::movement::FIGHTER_RADIUS;
use crate::projectile::SHOT_RADIUS;

/// Points of the top left quarter, in units; the last one is the middle of the arena, and the same
/// in every quarter.
const QUARTER_POINTS: [[i32; 2]; 13] = [
    [200, 200],
    [900, 200],
    [640, 640],
    [200, 900],
    [930, 780],
    [1300, 200],
    [1300, 700],
    [200, 1450],
    [700, 1080],
    [1250, 1100],
    [1640, 1180],
    [1640, 620],
    [2000, 1580],
];
const POINT_COUNT: usize = QUARTER_POINTS.len() * 4 + 1;

/// A straight way this close to a wall can be walked: the fighter slides round the corner. No free
/// place is closer to one, measured along the axes.
const CLEARANCE: i32 = FIGHTER_RADIUS * 7 / 10;
/// How many near points are tried as the start of a way.
const STARTS_MAX: usize = 6;
/// How far along a way the bot looks for a short cut.
const SHORT_CUTS_MAX: usize = 4;

/// The first point on the shortest way from each point to each other, by index.
struct Ways {
    points: [Vec2; POINT_COUNT],
    next: Vec<[u8; POINT_COUNT]>,
}

/// Worked out from the map when the first bot needs it; a constant, but for the time it takes.
static WAYS: LazyLock<Ways> = LazyLock::new(Ways::find);

/// Where a border between two arenas can be crossed straight, in units along it; and how far from
/// it a crossing begins.
const GATES: [i32; 4] = [200, 900, 3100, 3800];
const GATE_DEPTH: i32 = 200 * UNIT;

/// Whether a shot gets from `from` to `to`.
pub(super) fn sees(map: Map, from: Vec2, to: Vec2) -> bool {
    is_clear(map, from, to, SHOT_RADIUS)
}

/// Somewhere to go: in the arena that `from` is in, or one next to it.
pub(super) fn random_place(map: Map, from: Vec2, rng: &mut Rng) -> Vec2 {
    let point = WAYS.points[rng.below(POINT_COUNT as u32) as usize];
    if map == Map::ARENA {
        return point;
    }
    let mut step = || rng.between(-1, 1) * SIDE;
    point.plus(map.corner_of(from.plus(Vec2::new(step(), step()))))
}

/// The next point, in a straight line from `from`, of a way to `goal`.
pub(super) fn next_point(map: Map, from: Vec2, goal: Vec2) -> Vec2 {
    let (here, there) = (map.corner_of(from), map.corner_of(goal));
    if here == there {
        return next_point_within(map, here, from, goal);
    }
    if from.minus(goal).length() < SIDE && is_clear(map, from, goal, CLEARANCE) {
        return goal;
    }
    let (near, far) = gate(here, there, from, goal);
    if is_clear(map, from, far, CLEARANCE) { far } else { next_point_within(map, here, from, near) }
}

/// The gate on the way from an arena towards another, on the axis along which that is farther:
/// where it begins and ends.
fn gate(here: Vec2, there: Vec2, from: Vec2, goal: Vec2) -> (Vec2, Vec2) {
    let way = there.minus(here);
    let is_across = way.x.abs() >= way.y.abs();
    let forwards = if is_across { way.x > 0 } else { way.y > 0 };
    let border = if forwards { SIDE } else { 0 };
    let depth = if forwards { GATE_DEPTH } else { -GATE_DEPTH };
    let at = |along: i32, across: i32| here.plus(if is_across { Vec2::new(across, along) } else { Vec2::new(along, across) });
    let gates = GATES.map(|along| (at(along * UNIT, border - depth), at(along * UNIT, border + depth)));
    let length = |(near, far): &(Vec2, Vec2)| from.minus(*near).length() + far.minus(goal).length();
    gates.into_iter().min_by_key(length).unwrap_or((goal, goal))
}

fn next_point_within(map: Map, corner: Vec2, from: Vec2, goal: Vec2) -> Vec2 {
    if is_clear(map, from, goal, CLEARANCE) {
        return goal;
    }
    let ways = &*WAYS;
    let (Some(mut here), Some(there)) = (ways.nearest(from.minus(corner)), ways.nearest(goal.minus(corner))) else { return goal };
    for _ in 0..SHORT_CUTS_MAX {
        let next = usize::from(ways.next[here][there]);
        if next == here || !is_clear(map, from, ways.points[next].plus(corner), CLEARANCE) {
            break;
        }
        here = next;
    }
    ways.points[here].plus(corner)
}

fn is_clear(map: Map, from: Vec2, to: Vec2, clearance: i32) -> bool {
    map.walls_between(from, to).all(|wall| wall.grown(clearance).entry(from, to).is_none())
}

impl Ways {
    fn find() -> Self {
        let mut points = [turned([2000, 2000], 0); POINT_COUNT];
        for (index, point) in points.iter_mut().take(POINT_COUNT - 1).enumerate() {
            *point = turned(QUARTER_POINTS[index / 4], index % 4);
        }
        let far = i32::MAX / 2;
        let mut next = vec![[0u8; POINT_COUNT]; POINT_COUNT];
        let mut length = vec![[far; POINT_COUNT]; POINT_COUNT];
        for a in 0..POINT_COUNT {
            for b in 0..POINT_COUNT {
                next[a][b] = a as u8;
                if is_clear(Map::ARENA, points[a], points[b], CLEARANCE) {
                    length[a][b] = points[a].minus(points[b]).length();
                    next[a][b] = b as u8;
                }
            }
        }
        // Floyd and Warshall's: every way may lead through every point.
        for through in 0..POINT_COUNT {
            for a in 0..POINT_COUNT {
                for b in 0..POINT_COUNT {
                    let round = length[a][through] + length[through][b];
                    if round < length[a][b] {
                        length[a][b] = round;
                        next[a][b] = next[a][through];
                    }
                }
            }
        }
        Self { points, next }
    }

    /// The nearest point that can be walked to from `place`.
    fn nearest(&self, place: Vec2) -> Option<usize> {
        let mut tried = 0u64;
        for _ in 0..STARTS_MAX {
            let open = (0..POINT_COUNT).filter(|index| tried & 1 << index == 0);
            let index = open.min_by_key(|index| self.points[*index].minus(place).length_squared_wide())?;
            if is_clear(Map::ARENA, place, self.points[index], CLEARANCE) {
                return Some(index);
            }
            tried |= 1 << index;
        }
        None
    }
}

const _: () = assert!(POINT_COUNT <= 64, "a tried point is a bit");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::movement::is_free;

    /// From anywhere to anywhere, in as many straight lines as it takes.
    #[test]
    fn on_the_large_map_every_way_ends() {
        let (map, mut rng) = (Map::ROYALE, Rng::new(9));
        let free = |rng: &mut Rng| loop {
            let place = Vec2::new(rng.between(0, map.side()), rng.between(0, map.side()));
            if is_free(map, place) {
                return place;
            }
        };
        for _ in 0..300 {
            let (start, goal) = (free(&mut rng), free(&mut rng));
            let mut place = start;
            let steps = (0..100).take_while(|_| {
                place = next_point(map, place, goal);
                place != goal
            });
            assert!(steps.count() < 100, "no way from {start:?} to {goal:?}, at {place:?}");
        }
    }

    #[test]
    fn every_gate_can_be_walked_through() {
        for along in GATES.map(|along| along * UNIT) {
            let across = |x: i32| Vec2::new(SIDE + x, SIDE + along);
            assert!(is_clear(Map::ROYALE, across(-GATE_DEPTH), across(GATE_DEPTH), CLEARANCE));
            let down = |y: i32| Vec2::new(SIDE + along, SIDE + y);
            assert!(is_clear(Map::ROYALE, down(-GATE_DEPTH), down(GATE_DEPTH), CLEARANCE));
        }
    }

    #[test]
    fn there_is_a_way_between_all_points() {
        for from in 0..POINT_COUNT {
            for to in 0..POINT_COUNT {
                let mut here = from;
                for _ in 0..POINT_COUNT {
                    here = usize::from(WAYS.next[here][to]);
                }
                assert_eq!(here, to, "no way from {:?} to {:?}", WAYS.points[from], WAYS.points[to]);
            }
        }
    }

    #[test]
    fn from_every_free_place_a_near_point_can_be_walked_to() {
        let pitch = 50 * UNIT;
        for index in 0..(SIDE / pitch) * (SIDE / pitch) {
            let place = Vec2::new(index % (SIDE / pitch) * pitch, index / (SIDE / pitch) * pitch);
            assert!(!is_free(Map::ARENA, place) || WAYS.nearest(place).is_some(), "lost at {} {}", place.x / UNIT, place.y / UNIT);
        }
    }
}

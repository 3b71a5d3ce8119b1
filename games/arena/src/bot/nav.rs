//! How bots find their way: a handful of points from which everything is seen, and the shortest ways between them.

use std::sync::LazyLock;

use tickwire_game::Rng;

use crate::geometry::Vec2;
use crate::map::{WALLS, turned};
use crate::movement::FIGHTER_RADIUS;
use crate::projectile::SHOT_RADIUS;

/// Points of the top left quarter, in units; the last one is the middle of the arena, and the same in every quarter.
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

/// A straight way this close to a wall can be walked: the fighter slides round the corner. No free place is closer to one,
/// measured along the axes.
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

/// Whether a shot gets from `from` to `to`.
pub(super) fn sees(from: Vec2, to: Vec2) -> bool {
    is_clear(from, to, SHOT_RADIUS)
}

/// Somewhere to go.
pub(super) fn random_place(rng: &mut Rng) -> Vec2 {
    WAYS.points[rng.below(POINT_COUNT as u32) as usize]
}

/// The next point, in a straight line from `from`, of a way to `goal`.
pub(super) fn next_point(from: Vec2, goal: Vec2) -> Vec2 {
    if is_clear(from, goal, CLEARANCE) {
        return goal;
    }
    let ways = &*WAYS;
    let (Some(mut here), Some(there)) = (ways.nearest(from), ways.nearest(goal)) else { return goal };
    for _ in 0..SHORT_CUTS_MAX {
        let next = usize::from(ways.next[here][there]);
        if next == here || !is_clear(from, ways.points[next], CLEARANCE) {
            break;
        }
        here = next;
    }
    ways.points[here]
}

fn is_clear(from: Vec2, to: Vec2, clearance: i32) -> bool {
    WALLS.iter().all(|wall| wall.grown(clearance).entry(from, to).is_none())
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
                if is_clear(points[a], points[b], CLEARANCE) {
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
            if is_clear(place, self.points[index], CLEARANCE) {
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
    use crate::map::{SIDE, UNIT};
    use crate::movement::is_free;

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
            assert!(!is_free(place) || WAYS.nearest(place).is_some(), "lost at {} {}", place.x / UNIT, place.y / UNIT);
        }
    }
}

//! How a shot flies: straight, until its time is up or its way meets a wall. Swept, so nothing is
//! tunnelled through.

use tickwire_protocol::Tick;

use crate::geometry::{Rect, Vec2, WHOLE, nearest_approach};
use crate::map::{Map, NEAR, UNIT};
use crate::movement::{FIGHTER_RADIUS, OVERCHARGED_COOLDOWN_TICKS};
use crate::tables::{Fighter, Shot};

/// Half of a shot's width.
pub const SHOT_RADIUS: i32 = 4 * UNIT;
/// How fast a shot flies, 1/16 unit per tick: 900 units per second.
pub const SHOT_SPEED: i32 = 480;
/// How long a shot flies.
pub const SHOT_TICKS: i32 = 36;
/// Health a shot takes.
pub const DAMAGE: u8 = 16;
/// Health a shot takes that was fired overcharged.
pub const OVERCHARGED_DAMAGE: u8 = 24;
/// Most shots one player has in flight; no more are fired until one is gone.
pub const SHOTS_PER_PLAYER_MAX: usize = 12;

const _: () = assert!(SHOT_SPEED + SHOT_RADIUS < NEAR);
const _: () = assert!(
    SHOT_TICKS <= SHOTS_PER_PLAYER_MAX as i32 * OVERCHARGED_COOLDOWN_TICKS,
    "the quota never holds back a shot that prediction shows"
);

/// A shot's way through one tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flight {
    /// Where it started.
    pub from: Vec2,
    /// Where it ended.
    pub to: Vec2,
    /// Whether it flies on.
    pub goes_on: bool,
}

impl Shot {
    /// The shot that leaves `fighter` in `tick`.
    pub fn fired_by(fighter: &Fighter, tick: Tick) -> Self {
        let velocity = fighter.angle().vector(SHOT_SPEED);
        Self {
            owner: fighter.player,
            born: tick.0 as u16,
            damage: if fighter.is_overcharged(tick) { OVERCHARGED_DAMAGE } else { DAMAGE },
            vx: velocity.x,
            vy: velocity.y,
            x: fighter.x,
            y: fighter.y,
        }
    }

    /// Where it is.
    pub const fn place(&self) -> Vec2 {
        Vec2::new(self.x, self.y)
    }

    /// Flies on by one tick over `map`, to `tick`.
    pub fn step(&mut self, map: Map, tick: Tick) -> Flight {
        let from = self.place();
        let aimed = from.plus(Vec2::new(self.vx, self.vy));
        let wall = map.walls_near(from).filter_map(|wall| wall.grown(SHOT_RADIUS).entry(from, aimed)).min();
        let end = [wall, border(map, from.x, aimed.x), border(map, from.y, aimed.y)].into_iter().flatten().min();
        let to = end.map_or(aimed, |when| along(from, aimed, when));
        (self.x, self.y) = (to.x, to.y);
        let age = i32::from((tick.0 as u16).wrapping_sub(self.born)) + 1;
        Flight { from, to, goes_on: end.is_none() && age < SHOT_TICKS }
    }
}

impl Flight {
    /// When the shot is nearest to a fighter at `place`, in parts of [`WHOLE`]; `None` if it passes
    /// by.
    pub fn meets(&self, place: Vec2) -> Option<i64> {
        let reach = i64::from(FIGHTER_RADIUS + SHOT_RADIUS);
        let near = Rect { min: place, max: place }.grown(FIGHTER_RADIUS + SHOT_RADIUS);
        // Most fighters are far away: their coordinates tell.
        let around = Rect {
            min: Vec2::new(self.from.x.min(self.to.x), self.from.y.min(self.to.y)),
            max: Vec2::new(self.from.x.max(self.to.x), self.from.y.max(self.to.y)),
        };
        if !near.touches(&around) {
            return None;
        }
        let (when, distance_squared) = nearest_approach(self.from, self.to, place);
        (distance_squared <= reach * reach).then_some(when)
    }
}

/// When the way from `from` to `to`, along one axis, reaches the border of the map that it crosses,
/// in parts of [`WHOLE`].
fn border(map: Map, from: i32, to: i32) -> Option<i64> {
    let inside = to.clamp(0, map.side());
    (inside != to).then(|| i64::from(inside - from) * WHOLE / i64::from(to - from))
}

fn along(from: Vec2, to: Vec2, when: i64) -> Vec2 {
    let way = to.minus(from);
    Vec2::new(from.x + (i64::from(way.x) * when / WHOLE) as i32, from.y + (i64::from(way.y) * when / WHOLE) as i32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::angle::Angle;
    use crate::map::{SIDE, SPAWNS, WALLS};

    fn shot_from(place: Vec2, aim: i32) -> Shot {
        Shot::fired_by(&Fighter::new(0, place, Angle::new(aim)), Tick(0))
    }

    fn flights(mut shot: Shot) -> Vec<Flight> {
        let mut flights = Vec::new();
        for tick in 0..SHOT_TICKS as u32 {
            flights.push(shot.step(Map::ARENA, Tick(tick)));
            if !flights.last().is_some_and(|flight| flight.goes_on) {
                break;
            }
        }
        flights
    }

    #[test]
    fn a_shot_in_the_open_lives_its_time() {
        let flights = flights(shot_from(SPAWNS[4], 0));
        assert_eq!(flights.len(), SHOT_TICKS as usize);
        let [.., last] = flights.as_slice() else { panic!("it flew") };
        assert_eq!(last.to, SPAWNS[4].plus(Vec2::new(SHOT_TICKS * SHOT_SPEED, 0)));
    }

    #[test]
    fn a_shot_meets_a_fighter_in_its_way_and_no_other() {
        let flight = Flight { from: Vec2::new(1000, 1000), to: Vec2::new(1480, 1000), goes_on: true };
        assert_eq!(flight.meets(Vec2::new(1240, 1000 + FIGHTER_RADIUS + SHOT_RADIUS)), Some(WHOLE / 2), "it grazes");
        assert_eq!(flight.meets(Vec2::new(1240, 1001 + FIGHTER_RADIUS + SHOT_RADIUS)), None);
        assert_eq!(flight.meets(Vec2::new(1480 + 400, 1000)), None, "next tick perhaps");
    }

    #[test]
    fn a_shot_that_leaves_the_arena_ends_on_its_straight_way() {
        // Up and to the left, past the barrier that stands at the top border.
        let flights = flights(shot_from(Vec2::new(28_257, 11_687), 659));
        let [.., last] = flights.as_slice() else { panic!("it flew") };
        assert!(!last.goes_on && last.to.y <= 1, "{last:?}");
        assert!(WALLS.iter().all(|wall| wall.entry(last.from, last.to).is_none()), "{last:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn no_shot_gets_into_or_through_a_wall(x in 320..SIDE - 320, y in 320..SIDE - 320, aim in 0..1024) {
            let start = Vec2::new(x, y);
            // A place in a wall has nothing to tell.
            let flights = if crate::movement::is_free(Map::ARENA, start) { flights(shot_from(start, aim)) } else { Vec::new() };
            for (flight, next) in flights.iter().zip(flights.iter().skip(1)) {
                prop_assert_eq!(flight.to, next.from, "the way has no gaps");
            }
            for flight in &flights {
                prop_assert!((0..=SIDE).contains(&flight.to.x) && (0..=SIDE).contains(&flight.to.y));
                // A unit less than its radius away is inside: the end is rounded towards where it
                // came from.
                prop_assert!(WALLS.iter().all(|wall| wall.grown(SHOT_RADIUS - 1).entry(flight.from, flight.to).is_none()), "{flight:?}");
            }
        }
    }
}

//! How a fighter moves: the one implementation, stepped by the server and predicted by the browser.
//!
//! Invariants: after a step from a free place the place is free (outside every wall, inside the
//! arena); speed is at most [`TOP_SPEED`], in a dash [`SPEED_MAX`]; velocity is what the fighter
//! really moved by, so a position is its predecessor plus the velocity.

use tickwire_game::timers;
use tickwire_protocol::Tick;

use crate::angle::Angle;
use crate::geometry::{Rect, Vec2};
use crate::input::Input;
use crate::map::{Map, NEAR, UNIT, WallsNear};
use crate::tables::Fighter;

/// Half of a fighter's width.
pub const FIGHTER_RADIUS: i32 = 20 * UNIT;
/// Fastest run, 1/16 unit per tick: 300 units per second.
pub const TOP_SPEED: i32 = 160;
/// How fast a dash starts.
pub const DASH_SPEED: i32 = 474;
/// Fastest ever: in a dash along a wall, rounding may add a little. The velocity fields hold as
/// much.
pub const SPEED_MAX: i32 = 480;
/// How long a dash lasts.
pub const DASH_TICKS: i32 = 5;
/// From the start of a dash to the next.
pub const DASH_COOLDOWN_TICKS: i32 = 75;
/// From one shot to the next.
pub const FIRE_COOLDOWN_TICKS: i32 = 5;
/// From one shot to the next while overcharged.
pub const OVERCHARGED_COOLDOWN_TICKS: i32 = 3;
/// How long an overcharge lasts.
pub const OVERCHARGE_TICKS: i32 = 240;
/// How long a fighter is protected at the start of a life, if it does not fire.
pub const PROTECTION_TICKS: i32 = 60;
/// Full health.
pub const HEALTH_MAX: u8 = 100;

/// Most that a velocity changes by in a tick: from rest to top speed in six ticks.
const ACCELERATION: i32 = 28;
/// A step is walked in parts no longer than this, so that a fighter's center never gets into a wall
/// before it is looked at.
const PART_MAX: i32 = 160;
/// Pushes out of one wall may push into the next; after as many the step is given up.
const PUSHES_MAX: usize = 4;
/// Shares of a part that are tried, in 1/16: going round a corner can take a longer way than asked
/// for.
const SHARES: [i32; 4] = [16, 14, 12, 8];

const _: () = assert!(PART_MAX < FIGHTER_RADIUS);
const _: () = assert!(SPEED_MAX + FIGHTER_RADIUS < NEAR, "the walls near the start are all that a step can meet");
const _: () = assert!(DASH_TICKS < DASH_COOLDOWN_TICKS);

impl Fighter {
    /// A fresh fighter at rest.
    pub const fn new(player: u16, place: Vec2, aim: Angle) -> Self {
        Self {
            player,
            vx: 0,
            vy: 0,
            x: place.x,
            y: place.y,
            aim: aim.steps() as u16,
            health: HEALTH_MAX,
            dash_ready: 0,
            fire_ready: 0,
            overcharge_until: 0,
            protected_until: 0,
        }
    }

    /// This fighter, protected from `tick` on.
    #[must_use]
    pub const fn protected_from(self, tick: Tick) -> Self {
        Self { protected_until: timers::after(tick, PROTECTION_TICKS), ..self }
    }

    /// Where it is.
    pub const fn place(&self) -> Vec2 {
        Vec2::new(self.x, self.y)
    }

    /// How it moves.
    pub const fn velocity(&self) -> Vec2 {
        Vec2::new(self.vx, self.vy)
    }

    /// Where it aims.
    pub const fn angle(&self) -> Angle {
        Angle::new(self.aim as i32)
    }

    /// Whether it is overcharged in `tick`.
    pub const fn is_overcharged(&self, tick: Tick) -> bool {
        timers::left(self.overcharge_until, tick, OVERCHARGE_TICKS) > 0
    }

    /// Whether it is in a dash in `tick`.
    pub const fn is_dashing(&self, tick: Tick) -> bool {
        timers::left(self.dash_ready, tick, DASH_COOLDOWN_TICKS) > DASH_COOLDOWN_TICKS - DASH_TICKS
    }

    /// Whether nothing harms it in `tick`.
    pub const fn is_protected(&self, tick: Tick) -> bool {
        timers::left(self.protected_until, tick, PROTECTION_TICKS) > 0
    }

    /// Moves on by one tick on `map`, to `tick`. Says whether a shot leaves: it starts at the new
    /// place, in the new aim.
    pub fn step(&mut self, map: Map, tick: Tick, input: &Input) -> bool {
        self.aim = input.angle().steps() as u16;
        let velocity = self.next_velocity(tick, *input);
        let from = self.place();
        let to = walk(map, from, velocity);
        // Along a wall the fighter moved otherwise than it wanted to.
        let moved = to.minus(from);
        (self.vx, self.vy, self.x, self.y) = (moved.x, moved.y, to.x, to.y);
        self.pull_trigger(tick, *input)
    }

    fn next_velocity(&mut self, tick: Tick, input: Input) -> Vec2 {
        let push = input.push();
        if input.dashes() && timers::left(self.dash_ready, tick, DASH_COOLDOWN_TICKS) == 0 {
            self.dash_ready = timers::after(tick, DASH_COOLDOWN_TICKS);
            let ahead = if push == Vec2::default() { self.angle() } else { Angle::of(push) };
            return ahead.vector(DASH_SPEED).clamped(DASH_SPEED);
        }
        let velocity = self.velocity();
        let is_fast = velocity.length_squared() > TOP_SPEED * TOP_SPEED;
        if is_fast && self.is_dashing(tick) {
            return velocity;
        }
        approach(velocity.clamped(TOP_SPEED), push.scaled(TOP_SPEED, Input::PUSH_MAX))
    }

    fn pull_trigger(&mut self, tick: Tick, input: Input) -> bool {
        // The timer may have been started at the slower rate: an overcharge counts from the next
        // shot.
        let fires = input.fires() && timers::left(self.fire_ready, tick, FIRE_COOLDOWN_TICKS) == 0;
        if fires {
            let cooldown = if self.is_overcharged(tick) { OVERCHARGED_COOLDOWN_TICKS } else { FIRE_COOLDOWN_TICKS };
            self.fire_ready = timers::after(tick, cooldown);
            // Who attacks can be attacked. A dash ends nothing: it harms nobody.
            if self.is_protected(tick) {
                self.protected_until = timers::after(tick, 0);
            }
        }
        fires
    }
}

/// Whether a fighter can stand at `place`.
pub fn is_free(map: Map, place: Vec2) -> bool {
    let inside = FIGHTER_RADIUS..=map.side() - FIGHTER_RADIUS;
    inside.contains(&place.x) && inside.contains(&place.y) && map.walls_near(place).all(|wall| !wall.overlaps_circle(place, FIGHTER_RADIUS))
}

/// `velocity`, changed towards `target` as far as a tick allows: it gets there exactly, and so
/// comes exactly to rest.
fn approach(velocity: Vec2, target: Vec2) -> Vec2 {
    let change = target.minus(velocity);
    if change.length_squared() <= ACCELERATION * ACCELERATION {
        return target;
    }
    velocity.plus(change.clamped(ACCELERATION)).clamped(TOP_SPEED)
}

/// Where a fighter gets to from `from`, sliding along walls.
fn walk(map: Map, from: Vec2, velocity: Vec2) -> Vec2 {
    if velocity == Vec2::default() {
        return from;
    }
    // The walls near the start are the ones that matter.
    let walls = map.walls_near(from);
    if velocity.length_squared() <= PART_MAX * PART_MAX {
        // A walk may speed up round a corner, to top speed at most.
        return slide(map, &walls, from, velocity, TOP_SPEED * TOP_SPEED);
    }
    let parts = (velocity.length_rounded_up() + PART_MAX - 1) / PART_MAX;
    (0..parts).fold(from, |place, part| {
        let way = velocity.scaled(part + 1, parts).minus(velocity.scaled(part, parts));
        // The parts of a dash must not add up to more than it.
        slide(map, &walls, place, way, way.length_squared())
    })
}

/// One part of a step, by `walls`.
fn slide(map: Map, walls: &WallsNear, from: Vec2, way: Vec2, longest_squared: i32) -> Vec2 {
    let tries = SHARES.iter().filter_map(|share| push_out(map, walls, from.plus(way.scaled(*share, 16))));
    let mut fitting = tries.filter(|to| to.minus(from).length_squared() <= longest_squared);
    fitting.next().unwrap_or(from)
}

/// The free place next to `place`; `None` if there is none near by.
fn push_out(map: Map, walls: &WallsNear, mut place: Vec2) -> Option<Vec2> {
    for _ in 0..PUSHES_MAX {
        let before = place;
        let inside = |coordinate: i32| coordinate.clamp(FIGHTER_RADIUS, map.side() - FIGHTER_RADIUS);
        place = Vec2::new(inside(place.x), inside(place.y));
        for wall in walls.clone() {
            place = push_out_of(&wall, place)?;
        }
        if place == before {
            return Some(place);
        }
    }
    None
}

/// The place at or next to `place` whose circle does not overlap `wall`; `None` from deep inside.
fn push_out_of(wall: &Rect, place: Vec2) -> Option<Vec2> {
    let edge = wall.nearest(place);
    let away = place.minus(edge);
    let distance_squared = away.length_squared_wide();
    if distance_squared >= i64::from(FIGHTER_RADIUS) * i64::from(FIGHTER_RADIUS) {
        return Some(place);
    }
    let distance = away.length();
    if distance == 0 {
        return None;
    }
    // Rounded away from the wall, so that the result is never inside by a rounding.
    let out = |component: i32| component.signum() * (component.abs() * FIGHTER_RADIUS + distance - 1).div_euclid(distance);
    Some(edge.plus(Vec2::new(out(away.x), out(away.y))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::map::SPAWNS;

    fn fighter_at(x: i32, y: i32) -> Fighter {
        Fighter::new(0, Vec2::new(x * UNIT, y * UNIT), Angle::new(0))
    }

    fn push(x: i8, y: i8) -> Input {
        Input { move_x: x, move_y: y, ..Input::default() }
    }

    fn stepped(mut fighter: Fighter, input: Input, ticks: std::ops::Range<u32>) -> Fighter {
        ticks.for_each(|tick| {
            fighter.step(Map::ARENA, Tick(tick), &input);
        });
        fighter
    }

    #[test]
    fn a_push_reaches_top_speed_and_letting_go_ends_at_rest() {
        let running = stepped(fighter_at(200, 200), push(127, 0), 0..8);
        assert_eq!(running.velocity(), Vec2::new(TOP_SPEED, 0));
        let resting = stepped(running, Input::default(), 8..16);
        assert_eq!(resting.velocity(), Vec2::default());
        assert_eq!(stepped(resting, Input::default(), 16..99), resting, "rest is rest");
    }

    #[test]
    fn a_diagonal_is_not_faster() {
        let running = stepped(fighter_at(200, 200), push(127, 127), 0..10);
        let speed = running.velocity().length();
        assert!((TOP_SPEED - 3..=TOP_SPEED).contains(&speed), "{speed}");
    }

    #[test]
    fn a_wall_stops_what_goes_into_it_and_lets_pass_what_goes_along() {
        // Against the left side of the arena.
        let sliding = stepped(fighter_at(30, 1000), push(-127, 127), 0..30);
        assert_eq!((sliding.x, sliding.vx), (FIGHTER_RADIUS, 0));
        assert!(sliding.vy > 100, "it slides: {sliding:?}");
    }

    #[test]
    fn a_dash_is_a_burst_and_then_a_wait() {
        let dash = Input { buttons: Input::DASH, ..push(127, 0) };
        let mut fighter = fighter_at(200, 200);
        let speeds: Vec<i32> = (1..=DASH_COOLDOWN_TICKS as u32 + 1)
            .map(|tick| {
                fighter.step(Map::ARENA, Tick(tick), &dash);
                fighter.vx
            })
            .collect();
        let fast: Vec<usize> = (0..speeds.len()).filter(|index| speeds[*index] > TOP_SPEED).collect();
        assert_eq!(fast, [0, 1, 2, 3, 4, DASH_COOLDOWN_TICKS as usize], "ticks in which it dashes, held down");
    }

    #[test]
    fn a_dash_from_rest_goes_where_it_aims() {
        let mut fighter = fighter_at(200, 200);
        fighter.step(Map::ARENA, Tick(1), &Input { aim: 1 << 14, buttons: Input::DASH, ..Input::default() });
        assert_eq!(fighter.velocity(), Vec2::new(0, DASH_SPEED));
    }

    #[test]
    fn shots_leave_at_the_rate_of_the_weapon() {
        let fire = Input { buttons: Input::FIRE, ..Input::default() };
        let shots = |fighter: &mut Fighter| (1..=30).filter(|tick| fighter.step(Map::ARENA, Tick(*tick), &fire)).count();
        let mut fighter = fighter_at(200, 200);
        assert_eq!(shots(&mut fighter), 30 / FIRE_COOLDOWN_TICKS as usize);
        let mut overcharged = Fighter { overcharge_until: timers::after(Tick(0), OVERCHARGE_TICKS), ..fighter_at(200, 200) };
        assert_eq!(shots(&mut overcharged), 30 / OVERCHARGED_COOLDOWN_TICKS as usize);
    }

    /// Any input, held for a while: what reaches walls, corners and every phase of a dash.
    fn inputs() -> impl Strategy<Value = Vec<(Input, u32)>> {
        let input = (any::<i8>(), any::<i8>(), any::<u16>(), any::<u8>()).prop_map(|(move_x, move_y, aim, buttons)| Input {
            move_x,
            move_y,
            aim,
            buttons,
        });
        prop::collection::vec((input, 1..60u32), 1..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn no_input_breaks_the_laws_of_motion(inputs in inputs(), spawn in 0..SPAWNS.len(), start in any::<u32>(), tile in 0..17usize) {
            // The arena, or one of those that the large map is made of.
            let (map, corner) = Map::ROYALE.corners().nth(tile).map_or((Map::ARENA, Vec2::default()), |corner| (Map::ROYALE, corner));
            let mut fighter = Fighter::new(0, SPAWNS[spawn].plus(corner), Angle::new(0));
            let mut tick = Tick(start);
            for (input, count) in inputs {
                for _ in 0..count {
                    let before = fighter;
                    tick = tick.next();
                    fighter.step(map, tick, &input);
                    prop_assert!(is_free(map, fighter.place()), "{before:?} stepped into a wall: {fighter:?}");
                    let limit = if fighter.is_dashing(tick) { SPEED_MAX } else { TOP_SPEED };
                    prop_assert!(fighter.velocity().length_squared() <= limit * limit, "{fighter:?} is too fast");
                    prop_assert_eq!(before.place().plus(fighter.velocity()), fighter.place(), "velocity is what it moved by");
                }
            }
        }
    }
}

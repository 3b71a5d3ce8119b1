//! Tag: whoever is "it" runs after the others; a touch passes it on. The longer you are not it, the
//! more you score.
//!
//! A whole game on Tickwire, to be copied: this file says what it is, and how runners move and bots
//! think; `systems.rs` is what the server does in a tick. All numbers are integers, so both ends
//! compute the same.

mod systems;

use tickwire_game::prelude::*;

/// The field is this wide, in 1/16 unit.
pub const WIDTH: i32 = 16_000;
/// The field is this high.
pub const HEIGHT: i32 = 9_600;
/// Half of a runner's width.
pub const RADIUS: i32 = 320;
/// How far a runner gets in a tick.
const SPEED: i32 = 70;
/// How far the one who is it gets: a little faster, or nobody would ever be caught.
const IT_SPEED: i32 = 80;
/// How long the one who was just tagged stands still, so that the others get away.
const WAIT_TICKS: i32 = 60;
/// How near to a border a bot turns away from it.
const BORDER: i32 = 1_600;

/// Tag: one is it, and passes that on by touching another.
pub struct Tag;

/// What a player holds down: a direction, -127 to 127 each way.
#[derive(tickwire_game::Input, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// To the right.
    pub x: i8,
    /// Downwards.
    pub y: i8,
}

/// A player on the field.
#[derive(Replicate, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Runner {
    /// Whose it is.
    #[owner]
    #[range(0..=11)]
    pub player: PlayerId,
    /// Whether it is it.
    pub is_it: bool,
    /// Low 31 bits of the tick until which it stands still.
    #[range(0..=0x7fff_ffff)]
    pub waits_until: u32,
    /// What a tick scores now.
    #[range(0..=1)]
    pub rate: i32,
    /// Ticks of play in which it was not it. Moved by its rate, it grows without being sent.
    #[range(0..=1_000_000)]
    #[moved_by(rate)]
    pub score: i32,
    /// Velocity to the right, 1/16 unit per tick.
    #[range(-IT_SPEED..=IT_SPEED)]
    pub vx: i32,
    /// Velocity downwards.
    #[range(-IT_SPEED..=IT_SPEED)]
    pub vy: i32,
    /// Place from the left, 1/16 unit.
    #[range(0..=WIDTH)]
    #[moved_by(vx)]
    pub x: i32,
    /// Place from the top.
    #[range(0..=HEIGHT)]
    #[moved_by(vy)]
    pub y: i32,
}

/// `by` touched `player`, who is it now.
#[derive(Event, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tagged {
    /// Who is it.
    pub player: PlayerId,
    /// Who was.
    pub by: PlayerId,
}

impl Runner {
    /// Moves on by one tick, to `tick`.
    pub fn step(&mut self, tick: Tick, input: Input) {
        let speed = if self.is_it { IT_SPEED } else { SPEED };
        let (x, y) = (i32::from(input.x), i32::from(input.y));
        // A diagonal is not faster: at most `speed` in all directions. Rounded up, so never a bit
        // more.
        let length = ((x * x + y * y) as u32).isqrt() as i32 + 1;
        let (x, y) = if self.waits(tick) { (0, 0) } else { (x * speed / length.max(127), y * speed / length.max(127)) };
        let (left, top) = (self.x, self.y);
        self.x = (left + x).clamp(RADIUS, WIDTH - RADIUS);
        self.y = (top + y).clamp(RADIUS, HEIGHT - RADIUS);
        // What it really moved by: at a border that is less.
        (self.vx, self.vy) = (self.x - left, self.y - top);
    }

    fn waits(&self, tick: Tick) -> bool {
        timers::left(self.waits_until, tick, WAIT_TICKS) > 0
    }

    /// The way to `other`.
    fn way_to(&self, other: &Self) -> (i32, i32) {
        (other.x - self.x, other.y - self.y)
    }

    fn distance_squared(&self, other: &Self) -> i32 {
        let (x, y) = self.way_to(other);
        x * x + y * y
    }
}

#[game]
impl Game for Tag {
    const MODES: &'static [Mode] =
        &[Mode { id: "tag", title: "Tag", max_players: 12, live_seconds: 120, bots_fill: 5, stand_in: true, ..Mode::DEFAULT }];
    type Event = Tagged;

    fn join(world: &mut World, player: PlayerId) {
        let random = &mut world.resource_mut::<Random>().0;
        let (x, y) = (random.between(RADIUS, WIDTH - RADIUS), random.between(RADIUS, HEIGHT - RADIUS));
        spawn(world, Runner { player, x, y, ..Runner::default() });
    }

    fn systems(setup: &mut Setup<'_>) {
        setup.add((move_bodies::<Tag>, systems::pass_it_on).chain());
    }

    /// Scoring is not predicted.
    fn body(view: &Snapshot, me: PlayerId) -> Option<Runner> {
        own(view, me).map(|runner| Runner { rate: 0, score: 0, ..runner })
    }

    fn step(runner: &mut Runner, now: &MatchClock, input: &Input, _: &Mode) {
        runner.step(now.tick, *input);
    }

    fn ranking(world: &mut World) -> Vec<Ranked> {
        ranked(world, |runner: &Runner| runner.score)
    }

    /// Bots need to remember only what makes them differ.
    fn brain(seed: u64) -> Rng {
        Rng::new(seed)
    }

    /// Runs to the nearest other when it is it, and away from whoever is it otherwise.
    fn think(brain: &mut Rng, view: &Snapshot, me: PlayerId) -> Input {
        let Some(own) = own::<Runner>(view, me) else { return Input::default() };
        let others = || view.rows::<Runner>().map(|(_, runner)| runner).filter(|runner| runner.player != me);
        let (mut x, mut y) = if own.is_it {
            others().min_by_key(|other| own.distance_squared(other)).map_or((0, 0), |prey| own.way_to(&prey))
        } else {
            others().find(|other| other.is_it).map_or((0, 0), |hunter| hunter.way_to(&own))
        };
        if !own.is_it {
            // Along a border rather than into it, and out of corners.
            x += push_inwards(own.x, WIDTH);
            y += push_inwards(own.y, HEIGHT);
        }
        let longest = x.abs().max(y.abs()).max(1);
        // Nobody runs quite straight.
        let [x, y] = [x, y].map(|way| (way * 110 / longest + brain.between(-16, 16)) as i8);
        Input { x, y }
    }
}

/// Away from the borders at 0 and `end`, the more the nearer.
fn push_inwards(place: i32, end: i32) -> i32 {
    3 * ((BORDER - place).max(0) - (place - (end - BORDER)).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_input_is_faster_than_allowed_or_leaves_the_field() {
        for (x, y) in [(127, 127), (-128, -128), (127, 0), (-128, 127), (1, -1)] {
            let mut runner = Runner { x: 8_000, y: 4_800, ..Runner::default() };
            for tick in 0..500 {
                runner.step(Tick(tick), Input { x, y });
                assert!(runner.vx * runner.vx + runner.vy * runner.vy <= SPEED * SPEED, "{x},{y}: {runner:?}");
            }
            assert!((RADIUS..=WIDTH - RADIUS).contains(&runner.x) && (RADIUS..=HEIGHT - RADIUS).contains(&runner.y));
        }
    }

    #[test]
    fn whoever_is_tagged_stands_still_for_a_second() {
        let mut runner = Runner { waits_until: timers::after(Tick(100), WAIT_TICKS), x: 8_000, y: 4_800, ..Runner::default() };
        let moves = (101..200).map(|tick| {
            runner.step(Tick(tick), Input { x: 127, y: 0 });
            runner.vx
        });
        assert_eq!(moves.take_while(|speed| *speed == 0).count(), WAIT_TICKS as usize - 1);
    }
}

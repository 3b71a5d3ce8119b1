//! Bots: they roam, hunt, pick things up, aim with a human's error and delay, strafe and dodge.
//!
//! A bot sees a [`Snapshot`] and nothing else, so the same bot plays on the server and over the
//! wire. What is costly (looking for opponents and ways) is decided a few times a second; a tick
//! between decisions only follows them.
//!
//! The game's own bots go easy on newcomers and on those who lose all the time (`ease`); a
//! contender does not.
//!
//! Invariant: a bot's seed and what it saw decide what it does.

mod ease;
mod nav;
mod sight;

use tickwire_game::{Rng, Stored, timers};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{NetId, PlayerId, Snapshot, Tick};

use crate::Input;
use crate::angle::Angle;
use crate::geometry::Vec2;
use crate::map::UNIT;
use crate::movement::{DASH_COOLDOWN_TICKS, FIGHTER_RADIUS, TOP_SPEED};
use crate::projectile::SHOT_SPEED;
use crate::tables::{Fighter, PickupKind, Shot};
use sight::{Opponent, look_around, map_of, nearest_pickup, refuge, threatens, vulnerable};

/// How far it goes out of its way for an overcharge.
const OVERCHARGE_WORTH: i32 = 1400 * UNIT;
/// In a fight it backs off within this distance.
const CLOSE: i32 = 240 * UNIT;
/// In a fight it comes nearer beyond this distance.
const FAR: i32 = 480 * UNIT;
/// It looks for health below this.
const HURT: u8 = 45;
/// Ticks from one decision to the next, at least; up to as many again.
const DECISION_TICKS: u32 = 5;
/// How long it goes on dodging a shot it noticed.
const DODGE_TICKS: u32 = 7;
/// Directions of movement are rounded to this many steps, so that a straight way is one direction.
const HEADING_STEPS: i32 = 64;

/// A bot's memory.
#[derive(Stored, Clone, Debug)]
pub struct Brain {
    rng: Rng,
    /// 20 to 99: how well it aims, how fast it reacts.
    skill: i32,
    /// Whether it goes easy on nobody.
    is_contender: bool,
    /// Everything it remembers of this life.
    life: Option<Life>,
}

#[derive(Stored, Clone, Debug)]
struct Life {
    /// The fighter's id, which a new life changes.
    id: NetId,
    next_decision: Tick,
    /// Whom it fights.
    target: Option<u16>,
    /// It has noticed its target from then on.
    fires_from: Tick,
    /// Steps it aims beside its target.
    aim_error: i32,
    /// Where it is going, and the next point on the way.
    goal: Vec2,
    waypoint: Vec2,
    /// Where it was when it decided.
    was_at: Vec2,
    /// Round its target: 1 clockwise, -1 the other way.
    strafe: i32,
    /// The way out of a shot's path, and until when.
    dodge: Option<(Angle, Tick)>,
    aim: Angle,
}

impl Brain {
    /// A new bot. Its seed is its character.
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let skill = rng.between(20, 99);
        Self { rng, skill, is_contender: false, life: None }
    }

    /// A new bot that goes easy on nobody.
    pub fn contender(seed: u64) -> Self {
        Self { is_contender: true, ..Self::new(seed) }
    }

    /// What it does next.
    pub fn think(&mut self, view: &Snapshot, me: PlayerId) -> Input {
        let Some((id, own)) = view.rows::<Fighter>().find(|(_, fighter)| fighter.player == me.0) else {
            self.life = None;
            return Input::default();
        };
        let remembered = self.life.take().filter(|life| life.id == id);
        let mut life = remembered.unwrap_or_else(|| Life::new(id, &own, view.tick));
        let mut target = life.target.and_then(|player| vulnerable(view, player));
        if view.tick.since(life.next_decision) >= 0 || target.is_none() && life.target.is_some() {
            self.decide(&mut life, view, &own);
            target = life.target.and_then(|player| vulnerable(view, player));
        }
        if (view.tick.0 ^ id.0) & 1 == 0 {
            self.look_out(&mut life, view, &own);
        }
        let input = self.act(&mut life, view, &own, target.as_ref());
        self.life = Some(life);
        input
    }

    fn decide(&mut self, life: &mut Life, view: &Snapshot, own: &Fighter) {
        life.next_decision = view.tick.plus(DECISION_TICKS + self.rng.below(DECISION_TICKS));
        let map = map_of(view);
        let around = look_around(map, view, own, self.is_contender);
        let ease = around.target.map_or(0, |target| target.ease);
        let visible = around.target.map(|target| target.player);
        if visible != life.target {
            life.target = visible;
            life.fires_from = view.tick.plus((5 + (99 - self.skill) / 6 + ease::share(ease::REACTION_TICKS, ease)) as u32);
        }
        let error_max = 2 + (99 - self.skill) / 4 + ease::share(ease::AIM_STEPS, ease);
        life.aim_error = self.rng.between(-error_max, error_max);
        if self.rng.below(6) == 0 {
            life.strafe = -life.strafe;
        }
        let stands = own.place().minus(life.was_at).length_squared_wide() < i64::from(UNIT * UNIT);
        life.was_at = own.place();
        let has_arrived = own.place().minus(life.goal).length() < 2 * FIGHTER_RADIUS;
        if let Some(place) = self.errand(view, own, around.nearest) {
            life.goal = place;
        } else if has_arrived || stands {
            life.goal = nav::random_place(map, own.place(), &mut self.rng);
        }
        life.waypoint = nav::next_point(map, own.place(), life.goal);
        if stands && life.target.is_none() {
            // Something is in the way that the map does not show: try another way.
            life.strafe = -life.strafe;
            life.dodge = Some((Angle::new(self.rng.between(0, 1023)), view.tick.plus(DODGE_TICKS)));
        }
    }

    /// A place worth going to now; `None` to roam.
    fn errand(&mut self, view: &Snapshot, own: &Fighter, nearest: Option<Opponent>) -> Option<Vec2> {
        if let Some(middle) = refuge(view, own) {
            return Some(middle);
        }
        if own.health < HURT
            && let Some((place, _)) = nearest_pickup(view, own, PickupKind::Health)
        {
            return Some(place);
        }
        if !own.is_overcharged(view.tick)
            && let Some((place, distance)) = nearest_pickup(view, own, PickupKind::Overcharge)
            && distance < OVERCHARGE_WORTH
        {
            return Some(place);
        }
        // The keen follow whoever is nearest; the others meet by chance.
        let Opponent { place, ease, .. } = nearest?;
        (self.rng.between(0, 99) < self.skill - ease::share(self.skill, ease)).then_some(place)
    }

    /// Notices a shot that is about to hit, and steps aside.
    fn look_out(&mut self, life: &mut Life, view: &Snapshot, own: &Fighter) {
        if life.dodge.is_some_and(|(_, until)| view.tick.since(until) < 0) {
            return;
        }
        life.dodge = None;
        let threat = view.rows::<Shot>().find(|(_, shot)| shot.owner != own.player && threatens(shot, own));
        if let Some((_, shot)) = threat
            && self.rng.between(0, 130) < self.skill
        {
            let velocity = Vec2::new(shot.vx, shot.vy);
            let side = if velocity.cross(own.place().minus(shot.place())) >= 0 { 1 } else { -1 };
            life.dodge = Some((Angle::of(velocity).turned(256 * side), view.tick.plus(DODGE_TICKS)));
        }
    }

    fn act(&mut self, life: &mut Life, view: &Snapshot, own: &Fighter, target: Option<&Fighter>) -> Input {
        let live = crate::phase(view) == Phase::Live;
        let mut buttons = 0;
        if let Some(target) = target {
            let wanted = self.aim_at(own, target).turned(life.aim_error);
            let turn_max = 24 + self.skill / 2;
            let turn = life.aim.to(wanted);
            life.aim = life.aim.turned(turn.clamp(-turn_max, turn_max));
            if live && turn.abs() < 40 && view.tick.since(life.fires_from) >= 0 {
                buttons |= Input::FIRE;
            }
        }
        let heading = self.heading(life, view, own, target);
        if let Some(heading) = heading
            && target.is_none()
            && life.aim.to(heading).abs() > HEADING_STEPS / 2
        {
            life.aim = heading;
        }
        let is_dash_ready = timers::left(own.dash_ready, view.tick, DASH_COOLDOWN_TICKS) == 0;
        if is_dash_ready && self.wants_dash(life, own, target) {
            buttons |= Input::DASH;
        }
        let push = heading.map_or(Vec2::default(), |heading| heading.vector(Input::PUSH_MAX));
        Input { move_x: push.x as i8, move_y: push.y as i8, aim: (life.aim.steps() << 6) as u16, buttons }
    }

    /// Where to shoot so that shot and target meet; the less skilled lead too little.
    fn aim_at(&self, own: &Fighter, target: &Fighter) -> Angle {
        let way = target.place().minus(own.place());
        let flight_ticks = way.length() / SHOT_SPEED;
        Angle::of(way.plus(target.velocity().scaled(flight_ticks * self.skill, 100)))
    }

    fn heading(&mut self, life: &mut Life, view: &Snapshot, own: &Fighter, target: Option<&Fighter>) -> Option<Angle> {
        let ahead = life.waypoint.minus(own.place());
        let wanted = if let Some((away, until)) = life.dodge
            && view.tick.since(until) < 0
        {
            away
        } else if let Some(target) = target
            && own.health >= HURT
        {
            let way = target.place().minus(own.place());
            let distance = way.length();
            let is_blocked = own.velocity().length_squared() < TOP_SPEED * TOP_SPEED / 16;
            if is_blocked && self.rng.below(8) == 0 {
                life.strafe = -life.strafe;
            }
            let side = if distance > FAR {
                128
            } else if distance < CLOSE {
                384
            } else {
                256
            };
            Angle::of(way).turned(side * life.strafe)
        } else if ahead.length() < FIGHTER_RADIUS {
            life.next_decision = view.tick;
            return None;
        } else {
            Angle::of(ahead)
        };
        Some(Angle::new((wanted.steps() + HEADING_STEPS / 2) / HEADING_STEPS * HEADING_STEPS))
    }

    /// Dashes out of a shot's way, after a pickup it needs, or now and then on a long straight way.
    fn wants_dash(&mut self, life: &Life, own: &Fighter, target: Option<&Fighter>) -> bool {
        if life.dodge.is_some() {
            return self.skill > 50;
        }
        let far_to_go = life.waypoint.minus(own.place()).length() > 400 * UNIT;
        far_to_go && (own.health < HURT || target.is_none() && self.rng.below(60) == 0)
    }
}

impl Life {
    fn new(id: NetId, own: &Fighter, now: Tick) -> Self {
        Self {
            id,
            next_decision: now,
            target: None,
            fires_from: now,
            aim_error: 0,
            goal: own.place(),
            waypoint: own.place(),
            was_at: Vec2::default(),
            strafe: if id.0 & 1 == 0 { 1 } else { -1 },
            dodge: None,
            aim: own.angle(),
        }
    }
}

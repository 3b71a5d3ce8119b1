//! The arena's systems, in the order they run.

#![allow(clippy::needless_pass_by_value)] // systems take their parameters by value

use bevy_ecs::change_detection::Mut;
use bevy_ecs::entity::Entity;
use bevy_ecs::query::Without;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Commands, Query, Res, ResMut};
use tickwire_game::{Events, Inputs, MatchClock, NetIds, Networked, Random};
use tickwire_protocol::limits::ROWS_MAX;
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{Columns, PlayerId, Tick};

use super::crowd::Crowd;
use super::{Ground, Spot, royale};
use crate::Input;
use crate::angle::Angle;
use crate::events::ArenaEvent;
use crate::geometry::Vec2;
use crate::map::{SPAWN_COUNT, SPAWNS, UNIT};
use crate::movement::{FIGHTER_RADIUS, HEALTH_MAX, OVERCHARGE_TICKS};
use crate::projectile::{Flight, SHOT_RADIUS, SHOT_SPEED, SHOTS_PER_PLAYER_MAX};
use crate::tables::{Fighter, Pickup, PickupKind, Score, Shot, Zone};
use crate::timers;

/// From death to the next life.
const RESPAWN_TICKS: i32 = 90;
/// Score for a kill, on top of the health taken.
const KILL_SCORE: i32 = 50;
/// Health that a pickup gives back.
const PICKUP_HEALTH: u8 = 50;
/// Until a health pickup is back.
const HEALTH_BACK_TICKS: i32 = 450;
/// Until an overcharge is back.
const OVERCHARGE_BACK_TICKS: i32 = 750;
/// A fighter whose center is this near takes a pickup.
const PICKUP_REACH: i32 = FIGHTER_RADIUS + 16 * UNIT;
const REACH_SQUARED: i64 = PICKUP_REACH as i64 * PICKUP_REACH as i64;
/// Most shots in flight in a match, a few less than a table holds: reached only when hundreds fire at once.
const SHOTS_MAX: usize = 4_000;
const _: () = assert!(SHOTS_MAX < ROWS_MAX);

/// Which shots hit whom this tick, in the order of the shots.
#[derive(Resource, Default)]
pub(super) struct Hits(Vec<Hit>);

struct Hit {
    victim: Entity,
    by: u16,
    damage: u8,
}

/// Gives every player whose wait is over a fighter: in the arena at the spawn point farthest from all others, in royale where
/// few are, and not once the zone is small.
pub(super) fn respawn_fighters(
    mut commands: Commands,
    clock: Res<MatchClock>,
    ground: Res<Ground>,
    (mut ids, mut random): (ResMut<NetIds>, ResMut<Random>),
    mut scores: Query<&mut Score>,
    fighters: Query<(Entity, &Fighter)>,
    zones: Query<&Zone>,
) {
    let zone = zones.iter().next();
    if zone.is_some_and(royale::is_final) {
        return;
    }
    let is_due = |score: &Mut<Score>| score.respawn_at != 0 && timers::left(score.respawn_at, clock.tick, RESPAWN_TICKS) == 0;
    let mut due: Vec<Mut<Score>> = scores.iter_mut().filter(is_due).collect();
    if due.is_empty() {
        return;
    }
    due.sort_unstable_by_key(|score| score.player);
    let crowd = zone.map(|_| Crowd::new(ground.0, fighters.iter()));
    let mut taken: Vec<Vec2> = fighters.iter().map(|(_, fighter)| fighter.place()).collect();
    for mut score in due {
        let place = match (zone, &crowd) {
            (Some(zone), Some(crowd)) => royale::landing(ground.0, zone, crowd, &mut random.0),
            _ => farthest_spawn(&taken, random.0.below(SPAWN_COUNT as u32) as usize),
        };
        taken.push(place);
        let inwards = Angle::of(ground.0.middle().minus(place));
        commands.spawn((ids.allocate(), Fighter::new(score.player, place, inwards)));
        score.respawn_at = 0;
    }
}

/// The spawn point whose nearest fighter is farthest away; among equals the first from `start` on.
fn farthest_spawn(taken: &[Vec2], start: usize) -> Vec2 {
    let nearest = |spawn: Vec2| taken.iter().map(|place| place.minus(spawn).length_squared_wide()).min().unwrap_or(i64::MAX);
    let candidates = (0..SPAWN_COUNT).map(|index| SPAWNS[(start + index) % SPAWN_COUNT]);
    // `max_by_key` keeps the last of equals.
    candidates.rev().max_by_key(|spawn| nearest(*spawn)).unwrap_or(SPAWNS[0])
}

/// Steps every fighter by its player's input, and fires.
pub(super) fn move_fighters(
    mut commands: Commands,
    clock: Res<MatchClock>,
    ground: Res<Ground>,
    inputs: Res<Inputs<Input>>,
    mut ids: ResMut<NetIds>,
    mut fighters: Query<&mut Fighter>,
    shots: Query<&Shot>,
) {
    let mut in_flight = InFlight::count(shots.iter());
    let mut in_order: Vec<Mut<Fighter>> = fighters.iter_mut().collect();
    in_order.sort_unstable_by_key(|fighter| fighter.player);
    for mut fighter in in_order {
        let input = inputs.of(PlayerId(fighter.player));
        let input = if clock.phase == Phase::Finished { input.released() } else { input };
        let fires = fighter.step(ground.0, clock.tick, &input);
        if fires && in_flight.add(fighter.player) {
            commands.spawn((ids.allocate(), Shot::fired_by(&fighter, clock.tick)));
        }
    }
}

/// How many shots are in flight, by owner.
struct InFlight {
    by_owner: Vec<u8>,
    count: usize,
}

impl InFlight {
    fn count<'a>(shots: impl Iterator<Item = &'a Shot>) -> Self {
        let mut in_flight = Self { by_owner: vec![0; Shot::TABLE.fields[0].span() as usize + 1], count: 0 };
        shots.for_each(|shot| {
            in_flight.add(shot.owner);
        });
        in_flight
    }

    /// Whether `owner` may have one more. Then there is one more.
    fn add(&mut self, owner: u16) -> bool {
        let Some(count) = self.by_owner.get_mut(usize::from(owner)) else { return false };
        let is_allowed = usize::from(*count) < SHOTS_PER_PLAYER_MAX && self.count < SHOTS_MAX;
        *count += u8::from(is_allowed);
        self.count += usize::from(is_allowed);
        is_allowed
    }
}

/// Flies every shot on, notes whom it hits, and removes it when it is spent.
pub(super) fn fly_shots(
    mut commands: Commands,
    clock: Res<MatchClock>,
    ground: Res<Ground>,
    mut hits: ResMut<Hits>,
    mut shots: Query<(Entity, &Networked, &mut Shot)>,
    fighters: Query<(Entity, &Fighter)>,
) {
    let targets = Crowd::new(ground.0, fighters.iter());
    let mut in_order: Vec<(Entity, &Networked, Mut<Shot>)> = shots.iter_mut().collect();
    in_order.sort_unstable_by_key(|(_, networked, _)| networked.0);
    for (entity, _, mut shot) in in_order {
        let flight = shot.step(ground.0, clock.tick);
        let victim = first_hit(&flight, shot.owner, &targets);
        hits.0.extend(victim.map(|victim| Hit { victim, by: shot.owner, damage: shot.damage }));
        if victim.is_some() || !flight.goes_on {
            commands.entity(entity).despawn();
        }
    }
}

/// Whom a shot of `owner` meets first on its way; of two at once the lower player.
fn first_hit(flight: &Flight, owner: u16, targets: &Crowd) -> Option<Entity> {
    let others = targets.near(flight.from, SHOT_SPEED + FIGHTER_RADIUS + SHOT_RADIUS).filter(|member| member.player != owner);
    let met = others.filter_map(|member| Some(((flight.meets(member.place)?, member.player), member.entity)));
    met.min_by_key(|(when, _)| *when).map(|(_, entity)| entity)
}

/// Takes health for every hit, while the match is live, and lives where no health is left.
pub(super) fn apply_hits(
    mut commands: Commands,
    clock: Res<MatchClock>,
    mut hits: ResMut<Hits>,
    mut events: ResMut<Events>,
    mut fighters: Query<&mut Fighter>,
    mut scores: Query<&mut Score>,
) {
    if hits.0.is_empty() {
        return;
    }
    let mut scores = Scores::new(scores.iter_mut());
    for Hit { victim: entity, by, damage } in hits.0.drain(..) {
        let Ok(mut fighter) = fighters.get_mut(entity) else { continue };
        let damage = damage.min(fighter.health);
        if clock.phase != Phase::Live || damage == 0 {
            continue;
        }
        let (victim, at) = (fighter.player, [fighter.x, fighter.y]);
        fighter.health -= damage;
        events.emit_at(at, &ArenaEvent::Hit { victim, by, damage });
        let is_kill = fighter.health == 0;
        if let Some(score) = scores.of(by) {
            score.score += i32::from(damage) + if is_kill { KILL_SCORE } else { 0 };
            score.kills += u16::from(is_kill);
        }
        if is_kill {
            events.emit_at(at, &ArenaEvent::Kill { killer: by, victim });
            commands.entity(entity).despawn();
            if let Some(score) = scores.of(victim) {
                score.die(clock.tick);
            }
        }
    }
}

/// The scores, by player.
pub(super) struct Scores<'a>(Vec<Mut<'a, Score>>);

impl<'a> Scores<'a> {
    pub(super) fn new(scores: impl Iterator<Item = Mut<'a, Score>>) -> Self {
        let mut scores: Vec<_> = scores.collect();
        scores.sort_unstable_by_key(|score| score.player);
        Self(scores)
    }

    pub(super) fn of(&mut self, player: u16) -> Option<&mut Score> {
        let index = self.0.binary_search_by_key(&player, |score| score.player).ok()?;
        self.0.get_mut(index).map(|score| &mut **score)
    }
}

impl Score {
    /// Loses a life in `tick`.
    pub(super) fn die(&mut self, tick: Tick) {
        self.deaths = (self.deaths + 1).min(Self::TABLE.fields[3].max as u16);
        self.respawn_at = timers::after(tick, RESPAWN_TICKS).max(1);
    }
}

/// While the match is live, gives pickups to the fighters that reach them and have a use for them.
pub(super) fn take_pickups(
    mut commands: Commands,
    clock: Res<MatchClock>,
    ground: Res<Ground>,
    mut events: ResMut<Events>,
    mut spots: Query<(Entity, &mut Spot, &Pickup)>,
    mut fighters: Query<(Entity, &mut Fighter)>,
) {
    if clock.phase != Phase::Live {
        return;
    }
    let crowd = Crowd::new(ground.0, fighters.iter());
    let mut offers: Vec<(Entity, Mut<Spot>, &Pickup)> = spots.iter_mut().collect();
    offers.sort_unstable_by_key(|(_, spot, _)| spot.place);
    for (entity, mut spot, pickup) in offers {
        let place = Vec2::new(pickup.x, pickup.y);
        let near = crowd.near(place, PICKUP_REACH).filter(|member| member.place.minus(place).length_squared_wide() <= REACH_SQUARED);
        let mut takers: Vec<(u16, Entity)> = near.map(|member| (member.player, member.entity)).collect();
        takers.sort_unstable();
        let has_use = |fighter: &Fighter| pickup.kind != PickupKind::Health.number() || fighter.health < HEALTH_MAX;
        let taker = takers.into_iter().find(|(_, taker)| fighters.get(*taker).is_ok_and(|(_, fighter)| has_use(fighter)));
        let Some((_, mut fighter)) = taker.and_then(|(_, taker)| fighters.get_mut(taker).ok()) else { continue };
        let back = take(&mut fighter, PickupKind::from(pickup.kind), clock.tick);
        events.emit_at([place.x, place.y], &ArenaEvent::Pickup { player: fighter.player, pickup: pickup.kind });
        spot.back_at = timers::after(clock.tick, back).max(1);
        commands.entity(entity).remove::<Pickup>();
    }
}

/// Does what a pickup of `kind` does. Returns how long until it is back.
fn take(fighter: &mut Fighter, kind: PickupKind, tick: Tick) -> i32 {
    match kind {
        PickupKind::Health => {
            fighter.health = (fighter.health + PICKUP_HEALTH).min(HEALTH_MAX);
            HEALTH_BACK_TICKS
        }
        PickupKind::Overcharge => {
            fighter.overcharge_until = timers::after(tick, OVERCHARGE_TICKS);
            OVERCHARGE_BACK_TICKS
        }
    }
}

/// Puts back what was taken long enough ago.
pub(super) fn return_pickups(
    mut commands: Commands,
    clock: Res<MatchClock>,
    ground: Res<Ground>,
    mut spots: Query<(Entity, &mut Spot), Without<Pickup>>,
) {
    for (entity, mut spot) in &mut spots {
        let is_due = spot.back_at != 0 && timers::left(spot.back_at, clock.tick, HEALTH_BACK_TICKS.max(OVERCHARGE_BACK_TICKS)) == 0;
        if let Some((kind, place)) = ground.0.pickup(usize::from(spot.place)).filter(|_| is_due) {
            commands.entity(entity).insert(Pickup { kind: kind.number(), x: place.x, y: place.y });
            spot.back_at = 0;
        }
    }
}

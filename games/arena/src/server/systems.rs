//! The arena's systems, in the order they run.

#![allow(clippy::needless_pass_by_value, clippy::too_many_arguments)] // a system's parameters are what it works on, by value

use bevy_ecs::entity::Entity;
use bevy_ecs::system::{Commands, Local, Query, Res, ResMut};
use tickwire_game::{Events, Inputs, MatchClock, NetIds, Networked, Random, timers};
use tickwire_protocol::limits::ROWS_MAX;
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{NetId, PlayerId, Tick};

use super::Ground;
use super::crowd::Crowd;
use crate::Input;
use crate::angle::Angle;
use crate::events::ArenaEvent;
use crate::geometry::Vec2;
use crate::map::{Map, SPAWN_COUNT, SPAWNS};
use crate::movement::{FIGHTER_RADIUS, HEALTH_MAX, OVERCHARGE_TICKS};
use crate::projectile::{Flight, SHOT_RADIUS, SHOT_SPEED, SHOTS_PER_PLAYER_MAX};
use crate::tables::{COUNT_MAX, Fighter, Pickup, PickupKind, Score, Shot, Spot};

/// From death to the next life.
const RESPAWN_TICKS: i32 = 90;
/// Score for a kill, on top of the health taken.
pub(crate) const KILL_SCORE: i32 = 50;
/// Health that a pickup gives back.
const PICKUP_HEALTH: u8 = 50;
/// Ticks until a health pickup that was taken is back.
const HEALTH_BACK_TICKS: i32 = 450;
/// Ticks until an overcharge that was taken is back.
const OVERCHARGE_BACK_TICKS: i32 = 750;
/// Most shots in flight in a match, a few less than a table holds: reached only when hundreds fire
/// at once.
const SHOTS_MAX: usize = 4_000;
const _: () = assert!(SHOTS_MAX < ROWS_MAX);

/// Somebody's entity, by player.
pub(super) type ByPlayer = Vec<(u16, Entity)>;

/// Gives every player whose wait is over a fighter, at the spawn point farthest from all others.
pub(super) fn respawn_fighters(
    mut commands: Commands,
    clock: Res<MatchClock>,
    ground: Res<Ground>,
    mut ids: ResMut<NetIds>,
    mut random: ResMut<Random>,
    mut scores: Query<(Entity, &mut Score)>,
    fighters: Query<&Fighter>,
    mut due: Local<ByPlayer>,
    mut taken: Local<Vec<Vec2>>,
) {
    find_due(&scores, clock.tick, &mut due);
    if due.is_empty() {
        return;
    }
    taken.clear();
    taken.extend(fighters.iter().map(Fighter::place));
    for (player, seat) in due.drain(..) {
        let place = farthest_spawn(&taken, random.0.below(SPAWN_COUNT as u32) as usize);
        taken.push(place);
        commands.spawn((ids.allocate(), fighter_at(ground.map, player, place, clock.tick)));
        if let Ok((_, mut score)) = scores.get_mut(seat) {
            score.respawn_at = 0;
        }
    }
}

/// Players whose wait is over in `tick`, rising, and their seats.
pub(super) fn find_due(scores: &Query<(Entity, &mut Score)>, tick: Tick, due: &mut ByPlayer) {
    let is_due = |score: &Score| score.respawn_at != 0 && timers::left(score.respawn_at, tick, RESPAWN_TICKS) == 0;
    due.extend(scores.iter().filter(|(_, score)| is_due(score)).map(|(seat, score)| (score.player, seat)));
    due.sort_unstable();
}

/// A new fighter looks inwards and is protected.
pub(super) fn fighter_at(map: Map, player: u16, place: Vec2, tick: Tick) -> Fighter {
    Fighter::new(player, place, Angle::of(map.middle().minus(place))).protected_from(tick)
}

/// Protects everyone in the last tick before the match is live: nobody was in danger before.
pub(super) fn protect_at_the_start(clock: Res<MatchClock>, mut fighters: Query<&mut Fighter>) {
    let is_last = clock.phase_ends.is_some_and(|ends| ends.since(clock.tick) == 1);
    if clock.phase == Phase::Countdown && is_last {
        fighters.iter_mut().for_each(|mut fighter| *fighter = fighter.protected_from(clock.tick));
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
    mut fired: Local<Vec<Shot>>,
    mut in_flight: Local<InFlight>,
) {
    for mut fighter in &mut fighters {
        let input = inputs.of(PlayerId(fighter.player));
        if fighter.step(ground.map, clock.tick, &input.in_phase(clock.phase)) {
            fired.push(Shot::fired_by(&fighter, clock.tick));
        }
    }
    if fired.is_empty() {
        return;
    }
    in_flight.count(shots.iter());
    fired.sort_unstable_by_key(|shot| shot.owner);
    for shot in fired.drain(..).filter(|shot| in_flight.add(shot.owner)) {
        commands.spawn((ids.allocate(), shot));
    }
}

/// How many shots are in flight.
#[derive(Default)]
pub(super) struct InFlight {
    by_owner: Vec<u8>,
    all: usize,
}

impl InFlight {
    fn count<'a>(&mut self, shots: impl Iterator<Item = &'a Shot>) {
        self.by_owner.clear();
        self.all = 0;
        shots.for_each(|shot| {
            self.add(shot.owner);
        });
    }

    /// Whether `owner` may have one more. Then there is one more.
    fn add(&mut self, owner: u16) -> bool {
        let owner = usize::from(owner);
        self.by_owner.resize(self.by_owner.len().max(owner + 1), 0);
        let Some(count) = self.by_owner.get_mut(owner) else { return false };
        let is_allowed = usize::from(*count) < SHOTS_PER_PLAYER_MAX && self.all < SHOTS_MAX;
        *count += u8::from(is_allowed);
        self.all += usize::from(is_allowed);
        is_allowed
    }
}

/// What the flying of shots works with.
#[derive(Default)]
pub(super) struct Flying {
    targets: Crowd,
    hits: Vec<Hit>,
    by_player: ByPlayer,
}

struct Hit {
    shot: NetId,
    victim: Entity,
    by: u16,
    damage: u8,
}

/// Flies every shot on, and removes it when it is spent. Whom it hits loses health and, where none
/// is left, a life, while the match is live and unless the fighter is protected.
pub(super) fn fly_shots(
    mut commands: Commands,
    clock: Res<MatchClock>,
    ground: Res<Ground>,
    mut events: ResMut<Events>,
    mut shots: Query<(Entity, &Networked, &mut Shot)>,
    mut fighters: Query<(Entity, &mut Fighter)>,
    mut scores: Query<(Entity, &'static mut Score)>,
    mut flying: Local<Flying>,
) {
    let Flying { targets, hits, by_player } = &mut *flying;
    targets.gather(ground.map, fighters.iter());
    for (entity, networked, mut shot) in &mut shots {
        let flight = shot.step(ground.map, clock.tick);
        let victim = first_hit(&flight, shot.owner, targets);
        hits.extend(victim.map(|victim| Hit { shot: networked.0, victim, by: shot.owner, damage: shot.damage }));
        if victim.is_some() || !flight.goes_on {
            commands.entity(entity).despawn();
        }
    }
    if hits.is_empty() {
        return;
    }
    hits.sort_unstable_by_key(|hit| hit.shot);
    let mut scores = Scores::new(&mut scores, by_player);
    for Hit { victim: entity, by, damage, .. } in hits.drain(..) {
        let Ok((_, mut fighter)) = fighters.get_mut(entity) else { continue };
        let damage = damage.min(fighter.health);
        if clock.phase != Phase::Live || damage == 0 || fighter.is_protected(clock.tick) {
            continue;
        }
        let (victim, at) = (fighter.player, [fighter.x, fighter.y]);
        let both = [PlayerId(by), PlayerId(victim)];
        fighter.health -= damage;
        events.emit_between(at, both, &ArenaEvent::Hit { victim, by, damage });
        let is_kill = fighter.health == 0;
        scores.change(by, |score| {
            score.score += i32::from(damage) + if is_kill { KILL_SCORE } else { 0 };
            score.kills += u16::from(is_kill);
        });
        if is_kill {
            let killer = fighters.iter().map(|(_, fighter)| fighter).find(|fighter| fighter.player == by);
            let left = killer.map_or(0, |killer| killer.health);
            events.emit_between(at, both, &ArenaEvent::Kill { killer: by, victim, left });
            commands.entity(entity).despawn();
            scores.change(victim, |score| score.die(clock.tick));
        }
    }
}

/// Whom a shot of `owner` meets first on its way; of two at once the lower player.
fn first_hit(flight: &Flight, owner: u16, targets: &Crowd) -> Option<Entity> {
    let others = targets.near(flight.from, SHOT_SPEED + FIGHTER_RADIUS + SHOT_RADIUS).filter(|member| member.player != owner);
    let met = others.filter_map(|member| Some(((flight.meets(member.place)?, member.player), member.entity)));
    met.min_by_key(|(when, _)| *when).map(|(_, entity)| entity)
}

/// The scores, by player.
pub(super) struct Scores<'a, 'w, 's> {
    scores: &'a mut Query<'w, 's, (Entity, &'static mut Score)>,
    by_player: &'a [(u16, Entity)],
}

impl<'a, 'w, 's> Scores<'a, 'w, 's> {
    /// `by_player` is only memory.
    pub(super) fn new(scores: &'a mut Query<'w, 's, (Entity, &'static mut Score)>, by_player: &'a mut ByPlayer) -> Self {
        by_player.clear();
        by_player.extend(scores.iter().map(|(entity, score)| (score.player, entity)));
        by_player.sort_unstable();
        Self { scores, by_player }
    }

    /// Nothing happens if `player` has no seat any more.
    pub(super) fn change(&mut self, player: u16, change: impl FnOnce(&mut Score)) {
        let index = self.by_player.binary_search_by_key(&player, |(player, _)| *player);
        let seat = index.ok().and_then(|index| self.by_player.get(index));
        if let Some((_, mut score)) = seat.and_then(|(_, entity)| self.scores.get_mut(*entity).ok()) {
            change(&mut score);
        }
    }
}

impl Score {
    /// Loses a life in `tick`.
    pub(super) fn die(&mut self, tick: Tick) {
        self.deaths = (self.deaths + 1).min(COUNT_MAX);
        self.respawn_at = timers::after(tick, RESPAWN_TICKS).max(1);
    }
}

/// While the match is live, gives pickups to the fighters that reach them and have a use for them;
/// and puts back what was taken long enough ago.
pub(super) fn exchange_pickups(
    mut commands: Commands,
    clock: Res<MatchClock>,
    ground: Res<Ground>,
    mut events: ResMut<Events>,
    mut spots: Query<(Entity, &mut Spot)>,
    mut fighters: Query<(Entity, &mut Fighter)>,
    mut reached: Local<Vec<(usize, u16, Entity)>>,
) {
    if clock.phase == Phase::Live {
        // Those who lost their life in this tick are still there, and take nothing.
        for (entity, fighter) in fighters.iter().filter(|(_, fighter)| fighter.health > 0) {
            reached.extend(ground.map.pickups_near(fighter.place()).map(|place| (place, fighter.player, entity)));
        }
        reached.sort_unstable();
    }
    for (place, player, taker) in reached.drain(..) {
        let spot = spots.iter_mut().find(|(_, spot)| usize::from(spot.place) == place && spot.back_at == 0);
        let (Some((entity, mut spot)), Some((kind, at))) = (spot, ground.map.pickup(place)) else { continue };
        let has_use = |fighter: &Fighter| kind != PickupKind::Health || fighter.health < HEALTH_MAX;
        let Some((_, mut fighter)) = fighters.get_mut(taker).ok().filter(|(_, fighter)| has_use(fighter)) else { continue };
        let back = take(&mut fighter, kind, clock.tick);
        events.emit_at([at.x, at.y], &ArenaEvent::Pickup { player, pickup: kind });
        spot.back_at = timers::after(clock.tick, back).max(1);
        commands.entity(entity).remove::<Pickup>();
    }
    // What was taken in this tick is not due for long.
    for (entity, mut spot) in &mut spots {
        let is_due = spot.back_at != 0 && timers::left(spot.back_at, clock.tick, HEALTH_BACK_TICKS.max(OVERCHARGE_BACK_TICKS)) == 0;
        if let Some((kind, place)) = ground.map.pickup(usize::from(spot.place)).filter(|_| is_due) {
            commands.entity(entity).insert(Pickup { kind, x: place.x, y: place.y });
            spot.back_at = 0;
        }
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

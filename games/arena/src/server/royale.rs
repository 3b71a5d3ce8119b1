//! Royale: a thousand on a map of sixteen arenas, and a zone that shrinks until few are left.
//!
//! Who dies comes back somewhere quiet, as long as the zone is wide; after that the dead stay dead,
//! and it is over when one is left. Players know their own score and the best ones'.

#![allow(clippy::needless_pass_by_value, clippy::too_many_arguments)] // a system's parameters are what it works on, by value

use bevy_ecs::change_detection::Mut;
use bevy_ecs::entity::Entity;
use bevy_ecs::query::QueryState;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Commands, Local, Query, Res, ResMut};
use bevy_ecs::world::{FromWorld, World};
use tickwire_game::interest::Tier;
use tickwire_game::{Events, Interest, MatchClock, NetIds, Random, Rng};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{Columns, PlayerId};

use super::Ground;
use super::crowd::Crowd;
use super::systems::{ByPlayer, Scores, fighter_at, find_due};
use crate::events::ArenaEvent;
use crate::geometry::Vec2;
use crate::map::{Map, UNIT};
use crate::movement::is_free;
use crate::tables::{Fighter, Leader, Score, Zone};

/// The radius at which the zone stops shrinking.
const RADIUS_MIN: i32 = 500 * UNIT;
/// Below this nobody comes back.
const RADIUS_FINAL: i32 = 2_000 * UNIT;
/// The zone is at its smallest when this part of the live time has passed, in tenths.
const SHRINKING_TENTHS: i32 = 9;
/// How long the zone takes where the live phase does not end by itself.
const SHRINKING_TICKS_DEFAULT: i32 = 8_100;
/// Time between two harms outside of the zone.
const HARM_EVERY: u32 = 30;
/// Health lost outside of the zone each time.
const HARM: u8 = 8;
/// Places tried for a landing: the one with the fewest around is taken.
const LANDINGS: usize = 6;
/// Who is this near to a landing counts as being around.
const AROUND: i32 = 900 * UNIT;
/// How many of the best everyone is told of.
const LEADERS: u8 = 10;
/// Time between two counts of the living and the best.
const COUNT_EVERY: u32 = 30;

/// The nine cells around, each every tick. They reach to the edge of the screen, some 900 units
/// away, with a sixteenth of a cell to spare for either side of a border crossed late.
const TIERS: &[Tier] = &[Tier { cells: 1, every: 1 }];

/// Who is sent what: 12 kB a second. Where rows are and who may see them, [`crate::tables`] says.
pub(super) const INTEREST: Interest = Interest::new([Map::ROYALE.side(); 2], [1100 * UNIT; 2], TIERS, 400);

/// The zone of a new match, which has its middle somewhere in the middle of the map and reaches to
/// every corner.
pub(super) fn zone(map: Map, random: &mut Rng) -> Zone {
    let quarter = map.side() / 4;
    let mut coordinate = || random.between(quarter, 3 * quarter);
    let (x, y) = (coordinate(), coordinate());
    let corner = Vec2::new(x.max(map.side() - x), y.max(map.side() - y));
    Zone { x, y, growth: 0, radius: corner.length_rounded_up(), alive: 0 }
}

/// Whether the dead stay dead.
fn is_final(zone: &Zone) -> bool {
    zone.radius < RADIUS_FINAL
}

/// Gives every player whose wait is over a fighter where few are, as long as the zone is wide.
pub(super) fn respawn_fighters(
    mut commands: Commands,
    clock: Res<MatchClock>,
    ground: Res<Ground>,
    mut ids: ResMut<NetIds>,
    mut random: ResMut<Random>,
    mut scores: Query<(Entity, &mut Score)>,
    fighters: Query<(Entity, &Fighter)>,
    zones: Query<&Zone>,
    mut due: Local<ByPlayer>,
    mut crowd: Local<Crowd>,
) {
    let Some(zone) = zones.iter().next().filter(|zone| !is_final(zone)) else { return };
    find_due(&scores, clock.tick, &mut due);
    if due.is_empty() {
        return;
    }
    crowd.gather(ground.map, fighters.iter());
    for (player, seat) in due.drain(..) {
        let place = landing(ground.map, zone, &crowd, &mut random.0);
        commands.spawn((ids.allocate(), fighter_at(ground.map, player, place, clock.tick)));
        if let Ok((_, mut score)) = scores.get_mut(seat) {
            score.respawn_at = 0;
        }
    }
}

/// A free place inside of the zone with few around it.
fn landing(map: Map, zone: &Zone, crowd: &Crowd, random: &mut Rng) -> Vec2 {
    let reach = zone.radius * 7 / 10;
    let mut free = || {
        let mut coordinate = |middle: i32| random.between((middle - reach).max(0), (middle + reach).min(map.side()));
        let place = Vec2::new(coordinate(zone.x), coordinate(zone.y));
        (is_free(map, place), place)
    };
    let mut best = (usize::MAX, map.middle());
    let mut found = 0;
    // The middle of the map is free: if nothing else is found, that is where one lands.
    for _ in 0..4 * LANDINGS {
        let (is_free, place) = free();
        if is_free {
            found += 1;
            let around = crowd.near(place, AROUND).count();
            best = if around < best.0 { (around, place) } else { best };
        }
        if found == LANDINGS {
            break;
        }
    }
    best.1
}

/// Shrinks the zone while the match is live.
pub(super) fn shrink_zone(clock: Res<MatchClock>, mut zones: Query<&mut Zone>) {
    for mut zone in &mut zones {
        if clock.phase != Phase::Live || zone.radius <= RADIUS_MIN {
            if zone.growth != 0 {
                zone.growth = 0;
            }
            continue;
        }
        if zone.growth == 0 {
            let left = clock.phase_ends.map_or(SHRINKING_TICKS_DEFAULT, |ends| ends.since(clock.tick) * SHRINKING_TENTHS / 10);
            let way = zone.radius - RADIUS_MIN;
            zone.growth = (-way.div_euclid(left.max(1)) - 1).max(Zone::TABLE.fields[2].min);
        }
        zone.radius = (zone.radius + zone.growth).max(0);
    }
}

/// Harms those outside of the zone, each at a moment of their own.
pub(super) fn harm_outside(
    mut commands: Commands,
    clock: Res<MatchClock>,
    mut events: ResMut<Events>,
    zones: Query<&Zone>,
    mut fighters: Query<(Entity, &mut Fighter)>,
    mut scores: Query<(Entity, &'static mut Score)>,
    mut harmed: Local<ByPlayer>,
    mut by_player: Local<ByPlayer>,
) {
    let Some(zone) = zones.iter().next().filter(|_| clock.phase == Phase::Live) else { return };
    let middle = Vec2::new(zone.x, zone.y);
    let radius_squared = i64::from(zone.radius) * i64::from(zone.radius);
    let is_due = |fighter: &Fighter| clock.tick.0.wrapping_add(u32::from(fighter.player)).is_multiple_of(HARM_EVERY);
    let is_out = |fighter: &Fighter| fighter.place().minus(middle).length_squared_wide() > radius_squared;
    let is_harmed = |fighter: &Fighter| fighter.health > 0 && is_due(fighter) && is_out(fighter) && !fighter.is_protected(clock.tick);
    harmed.extend(fighters.iter().filter(|(_, fighter)| is_harmed(fighter)).map(|(entity, fighter)| (fighter.player, entity)));
    if harmed.is_empty() {
        return;
    }
    harmed.sort_unstable();
    let mut scores = Scores::new(&mut scores, &mut by_player);
    for (player, entity) in harmed.drain(..) {
        let Ok((_, mut fighter)) = fighters.get_mut(entity) else { continue };
        fighter.health = fighter.health.saturating_sub(HARM);
        if fighter.health == 0 {
            let told = [PlayerId(player); 2];
            events.emit_between([fighter.x, fighter.y], told, &ArenaEvent::Kill { killer: player, victim: player, left: 0 });
            commands.entity(entity).despawn();
            scores.change(player, |score| score.die(clock.tick));
        }
    }
}

/// Counts the living and the best, once a second.
pub(super) fn count_heads(
    mut commands: Commands,
    clock: Res<MatchClock>,
    mut ids: ResMut<NetIds>,
    mut zones: Query<&mut Zone>,
    fighters: Query<&Fighter>,
    scores: Query<&Score>,
    mut leaders: Query<(Entity, &mut Leader)>,
) {
    let Some(mut zone) = zones.iter_mut().next() else { return };
    if !clock.tick.0.is_multiple_of(COUNT_EVERY) {
        return;
    }
    let alive = fighters.iter().filter(|fighter| fighter.health > 0).count() as u16;
    if zone.alive != alive {
        zone.alive = alive;
    }
    let mut best: Vec<&Score> = scores.iter().collect();
    best.sort_unstable_by_key(|score| (-score.score, score.deaths, score.player));
    let mut ranks =
        best.into_iter().zip(0..LEADERS).map(|(score, rank)| Leader { rank, player: score.player, score: score.score, kills: score.kills });
    let mut in_order: Vec<(Entity, Mut<Leader>)> = leaders.iter_mut().collect();
    in_order.sort_unstable_by_key(|(_, leader)| leader.rank);
    for (entity, mut leader) in in_order {
        match ranks.next() {
            Some(now) if *leader != now => *leader = now,
            Some(_) => {}
            None => commands.entity(entity).despawn(),
        }
    }
    for leader in ranks {
        commands.spawn((ids.allocate(), leader));
    }
}

/// Whether one is left, or none, after the dead began to stay dead.
pub(super) fn is_decided(world: &mut World) -> bool {
    // Asked every tick: what costs more than a look comes last.
    if !is_final_in(world) {
        return false;
    }
    let seated = world.query::<&Score>().iter(world).count();
    let alive = world.query::<&Fighter>().iter(world).count();
    seated > 1 && alive <= 1
}

/// The players that live, rising; none if it does not matter.
pub(super) fn survivors(world: &mut World) -> Vec<u16> {
    if !is_final_in(world) {
        return Vec::new();
    }
    let mut players: Vec<u16> = world.query::<&Fighter>().iter(world).map(|fighter| fighter.player).collect();
    players.sort_unstable();
    players
}

/// Whether there is a zone, and the dead stay dead.
fn is_final_in(world: &mut World) -> bool {
    if world.resource::<Ground>().map != Map::ROYALE {
        return false;
    }
    world.resource_scope(|world, mut zones: Mut<Zones>| zones.0.iter(world).any(is_final))
}

/// How the zone is found: it is asked for every tick, and a query is costly to build.
#[derive(Resource)]
pub(super) struct Zones(QueryState<&'static Zone>);

impl FromWorld for Zones {
    fn from_world(world: &mut World) -> Self {
        Self(world.query())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_reaches_every_corner_at_first() {
        for seed in 0..50 {
            let zone = zone(Map::ROYALE, &mut Rng::new(seed));
            let side = Map::ROYALE.side();
            for corner in [[0, 0], [side, 0], [0, side], [side, side]] {
                assert!(Vec2::new(corner[0] - zone.x, corner[1] - zone.y).length() <= zone.radius, "{zone:?}");
            }
            assert!(Zone::TABLE.fields[3].contains(zone.radius.into()), "{zone:?}");
        }
    }
}

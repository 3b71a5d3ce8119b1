//! The arena on the server: the world's entities, and the order its systems run in.
//!
//! A player has a *seat* entity with its [`Score`], and while alive a fighter entity, a new one for
//! every life. A pickup place is one entity that has a [`Pickup`] while there is something to take.
//!
//! Invariant: systems look at entities in the order of players or of network ids, never in the
//! ECS's own order, which a restored world does not share.

mod crowd;
mod royale;
mod systems;

pub(crate) use systems::KILL_SCORE;

use bevy_ecs::resource::Resource;
use bevy_ecs::schedule::{IntoScheduleConfigs, SystemSet};
use bevy_ecs::world::World;
use tickwire_game::{Interest, MatchClock, Mode, Random, Setup, spawn, timers};
use tickwire_protocol::PlayerId;
use tickwire_protocol::messages::Ranked;

use crate::map::Map;
use crate::tables::{Pickup, Score, Spot};

/// What a tick does, in this order.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ArenaSet {
    /// The dead come back.
    Respawn,
    /// Inputs move fighters, and shots leave.
    Move,
    /// Shots fly and hit, and hits take health and lives.
    Fly,
    /// Pickups are taken, and come back.
    Collect,
    /// In royale: the zone shrinks, and heads are counted.
    Close,
}

/// What is played on.
#[derive(Resource, Clone, Copy)]
struct Ground {
    map: Map,
}

/// What is there from the start, and what a tick does.
pub(crate) fn systems(setup: &mut Setup<'_>) {
    let map = Map::of(setup.mode);
    setup.world.insert_resource(Ground { map });
    for (place, (kind, at)) in (0..map.pickup_count()).filter_map(|index| Some((index as u16, map.pickup(index)?))) {
        setup.spawn((Spot { place, back_at: 0 }, Pickup { kind, x: at.x, y: at.y }));
    }
    // Whoever comes and whatever is fired has its first step in the same tick. After that nobody
    // asks who has gone.
    setup.schedule.configure_sets((ArenaSet::Respawn, ArenaSet::Move, ArenaSet::Fly).chain());
    setup.schedule.configure_sets((ArenaSet::Fly, ArenaSet::Collect, ArenaSet::Close).chain_ignore_deferred());
    setup.add((
        (systems::move_fighters, systems::protect_at_the_start).chain_ignore_deferred().in_set(ArenaSet::Move),
        systems::fly_shots.in_set(ArenaSet::Fly),
        systems::exchange_pickups.in_set(ArenaSet::Collect),
    ));
    if map == Map::ROYALE {
        let zone = royale::zone(map, &mut setup.world.resource_mut::<Random>().0);
        setup.spawn(zone);
        setup.world.init_resource::<royale::Zones>();
        let close = (royale::shrink_zone, royale::harm_outside, royale::count_heads).chain_ignore_deferred();
        setup.add((royale::respawn_fighters.in_set(ArenaSet::Respawn), close.in_set(ArenaSet::Close)));
    } else {
        setup.add(systems::respawn_fighters.in_set(ArenaSet::Respawn));
    }
}

/// A player gets a seat, and soon a fighter.
pub(crate) fn join(world: &mut World, player: PlayerId) {
    let respawn_at = timers::after(world.resource::<MatchClock>().tick, 1).max(1);
    spawn(world, Score { player: player.0, score: 0, kills: 0, deaths: 0, respawn_at });
}

/// Whoever still lives comes first where the dead stay dead.
pub(crate) fn ranking(world: &mut World) -> Vec<Ranked> {
    let survivors = royale::survivors(world);
    let is_dead = |score: &Score| survivors.binary_search(&score.player).is_err();
    let mut scores: Vec<Score> = world.query::<&Score>().iter(world).copied().collect();
    scores.sort_unstable_by_key(|score| (is_dead(score), -score.score, score.deaths, score.player));
    scores.into_iter().map(|score| Ranked { player: PlayerId(score.player), score: score.score }).collect()
}

pub(crate) fn sight(mode: &Mode) -> Option<Interest> {
    (Map::of(mode) == Map::ROYALE).then_some(royale::INTEREST)
}

pub(crate) fn is_decided(world: &mut World) -> bool {
    royale::is_decided(world)
}

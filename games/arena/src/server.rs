//! The arena on the server: the world's entities, and the order its systems run in.
//!
//! A player has a *seat* entity with its [`Score`], and while alive a fighter entity, a new one for every life. A pickup
//! place is one entity that has a [`Pickup`] while there is something to take.
//!
//! Invariant: systems look at entities in the order of players or of network ids, never in the ECS's own order, which a
//! restored world does not share.

mod crowd;
mod royale;
mod systems;

use bevy_ecs::resource::Resource;
use bevy_ecs::schedule::{IntoScheduleConfigs, SystemSet};
use bevy_ecs::world::World;
use tickwire_game::{Game, Interest, MatchClock, Mode, NetIds, Random, Replicate, Setup};
use tickwire_protocol::PlayerId;
use tickwire_protocol::messages::Ranked;

use crate::Arena;
use crate::map::Map;
use crate::tables::{Fighter, Leader, Pickup, Score, Shot, Zone};
use crate::timers;

/// What a tick does, in this order.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
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

/// A pickup place's clock. Clients see only what it brings: it has a [`Pickup`] exactly while there is
/// something to take.
#[derive(Replicate, Clone, Copy, Debug, PartialEq, Eq)]
struct Spot {
    /// Index of the place on the map.
    #[range(0..=1023)]
    place: u16,
    /// When there is something to take again; 0 while there is.
    #[range(0..=0x7fff_ffff)]
    back_at: u32,
}

impl Game for Arena {
    fn build(setup: &mut Setup<'_>) {
        setup.registry.replicate::<Fighter>();
        setup.registry.replicate::<Shot>();
        setup.registry.replicate::<Pickup>();
        setup.registry.replicate::<Score>();
        setup.registry.replicate::<Zone>();
        setup.registry.replicate::<Leader>();
        setup.registry.persist::<Spot>();
        let map = Map::of(setup.mode);
        setup.world.insert_resource(Ground { map });
        for (place, (kind, at)) in (0..map.pickup_count()).filter_map(|index| Some((index as u16, map.pickup(index)?))) {
            let networked = setup.world.resource_mut::<NetIds>().allocate();
            setup.world.spawn((networked, Spot { place, back_at: 0 }, Pickup { kind, x: at.x, y: at.y }));
        }
        // Whoever comes and whatever is fired has its first step in the same tick. After that nobody asks who has gone.
        setup.schedule.configure_sets((Step::Respawn, Step::Move, Step::Fly).chain());
        setup.schedule.configure_sets((Step::Fly, Step::Collect, Step::Close).chain_ignore_deferred());
        setup.schedule.add_systems((
            (systems::move_fighters, systems::protect_at_the_start).chain_ignore_deferred().in_set(Step::Move),
            systems::fly_shots.in_set(Step::Fly),
            systems::exchange_pickups.in_set(Step::Collect),
        ));
        if map == Map::ROYALE {
            let zone = royale::zone(map, &mut setup.world.resource_mut::<Random>().0);
            let networked = setup.world.resource_mut::<NetIds>().allocate();
            setup.world.spawn((networked, zone));
            setup.world.init_resource::<royale::Zones>();
            let close = (royale::shrink_zone, royale::harm_outside, royale::count_heads).chain_ignore_deferred();
            setup.schedule.add_systems((royale::respawn_fighters.in_set(Step::Respawn), close.in_set(Step::Close)));
        } else {
            setup.schedule.add_systems(systems::respawn_fighters.in_set(Step::Respawn));
        }
    }

    fn join(world: &mut World, player: PlayerId) {
        let networked = world.resource_mut::<NetIds>().allocate();
        let respawn_at = timers::after(world.resource::<MatchClock>().tick, 1).max(1);
        world.spawn((networked, Score { player: player.0, score: 0, kills: 0, deaths: 0, respawn_at }));
    }

    fn ranking(world: &mut World) -> Vec<Ranked> {
        let survivors = royale::survivors(world);
        let is_dead = |score: &Score| survivors.binary_search(&score.player).is_err();
        let mut scores: Vec<Score> = world.query::<&Score>().iter(world).copied().collect();
        scores.sort_unstable_by_key(|score| (is_dead(score), -score.score, score.deaths, score.player));
        scores.into_iter().map(|score| Ranked { player: PlayerId(score.player), score: score.score }).collect()
    }

    fn interest(mode: &Mode) -> Option<Interest> {
        (Map::of(mode) == Map::ROYALE).then_some(royale::INTEREST)
    }

    fn is_decided(world: &mut World) -> bool {
        royale::is_decided(world)
    }
}

//! Tag on the server: one entity per player, and two systems.

#![allow(clippy::needless_pass_by_value)] // systems take their parameters by value

use bevy_ecs::change_detection::Mut;
use bevy_ecs::schedule::IntoScheduleConfigs;
use bevy_ecs::system::{Query, Res, ResMut};
use bevy_ecs::world::World;
use tickwire_game::{Events, Game, Inputs, MatchClock, NetIds, Random, Setup, tick_field};
use tickwire_protocol::messages::Ranked;
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{PlayerId, Tick};

use crate::{HEIGHT, Input, RADIUS, Runner, Tag, Tagged, WAIT_TICKS, WIDTH};

impl Game for Tag {
    fn build(setup: &mut Setup<'_>) {
        setup.registry.replicate::<Runner>();
        setup.schedule.add_systems((move_runners, pass_it_on).chain());
    }

    fn join(world: &mut World, player: PlayerId) {
        let random = &mut world.resource_mut::<Random>().0;
        let (x, y) = (random.between(RADIUS, WIDTH - RADIUS), random.between(RADIUS, HEIGHT - RADIUS));
        let networked = world.resource_mut::<NetIds>().allocate();
        world.spawn((networked, Runner { player: player.0, is_it: false, waits_until: 0, rate: 0, score: 0, vx: 0, vy: 0, x, y }));
    }

    fn ranking(world: &mut World) -> Vec<Ranked> {
        let mut ranking: Vec<Ranked> =
            world.query::<&Runner>().iter(world).map(|runner| Ranked { player: PlayerId(runner.player), score: runner.score }).collect();
        ranking.sort_unstable_by_key(|ranked| (-ranked.score, ranked.player));
        ranking
    }
}

impl Runner {
    /// It is it from `tick` on.
    fn become_it(&mut self, tick: Tick) {
        self.is_it = true;
        self.waits_until = tick_field(tick.plus(WAIT_TICKS));
    }
}

/// Steps every runner by its player's input, with the very function that the browser predicts with.
fn move_runners(clock: Res<MatchClock>, inputs: Res<Inputs<Input>>, mut runners: Query<&mut Runner>) {
    for mut runner in &mut runners {
        let input = inputs.of(PlayerId(runner.player));
        runner.step(clock.tick, input);
    }
}

/// Sees to it that somebody is it, passes it on at a touch, and counts. Looks at runners in order of players: the world's
/// own order is not part of its state.
fn pass_it_on(clock: Res<MatchClock>, mut random: ResMut<Random>, mut events: ResMut<Events>, mut runners: Query<&mut Runner>) {
    let mut runners: Vec<Mut<Runner>> = runners.iter_mut().collect();
    runners.sort_unstable_by_key(|runner| runner.player);
    let is_live = clock.phase == Phase::Live;
    if is_live && !runners.is_empty() && runners.iter().all(|runner| !runner.is_it) {
        let chosen = random.0.below(runners.len() as u32) as usize;
        runners[chosen].become_it(clock.tick);
    }
    if let Some(it) = runners.iter().position(|runner| runner.is_it && !runner.waits(clock.tick))
        && let Some(touched) = runners.iter().position(|other| !other.is_it && runners[it].distance_squared(other) < 4 * RADIUS * RADIUS)
        && is_live
    {
        events.emit(&Tagged { player: runners[touched].player, by: runners[it].player });
        runners[it].is_it = false;
        runners[touched].become_it(clock.tick);
    }
    for mut runner in runners {
        // The score grows by what the field before it says: nothing of it needs to be sent.
        runner.rate = i32::from(is_live && !runner.is_it);
        runner.score += runner.rate;
    }
}

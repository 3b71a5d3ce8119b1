//! What the server does in a tick of tag: one entity per player; the system that moves them is
//! Tickwire's.

#![allow(clippy::needless_pass_by_value)] // systems take their parameters by value

use tickwire_game::prelude::*;

use crate::{RADIUS, Runner, Tagged, WAIT_TICKS};

impl Runner {
    /// It is it from `tick` on.
    fn become_it(&mut self, tick: Tick) {
        self.is_it = true;
        self.waits_until = timers::after(tick, WAIT_TICKS);
    }
}

/// Sees to it that somebody is it, passes it on at a touch, and counts. Looks at runners in order
/// of players: the world's own order is not part of its state.
pub(crate) fn pass_it_on(clock: Res<MatchClock>, mut random: ResMut<Random>, mut events: ResMut<Events>, mut runners: Query<&mut Runner>) {
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

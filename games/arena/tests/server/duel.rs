//! A scene of two, set up by hand, and what tests ask of it.

use arena::events::ArenaEvent;
use arena::geometry::Vec2;
use arena::map::UNIT;
use arena::tables::{Fighter, Score};
use arena::{Arena, Input};
use tickwire_game::Event;
use tickwire_game::testing::TestMatch;
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{PlayerId, Tick};

pub(crate) const ONE: PlayerId = PlayerId(0);
pub(crate) const TWO: PlayerId = PlayerId(1);
pub(crate) const FIRE: Input = Input { move_x: 0, move_y: 0, aim: 0, buttons: Input::FIRE };

/// Two fighters 200 units apart in the open, the first looking at the second. Neither is protected
/// any more.
pub(crate) fn duel(phase: Phase) -> TestMatch<Arena> {
    let mut game = TestMatch::new(5, Tick(1000));
    game.join(ONE);
    game.join(TWO);
    game.enter(phase);
    game.step();
    game.step();
    place(&mut game, ONE, Vec2::new(200 * UNIT, 200 * UNIT));
    place(&mut game, TWO, Vec2::new(400 * UNIT, 200 * UNIT));
    [ONE, TWO].into_iter().for_each(|player| change(&mut game, player, |fighter| fighter.protected_until = 0));
    game
}

pub(crate) fn change(game: &mut TestMatch<Arena>, player: PlayerId, change: impl Fn(&mut Fighter)) {
    let world = game.world();
    world.query::<&mut Fighter>().iter_mut(world).filter(|fighter| fighter.player == player.0).for_each(|mut fighter| change(&mut fighter));
}

pub(crate) fn place(game: &mut TestMatch<Arena>, player: PlayerId, place: Vec2) {
    change(game, player, |fighter| *fighter = Fighter { x: place.x, y: place.y, aim: 0, ..*fighter });
}

pub(crate) fn fighter(game: &TestMatch<Arena>, player: PlayerId) -> Option<Fighter> {
    game.view().rows::<Fighter>().map(|(_, fighter)| fighter).find(|fighter| fighter.player == player.0)
}

pub(crate) fn score(game: &TestMatch<Arena>, player: PlayerId) -> Score {
    game.view().rows::<Score>().map(|(_, score)| score).find(|score| score.player == player.0).expect("a seated player has a score")
}

fn events(game: &TestMatch<Arena>) -> Vec<ArenaEvent> {
    game.events().iter().map(|bytes| ArenaEvent::read(bytes).expect("our own event")).collect()
}

/// Steps up to `count` ticks and collects the events.
pub(crate) fn play(game: &mut TestMatch<Arena>, count: u32) -> Vec<ArenaEvent> {
    (0..count)
        .flat_map(|_| {
            game.step();
            events(game)
        })
        .collect()
}

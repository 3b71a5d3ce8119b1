//! Protection at the start of a life: how long, from what, and how it ends early.

use arena::Input;
use arena::events::ArenaEvent;
use arena::geometry::Vec2;
use arena::map::UNIT;
use arena::movement::{HEALTH_MAX, PROTECTION_TICKS};
use arena::tables::Fighter;
use arena::{Arena, ROYALE_ID};
use tickwire_game::Game;
use tickwire_game::testing::TestMatch;
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{PlayerId, Tick};

use crate::duel::{FIRE, ONE, TWO, change, duel, fighter, place, play};

/// Two in the open, the first firing at the second, whose life has just begun.
fn attacked() -> TestMatch<Arena> {
    let mut game = duel(Phase::Live);
    let now = game.view().tick;
    change(&mut game, TWO, |fighter| *fighter = fighter.protected_from(now));
    game.hold(ONE, FIRE);
    game
}

fn is_protected(game: &TestMatch<Arena>, player: PlayerId) -> bool {
    fighter(game, player).is_some_and(|fighter| fighter.is_protected(game.view().tick))
}

#[test]
fn every_life_begins_protected() {
    let mut game = duel(Phase::Live);
    change(&mut game, TWO, |fighter| fighter.health = 1);
    game.hold(ONE, FIRE);
    while fighter(&game, TWO).is_some() {
        game.step();
    }
    while fighter(&game, TWO).is_none() {
        game.step();
    }
    assert!(is_protected(&game, TWO));
    game.join(PlayerId(2));
    play(&mut game, 2);
    assert!(is_protected(&game, PlayerId(2)), "whoever has just come, too");
}

#[test]
fn nothing_harms_a_protected_fighter_until_its_time_is_up() {
    let mut game = attacked();
    let events = play(&mut game, PROTECTION_TICKS as u32 - 1);
    assert_eq!(events, [], "shots are spent on it and do no harm");
    assert_eq!(fighter(&game, TWO).map(|fighter| fighter.health), Some(HEALTH_MAX));
    let first = play(&mut game, 10).into_iter().next();
    assert!(matches!(first, Some(ArenaEvent::Hit { victim: 1, .. })), "{first:?}");
}

#[test]
fn a_shot_that_meets_protection_goes_no_further() {
    let mut game = attacked();
    game.join(PlayerId(2));
    play(&mut game, 2);
    place(&mut game, PlayerId(2), Vec2::new(500 * UNIT, 200 * UNIT));
    change(&mut game, PlayerId(2), |fighter| fighter.protected_until = 0);
    let events = play(&mut game, 30);
    assert_eq!(events, [], "who stands behind it is not hit");
}

#[test]
fn firing_ends_it_in_that_tick_and_a_dash_does_not() {
    let mut game = attacked();
    game.hold(TWO, Input { buttons: Input::DASH, aim: 1 << 14, ..Input::default() });
    game.step();
    assert!(is_protected(&game, TWO));
    game.hold(TWO, Input { aim: 3 << 14, ..FIRE });
    game.step();
    assert!(!is_protected(&game, TWO));
    place(&mut game, TWO, Vec2::new(400 * UNIT, 200 * UNIT));
    change(&mut game, TWO, |fighter| (fighter.vx, fighter.vy) = (0, 0));
    game.hold(TWO, Input::default());
    assert!(!play(&mut game, 15).is_empty(), "it can be hit");
    assert!(!is_protected(&game, TWO), "and stays so");
}

#[test]
fn everyone_is_protected_when_play_begins() {
    let mut game = duel(Phase::Countdown);
    let live_at = game.view().tick.plus(20);
    game.enter_until(Phase::Countdown, live_at);
    // Who fires before that gives nothing away.
    game.hold(ONE, FIRE);
    play(&mut game, 18);
    assert!(!is_protected(&game, ONE) && !is_protected(&game, TWO));
    game.hold(ONE, Input::default());
    play(&mut game, 1);
    assert_eq!(game.view().tick.next(), live_at);
    game.enter(Phase::Live);
    play(&mut game, PROTECTION_TICKS as u32 - 1);
    assert!(is_protected(&game, ONE) && is_protected(&game, TWO));
    play(&mut game, 1);
    assert!(!is_protected(&game, ONE) && !is_protected(&game, TWO));
}

#[test]
fn the_zone_spares_the_protected() {
    let royale = Arena::MODES.iter().find(|mode| mode.id == ROYALE_ID).expect("there is royale");
    let mut game = TestMatch::<Arena>::in_mode(royale, 3, Tick(0));
    game.join(ONE);
    game.enter(Phase::Live);
    play(&mut game, 2);
    let lives_outside = |game: &mut TestMatch<Arena>| {
        let world = game.world();
        world.query::<&mut Fighter>().iter_mut(world).for_each(|mut fighter| (fighter.x, fighter.y) = (320, 320));
        world.query::<&mut arena::tables::Zone>().iter_mut(world).for_each(|mut zone| zone.radius = 40_000);
    };
    lives_outside(&mut game);
    play(&mut game, PROTECTION_TICKS as u32 - 3);
    assert_eq!(fighter(&game, ONE).map(|fighter| fighter.health), Some(HEALTH_MAX));
    play(&mut game, 35);
    assert!(fighter(&game, ONE).is_some_and(|fighter| fighter.health < HEALTH_MAX), "then it harms");
}

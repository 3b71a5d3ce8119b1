//! A world's rows, stored and put back.

#![allow(clippy::expect_used)] // a test fails by panicking

use tickwire_game::bevy_ecs::world::World;
use tickwire_game::{Components, Networked, Registry, Replicate, Unfit};
use tickwire_protocol::codec::{decode, encode};
use tickwire_protocol::{NetId, PlayerId};

#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
struct Runner {
    #[owner]
    player: PlayerId,
    #[range(0..=100)]
    x: i32,
}

#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
#[hidden]
struct Purse {
    #[range(-5..=5)]
    coins: i32,
}

fn registry() -> Registry {
    Registry::new::<(Purse, Runner)>(<(Purse, Runner)>::SCHEMA)
}

fn runner(x: i32) -> Runner {
    Runner { player: PlayerId(3), x }
}

#[test]
fn a_restored_world_has_the_same_entities_and_nothing_else() {
    let mut world = World::new();
    // Not in the order of ids, and with a value that the wire would clamp.
    world.spawn((Networked(NetId(9)), Purse { coins: 77 }));
    world.spawn((Networked(NetId(4)), runner(1), Purse { coins: -2 }));
    world.spawn((Networked(NetId(6)), runner(2)));
    let rows = registry().state(&mut world);

    let mut other = World::new();
    other.spawn((Networked(NetId(4)), runner(50)));
    other.spawn((Networked(NetId(1)), Purse { coins: 1 }));
    let read = decode::<_, 4096>(&encode(&rows)).expect("rows read back");
    assert_eq!(registry().restore(&mut other, &read), Ok(Vec::new()));

    let mut found: Vec<_> = other
        .query::<(&Networked, Option<&Runner>, Option<&Purse>)>()
        .iter(&other)
        .map(|(networked, runner, purse)| (networked.0.0, runner.copied(), purse.map(|purse| purse.coins)))
        .collect();
    found.sort_unstable_by_key(|(id, ..)| *id);
    assert_eq!(found, [(4, Some(runner(1)), Some(-2)), (6, Some(runner(2)), None), (9, None, Some(77))]);
    assert_eq!(registry().state(&mut other), rows);
}

/// That game after a deploy: a purse that holds less and tells its colour, a runner without an `x`
/// that has got points, no lamp, and something new.
mod now {
    use super::{PlayerId, Replicate};

    #[derive(Replicate, Clone, Copy, Debug, PartialEq)]
    #[hidden]
    pub(crate) struct Purse {
        #[range(2..=9)]
        pub(crate) colour: i32,
        #[range(-2..=2)]
        pub(crate) coins: i32,
    }

    #[derive(Replicate, Clone, Copy, Debug, PartialEq)]
    pub(crate) struct Runner {
        #[owner]
        pub(crate) player: PlayerId,
        #[range(-7..=7)]
        pub(crate) points: i32,
    }

    #[derive(Replicate, Clone, Copy, Debug, PartialEq)]
    pub(crate) struct Ball {
        #[range(0..=9)]
        pub(crate) x: i32,
    }

    pub(crate) type All = (Ball, Runner, Purse);
}

#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
struct Lamp {
    is_lit: bool,
}

/// What a world of before has, with a purse of so many coins.
fn before(coins: i32) -> tickwire_game::Rows {
    type All = (Lamp, Purse, Runner);
    let mut world = World::new();
    world.spawn((Networked(NetId(1)), runner(5), Purse { coins }));
    world.spawn((Networked(NetId(2)), Lamp { is_lit: true }));
    world.spawn((Networked(NetId(3)), runner(6), Lamp { is_lit: true }));
    let rows = Registry::new::<All>(All::SCHEMA).state(&mut world);
    decode::<_, 4096>(&encode(&rows)).expect("rows read back")
}

#[test]
fn a_game_that_has_changed_takes_what_fits_by_name() {
    let mut world = World::new();
    world.spawn((Networked(NetId(8)), now::Ball { x: 3 }));
    let mut registry = Registry::new::<now::All>(now::All::SCHEMA);
    let left_out = registry.restore(&mut world, &before(-2)).expect("it fits");
    assert_eq!(left_out, ["component `lamp`", "field `x` of `runner`"]);
    let mut found: Vec<_> = world
        .query::<(&Networked, Option<&now::Ball>, Option<&now::Runner>, Option<&now::Purse>)>()
        .iter(&world)
        .map(|(networked, ball, runner, purse)| (networked.0.0, ball.copied(), runner.copied(), purse.copied()))
        .collect();
    found.sort_unstable_by_key(|(id, ..)| *id);
    let runner = Some(now::Runner { player: PlayerId(3), points: 0 });
    assert_eq!(found, [(1, None, runner, Some(now::Purse { colour: 2, coins: -2 })), (3, None, runner, None)]);
}

#[test]
fn a_value_that_does_not_fit_any_more_is_named_and_changes_nothing() {
    let mut world = World::new();
    world.spawn((Networked(NetId(8)), now::Ball { x: 3 }));
    let mut registry = Registry::new::<now::All>(now::All::SCHEMA);
    let as_it_was = registry.state(&mut world);
    let refused = Unfit::OutOfRange { component: "purse".into(), field: "coins".into(), value: 3 };
    assert_eq!(registry.restore(&mut world, &before(3)), Err(refused.clone()));
    assert_eq!(registry.state(&mut world), as_it_was);
    assert_eq!(refused.to_string(), "the field `coins` of `purse` was 3, which is not in the range that it has now");
}

#[test]
#[should_panic(expected = "the game lists `purse` twice")]
fn a_name_is_one_components() {
    type Twice = (Runner, Purse, now::Purse);
    Registry::new::<Twice>(Twice::SCHEMA);
}

//! A world's rows, stored and put back.

use tickwire_game::bevy_ecs::world::World;
use tickwire_game::{Components, Networked, OtherTables, Registry, Replicate};
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
    assert_eq!(registry().restore(&mut other, &read), Ok(()));

    let mut found: Vec<_> = other
        .query::<(&Networked, Option<&Runner>, Option<&Purse>)>()
        .iter(&other)
        .map(|(networked, runner, purse)| (networked.0.0, runner.copied(), purse.map(|purse| purse.coins)))
        .collect();
    found.sort_unstable_by_key(|(id, ..)| *id);
    assert_eq!(found, [(4, Some(runner(1)), Some(-2)), (6, Some(runner(2)), None), (9, None, Some(77))]);
    assert_eq!(registry().state(&mut other), rows);
}

#[test]
fn rows_of_other_tables_are_refused_and_change_nothing() {
    let mut world = World::new();
    world.spawn((Networked(NetId(1)), runner(5)));
    let before = registry().state(&mut world);
    let mut fewer = Registry::new::<(Runner,)>(<(Runner,)>::SCHEMA);
    let rows = fewer.state(&mut World::new());
    assert_eq!(registry().restore(&mut world, &rows), Err(OtherTables));
    assert_eq!(registry().state(&mut world), before);
}

//! The rules, one at a time, on scenes set up by hand.

use arena::Input;
use arena::angle::Angle;
use arena::events::ArenaEvent;
use arena::geometry::Vec2;
use arena::map::{PICKUPS, SPAWNS, UNIT};
use arena::movement::{FIRE_COOLDOWN_TICKS, HEALTH_MAX};
use arena::projectile::{DAMAGE, OVERCHARGED_DAMAGE, SHOTS_PER_PLAYER_MAX};
use arena::tables::{Fighter, PickupKind, Score, Shot};
use tickwire_protocol::PlayerId;
use tickwire_protocol::schema::Phase;

use crate::duel::{FIRE, ONE, TWO, change, duel, fighter, place, play, score};

#[test]
fn a_player_starts_alive_and_leaves_without_a_trace() {
    let mut game = duel(Phase::Waiting);
    assert_eq!(fighter(&game, ONE).map(|fighter| fighter.health), Some(HEALTH_MAX));
    game.hold(TWO, FIRE);
    play(&mut game, 10);
    game.leave(TWO);
    let view = game.step();
    assert_eq!((view.rows::<Fighter>().count(), view.rows::<Score>().count(), view.rows::<Shot>().count()), (1, 1, 0));
}

#[test]
fn shots_hurt_kill_and_score() {
    let mut game = duel(Phase::Live);
    game.hold(ONE, FIRE);
    let events = play(&mut game, 60);
    let hits = usize::from(HEALTH_MAX.div_ceil(DAMAGE));
    assert_eq!(events.len(), hits + 1, "hits and a kill: {events:?}");
    assert_eq!(events[0], ArenaEvent::Hit { victim: 1, by: 0, damage: DAMAGE });
    assert_eq!(events[hits], ArenaEvent::Kill { killer: 0, victim: 1, left: HEALTH_MAX });
    let (winner, loser) = (score(&game, ONE), score(&game, TWO));
    assert_eq!((winner.score, winner.kills, winner.deaths), (150, 1, 0));
    assert_eq!((loser.score, loser.kills, loser.deaths), (0, 0, 1));
    assert!(loser.respawn_at > game.view().tick.0);
    assert_eq!(game.ranking().first().map(|ranked| (ranked.player, ranked.score)), Some((ONE, 150)));
}

#[test]
fn the_dead_come_back_after_three_seconds_far_away() {
    let mut game = duel(Phase::Live);
    change(&mut game, TWO, |fighter| fighter.health = 1);
    game.hold(ONE, FIRE);
    while fighter(&game, TWO).is_some() {
        game.step();
    }
    let died = game.view().tick;
    assert_eq!(score(&game, TWO).respawn_at, died.0 + 90);
    play(&mut game, 89);
    assert_eq!(fighter(&game, TWO), None);
    game.step();
    let back = fighter(&game, TWO).expect("it is back");
    assert_eq!((back.health, score(&game, TWO).respawn_at), (HEALTH_MAX, 0));
    let distance = |spawn: &Vec2| spawn.minus(Vec2::new(200 * UNIT, 200 * UNIT)).length();
    assert_eq!(Some(back.place()), SPAWNS.iter().max_by_key(|spawn| distance(spawn)).copied());
}

#[test]
fn nobody_is_hurt_outside_live_play() {
    for phase in [Phase::Waiting, Phase::Countdown] {
        let mut game = duel(phase);
        game.hold(ONE, FIRE);
        assert_eq!(play(&mut game, 60), []);
        assert_eq!(fighter(&game, TWO).map(|fighter| fighter.health), Some(HEALTH_MAX), "in {phase:?}");
    }
}

#[test]
fn when_it_is_over_nobody_moves_or_fires() {
    let mut game = duel(Phase::Live);
    game.hold(ONE, Input { move_x: 127, ..FIRE });
    game.enter(Phase::Finished);
    play(&mut game, 20);
    let fighter = fighter(&game, ONE).expect("alive");
    assert_eq!(fighter.place(), Vec2::new(200 * UNIT, 200 * UNIT));
    assert_eq!(game.view().rows::<Shot>().count(), 0);
}

#[test]
fn a_wall_shields() {
    let mut game = duel(Phase::Live);
    // Both sides of the barrier at x 1120 to 1180.
    place(&mut game, ONE, Vec2::new(1050 * UNIT, 200 * UNIT));
    place(&mut game, TWO, Vec2::new(1250 * UNIT, 200 * UNIT));
    game.hold(ONE, FIRE);
    assert_eq!(play(&mut game, 60), []);
}

#[test]
fn the_nearer_of_two_is_hit() {
    let mut game = duel(Phase::Live);
    game.join(PlayerId(2));
    play(&mut game, 2);
    place(&mut game, ONE, Vec2::new(200 * UNIT, 200 * UNIT));
    // Behind the other, and in the same tick's flight.
    place(&mut game, PlayerId(2), Vec2::new(405 * UNIT, 200 * UNIT));
    game.hold(ONE, FIRE);
    let victims: Vec<ArenaEvent> = play(&mut game, 12);
    assert!(matches!(victims.first(), Some(ArenaEvent::Hit { victim: 1, .. })), "{victims:?}");
}

#[test]
fn a_player_has_only_so_many_shots_in_flight() {
    let mut game = duel(Phase::Live);
    place(&mut game, TWO, SPAWNS[2]);
    game.hold(ONE, FIRE);
    for _ in 0..200 {
        // Far faster than the weapon allows.
        change(&mut game, ONE, |fighter| fighter.fire_ready = 0);
        let shots = game.step().rows::<Shot>().count();
        assert!(shots <= SHOTS_PER_PLAYER_MAX, "{shots} shots");
    }
}

#[test]
fn health_heals_who_needs_it_and_comes_back() {
    let mut game = duel(Phase::Live);
    let (kind, spot) = PICKUPS[0];
    assert_eq!(kind, PickupKind::Health);
    place(&mut game, ONE, spot);
    assert_eq!(play(&mut game, 3), [], "who is whole leaves it");
    change(&mut game, ONE, |fighter| fighter.health = 60);
    assert_eq!(play(&mut game, 3), [ArenaEvent::Pickup { player: 0, pickup: PickupKind::Health }]);
    assert_eq!(fighter(&game, ONE).map(|fighter| fighter.health), Some(HEALTH_MAX), "and not more than that");
    change(&mut game, ONE, |fighter| fighter.health = 20);
    assert_eq!(play(&mut game, 440), [], "it is gone for a while");
    assert_eq!(play(&mut game, 15), [ArenaEvent::Pickup { player: 0, pickup: PickupKind::Health }]);
}

#[test]
fn overcharge_fires_faster_and_harder_for_a_while() {
    let mut game = duel(Phase::Live);
    let (_, spot) = PICKUPS[8];
    place(&mut game, ONE, spot);
    assert_eq!(play(&mut game, 2), [ArenaEvent::Pickup { player: 0, pickup: PickupKind::Overcharge }]);
    // Up, where there is room.
    game.hold(ONE, Input { aim: 3 << 14, ..FIRE });
    play(&mut game, 12);
    let shots: Vec<Shot> = game.view().rows::<Shot>().map(|(_, shot)| shot).collect();
    assert_eq!(shots.len(), 4);
    assert!(shots.iter().all(|shot| shot.damage == OVERCHARGED_DAMAGE));
    play(&mut game, 240);
    let shots: Vec<Shot> = game.view().rows::<Shot>().map(|(_, shot)| shot).collect();
    assert!(shots.iter().rev().take(2).all(|shot| shot.damage == DAMAGE), "it is over: {shots:?}");
    let born: Vec<u16> = shots.iter().map(|shot| shot.born).collect();
    assert!(born.windows(2).rev().take(2).all(|pair| i32::from(pair[1] - pair[0]) == FIRE_COOLDOWN_TICKS), "{born:?}");
}

#[test]
fn a_shot_flies_on_when_its_owner_dies_but_scores_for_the_owner() {
    let mut game = duel(Phase::Live);
    place(&mut game, TWO, Vec2::new(900 * UNIT, 200 * UNIT));
    change(&mut game, TWO, |fighter| {
        fighter.health = 1;
        fighter.aim = Angle::new(512).steps() as u16;
    });
    change(&mut game, ONE, |fighter| fighter.health = 1);
    game.hold(ONE, FIRE);
    game.hold(TWO, Input { aim: 1 << 15, ..FIRE });
    let kills = play(&mut game, 60).into_iter().filter(|event| matches!(event, ArenaEvent::Kill { .. })).count();
    assert_eq!(kills, 2, "both shots were on their way");
    assert_eq!((score(&game, ONE).kills, score(&game, TWO).kills), (1, 1));
}

#[test]
fn hits_and_kills_concern_both_wherever_they_look() {
    let mut game = duel(Phase::Live);
    game.hold(ONE, FIRE);
    let mut told = 0;
    while fighter(&game, TWO).is_some() {
        game.step();
        for scene in game.scenes() {
            assert_eq!(scene.map(|scene| scene.concerns), Some([Some(ONE), Some(TWO)]));
            told += 1;
        }
    }
    assert_eq!(told, usize::from(HEALTH_MAX.div_ceil(DAMAGE)) + 1);
}

#[test]
fn a_kill_tells_what_health_the_killer_had_left() {
    let mut game = duel(Phase::Live);
    change(&mut game, ONE, |fighter| fighter.health = 34);
    game.hold(ONE, FIRE);
    let kill = play(&mut game, 60).pop();
    assert_eq!(kill, Some(ArenaEvent::Kill { killer: 0, victim: 1, left: 34 }));
}

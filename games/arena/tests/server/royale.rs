//! Royale: many on the large map, a zone, and an end.

use arena::Arena;
use arena::events::ArenaEvent;
use arena::geometry::Vec2;
use arena::map::Map;
use arena::movement::is_free;
use arena::tables::{Fighter, Leader, Score, Zone};
use tickwire_game::testing::TestMatch;
use tickwire_game::{Event, Game};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{PlayerId, Tick};

fn royale(players: u16, seed: u64) -> TestMatch<Arena> {
    let mut game = TestMatch::in_mode(&Arena::MODES[1], seed, Tick(0));
    (0..players).for_each(|player| game.join_bot(PlayerId(player), seed + u64::from(player)));
    game.enter(Phase::Live);
    game
}

fn play(game: &mut TestMatch<Arena>, ticks: u32) {
    (0..ticks).for_each(|_| {
        game.step();
    });
}

fn zone(game: &TestMatch<Arena>) -> Zone {
    game.view().rows::<Zone>().next().expect("royale has a zone").1
}

fn change_zone(game: &mut TestMatch<Arena>, change: impl Fn(&mut Zone)) {
    let world = game.world();
    world.query::<&mut Zone>().iter_mut(world).for_each(|mut zone| change(&mut zone));
}

#[test]
fn a_thousand_land_far_apart_and_in_the_open() {
    let mut game = royale(1000, 4);
    play(&mut game, 3);
    let places: Vec<Vec2> = game.view().rows::<Fighter>().map(|(_, fighter)| fighter.place()).collect();
    assert_eq!(places.len(), 1000);
    assert!(places.iter().all(|place| is_free(Map::ROYALE, *place)));
    let side = Map::ROYALE.side();
    for quarter in 0..16 {
        let (left, top) = (quarter % 4 * side / 4, quarter / 4 * side / 4);
        let is_in = |place: &&Vec2| (left..left + side / 4).contains(&place.x) && (top..top + side / 4).contains(&place.y);
        let count = places.iter().filter(is_in).count();
        assert!(count > 0, "nobody in arena {quarter}");
    }
}

#[test]
fn the_same_seed_plays_the_same_royale() {
    let run = |seed| {
        let mut game = royale(60, seed);
        (0..600)
            .map(|_| {
                game.step();
                game.state_hash()
            })
            .collect::<Vec<_>>()
    };
    assert!(run(7) == run(7));
    assert!(run(7) != run(8));
}

#[test]
fn bots_get_along_on_the_large_map_until_one_is_left() {
    let mut game = royale(40, 11);
    let mut kills = 0;
    let mut still = vec![(Vec2::default(), 0u32); 40];
    for tick in 0..9_000u32 {
        game.step();
        for (_, fighter) in game.view().rows::<Fighter>() {
            assert!(is_free(Map::ROYALE, fighter.place()), "{fighter:?} is in a wall");
            let (was_at, since) = &mut still[usize::from(fighter.player)];
            if fighter.place().minus(*was_at).length() > 60 * 16 {
                (*was_at, *since) = (fighter.place(), tick);
            }
            assert!(tick - *since < 240, "{fighter:?} is stuck since tick {since}");
        }
        let events = game.events().iter().filter_map(|bytes| ArenaEvent::read(bytes));
        kills += events.filter(|event| matches!(event, ArenaEvent::Kill { .. })).count();
        if game.is_decided() {
            break;
        }
    }
    let alive: Vec<u16> = game.view().rows::<Fighter>().map(|(_, fighter)| fighter.player).collect();
    println!("{kills} kills, alive {alive:?}, {:?}", zone(&game));
    assert!(game.is_decided() && alive.len() <= 1, "{alive:?} live, {:?}", zone(&game));
    let ranking = game.ranking();
    assert_eq!(ranking.len(), 40);
    assert!(alive.is_empty() || ranking[0].player.0 == alive[0], "the last one standing is first");
    assert!(kills > 40, "{kills}");
}

#[test]
fn the_zone_shrinks_in_time_and_stops() {
    let mut game = royale(1, 2);
    let ends = 3_000;
    game.enter_until(Phase::Live, Tick(ends));
    game.step();
    let (first, mut last) = (zone(&game), zone(&game));
    for _ in 1..ends {
        game.step();
        let now = zone(&game);
        assert!(now.radius <= last.radius && (now.x, now.y) == (first.x, first.y));
        last = now;
    }
    assert!(last.growth == 0 && last.radius < first.radius / 10, "{last:?}");
}

#[test]
fn outside_of_the_zone_nobody_lasts_and_at_last_the_dead_stay_dead() {
    let mut game = royale(0, 3);
    game.join(PlayerId(0));
    game.join(PlayerId(1));
    play(&mut game, 3);
    // Both are far from it, and it is small.
    let far = |coordinate: i32| if coordinate > Map::ROYALE.side() / 2 { 20_000 } else { Map::ROYALE.side() - 20_000 };
    change_zone(&mut game, |zone| zone.radius = 16_000);
    let (x, y) = (far(zone(&game).x), far(zone(&game).y));
    let world = game.world();
    world.query::<&mut Fighter>().iter_mut(world).for_each(|mut fighter| (fighter.x, fighter.y) = (x, y));
    play(&mut game, 600);
    let scores: Vec<Score> = game.view().rows::<Score>().map(|(_, score)| score).collect();
    assert!(scores.iter().all(|score| score.deaths == 1), "{scores:?}");
    assert_eq!(game.view().rows::<Fighter>().count(), 0, "nobody comes back");
    assert!(game.is_decided());
}

#[test]
fn the_best_are_told_once_a_second() {
    let mut game = royale(20, 5);
    let mut changes = 0;
    let mut before: Vec<Leader> = Vec::new();
    for _ in 0..900 {
        game.step();
        let leaders: Vec<Leader> = game.view().rows::<Leader>().map(|(_, leader)| leader).collect();
        changes += usize::from(leaders != before);
        before = leaders;
    }
    assert!((1..=30).contains(&changes), "{changes} changes in 30 seconds");
    assert_eq!(before.len(), 10);
    assert!(before.is_sorted_by_key(|leader| (leader.rank, -leader.score)), "{before:?}");
}

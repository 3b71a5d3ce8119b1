//! Whole games, played by bots.

use arena::Arena;
use arena::events::ArenaEvent;
use arena::geometry::Vec2;
use arena::map::{Map, PICKUPS, UNIT};
use arena::movement::is_free;
use arena::tables::{Fighter, Pickup, Score, Shot};
use tickwire_game::testing::TestMatch;
use tickwire_game::{Event, Game};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{PlayerId, Tick};

const THREE_MINUTES: u32 = 3 * 60 * 30;

fn bots(count: u16, seed: u64) -> TestMatch<Arena> {
    let mut game = TestMatch::new(seed, Tick(0));
    for player in 0..count {
        game.join_bot(PlayerId(player), seed.wrapping_mul(31).wrapping_add(u64::from(player)));
    }
    game.enter(Phase::Live);
    game
}

#[test]
fn eight_bots_play_a_lively_game() {
    let mut game = bots(8, 1);
    let (mut kills, mut most_shots) = (0, 0);
    let mut taken = [false; PICKUPS.len()];
    let mut still = [(Vec2::default(), 0u32); 8];
    for _ in 0..THREE_MINUTES {
        let view = game.step();
        most_shots = most_shots.max(view.rows::<Shot>().count());
        for (index, (_, place)) in PICKUPS.iter().enumerate() {
            taken[index] |= !view.rows::<Pickup>().any(|(_, pickup)| (pickup.x, pickup.y) == (place.x, place.y));
        }
        for (_, fighter) in view.rows::<Fighter>() {
            assert!(is_free(Map::ARENA, fighter.place()), "{fighter:?} is in a wall");
            let (was_at, since) = &mut still[usize::from(fighter.player)];
            if fighter.place().minus(*was_at).length() > 60 * UNIT {
                (*was_at, *since) = (fighter.place(), view.tick.0);
            }
            assert!(view.tick.0 - *since < 240, "{fighter:?} is stuck since tick {since}");
        }
        let events = game.events().iter().filter_map(|bytes| ArenaEvent::read(bytes));
        kills += events.filter(|event| matches!(event, ArenaEvent::Kill { .. })).count();
    }
    let scores: Vec<Score> = game.view().rows::<Score>().map(|(_, score)| score).collect();
    println!("{kills} kills, at most {most_shots} shots, taken {taken:?}\n{scores:#?}");
    assert!((30..200).contains(&kills), "{kills} kills in three minutes");
    assert!(taken.iter().all(|taken| *taken), "a pickup nobody ever took: {taken:?}");
    assert_eq!(scores.iter().map(|score| usize::from(score.kills)).sum::<usize>(), kills);
    assert_eq!(scores.iter().map(|score| usize::from(score.deaths)).sum::<usize>(), kills);
    assert!(scores.iter().all(|score| score.kills > 0 || score.deaths > 0), "everybody takes part");
}

#[test]
fn the_same_seed_plays_the_same_game() {
    let run = |seed| {
        let mut game = bots(8, seed);
        (0..1800)
            .map(|_| {
                game.step();
                game.state_hash()
            })
            .collect::<Vec<_>>()
    };
    let first = run(7);
    assert!(first == run(7), "the first tick that differs: {:?}", first.iter().zip(run(7)).position(|(a, b)| *a != b));
    assert!(first != run(8), "another seed plays another game");
}

#[test]
fn a_full_match_of_sixteen_holds_together() {
    let mut game = bots(16, 3);
    for tick in 0..900 {
        let view = game.step();
        assert_eq!(view.rows::<Score>().count(), 16);
        assert!(view.rows::<Fighter>().count() <= 16);
        if tick == 450 {
            game.leave(PlayerId(5));
            game.join_bot(PlayerId(5), 99);
        }
    }
}

#[test]
fn a_match_that_is_stored_and_read_back_goes_on_as_if_nothing_had_happened() {
    for (mode, count) in [("ffa", 12), ("royale", 40)] {
        let mode = Arena::MODES.iter().find(|known| known.id == mode).expect("a mode of the arena");
        let mut matches = [0, 1].map(|_| {
            let mut game = TestMatch::<Arena>::in_mode(mode, 5, Tick(0));
            (0..count).for_each(|player| game.join_bot(PlayerId(player), u64::from(player)));
            game.enter_until(Phase::Live, Tick(1500));
            game
        });
        for tick in 0..1200 {
            let [whole, stored] = &mut matches;
            if tick % 97 == 0 {
                stored.reload();
            }
            if tick == 500 {
                whole.leave(PlayerId(3));
                stored.leave(PlayerId(3));
            }
            whole.step();
            stored.step();
            assert!(whole.state_hash() == stored.state_hash() && whole.events() == stored.events(), "{} in tick {tick}", mode.id);
            assert_eq!(whole.is_decided(), stored.is_decided());
        }
        assert_eq!(matches[0].ranking(), matches[1].ranking());
    }
}

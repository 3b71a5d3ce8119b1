//! Tag on a real world: the rules, a game of bots, and prediction.

use tag::{HEIGHT, Input, RADIUS, Runner, Tag, Tagged, WIDTH};
use tickwire_game::testing::TestMatch;
use tickwire_game::{Event, Predictor};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{PlayerId, Tick};

fn bots(count: u16, seed: u64) -> TestMatch<Tag> {
    let mut game = TestMatch::new(seed, Tick(0));
    (0..count).for_each(|player| game.join_bot(PlayerId(player), seed + u64::from(player)));
    game.enter(Phase::Live);
    game
}

fn runners(game: &TestMatch<Tag>) -> Vec<Runner> {
    game.view().rows::<Runner>().map(|(_, runner)| runner).collect()
}

#[test]
fn bots_play_a_minute_of_tag() {
    let mut game = bots(8, 1);
    let mut was_it = [false; 8];
    let mut tags = 0;
    for _ in 0..3600 {
        game.step();
        let runners = runners(&game);
        let its: Vec<&Runner> = runners.iter().filter(|runner| runner.is_it).collect();
        assert_eq!(its.len(), 1, "exactly one is it");
        was_it[usize::from(its[0].player.0)] = true;
        assert!(
            runners.iter().all(|runner| (RADIUS..=WIDTH - RADIUS).contains(&runner.x) && (RADIUS..=HEIGHT - RADIUS).contains(&runner.y))
        );
        tags += game.events().len();
    }
    assert!(tags >= 10 && was_it.iter().filter(|was| **was).count() >= 4, "{tags} tags, {was_it:?}");
    let scores: i32 = runners(&game).iter().map(|runner| runner.score).sum();
    assert_eq!(scores, 7 * 3600, "all but one score every tick");
    assert!(game.ranking().is_sorted_by_key(|ranked| -ranked.score));
}

#[test]
fn nobody_is_it_before_the_start_and_somebody_is_after_it_leaves() {
    let mut game = bots(3, 2);
    game.enter(Phase::Countdown);
    game.step();
    assert!(runners(&game).iter().all(|runner| !runner.is_it && runner.score == 0));
    game.enter(Phase::Live);
    game.step();
    let it = runners(&game).into_iter().find(|runner| runner.is_it).expect("somebody is it");
    game.leave(it.player);
    game.step();
    assert!(runners(&game).iter().any(|runner| runner.is_it), "another one is it");
    assert!(runners(&game).iter().all(|runner| runner.player != it.player));
}

#[test]
fn a_tag_is_told_in_json() {
    let mut game = bots(8, 3);
    let event = (0..3600).find_map(|_| {
        game.step();
        game.events().first().cloned()
    });
    let json = event.and_then(|event| Tagged::read(&event)).expect("somebody is tagged within a minute").to_json();
    assert!(json.starts_with(r#"{"kind":"tagged","player":"#), "{json}");
    assert_eq!(Tagged::read(b"nonsense that is no event"), None);
}

#[test]
fn the_same_seed_plays_the_same_game() {
    let run = |seed| {
        let mut game = bots(12, seed);
        let step = |_| {
            game.step();
            game.state_hash()
        };
        (0..1200).map(step).collect::<Vec<u64>>()
    };
    assert!(run(5) == run(5) && run(5) != run(6));
}

#[test]
fn prediction_comes_true_bit_for_bit() {
    const ME: PlayerId = PlayerId(0);
    let mut game = TestMatch::<Tag>::new(4, Tick(0));
    game.join(ME);
    let mut predictor = Predictor::<Tag>::new(*TestMatch::<Tag>::mode());
    predictor.reconcile(&game.step().clone(), ME);
    for tick in (2..1200).map(Tick) {
        let input = Input { x: (tick.0 / 40 * 91) as i8, y: (tick.0 / 50 * 57) as i8 };
        predictor.push(tick, input);
        game.hold(ME, input);
        let view = game.step();
        assert_eq!(predictor.body().copied(), view.rows::<Runner>().map(|(_, runner)| runner).next(), "tick {}", tick.0);
        if tick.0.is_multiple_of(7) {
            predictor.reconcile(&view.clone(), ME);
        }
    }
}

#[test]
fn a_match_that_is_stored_and_read_back_goes_on_as_if_nothing_had_happened() {
    let [mut whole, mut stored] = [0, 1].map(|_| bots(9, 6));
    for tick in 0..1800 {
        if tick % 50 == 0 {
            stored.reload();
        }
        whole.step();
        stored.step();
        assert!(whole.state_hash() == stored.state_hash() && whole.events() == stored.events(), "in tick {tick}");
    }
}

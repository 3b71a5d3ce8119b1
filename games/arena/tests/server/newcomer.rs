//! What becomes of somebody new, among bots that play to win and among the game's own, who go easy.

use arena::angle::Angle;
use arena::map::UNIT;
use arena::movement::HEALTH_MAX;
use arena::tables::Fighter;
use arena::{Arena, Input};
use tickwire_game::Rng;
use tickwire_game::testing::TestMatch;
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{PlayerId, Snapshot, Tick};

const NEWCOMER: PlayerId = PlayerId(7);
/// The bots have been playing for ten seconds when the newcomer arrives.
const WARM_UP_TICKS: u32 = 300;
/// Nobody waits longer than two minutes for it to die.
const TICKS_MAX: u32 = 3_600;
const SEEDS: std::ops::Range<u64> = 0..41;
/// How many times longer than before the median newcomer must live from the first hit on.
const LONGER_UNDER_FIRE: u32 = 3;

/// Somebody who has never played: walks somewhere for a second or two, points more or less at the
/// nearest fighter, fires half of the time, and neither leads a shot nor dodges one.
struct Novice {
    rng: Rng,
    input: Input,
    until: Tick,
}

impl Novice {
    fn act(&mut self, view: &Snapshot) -> Input {
        if view.tick.since(self.until) >= 0 {
            self.until = view.tick.plus(30 + self.rng.below(30));
            let push = Angle::new(self.rng.between(0, 1023)).vector(Input::PUSH_MAX);
            let buttons = if self.rng.below(2) == 0 { Input::FIRE } else { 0 };
            self.input = Input { move_x: push.x as i8, move_y: push.y as i8, aim: self.aim(view).unwrap_or(self.input.aim), buttons };
        }
        self.input
    }

    fn aim(&mut self, view: &Snapshot) -> Option<u16> {
        let fighters: Vec<Fighter> = view.rows::<Fighter>().map(|(_, fighter)| fighter).collect();
        let own = fighters.iter().find(|fighter| fighter.player == NEWCOMER.0)?;
        let others = fighters.iter().filter(|other| other.player != own.player);
        let way = others.map(|other| other.place().minus(own.place())).min_by_key(|way| way.length())?;
        Some((Angle::of(way).turned(self.rng.between(-60, 60)).steps() << 6) as u16)
    }
}

/// How many ticks the newcomer's first life lasts: all of it, and from the first hit on.
fn first_life(seed: u64, are_kind: bool) -> [u32; 2] {
    let mut game = TestMatch::<Arena>::new(seed, Tick(1_000));
    for player in 0..NEWCOMER.0 {
        let seed = seed * 100 + u64::from(player);
        if are_kind {
            game.join_bot(PlayerId(player), seed);
        } else {
            game.join_contender(PlayerId(player), seed);
        }
    }
    game.enter(Phase::Live);
    for _ in 0..WARM_UP_TICKS {
        game.step();
    }
    game.join(NEWCOMER);
    let mut novice = Novice { rng: Rng::new(seed), input: Input::default(), until: Tick(0) };
    let (mut age, mut unhurt) = (0, 0);
    let mut has_lived = false;
    while age < TICKS_MAX {
        let input = novice.act(game.view());
        game.hold(NEWCOMER, input);
        let own = game.step().rows::<Fighter>().map(|(_, fighter)| fighter).find(|fighter| fighter.player == NEWCOMER.0);
        let lives = own.is_some();
        let is_whole = own.is_some_and(|fighter| fighter.health == HEALTH_MAX);
        if has_lived && !lives {
            break;
        }
        if lives && !has_lived && !are_kind {
            expose(&mut game);
        }
        has_lived |= lives;
        age += u32::from(lives);
        unhurt += u32::from(is_whole && unhurt + 1 == age);
    }
    [age, age - unhurt]
}

/// As it was before there was protection.
fn expose(game: &mut TestMatch<Arena>) {
    let world = game.world();
    let mut fighters = world.query::<&mut Fighter>();
    fighters.iter_mut(world).filter(|fighter| fighter.player == NEWCOMER.0).for_each(|mut fighter| fighter.protected_until = 0);
}

/// The medians.
fn first_lives(are_kind: bool) -> [u32; 2] {
    let lives: Vec<[u32; 2]> = SEEDS.map(|seed| first_life(seed, are_kind)).collect();
    [0, 1].map(|index| {
        let mut ticks: Vec<u32> = lives.iter().map(|life| life[index]).collect();
        ticks.sort_unstable();
        println!("{ticks:?}");
        ticks[ticks.len() / 2]
    })
}

#[test]
fn a_newcomer_lives_much_longer_than_before_and_not_for_ever() {
    let (before, now) = (first_lives(false), first_lives(true));
    println!("first life, ticks: {before:?} before, {now:?} now: all of it, and from the first hit on");
    assert!(now[1] >= LONGER_UNDER_FIRE * before[1], "{now:?} ticks instead of {before:?}");
    assert!(2 * now[0] >= 3 * before[0], "{now:?} ticks instead of {before:?}");
    assert!(now[0] < 2_700, "it is a fight all the same: {now:?}");
}

/// In how many ticks of ten seconds `bot` fires at somebody new who stands `distance` away and does
/// nothing.
fn fires(distance: i32, bot: impl Fn(&mut TestMatch<Arena>, PlayerId)) -> usize {
    let mut game = TestMatch::<Arena>::new(5, Tick(1_000));
    game.join(NEWCOMER);
    bot(&mut game, PlayerId(0));
    game.enter(Phase::Live);
    game.step();
    game.step();
    let mut fired = 0;
    for _ in 0..300 {
        let world = game.world();
        let mut fighters = world.query::<&mut Fighter>();
        for mut fighter in fighters.iter_mut(world) {
            let x = if fighter.player == NEWCOMER.0 { 200 + distance } else { 200 };
            (fighter.x, fighter.y, fighter.health) = (x * UNIT, 200 * UNIT, HEALTH_MAX);
        }
        game.step();
        fired += usize::from(game.held(PlayerId(0)).fires());
    }
    fired
}

#[test]
fn bots_go_easy_and_contenders_do_not() {
    let kind = |distance| fires(distance, |game, player| game.join_bot(player, 3));
    let contender = |distance| fires(distance, |game, player| game.join_contender(player, 3));
    assert!(kind(200) > 0 && contender(200) > kind(200), "{} and {}", kind(200), contender(200));
    assert!(kind(800) == 0 && contender(800) > 0, "{} and {}", kind(800), contender(800));
}

#[test]
fn nobody_fires_at_the_protected() {
    let contender = |game: &mut TestMatch<Arena>, player| game.join_contender(player, 3);
    let mut game = TestMatch::<Arena>::new(5, Tick(1_000));
    game.join(NEWCOMER);
    contender(&mut game, PlayerId(0));
    game.enter(Phase::Live);
    for _ in 0..300 {
        let now = game.view().tick;
        let world = game.world();
        let mut fighters = world.query::<&mut Fighter>();
        for mut fighter in fighters.iter_mut(world) {
            let x = if fighter.player == NEWCOMER.0 { 400 } else { 200 };
            *fighter = Fighter { x: x * UNIT, y: 200 * UNIT, ..*fighter }.protected_from(now);
        }
        game.step();
        assert!(!game.held(PlayerId(0)).fires());
    }
}

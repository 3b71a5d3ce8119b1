//! The smallest game there is, as the page on bringing your own game tells it, and a minute of it.

use tickwire_game::prelude::*;

const WIDTH: i32 = 16_000;

#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
struct Runner {
    #[owner]
    player: PlayerId,
    #[range(0..=WIDTH)]
    x: i32,
}

#[derive(Input, Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Push {
    #[range(-90..=90)]
    right: i8,
}

struct Coins;

#[game]
impl Game for Coins {
    fn join(world: &mut World, player: PlayerId) {
        spawn(world, Runner { player, x: WIDTH / 2 });
    }

    fn step(runner: &mut Runner, _now: &MatchClock, push: &Push, _mode: &Mode) {
        runner.x = (runner.x + i32::from(push.right)).clamp(0, WIDTH);
    }
}

pub(crate) fn main() {
    let mut game = TestMatch::<Coins>::new(1, Tick(0));
    let mut page = Predictor::<Coins>::new(*TestMatch::<Coins>::mode());
    game.join(PlayerId(0));
    page.reconcile(&game.step().clone(), PlayerId(0));
    for tick in (2..62).map(Tick) {
        let push = Push { right: 20 };
        game.hold(PlayerId(0), push);
        page.push(tick, push);
        assert_eq!(page.body().copied(), own::<Runner>(game.step(), PlayerId(0)), "the page knew it before");
    }
    assert_eq!(page.body().map(|runner| runner.x), Some(WIDTH / 2 + 60 * 20));
    println!("{} ran to {:?}", Coins::NAME, page.body());
}

//! A game that says nothing of bots, and does not say so.
use tickwire_game::prelude::*;

struct Silent;

impl Game for Silent {
    const NAME: &'static str = "silent";
    const MODES: &'static [Mode] = &[Mode::DEFAULT];
    type Input = u8;
    type Event = ();
    type Components = ();

    fn join(_: &mut World, _: PlayerId) {}

    fn systems(_: &mut Setup<'_>) {}
}

without!(Silent: Predict, Ranking, Sight);

fn main() {}

//! Nothing is predicted, so nothing tells what there is.
use tickwire_game::prelude::*;

struct Chess;

#[game]
impl Game for Chess {
    type Input = u8;

    fn join(_: &mut World, _: PlayerId) {}
}

fn main() {}

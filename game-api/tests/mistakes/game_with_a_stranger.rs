//! No trait of a game has this function.
use tickwire_game::prelude::*;

struct Chess;

#[game]
impl Game for Chess {
    type Input = u8;
    type Components = ();

    fn join(_: &mut World, _: PlayerId) {}

    fn castle() {}
}

fn main() {}

//! Nothing tells what a player can do.
use tickwire_game::prelude::*;

struct Chess;

#[game]
impl Game for Chess {
    type Components = ();

    fn join(_: &mut World, _: PlayerId) {}
}

fn main() {}

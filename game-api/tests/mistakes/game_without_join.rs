//! What a player gets, only the game knows.
use tickwire_game::prelude::*;

struct Chess;

#[game]
impl Game for Chess {
    type Input = u8;
    type Components = ();
}

fn main() {}

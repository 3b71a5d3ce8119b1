//! A bot that thinks remembers something, if only a seed.
use tickwire_game::prelude::*;

struct Chess;

#[game]
impl Game for Chess {
    type Components = ();

    fn join(_: &mut World, _: PlayerId) {}

    fn think(rng: &mut Rng, _view: &Snapshot, _me: PlayerId) -> u8 {
        rng.below(8) as u8
    }
}

fn main() {}

//! The attribute stands above the trait's block.
use tickwire_game::prelude::*;

struct Chess;

#[game]
impl Chess {
    fn join(_: &mut World, _: PlayerId) {}
}

fn main() {}

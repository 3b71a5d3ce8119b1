//! Only its owner may know it, and nothing says who that is.
#[derive(tickwire_game::Replicate, Clone)]
#[private]
struct Score {
    player: u16,
}

fn main() {}

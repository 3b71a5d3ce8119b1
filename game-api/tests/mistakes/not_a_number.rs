//! Text cannot be replicated.
#[derive(tickwire_game::Replicate, Clone)]
struct Thing {
    name: String,
}

fn main() {}

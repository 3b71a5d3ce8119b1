//! There is no such field.
#[derive(tickwire_game::Replicate, Clone)]
#[place(x, z)]
struct Thing {
    x: u16,
    y: u16,
}

fn main() {}

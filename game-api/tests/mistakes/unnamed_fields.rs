//! A column needs a name.
#[derive(tickwire_game::Replicate, Clone, Copy)]
struct Thing(u8);

fn main() {}

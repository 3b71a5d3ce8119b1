//! A variant is a number.
#[derive(tickwire_game::Replicate, Clone, Copy)]
enum Kind {
    Plain,
    Fancy { colour: u8 },
}

fn main() {}

//! Columns are named by their number.
const COUNT: usize = 3;

#[derive(tickwire_game::Replicate, Clone, Copy)]
struct Thing {
    levels: [u8; COUNT],
}

fn main() {}

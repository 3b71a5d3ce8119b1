//! One end is missing.
#[derive(tickwire_game::Replicate, Clone, Copy)]
struct Thing {
    #[range(0..100)]
    x: i32,
}

fn main() {}

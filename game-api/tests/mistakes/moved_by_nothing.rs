//! No field has this name.
#[derive(tickwire_game::Replicate, Clone, Copy)]
struct Thing {
    #[range(-9..=9)]
    vx: i32,
    #[range(0..=99)]
    #[moved_by(speed)]
    x: i32,
}

fn main() {}

//! The receiver needs the velocity first.
#[derive(tickwire_game::Replicate, Clone, Copy)]
struct Thing {
    #[range(0..=99)]
    #[moved_by(vx)]
    x: i32,
    #[range(-9..=9)]
    vx: i32,
}

fn main() {}

//! The ends are the wrong way round.
#[derive(tickwire_game::Replicate, Clone, Copy)]
struct Thing {
    #[range(9..=0)]
    x: i32,
}

fn main() {
    let _ = <Thing as tickwire_protocol::Columns>::TABLE;
}

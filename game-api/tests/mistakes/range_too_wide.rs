//! A table holds 31 bits.
#[derive(tickwire_game::Replicate, Clone, Copy)]
struct Thing {
    fine: u8,
    seed: u32,
}

fn main() {
    let _ = <Thing as tickwire_protocol::Columns>::TABLE;
}

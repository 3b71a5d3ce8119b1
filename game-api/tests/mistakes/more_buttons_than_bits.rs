//! A byte has eight bits.
#[derive(tickwire_game::Input, Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Keys {
    #[buttons(A, B, C, D, E, F, G, H, I)]
    held: u8,
}

fn main() {}

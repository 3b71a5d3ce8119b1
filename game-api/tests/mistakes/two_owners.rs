//! A component has one owner.
use tickwire_protocol::PlayerId;

#[derive(tickwire_game::Replicate, Clone, Copy)]
struct Thing {
    #[owner]
    player: PlayerId,
    #[owner]
    rider: PlayerId,
}

fn main() {}

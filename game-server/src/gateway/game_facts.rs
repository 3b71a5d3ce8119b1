//! What the gateway needs to know of the game it admits to.

use tickwire_game::Game;
use tickwire_protocol::{ClientMessage, Credential};

/// A game, as those see it who want to play it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GameFacts {
    /// Its stable name.
    pub(crate) name: &'static str,
    /// Its [`tickwire_protocol::Schema::hash`].
    pub(crate) schema_hash: u64,
    /// Decodes a first message: `None` unless it is a Hello.
    pub(super) decode_hello: fn(&[u8]) -> Option<Hello>,
}

/// What a client says first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hello {
    pub(super) protocol: u16,
    pub(super) schema: u64,
    pub(super) credential: Credential,
}

impl GameFacts {
    /// Of game `G`.
    pub(crate) fn of<G: Game>() -> Self {
        let decode_hello = |bytes: &[u8]| match ClientMessage::<G::Input>::decode(bytes) {
            Ok(ClientMessage::Hello { protocol, schema, credential }) => Some(Hello { protocol, schema, credential }),
            _ => None,
        };
        Self { name: G::NAME, schema_hash: G::SCHEMA.hash(), decode_hello }
    }
}

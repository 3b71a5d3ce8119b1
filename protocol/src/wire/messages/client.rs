//! What clients say.

use crate::wire::codec::{Decode, DecodeError, Encode, decode};
use crate::wire::ids::{InputSeq, MatchId, Secret, Tick, Ticket};
use crate::wire::limits;

/// What a client says. One per WebSocket message. `I` is the game's input, a fixed-size value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub enum ClientMessage<I> {
    /// The first message, within the server's handshake deadline.
    Hello {
        /// The client's [`crate::PROTOCOL_VERSION`].
        protocol: u16,
        /// The client's [`crate::Schema::hash`].
        schema: u64,
        /// What entitles it to a seat.
        credential: Credential,
    },
    /// What the player holds down during `tick`. Sent so early that it arrives before the server simulates that tick.
    Input {
        /// Rises with every input of this session.
        seq: InputSeq,
        /// The tick it is meant for.
        tick: Tick,
        /// The game's input.
        input: I,
    },
    /// Asks for a [`Pong`](super::Pong).
    Ping {
        /// The client's clock, milliseconds, echoed.
        client_time_ms: u32,
    },
    /// Gives the seat up at once, without the grace period.
    Leave,
    /// A vote for another round, on the results screen.
    Rematch,
    /// In a lobby: whether this player wants the match to start. Elsewhere it changes nothing.
    Ready(bool),
    /// In a lobby, from its host: starts the match now. From anyone else it changes nothing.
    Start,
    /// In a lobby, from its host: whether bots fill the free seats. From anyone else it changes nothing.
    Bots(bool),
}

/// What entitles a client to a seat. Each kind is spent once the session that it opened has spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub enum Credential {
    /// From the HTTP API: admits to a reserved seat.
    Ticket(Ticket),
    /// From the last [`Welcome`](super::Welcome): returns to a seat whose connection was lost.
    Resume {
        /// The match left behind.
        match_id: MatchId,
        /// The newest token for the seat.
        token: Secret,
    },
}

impl<I: Decode<()> + Copy> ClientMessage<I> {
    /// Decodes one message from all of `bytes`. An input is `Copy`, so it cannot own memory a stranger chose the size of.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > limits::CLIENT_MESSAGE_BYTES_MAX {
            return Err(DecodeError::Malformed);
        }
        decode::<Self, { limits::CLIENT_MESSAGE_BYTES_MAX }>(bytes)
    }
}

//! What the server says.

use super::body::{Body, BodyRef};
use super::chunks::Parts;
use super::close_reason::CloseReason;
use super::event::{Event, EventRef};
use super::roster::RosterEntry;
use crate::wire::codec::bincode::enc::Encoder;
use crate::wire::codec::bincode::error::EncodeError;
use crate::wire::codec::{BoundedVec, Decode, DecodeError, Encode, decode_prefix};
use crate::wire::ids::{InputSeq, MatchId, PlayerId, Secret, Tick};
use crate::wire::limits;
use crate::wire::text::WsUrl;

/// What the server says. A WebSocket message carries one or more, back to back.
#[derive(Clone, Debug, PartialEq, Eq, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub enum ServerMessage {
    /// Answers Hello. A keyframe follows.
    Welcome(Welcome),
    /// A snapshot that needs no baseline.
    Keyframe {
        /// The snapshot's tick.
        tick: Tick,
        /// Encoded by [`crate::delta`] against an empty snapshot.
        body: Body,
    },
    /// A snapshot as its difference from the last one sent to this client.
    Delta {
        /// Ticks from the baseline, 1 to [`limits::BASELINE_AGE_MAX`].
        advance: u8,
        /// Encoded by [`crate::delta`].
        body: Body,
    },
    /// Something that happened. Never dropped or merged, in order with the snapshots.
    Event(Event),
    /// Answers Ping.
    Pong(Pong),
    /// The last message: why the server ends the session.
    Closing(CloseReason),
    /// What the tables of the snapshot just before this message must be. Sent by servers set to be checked.
    Check {
        /// The server's [`crate::snapshot::Table::hash`] of each, in schema order.
        tables: TableHashes,
    },
    /// What changed in the chunks this client keeps of a divided match. Part of the snapshot that follows.
    Chunks {
        /// The tick of that snapshot.
        tick: Tick,
        /// Each for a slot of its own.
        parts: Parts,
    },
    /// What [`crate::Replica::chunks_hash`] must be after the snapshot just before this message. Sent, in place of a Check, by
    /// servers set to be checked.
    ChunksCheck {
        /// The server's hash.
        hash: u64,
    },
    /// The match goes on on another server: resume there. A Closing with [`CloseReason::Moved`] follows.
    Migrate {
        /// Where to connect, with the credential that the client has.
        ws_url: WsUrl,
    },
}

/// A borrowed [`ServerMessage`], to be encoded: what a server sends stays in the buffers it is in.
///
/// ```
/// use tickwire_protocol::codec::encode_into;
/// use tickwire_protocol::messages::{BodyRef, ServerMessageRef};
/// use tickwire_protocol::ServerMessage;
///
/// let (snapshot, mut frame) = (vec![0xc0, 0xff, 0xee], Vec::new());
/// let body = BodyRef::new(&snapshot).expect("short");
/// encode_into(&ServerMessageRef::Delta { advance: 1, body }, &mut frame);
///
/// let decoded = ServerMessage::decode_next(&mut frame.as_slice());
/// assert!(matches!(decoded, Some(Ok(ServerMessage::Delta { advance: 1, .. }))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode)]
#[bincode(crate = "crate::wire::codec::bincode")]
#[allow(missing_docs)] // as in `ServerMessage`
pub enum ServerMessageRef<'a> {
    Welcome(&'a Welcome),
    Keyframe { tick: Tick, body: BodyRef<'a> },
    Delta { advance: u8, body: BodyRef<'a> },
    Event(EventRef<'a>),
    Pong(Pong),
    Closing(CloseReason),
    Check { tables: &'a TableHashes },
    Chunks { tick: Tick, parts: &'a Parts },
    ChunksCheck { hash: u64 },
    Migrate { ws_url: &'a WsUrl },
}

impl<'a> From<&'a ServerMessage> for ServerMessageRef<'a> {
    fn from(message: &'a ServerMessage) -> Self {
        match message {
            ServerMessage::Welcome(welcome) => Self::Welcome(welcome),
            ServerMessage::Keyframe { tick, body } => Self::Keyframe { tick: *tick, body: body.borrowed() },
            ServerMessage::Delta { advance, body } => Self::Delta { advance: *advance, body: body.borrowed() },
            ServerMessage::Event(event) => Self::Event(event.into()),
            ServerMessage::Pong(pong) => Self::Pong(*pong),
            ServerMessage::Closing(reason) => Self::Closing(*reason),
            ServerMessage::Check { tables } => Self::Check { tables },
            ServerMessage::Chunks { tick, parts } => Self::Chunks { tick: *tick, parts },
            ServerMessage::ChunksCheck { hash } => Self::ChunksCheck { hash: *hash },
            ServerMessage::Migrate { ws_url } => Self::Migrate { ws_url },
        }
    }
}

/// As the [`ServerMessageRef`] of it.
impl Encode for ServerMessage {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        ServerMessageRef::from(self).encode(encoder)
    }
}

/// A hash for each table of a snapshot, so that a client that differs can tell where.
pub type TableHashes = BoundedVec<u64, { limits::TABLES_MAX }>;

/// Everything a session starts from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub struct Welcome {
    /// The match.
    pub match_id: MatchId,
    /// The seat's player; `None` for a spectator.
    pub player: Option<PlayerId>,
    /// Index into the game's modes.
    pub mode: u8,
    /// Ticks per second.
    pub tick_rate: u8,
    /// The tick last simulated.
    pub tick: Tick,
    /// Returns to this seat if the connection is lost. Zero for a spectator.
    pub resume: Secret,
    /// Who is seated.
    pub roster: BoundedVec<RosterEntry, { limits::PLAYERS_MAX }>,
}

/// Answer to a ping: round-trip time, the server's clock, and how early this client's inputs arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub struct Pong {
    /// Echo of the ping.
    pub client_time_ms: u32,
    /// The tick last simulated when the ping came.
    pub tick: Tick,
    /// How much of the interval after `tick` had passed then, in 1/256.
    pub phase: u8,
    /// How long the answer waited for the next frame since, in 1/256 tick: no part of the way.
    pub held: u16,
    /// The least time, in 1/256 tick, between an input's arrival and its tick's start since the last pong; negative: late.
    /// `None`: no input came, or of none it is known when.
    pub margin: Option<i16>,
    /// The newest input received.
    pub last_input: InputSeq,
}

impl Pong {
    /// Parts of a tick in which it counts.
    pub const TICK_PARTS: u32 = 256;
}

impl ServerMessage {
    /// Takes the next message off the front of `bytes`, one WebSocket message or what is left of it; `None` at the end.
    /// Nothing can be told from the bytes after an error, so none are left.
    pub fn decode_next(bytes: &mut &[u8]) -> Option<Result<Self, DecodeError>> {
        let all = core::mem::take(bytes);
        if all.is_empty() {
            return None;
        }
        if all.len() > limits::SERVER_MESSAGE_BYTES_MAX {
            return Some(Err(DecodeError::Malformed));
        }
        // The limit counts bytes in memory, where a name takes more room than on the wire.
        Some(decode_prefix::<Self, { 2 * limits::SERVER_MESSAGE_BYTES_MAX }>(all).map(|(message, rest)| {
            *bytes = rest;
            message
        }))
    }
}

//! Every message there is. Bytes and limits are `docs/PROTOCOL.md`'s; golden vectors of each are in `protocol/fixtures`.
//!
//! Invariant: a [`ClientMessage`] holds no container, whatever the game's input type.

use crate::cells::Part;
use crate::codec::{BoundedBytes, BoundedVec, Decode, DecodeError, Encode, decode, decode_prefix};
use crate::ids::{InputSeq, MatchId, PlayerId, Secret, Tick, Ticket};
use crate::limits;
use crate::text::{Name, WsUrl};

/// What a client says. One per WebSocket message. `I` is the game's input, a fixed-size value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
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
    /// Asks for a [`Pong`].
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
#[bincode(crate = "crate::codec::bincode")]
pub enum Credential {
    /// From the HTTP API: admits to a reserved seat.
    Ticket(Ticket),
    /// From the last [`Welcome`]: returns to a seat whose connection was lost.
    Resume {
        /// The match left behind.
        match_id: MatchId,
        /// The newest token for the seat.
        token: Secret,
    },
}

/// What the server says. A WebSocket message carries one or more, back to back.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
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
    Cells {
        /// The tick of that snapshot.
        tick: Tick,
        /// Each for a slot of its own.
        parts: BoundedVec<Part, { limits::CELL_SLOTS_MAX }>,
    },
    /// What [`crate::Replica::cells_hash`] must be after the snapshot just before this message. Sent, in place of a Check, by
    /// servers set to be checked.
    CellsCheck {
        /// The server's hash.
        hash: u64,
    },
    /// The match goes on on another server: resume there. A Closing with [`CloseReason::Moved`] follows.
    Migrate {
        /// Where to connect, with the credential that the client has.
        ws_url: WsUrl,
    },
}

/// A hash for each table of a snapshot, so that a client that differs can tell where.
pub type TableHashes = BoundedVec<u64, { limits::TABLES_MAX }>;

/// An encoded snapshot.
pub type Body = BoundedBytes<{ limits::BODY_BYTES_MAX }>;

/// Everything a session starts from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
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

/// One seated player.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
pub struct RosterEntry {
    /// The player.
    pub player: PlayerId,
    /// Cleaned for display as text.
    pub name: Name,
    /// The seat belongs to the server, not to a person.
    pub bot: bool,
    /// Whether the person who holds the seat plays it.
    pub presence: Presence,
}

/// Whether the person who holds a seat plays it. Who else plays it meanwhile is the mode's choice: a bot, or nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
pub enum Presence {
    /// The holder plays. Bots are always here.
    #[default]
    Here,
    /// The holder is connected but has changed no input for a while. The next change makes it `Here`.
    Idle,
    /// The holder's connection is lost. The seat is kept for the grace period.
    Away,
}

/// A match that waits for its players to start it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
pub struct Lobby {
    /// Who may start the match and choose its bots; `None` while nobody is seated.
    pub host: Option<PlayerId>,
    /// Whether bots will fill the free seats.
    pub bots: bool,
    /// Who is ready, in rising order. The match starts when every connected player is.
    pub ready: BoundedVec<PlayerId, { limits::PLAYERS_MAX }>,
}

/// Something that happened, told once.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
pub enum Event {
    /// A player took a seat.
    Joined(RosterEntry),
    /// A seat was freed.
    Left(PlayerId),
    /// The match is over.
    Results {
        /// Best first.
        ranking: BoundedVec<Ranked, { limits::PLAYERS_MAX }>,
        /// Votes for a rematch count until this tick.
        rematch_by: Tick,
    },
    /// The game's own event, encoded by the game.
    Game(BoundedBytes<{ limits::GAME_EVENT_BYTES_MAX }>),
    /// A seated player's entry changed; this one replaces it.
    Updated(RosterEntry),
    /// The match waits in its lobby. Sent after Welcome and with every change, until the phase moves on.
    Lobby(Lobby),
    /// The server is about to restart: the match ends at this tick at the latest.
    Draining {
        /// The last tick the match may reach.
        until: Tick,
    },
}

/// One line of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
pub struct Ranked {
    /// The player.
    pub player: PlayerId,
    /// The game's score.
    pub score: i32,
}

/// Answer to a ping: round-trip time, the server's clock, and how early this client's inputs arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
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

/// Why a session ends. What to do about it: [`CloseReason::retry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[bincode(crate = "crate::codec::bincode")]
pub enum CloseReason {
    /// The player left.
    Left,
    /// The match ended.
    MatchOver,
    /// The server is shutting down.
    Draining,
    /// The same seat was resumed elsewhere.
    Replaced,
    /// Nothing was heard for too long.
    Silent,
    /// The client reads slower than the least the server can send.
    TooSlow,
    /// Too many messages or bytes. The seat is kept: come back slower.
    RateLimited,
    /// Bytes that are no message, or a message out of place.
    Malformed,
    /// The client speaks another protocol version: reload the page.
    WrongProtocol,
    /// The client was built for another version of the game: reload the page.
    WrongSchema,
    /// No Hello in time.
    HelloTimeout,
    /// The ticket is unknown, used or expired.
    BadTicket,
    /// The resume token is unknown, used or expired, or the seat was freed.
    BadResume,
    /// The match this was for is gone.
    MatchGone,
    /// The match failed. The server's fault.
    InternalError,
    /// No place is left to watch from.
    Full,
    /// Too many ask the match for something at once, or the server has no time to wake it. What was presented holds as long as it did.
    Busy,
    /// What the player signed in with has expired. The seat is kept: sign in again, then resume.
    SignInExpired,
    /// An operator took the player out of the match.
    Kicked,
    /// An operator banned the player, or the address.
    Banned,
    /// The server ran short of memory. The seat is kept.
    Overloaded,
    /// The process makes way for another, in which the match goes on. The seat is kept.
    Restarting,
    /// The match goes on on another server, at the address in the [`ServerMessage::Migrate`] before. The seat is kept there.
    Moved,
    /// The match is lost: a server that started again could not bring it back. The server's fault.
    Lost,
}

/// What a client can do about a closed session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Resume the seat.
    Resume,
    /// Ask for a new seat.
    Rejoin,
    /// Load the newest client first.
    Reload,
    /// Nothing: it is over.
    No,
}

impl CloseReason {
    /// Every reason, in wire order.
    pub const ALL: [Self; 24] = [
        Self::Left,
        Self::MatchOver,
        Self::Draining,
        Self::Replaced,
        Self::Silent,
        Self::TooSlow,
        Self::RateLimited,
        Self::Malformed,
        Self::WrongProtocol,
        Self::WrongSchema,
        Self::HelloTimeout,
        Self::BadTicket,
        Self::BadResume,
        Self::MatchGone,
        Self::InternalError,
        Self::Full,
        Self::Busy,
        Self::SignInExpired,
        Self::Kicked,
        Self::Banned,
        Self::Overloaded,
        Self::Restarting,
        Self::Moved,
        Self::Lost,
    ];

    /// Stable name, for logs, metrics, JSON and the WebSocket close frame.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::MatchOver => "match_over",
            Self::Draining => "draining",
            Self::Replaced => "replaced",
            Self::Silent => "silent",
            Self::TooSlow => "too_slow",
            Self::RateLimited => "rate_limited",
            Self::Malformed => "malformed",
            Self::WrongProtocol => "wrong_protocol",
            Self::WrongSchema => "wrong_schema",
            Self::HelloTimeout => "hello_timeout",
            Self::BadTicket => "bad_ticket",
            Self::BadResume => "bad_resume",
            Self::MatchGone => "match_gone",
            Self::InternalError => "internal_error",
            Self::Full => "full",
            Self::Busy => "busy",
            Self::SignInExpired => "sign_in_expired",
            Self::Kicked => "kicked",
            Self::Banned => "banned",
            Self::Overloaded => "overloaded",
            Self::Restarting => "restarting",
            Self::Moved => "moved",
            Self::Lost => "lost",
        }
    }

    /// The WebSocket close code (RFC 6455 section 7.4).
    pub const fn websocket_code(self) -> u16 {
        match self {
            Self::Left | Self::MatchOver => 1000,
            Self::Draining => 1001,
            Self::Malformed => 1002,
            Self::InternalError | Self::Lost => 1011,
            Self::Restarting | Self::Moved => 1012,
            Self::Busy | Self::Overloaded => 1013,
            _ => 1008,
        }
    }

    /// What the client can do about it.
    pub const fn retry(self) -> Retry {
        match self {
            Self::Silent
            | Self::TooSlow
            | Self::Busy
            | Self::RateLimited
            | Self::SignInExpired
            | Self::Overloaded
            | Self::Restarting
            | Self::Moved => Retry::Resume,
            Self::HelloTimeout
            | Self::BadTicket
            | Self::BadResume
            | Self::MatchGone
            | Self::InternalError
            | Self::Draining
            | Self::Lost => Retry::Rejoin,
            Self::WrongProtocol | Self::WrongSchema => Retry::Reload,
            Self::Left | Self::MatchOver | Self::Replaced | Self::Malformed | Self::Full | Self::Kicked | Self::Banned => Retry::No,
        }
    }
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

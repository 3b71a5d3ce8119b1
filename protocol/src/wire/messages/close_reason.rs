//! Why a session ends, and what the client can do about it.

use crate::wire::codec::{Decode, Encode};

/// Why a session ends. What to do about it: [`CloseReason::retry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
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
    /// The match goes on on another server, at the address in the [`Migrate`](super::ServerMessage::Migrate) before. The seat is kept there.
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

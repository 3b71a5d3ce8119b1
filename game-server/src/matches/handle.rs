//! The only door into a match: a bounded queue of commands, and figures that anyone may read.
//!
//! Invariant: nothing outside the match's own task touches its world, roster or sockets.

use std::sync::Arc;
use std::time::Instant;

use tickwire_game::Mode;
use tickwire_protocol::text::Name;
use tickwire_protocol::{CloseReason, MatchId, PlayerId, Secret};
use tokio::sync::{mpsc, oneshot};

use super::stats::MatchStats;
use crate::session::Socket;

/// Commands that may wait for a match. A full queue refuses: the caller says the server is busy.
pub const COMMANDS_MAX: usize = 256;

/// What never changes about a match, and its figures.
#[derive(Debug)]
pub struct MatchInfo {
    /// The match.
    pub id: MatchId,
    /// Short code for people to share.
    pub code: String,
    /// The mode being played.
    pub mode: Mode,
    /// Its index in the game's modes.
    pub mode_index: u8,
    /// Not listed, and joined only by id or code.
    pub private: bool,
    /// When it was created.
    pub created: Instant,
    /// Figures, written by the match once per tick.
    pub stats: MatchStats,
}

/// A match, seen from outside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MatchHandle {
    /// What can be read without asking.
    pub info: Arc<MatchInfo>,
    commands: mpsc::Sender<Command>,
}

/// What a match can be asked. Sockets are boxed: the queue reserves room for the largest command. All are carried out between ticks, in order.
pub enum Command {
    /// Keep a seat for someone who got a ticket.
    Reserve {
        /// Shown to the others.
        name: Name,
        /// The seat is freed if nobody came by then.
        until: Instant,
        /// The seat's player.
        reply: oneshot::Sender<Result<PlayerId, ReserveError>>,
    },
    /// The ticket for a reserved seat was redeemed on this socket.
    Attach {
        /// The reserved seat.
        player: PlayerId,
        /// After Hello.
        socket: Box<Socket>,
    },
    /// Someone claims to return to a seat. Changes nothing unless the token is right.
    Resume {
        /// Compared with the hash the seat keeps.
        token: Secret,
        /// After Hello.
        socket: Box<Socket>,
    },
    /// Someone wants to watch.
    Spectate {
        /// After the upgrade.
        socket: Box<Socket>,
    },
    /// Close all sessions with this reason and end.
    End(CloseReason),
}

/// Why there is no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReserveError {
    /// Every seat is taken or reserved.
    #[error("the match is full")]
    Full,
    /// The match has ended.
    #[error("the match has ended")]
    Gone,
    /// The match does not take commands fast enough.
    #[error("the match is busy")]
    Busy,
}

impl MatchHandle {
    /// The handle, and where its commands come out.
    pub fn new(info: Arc<MatchInfo>) -> (Self, mpsc::Receiver<Command>) {
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        (Self { info, commands }, receiver)
    }

    /// Asks for a seat, kept until `until`.
    pub async fn reserve(&self, name: Name, until: Instant) -> Result<PlayerId, ReserveError> {
        let (reply, answer) = oneshot::channel();
        match self.commands.try_send(Command::Reserve { name, until, reply }) {
            Ok(()) => answer.await.unwrap_or(Err(ReserveError::Gone)),
            Err(mpsc::error::TrySendError::Full(_)) => Err(ReserveError::Busy),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(ReserveError::Gone),
        }
    }

    /// Hands a command over; gives it back, and says why, if the match is gone or its queue is full.
    pub fn send(&self, command: Command) -> Result<(), (Command, CloseReason)> {
        self.commands.try_send(command).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(command) => (command, CloseReason::Busy),
            mpsc::error::TrySendError::Closed(command) => (command, CloseReason::MatchGone),
        })
    }

    /// Whether the match has ended.
    pub fn is_gone(&self) -> bool {
        self.commands.is_closed()
    }
}

impl Command {
    /// The socket that came with it, to be refused when the command could not be carried out.
    pub fn into_socket(self) -> Option<Socket> {
        match self {
            Self::Attach { socket, .. } | Self::Resume { socket, .. } | Self::Spectate { socket } => Some(*socket),
            Self::Reserve { .. } | Self::End(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_is_busy_and_a_closed_one_is_gone() {
        let mode = Mode { id: "duel", title: "Duel", max_players: 2, tick_rate: 30, live_seconds: 60, bots_fill: 0, stand_in: false };
        let info = MatchInfo {
            id: MatchId([7; 16]),
            code: "CODE".into(),
            mode,
            mode_index: 0,
            private: false,
            created: Instant::now(),
            stats: MatchStats::default(),
        };
        let (handle, commands) = MatchHandle::new(Arc::new(info));
        let why = || handle.send(Command::End(CloseReason::Draining)).err().map(|(_, reason)| reason);
        assert!((0..COMMANDS_MAX).all(|_| why().is_none()));
        assert_eq!(why(), Some(CloseReason::Busy));
        assert_eq!(handle.reserve(Name::truncated("Ada"), Instant::now()).await, Err(ReserveError::Busy));
        drop(commands);
        assert_eq!(why(), Some(CloseReason::MatchGone));
        assert_eq!(handle.reserve(Name::truncated("Ada"), Instant::now()).await, Err(ReserveError::Gone));
    }
}

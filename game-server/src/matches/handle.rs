//! The only door into a match: a bounded queue of commands, and figures that anyone may read.
//!
//! Invariant: nothing outside the match's own task touches its world, roster or sockets.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::Instant;

use tickwire_game::Mode;
/// Who a seat is kept for: what is kept of a guest session's token, or of an account's name. The
/// same player never has two seats in a match.
pub use tickwire_match::OwnerId as PlayerKey;
pub use tickwire_match::{Occupant, ReserveError, Stay};
use tickwire_protocol::text::Name;
use tickwire_protocol::{CloseReason, MatchId, PlayerId, Secret, WsUrl};
use tokio::sync::{mpsc, oneshot};

use super::headroom::{self, Comer, Load};
use super::sign_in::SignIn;
use super::stats::MatchStats;
use crate::secrets::SecretHash;
use crate::transport::Socket;

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
    /// What its creator chose.
    pub settings: Settings,
    /// When it was created.
    pub created: Instant,
    /// Figures, written by the match once per tick.
    pub stats: MatchStats,
}

/// What the creator of a match chooses, beside the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Not listed, and joined only by id or code.
    pub private: bool,
    /// The first round waits until its players are ready.
    pub lobby: bool,
    /// Bots fill the seats that the mode wants filled. The host of a lobby may change that.
    pub bots: bool,
}

impl Settings {
    /// A match anyone may join that starts with its first player.
    pub const PUBLIC: Self = Self { private: false, lobby: false, bots: true };
    /// A match that starts with its first player, and that only those may join who have its id or
    /// code.
    pub const PRIVATE: Self = Self { private: true, ..Self::PUBLIC };
}

/// Asks for a seat.
#[derive(Clone, Debug)]
pub struct Reservation {
    /// Who asks. Whoever has a seat already gets that one, whatever its state, also in a full
    /// match.
    pub owner: PlayerKey,
    /// Shown to the others, unless somebody has it already.
    pub name: Name,
    /// What admits to the seat, with [`Command::Attach`].
    pub ticket: SecretHash,
    /// The ticket admits until then; a seat that nobody has come to by then is freed.
    pub until: Instant,
    /// Only the seat that the owner has already: no new one.
    pub own_only: bool,
    /// Until when the owner may play, if there is such a moment.
    pub sign_in: Option<Arc<SignIn>>,
}

/// A seat that is kept for its owner.
#[derive(Clone, Debug)]
pub struct Reserved {
    /// The seat's player.
    pub player: PlayerId,
    /// What becomes of the seat.
    pub seat: SeatWatch,
}

/// What a seat is to its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SeatState {
    /// Kept for a ticket; nobody has come yet.
    Pending,
    /// Its owner is connected.
    Taken,
    /// Its owner was connected, and may come back.
    Away,
    /// Freed: its owner has it no more.
    Freed,
}

/// A seat, seen from outside. Costs nothing to read, and can outlive the match.
#[derive(Clone, Debug)]
pub struct SeatWatch(Arc<AtomicU8>);

impl SeatWatch {
    /// What the seat is to its owner now.
    pub fn state(&self) -> SeatState {
        let state = self.0.load(Relaxed);
        [SeatState::Pending, SeatState::Taken, SeatState::Away].into_iter().find(|known| *known as u8 == state).unwrap_or(SeatState::Freed)
    }

    /// Whether it is the same seat.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The seat's own end of its [`SeatWatch`]es: dropped with the seat, and then they say that it is
/// freed.
#[derive(Debug)]
pub struct SeatMark(Arc<AtomicU8>);

impl SeatMark {
    /// Of a seat nobody has come to.
    pub fn pending() -> Self {
        Self(Arc::new(AtomicU8::new(SeatState::Pending as u8)))
    }

    /// The seat's owner has come.
    pub fn take(&self) {
        self.0.store(SeatState::Taken as u8, Relaxed);
    }

    /// The seat's owner was lost.
    pub fn leave(&self) {
        self.0.store(SeatState::Away as u8, Relaxed);
    }

    /// For somebody outside.
    pub fn watch(&self) -> SeatWatch {
        SeatWatch(Arc::clone(&self.0))
    }
}

impl Drop for SeatMark {
    fn drop(&mut self) {
        self.0.store(SeatState::Freed as u8, Relaxed);
    }
}

/// Somebody who has a seat, as those who look after the server see them.
#[derive(Clone, Debug)]
pub struct Sitter {
    /// The seat, and who has it.
    pub occupant: Occupant,
    /// Where they are connected from, if they are.
    pub peer: Option<IpAddr>,
}

/// A match, seen from outside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MatchHandle {
    /// What can be read without asking.
    pub info: Arc<MatchInfo>,
    orders: mpsc::Sender<Order>,
    /// Of the worker that runs the match.
    load: Arc<Load>,
}

/// What a match can be told. All are carried out between ticks, in order.
pub enum Order {
    /// The match goes on.
    Command(Command),
    /// It does not.
    Halt(Halt),
}

/// What ends a match in this process.
pub enum Halt {
    /// Write the whole match and stand still: it is about to go on on another server.
    Freeze {
        /// It is written.
        reply: oneshot::Sender<()>,
    },
    /// Tell everyone that the match goes on at this address, and end here.
    Move(WsUrl),
    /// Close all sessions with this reason and end.
    End(CloseReason),
}

/// What a match can be asked while it goes on. What is large is boxed: the queue reserves room for
/// the largest command.
pub enum Command {
    /// Keep a seat for someone who gets a ticket.
    Reserve {
        /// Who, and how long.
        reservation: Box<Reservation>,
        /// The seat.
        reply: oneshot::Sender<Result<Reserved, ReserveError>>,
    },
    /// Free the seat of this guest, if nobody has come to it yet. Else nothing happens.
    Release {
        /// As in the reservation.
        owner: PlayerKey,
    },
    /// Free this seat, if its owner is away. Else nothing happens.
    Vacate {
        /// The seat's player.
        player: PlayerId,
        /// Tells it from a later one.
        seat: SeatWatch,
    },
    /// Someone presents a ticket for a seat. Changes nothing unless the ticket is right.
    Attach {
        /// The seat.
        player: PlayerId,
        /// Compared with the hashes the seat keeps.
        ticket: SecretHash,
        /// After Hello.
        socket: Box<Socket>,
    },
    /// Someone claims to return to a seat. Changes nothing unless the token is right.
    Resume {
        /// Compared with the hashes that the seats keep.
        token: Secret,
        /// After Hello.
        socket: Box<Socket>,
    },
    /// Nothing but an answer.
    Echo {
        /// The answer.
        reply: oneshot::Sender<()>,
    },
    /// Who sits in the match?
    Look {
        /// Everyone who has a seat.
        reply: oneshot::Sender<Vec<Sitter>>,
    },
    /// Close the sessions of these people and free their seats.
    Dismiss {
        /// Whether it is one of them.
        whom: Box<dyn Fn(&Sitter) -> bool + Send>,
        /// What they are told.
        reason: CloseReason,
        /// Who they were.
        reply: oneshot::Sender<Vec<Sitter>>,
    },
    /// Someone wants to watch.
    Spectate {
        /// After the upgrade.
        socket: Box<Socket>,
    },
    /// Tell everyone that the match ends at this moment at the latest.
    Drain {
        /// The server ends the match then.
        until: Instant,
    },
    /// Close the session of the client for which most is kept.
    Shed,
}

impl From<Command> for Order {
    fn from(command: Command) -> Self {
        Self::Command(command)
    }
}

impl From<Halt> for Order {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

impl MatchHandle {
    /// The handle, and where its orders come out.
    pub fn new(info: Arc<MatchInfo>) -> (Self, mpsc::Receiver<Order>) {
        let (orders, receiver) = mpsc::channel(COMMANDS_MAX);
        (Self { info, orders, load: headroom::nobody() }, receiver)
    }

    /// Says with `load` how much time the match's worker has left.
    #[must_use]
    pub fn on(self, load: Arc<Load>) -> Self {
        Self { load, ..self }
    }

    /// Whether somebody is connected to it. Else it sleeps and costs nothing.
    pub fn is_awake(&self) -> bool {
        let stats = &self.info.stats;
        stats.connected.load(Relaxed) + stats.spectators.load(Relaxed) > 0
    }

    /// Whether somebody new may come in: the match is awake, or its worker has time for it.
    pub fn has_time(&self) -> bool {
        self.is_awake() || self.load.has_room(self.info.mode_index, Comer::New)
    }

    /// Asks for a seat.
    pub async fn reserve(&self, reservation: Reservation) -> Result<Reserved, ReserveError> {
        let (reply, answer) = oneshot::channel();
        match self.orders.try_send(Command::Reserve { reservation: Box::new(reservation), reply }.into()) {
            Ok(()) => answer.await.unwrap_or(Err(ReserveError::Gone)),
            Err(mpsc::error::TrySendError::Full(_)) => Err(ReserveError::Busy),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(ReserveError::Gone),
        }
    }

    /// Takes as long as asking the match for something does.
    pub async fn echo(&self) {
        let (reply, answer) = oneshot::channel();
        if self.send(Command::Echo { reply }).is_ok() {
            // It is the same whether the match answers or ends.
            let _ = answer.await;
        }
    }

    /// Everyone who has a seat. `None` if the match is gone or has too much to do.
    pub async fn look(&self) -> Option<Vec<Sitter>> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Look { reply }).ok()?;
        answer.await.ok()
    }

    /// Takes people out of the match, and says who they were. `None` if the match is gone or has
    /// too much to do.
    pub async fn dismiss(&self, whom: impl Fn(&Sitter) -> bool + Send + 'static, reason: CloseReason) -> Option<Vec<Sitter>> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Dismiss { whom: Box::new(whom), reason, reply }).ok()?;
        answer.await.ok()
    }

    /// Has the match written as it stands, to go on on another server. Says whether that will be.
    pub async fn freeze(&self) -> bool {
        let (reply, answer) = oneshot::channel();
        self.send(Halt::Freeze { reply }).is_ok() && answer.await.is_ok()
    }

    /// Hands a [`Command`] or a [`Halt`] over; gives it back, and says why, if the match is gone or
    /// its queue is full.
    pub fn send(&self, order: impl Into<Order>) -> Result<(), (Order, CloseReason)> {
        self.orders.try_send(order.into()).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(order) => (order, CloseReason::Busy),
            mpsc::error::TrySendError::Closed(order) => (order, CloseReason::MatchGone),
        })
    }

    /// Tells the match that it ends at `until` at the latest. Says whether it will hear that, or is
    /// gone.
    pub fn announce_end(&self, until: Instant) -> bool {
        !matches!(self.send(Command::Drain { until }), Err((_, CloseReason::Busy)))
    }

    /// Whether the match has ended.
    pub fn is_gone(&self) -> bool {
        self.orders.is_closed()
    }
}

impl Command {
    /// Whether who came with it is shown the match.
    pub fn shows_match(&self) -> bool {
        matches!(self, Self::Attach { .. } | Self::Resume { .. } | Self::Spectate { .. })
    }

    /// The socket that came with it, to be refused when the command could not be carried out.
    pub fn into_socket(self) -> Option<Socket> {
        match self {
            Self::Attach { socket, .. } | Self::Resume { socket, .. } | Self::Spectate { socket } => Some(*socket),
            Self::Reserve { .. }
            | Self::Release { .. }
            | Self::Vacate { .. }
            | Self::Echo { .. }
            | Self::Look { .. }
            | Self::Dismiss { .. }
            | Self::Shed
            | Self::Drain { .. } => None,
        }
    }
}

impl Order {
    /// The socket that came with it, to be refused when it could not be carried out.
    pub fn into_socket(self) -> Option<Socket> {
        match self {
            Self::Command(command) => command.into_socket(),
            Self::Halt(_) => None,
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
            settings: Settings::PUBLIC,
            created: Instant::now(),
            stats: MatchStats::default(),
        };
        let (handle, orders) = MatchHandle::new(Arc::new(info));
        let why = || handle.send(Halt::End(CloseReason::Draining)).err().map(|(_, reason)| reason);
        assert!((0..COMMANDS_MAX).all(|_| why().is_none()));
        assert_eq!(why(), Some(CloseReason::Busy));
        let (owner, name, until) = (PlayerKey([1; 32]), Name::truncated("Ada"), Instant::now());
        let reservation = Reservation { owner, name, ticket: [2; 32], until, own_only: false, sign_in: None };
        assert_eq!(handle.reserve(reservation.clone()).await.err(), Some(ReserveError::Busy));
        drop(orders);
        assert_eq!(why(), Some(CloseReason::MatchGone));
        assert_eq!(handle.reserve(reservation).await.err(), Some(ReserveError::Gone));
    }
}

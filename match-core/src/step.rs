//! What changes a match: a [`Step`] is everything that does, in order.

use tickwire_protocol::codec::{Decode, Encode};
use tickwire_protocol::text::Name;
use tickwire_protocol::{CloseReason, PlayerId, Tick};

/// What is kept of a secret: enough to recognise it, not enough to use it.
pub type SecretHash = [u8; 32];

/// A session of the match, as the shell numbers them: no two that are open have the same number.
pub type SessionId = u32;

/// Who a seat is kept for. The same owner never has two seats in a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct OwnerId(pub SecretHash);

/// Everything that happens to a match at one moment. A match that takes the same steps from the
/// same seed goes through the same states.
///
/// ```
/// use tickwire_match::{Change, Step};
/// use tickwire_protocol::PlayerId;
/// use tickwire_protocol::codec::{decode, encode};
///
/// // A recording is the steps, one after the other.
/// let step = Step::<u8>::tick(vec![Change::Ready(PlayerId(0), true)]);
/// assert_eq!(decode::<Step<u8>, 1_024>(&encode(&step)), Ok(step));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct Step<I> {
    /// What happens, in order.
    pub changes: Vec<Change<I>>,
    /// How time goes on after that.
    pub advance: Advance,
}

/// How time goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub enum Advance {
    /// Not at all: another step follows before the next tick.
    #[default]
    Nothing,
    /// So many intervals pass without a tick, as nobody is connected.
    Doze(u32),
    /// A tick is simulated.
    Tick,
}

/// One thing that happens to a match.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub enum Change<I> {
    /// Somebody asks for a seat.
    Reserve(Box<Reserve>),
    /// The seat of this owner is given up, if nobody has come to it yet.
    Release(OwnerId),
    /// A session presents a ticket for a seat.
    Attach {
        /// The seat.
        player: PlayerId,
        /// The hash of the ticket.
        ticket: SecretHash,
        /// The session that presents it.
        session: SessionId,
        /// The hash of the resume token that the session is given.
        resume: SecretHash,
    },
    /// A session presents a resume token.
    Resume {
        /// The hash of the resume token that it presents.
        token: SecretHash,
        /// The session that presents it.
        session: SessionId,
        /// The hash of the resume token that the session is given.
        resume: SecretHash,
    },
    /// Somebody watches: there must be something to see.
    Watch,
    /// A session ended by itself.
    Disconnect {
        /// The player whose session it was.
        player: PlayerId,
        /// The session that ended. If another one holds the seat by now, nothing happens.
        session: SessionId,
        /// The seat is kept for the grace period. Else it is free at once.
        may_return: bool,
    },
    /// A player gives its seat up.
    Leave(PlayerId),
    /// A player's session has spoken: what it presented is spent.
    Confirm(PlayerId),
    /// A player holds `input` during `tick`.
    Input {
        /// The player whose session sent it.
        player: PlayerId,
        /// The tick it is meant for.
        tick: Tick,
        /// What the player holds down then.
        input: I,
    },
    /// A player wants another round.
    Rematch(PlayerId),
    /// In a lobby: whether a player is ready.
    Ready(PlayerId, bool),
    /// In a lobby, from its host: the match starts now.
    Start(PlayerId),
    /// In a lobby, from its host: whether bots fill the match.
    Bots(PlayerId, bool),
    /// The match ends after so many ticks at the latest.
    AnnounceEnd(u32),
}

/// A person asks for a seat. The core answers with [`Happened::Reserved`] or
/// [`Happened::NotReserved`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct Reserve {
    /// Who asks. Whoever has a seat already gets that one, whatever its state, also in a full
    /// match.
    pub owner: OwnerId,
    /// Shown to the others, unless somebody has it already.
    pub name: Name,
    /// The hash of the ticket that admits to the seat, with [`Change::Attach`].
    pub ticket: SecretHash,
    /// The ticket admits for so many ticks; a seat that nobody has come to by then is freed.
    pub patience: u32,
    /// Only the seat that the owner has already: no new one.
    pub own_only: bool,
}

/// Why there is no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReserveError {
    /// Every seat is taken or reserved.
    #[error("the match is full")]
    Full,
    /// Only the owner's own seat was asked for, and there is none.
    #[error("there is no seat of this guest in the match")]
    NoSeat,
    /// The match has ended.
    #[error("the match has ended")]
    Gone,
    /// The match does not take commands fast enough.
    #[error("the match is busy")]
    Busy,
}

/// What came of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What the shell has to act on, in order.
    pub happened: Vec<Happened>,
    /// The match is over, for this reason. It takes no further steps.
    pub over: Option<CloseReason>,
}

/// One thing that the shell has to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The answer to [`Change::Reserve`]: the seat of this player is kept.
    Reserved(PlayerId),
    /// The answer to [`Change::Reserve`]: there is none.
    NotReserved(ReserveError),
    /// A session holds a seat: it is to be welcomed.
    Seated {
        /// The seat.
        player: PlayerId,
        /// The session that holds it now.
        session: SessionId,
        /// The session that held it until now, which the shell must close.
        replaced: Option<SessionId>,
    },
    /// A session presented something that opens no seat.
    Refused(SessionId, CloseReason),
    /// A player's session must be closed, for this reason.
    Dismissed(SessionId, CloseReason),
    /// The seat of this player was freed: it may be given to another person.
    Freed(PlayerId),
}

impl<I> Default for Step<I> {
    fn default() -> Self {
        Self { changes: Vec::new(), advance: Advance::Nothing }
    }
}

impl<I> Step<I> {
    /// One change, and no time.
    pub fn of(change: Change<I>) -> Self {
        Self { changes: vec![change], advance: Advance::Nothing }
    }

    /// A tick after `changes`.
    pub fn tick(changes: Vec<Change<I>>) -> Self {
        Self { changes, advance: Advance::Tick }
    }
}

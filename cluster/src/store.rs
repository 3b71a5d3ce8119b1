//! What nodes share: one trait, and what it is asked and answers.
//!
//! A *match entry* is who runs a match, in which epoch, until when its lease lasts, its card, its
//! newest checkpoint and the steps since. Every write to an entry carries the writer's epoch, and
//! the store compares it in the same atomic step: see [`Store::write`].
//!
//! Invariants: an epoch of a match has one owner; a write of an older epoch changes nothing; a
//! lease that ends takes nothing away, it only lets others claim; whoever runs a match puts it
//! back, with a write, into a store that has lost it.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use tickwire_protocol::MatchId;
use tokio::sync::mpsc;

/// Most characters of a [`NodeId`].
pub const NODE_ID_CHARS_MAX: usize = 32;
/// Most messages that wait for a node; a further one is lost.
pub const MAILBOX_MAX: usize = 1_024;
/// Most bytes of a message between nodes.
pub const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// Most records of a match after its checkpoint in the store; a further one is not kept, and a
/// checkpoint asked for.
pub const RECORDS_MAX: usize = 16 << 10;
/// Most values on a shelf of the store, and most codes; for a further one that goes whose time is
/// up first.
pub const SHELF_MAX: usize = 1 << 20;
/// Most values that are exchanged in one step.
pub const EXCHANGE_MAX: usize = 1_024;
/// How long it is remembered that a match has ended.
pub const ENDED_KEPT: Duration = Duration::from_hours(1);
/// How long a match is kept that nobody runs: from the end of its lease.
pub const ORPHAN_KEPT: Duration = Duration::from_hours(1);

/// The name of a node, as its operator gave it: 1 to [`NODE_ID_CHARS_MAX`] of `a-z`, `0-9` and `-`.
///
/// ```
/// use tickwire_cluster::NodeId;
///
/// assert_eq!(NodeId::new("eu-1").as_ref().map(NodeId::as_str), Ok("eu-1"));
/// assert!(NodeId::new("EU 1").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(String);

/// Rises with every owner that a match has had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// Who runs a match, the how-manieth owner they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The node that runs the match.
    pub node: NodeId,
    /// Tells this time from other times that the same node has run the match.
    pub epoch: Epoch,
}

/// What a node tells the others of itself, with every beat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeCard {
    /// The name by which other nodes send letters to it.
    pub id: NodeId,
    /// Random with each start of the process: two processes of one name are told apart.
    pub incarnation: u64,
    /// Where players reach it: an `http` or `https` URL that ends with a slash.
    pub address: String,
    /// Of its measured headroom, used: 0 to 1,000.
    pub load_permille: u16,
    /// How many matches it runs, asleep or awake.
    pub matches: u32,
    /// It takes in nothing new.
    pub is_draining: bool,
}

/// What the store has of a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchEntry {
    /// The match.
    pub id: MatchId,
    /// Who runs it, or ran it last.
    pub owner: Owner,
    /// Whether the owner's lease lasts.
    pub is_held: bool,
    /// For lists and joins: what its owner last wrote. Empty if nothing.
    pub card: Bytes,
}

/// What is needed to run a match on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The newest checkpoint. A match that has none is not handed out.
    pub checkpoint: Bytes,
    /// The number of the first record after the checkpoint, whether it is there or not. The next
    /// owner numbers on from the last record.
    pub first: u64,
    /// The records since, in order, without a gap.
    pub records: Vec<Bytes>,
}

/// What came of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The match is the claimer's now, in this epoch, and goes on from there.
    Granted {
        /// One more than any owner had.
        epoch: Epoch,
        /// What its last owner left.
        kept: Kept,
    },
    /// Somebody's lease lasts.
    Held(Owner),
    /// There is no such match, or it has ended, or it has no checkpoint.
    Unknown,
}

/// What an owner writes of a match, in this order. Nothing at all renews the lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writes {
    /// Replaces the card.
    pub card: Option<Bytes>,
    /// Replaces the checkpoint, and forgets the records before it. Numbered as the first record
    /// after it will be; records from there on which the store has already stay. The store passes
    /// over one that is older than the writer's own which it has: a write may come late.
    pub checkpoint: Option<(u64, Bytes)>,
    /// Records, numbered without a gap, from a match's first owner to its last. The store passes
    /// over those that it has, so a write that may have been done can be repeated.
    pub records: Vec<(u64, Bytes)>,
}

/// What came of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is written, and the lease renewed.
    Done,
    /// The store had lost the match, or its newest state. It asks for a checkpoint, unless this
    /// very write brought one.
    Adopted,
    /// Somebody else owns the match by now, or it has ended (`None`): nothing was written. Whoever
    /// is told this must stop.
    Fenced(Option<Owner>),
}

/// A value of a shelf that is to be exchanged for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Where it is kept.
    pub key: Bytes,
    /// What it must be.
    pub from: Bytes,
    /// What it is then.
    pub to: Bytes,
}

/// A message between nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Who sent it.
    pub from: NodeId,
    /// What it says.
    pub body: Bytes,
}

/// Why the store did not do what it was asked. Whether it has done it all the same is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or did not answer in time.
    #[error("the store does not answer: {0}")]
    Away(String),
    /// It answered what makes no sense.
    #[error("the store answered what cannot be right: {0}")]
    Nonsense(String),
    /// Nothing was sent: it is longer than [`MESSAGE_BYTES_MAX`].
    #[error("a message of {0} bytes is too long: {MESSAGE_BYTES_MAX} are the most")]
    TooLong(usize),
    /// Nothing was exchanged: they are more than [`EXCHANGE_MAX`].
    #[error("{0} values are too many to exchange: {EXCHANGE_MAX} are the most")]
    TooMany(usize),
}

/// An answer to come.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// What nodes share. All times are by the store's clock.
pub trait Store: Send + Sync + fmt::Debug {
    /// For logs: `embedded`, `redis`.
    fn kind(&self) -> &'static str;

    /// This node lives, for `ttl` at least.
    fn beat<'a>(&'a self, card: &'a NodeCard, ttl: Duration) -> Reply<'a, ()>;
    /// The nodes whose last beat still counts, by name.
    fn nodes(&self) -> Reply<'_, Vec<NodeCard>>;
    /// This node is gone, unless another process beats in its name.
    fn leave<'a>(&'a self, node: &'a NodeId, incarnation: u64) -> Reply<'a, ()>;

    /// Makes `node` the owner of a match whose lease is over, for `lease`.
    fn claim<'a>(&'a self, id: MatchId, node: &'a NodeId, lease: Duration) -> Reply<'a, Claim>;
    /// Writes what `node` has to say of its matches, each by itself and atomically, and renews
    /// their leases.
    ///
    /// The store compares each match's epoch with its own. Older than the store's, or the same and
    /// another node's: [`Written::Fenced`]. The same: written. Newer, or the store knows none: the
    /// store has been wiped or rolled back; it takes epoch and owner from the write and says
    /// [`Written::Adopted`]. What it had of older epochs stays until the writer's checkpoint comes,
    /// and no record is added to that. A match that has ended is [`Written::Fenced`] in every epoch
    /// up to the one in which it ended. A record that does not follow the last one also means
    /// [`Written::Adopted`], and is not kept. One answer for each match, in order.
    fn write<'a>(&'a self, node: &'a NodeId, lease: Duration, writes: &'a [(MatchId, Epoch, Writes)]) -> Reply<'a, Vec<Written>>;
    /// Ends the lease of these matches of `node`'s at once, so that others may claim. Those that
    /// are not its own stay as they are.
    fn give_up<'a>(&'a self, node: &'a NodeId, matches: &'a [(MatchId, Epoch)]) -> Reply<'a, ()>;
    /// These matches are over: everything of them goes but that they have ended, which is
    /// remembered for an hour.
    fn end<'a>(&'a self, node: &'a NodeId, matches: &'a [(MatchId, Epoch)]) -> Reply<'a, ()>;
    /// Who runs this match, or ran it last, if others can claim it.
    fn find(&self, id: MatchId) -> Reply<'_, Option<MatchEntry>>;
    /// All matches that somebody runs or could claim, at most `max`.
    fn list(&self, max: usize) -> Reply<'_, Vec<MatchEntry>>;
    /// Matches that can be claimed: those first whose lease has been over for longest, at most
    /// `max`.
    fn orphans(&self, max: usize) -> Reply<'_, Vec<MatchId>>;

    /// The match that this code leads to.
    fn find_code<'a>(&'a self, code: &'a str) -> Reply<'a, Option<MatchId>>;
    /// Reserves a code for a match for `ttl`, or renews that. Says whether the code is the match's.
    fn hold_code<'a>(&'a self, code: &'a str, id: MatchId, ttl: Duration) -> Reply<'a, bool>;

    /// Keeps `value` under `key` of `shelf` for `ttl`. Shelves are for sessions, bans and the like.
    fn put<'a>(&'a self, shelf: &'a str, key: &'a [u8], value: Bytes, ttl: Duration) -> Reply<'a, ()>;
    /// Keeps `value`, unless there is one already. Returns the one that is kept.
    fn put_first<'a>(&'a self, shelf: &'a str, key: &'a [u8], value: Bytes, ttl: Duration) -> Reply<'a, Bytes>;
    /// Exchanges these values of `shelf`, all or none, at most [`EXCHANGE_MAX`], and keeps them for
    /// `ttl`. Says whether all were what they must be, or were exchanged already: it can be
    /// repeated.
    fn exchange<'a>(&'a self, shelf: &'a str, exchanges: &'a [Exchange], ttl: Duration) -> Reply<'a, bool>;
    /// What is kept there. With `renew` it is kept for so long from now on.
    fn get<'a>(&'a self, shelf: &'a str, key: &'a [u8], renew: Option<Duration>) -> Reply<'a, Option<Bytes>>;
    /// Forgets what is kept under `key` of `shelf`, if anything is.
    fn remove<'a>(&'a self, shelf: &'a str, key: &'a [u8]) -> Reply<'a, ()>;
    /// All that is kept on a shelf, at most `max`.
    fn all<'a>(&'a self, shelf: &'a str, max: usize) -> Reply<'a, Vec<(Bytes, Bytes)>>;

    /// Opens a node's mailbox, which holds at most [`MAILBOX_MAX`] letters; a further one is lost.
    /// So is what is sent while the store is away. An older mailbox of the same name closes, if it
    /// is of this process.
    fn listen<'a>(&'a self, node: &'a NodeId) -> Reply<'a, mpsc::Receiver<Letter>>;
    /// Sends a message to a node. Says whether it listens: `true` does not promise that it hears.
    fn send<'a>(&'a self, from: &'a NodeId, to: &'a NodeId, body: Bytes) -> Reply<'a, bool>;
    /// Sends a message to every node that listens.
    fn announce<'a>(&'a self, from: &'a NodeId, body: Bytes) -> Reply<'a, ()>;
}

impl NodeId {
    /// The name, if it is one.
    ///
    /// # Errors
    /// If it has other characters, or too many, or none.
    pub fn new(name: &str) -> Result<Self, NodeIdError> {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > NODE_ID_CHARS_MAX || !name.bytes().all(is_allowed) {
            return Err(NodeIdError);
        }
        Ok(Self(name.to_owned()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A text is no name of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a node is named by 1 to {NODE_ID_CHARS_MAX} of a-z, 0-9 and -")]
pub struct NodeIdError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_a_plain_name() {
        assert_eq!(NodeId::new("eu-1").map(|id| id.to_string()), Ok("eu-1".to_owned()));
        for other in ["", "EU", "a b", "a:b", "é", &"n".repeat(NODE_ID_CHARS_MAX + 1)] {
            assert_eq!(NodeId::new(other), Err(NodeIdError), "{other:?}");
        }
    }
}

//! How a node lives, and what it and its server tell each other.

use std::time::Duration;

use tickwire_protocol::MatchId;

use crate::store::{Epoch, Kept, NodeId, Owner};

/// Most events that wait for a node's server. While they do, it claims nothing.
pub const EVENTS_MAX: usize = 64;

/// How a node lives.
#[derive(Clone, Debug)]
pub struct Options {
    /// The node's name: no other that lives has it.
    pub id: NodeId,
    /// Random with each start of the process.
    pub incarnation: u64,
    /// Where players reach it: an `http` or `https` URL that ends with a slash.
    pub address: String,
    /// How long a match stays its own after a write. It is renewed four times in that.
    pub lease: Duration,
    /// What available matches have recorded is written so often.
    pub flush: Duration,
    /// The node's random pauses follow from it.
    pub seed: u64,
}

/// What happens to a node, for its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A match whose owner is gone is ours: run it on, and `open` or `refuse` it. Its
    /// lease is kept meanwhile.
    Granted {
        /// The match.
        id: MatchId,
        /// The how-manieth owner this node is.
        epoch: Epoch,
        /// What the last owner left: its checkpoint and the steps since.
        kept: Kept,
    },
    /// Somebody else runs this match by now: stop it and send its players there.
    Fenced {
        /// The match.
        id: MatchId,
        /// Who runs it. `None`: it has ended.
        owner: Option<Owner>,
    },
}

/// What its server tells a node of itself, asked at every beat and before it claims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Of its measured headroom, used: 0 to 1,000.
    pub permille: u16,
    /// Matches it runs.
    pub matches: u32,
    /// It takes in nothing new.
    pub is_draining: bool,
    /// Whether it may claim matches that others have left.
    pub has_room: bool,
}

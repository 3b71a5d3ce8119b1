//! Machines, their lines to the store, and their names.

use std::any::Any;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tickwire_cluster::NodeId;
use tickwire_protocol::MatchId;

/// Of every match of every node.
pub(crate) const LEASE: Duration = Duration::from_millis(1_200);

/// A machine.
pub(crate) struct Slot {
    pub(crate) id: NodeId,
    /// What only `host` knows.
    pub(crate) process: Mutex<Option<Arc<dyn Any + Send + Sync>>>,
    pub(crate) wire: Mutex<Wire>,
    /// How much longer its seconds are than the store's, in thousandths.
    pub(crate) skew: i32,
}

/// What is wrong between a node and the store.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wire {
    pub(crate) is_cut: bool,
    /// Of a thousand calls, so many get lost, and so many come twice.
    pub(crate) loss: u32,
    pub(crate) twice: u32,
}

pub(crate) fn node_id(number: usize) -> NodeId {
    NodeId::new(&format!("n{number}")).unwrap()
}

pub(crate) fn short(id: MatchId) -> u8 {
    id.0[0]
}

//! Many nodes, one service: what they share is in a [`Store`], and each match has one owner.
//!
//! [`store`] is the seam; [`embedded`] is the store of one process, [`redis`] that of many; [`node`]
//! is the life of a node, [`placement`] says which gets a new match, in [`queue`] parties wait for
//! others of their strength.

#![forbid(unsafe_code)]

pub mod embedded;
pub mod node;
pub mod placement;
pub mod queue;
pub mod redis;
pub mod store;

pub use embedded::Embedded;
pub use node::{Consistency, Event, Load, MatchLane, Node, Options, Standing, start};
pub use placement::Placement;
pub use redis::{Redis, RedisSettings, RedisSettingsError};
pub use store::{
    Claim, Epoch, Exchange, Kept, Letter, MatchEntry, NodeCard, NodeId, NodeIdError, Owner, Reply, Store, StoreError, Writes, Written,
};

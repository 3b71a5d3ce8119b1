//! Many nodes, one service: what they share is in a [`Store`], and each match has one owner.
//!
//! [`store`] is the seam.

#![forbid(unsafe_code)]

pub mod store;

pub use store::{
    Claim, Epoch, Kept, Letter, MatchEntry, NodeCard, NodeId, NodeIdError, Owner, Reply, Store, StoreError, Writes, Written,
};

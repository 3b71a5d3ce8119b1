//! Many nodes, one service: what they share is in a [`Store`], and each match has one owner.
//!
//! [`store`] is the seam; [`embedded`] is the store of one process, [`redis`] that of many;
//! [`node`] is the life of a node, [`placement`] says which gets a new match, in [`queue`] parties
//! wait for others of their strength.
//!
//! ```
//! use std::time::Duration;
//!
//! use tickwire_cluster::{Claim, Embedded, Epoch, NodeId, Store, Writes, Written};
//! use tickwire_protocol::MatchId;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (store, id, lease) = (Embedded::new(), MatchId([7; 16]), Duration::from_secs(1));
//! let (first, second) = (NodeId::new("a")?, NodeId::new("b")?);
//!
//! // The first node runs the match. While its lease lasts, nobody else can.
//! let begin = Writes { checkpoint: Some((0, "state".into())), ..Writes::default() };
//! store.write(&first, lease, &[(id, Epoch(1), begin)]).await?;
//! assert!(matches!(store.claim(id, &second, lease).await?, Claim::Held(_)));
//!
//! // It is silent for too long. The second one goes on, and the first one is fenced when it wakes.
//! tokio::time::sleep(2 * lease).await;
//! assert!(matches!(store.claim(id, &second, lease).await?, Claim::Granted { epoch: Epoch(2), .. }));
//! let late = store.write(&first, lease, &[(id, Epoch(1), Writes::default())]).await?;
//! assert!(matches!(late[0], Written::Fenced(_)));
//! # Ok(())
//! # }
//! ```

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

//! Every message there is. Bytes and limits are `docs/PROTOCOL.md`'s; golden vectors of each are in
//! `protocol/fixtures`.
//!
//! A server encodes borrowed messages, [`ServerMessageRef`] and [`EventRef`], so that what it says
//! stays where it is. A client decodes owned ones, [`ServerMessage`] and [`Event`].
//!
//! ```
//! use tickwire_protocol::messages::ClientMessage;
//! use tickwire_protocol::{InputSeq, Tick, encode};
//!
//! // The input of a game that knows two buttons.
//! let held = ClientMessage::Input { seq: InputSeq(1), tick: Tick(250), input: [true, false] };
//! let bytes = encode(&held);
//! assert_eq!(ClientMessage::<[bool; 2]>::decode(&bytes), Ok(held));
//! assert!(ClientMessage::<[bool; 2]>::decode(&bytes[1..]).is_err());
//! ```
//!
//! Invariant: a [`ClientMessage`] holds no container, whatever the game's input type.

mod body;
pub mod chunks;
mod client;
mod close_reason;
mod event;
mod roster;
mod server;

pub use body::{Body, BodyRef};
pub use client::{ClientMessage, Credential};
pub use close_reason::{CloseReason, Retry};
pub use event::{Event, EventRef, Ranked};
pub use roster::{Lobby, Presence, RosterEntry};
pub use server::{Pong, ServerMessage, ServerMessageRef, TableHashes, Welcome};

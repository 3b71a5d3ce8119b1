//! The Tickwire wire: every message between a server and its clients, and how a tick's view becomes bytes.
//!
//! Pure: no I/O, no clock, no ECS, no threads. It builds for the server and for `wasm32`, so both ends run the same code.
//!
//! Invariants:
//! - Client-to-server messages are fixed-size enums without containers, decoded under a byte limit, and must consume every byte.
//! - Any bytes decode to a value or an error, in memory bounded by [`limits`].
//! - `apply(a, delta(a, b)) == b` for any two snapshots of one [`schema::Schema`].

pub mod delta;
mod replica;
mod state;
mod wire;

pub use delta::{column, range, residual};
pub use state::{model, schema, snapshot};
pub use wire::{cells, codec, ids, limits, messages, text};

pub use codec::{DecodeError, decode, encode};
pub use ids::{InputSeq, MatchId, NetId, PlayerId, Secret, TICKET_BYTES, Tick, Ticket};
pub use messages::{ClientMessage, CloseReason, Credential, Event, Lobby, Presence, RosterEntry, ServerMessage, Welcome};
pub use replica::{Replica, Workspace};
pub use schema::{Columns, Field, Schema, Table as TableSchema};
pub use snapshot::{Snapshot, Table};
pub use text::WsUrl;

/// Version of the message layer. Raised when an old client could misread a new server.
pub const PROTOCOL_VERSION: u16 = 5;

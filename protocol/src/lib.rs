//! The Tickwire wire: every message between a server and its clients, and how a tick's view becomes bytes.
//!
//! Pure: no I/O, no clock, no ECS, no threads. It builds for the server and for `wasm32`, so both ends run the same code.
//!
//! What is where, each subject needing only those before it:
//!
//! - What is said: [`codec`] (values to bytes and back, within limits), [`ids`], [`limits`],
//!   [`text`] and [`messages`].
//! - What is replicated: [`schema`] (tables and their fields), [`snapshot`] (one tick's rows),
//!   [`hash`](mod@hash) (to compare two ends), [`model`] (what was learned of how fields change).
//! - How that becomes bytes: [`delta`], the difference between two snapshots.
//! - What a client keeps: [`Replica`].
//!
//! A server's snapshot on its way to a client:
//!
//! ```
//! use tickwire_protocol::codec::encode_into;
//! use tickwire_protocol::delta::{self, Scratch};
//! use tickwire_protocol::messages::{BodyRef, ServerMessageRef};
//! use tickwire_protocol::schema::{Columns, MatchState};
//! use tickwire_protocol::{NetId, Replica, Schema, ServerMessage, Snapshot, Tick, columns};
//!
//! columns! {
//!     /// A thing that stands somewhere.
//!     #[derive(Debug, PartialEq)]
//!     pub struct Thing as "thing" {
//!         /// Place, units.
//!         pub x: i32 = 0..=4000,
//!     }
//! }
//! const SCHEMA: Schema = Schema::new(&[MatchState::TABLE, Thing::TABLE]);
//!
//! // The server captures a tick, and encodes it against nothing: a keyframe.
//! let (empty, mut snapshot) = (Snapshot::empty(&SCHEMA), Snapshot::empty(&SCHEMA));
//! snapshot.tick = Tick(7);
//! snapshot.table_mut(1).expect("two tables").push(NetId(3), &[250]);
//! let (mut body, mut frame) = (Vec::new(), Vec::new());
//! delta::encode(&empty, &snapshot, &mut Scratch::default(), &mut body);
//! let body = BodyRef::new(&body).expect("a body within its limit");
//! encode_into(&ServerMessageRef::Keyframe { tick: snapshot.tick, body }, &mut frame);
//!
//! // The client decodes the frame, message by message, and has the same tick.
//! let (mut replica, mut rest) = (Replica::new(&SCHEMA), frame.as_slice());
//! while let Some(message) = ServerMessage::decode_next(&mut rest) {
//!     replica.apply(&message?)?;
//! }
//! let view = replica.snapshot().expect("a keyframe came");
//! assert_eq!(view.rows::<Thing>().collect::<Vec<_>>(), [(NetId(3), Thing { x: 250 })]);
//! assert_eq!(view.hash(), snapshot.hash());
//! # Ok::<(), tickwire_protocol::DecodeError>(())
//! ```
//!
//! Invariants:
//! - Client-to-server messages are fixed-size enums without containers, decoded under a byte limit, and must consume every byte.
//! - Any bytes decode to a value or an error, in memory bounded by [`limits`].
//! - `apply(a, delta(a, b)) == b` for any two snapshots of one [`schema::Schema`].

pub mod delta;
mod replica;
mod state;
mod wire;

pub use state::{hash, model, schema, snapshot};
pub use wire::{codec, ids, limits, messages, text};

pub use codec::{DecodeError, decode, encode};
pub use ids::{InputSeq, MatchId, NetId, PlayerId, Secret, TICKET_BYTES, Tick, Ticket};
pub use messages::{ClientMessage, CloseReason, Credential, Event, Lobby, Presence, RosterEntry, ServerMessage, Welcome};
pub use replica::{Replica, Workspace};
pub use schema::{Columns, Field, Schema, TableSchema};
pub use snapshot::{Snapshot, Table};
pub use text::WsUrl;

/// Version of the message layer. Raised when an old client could misread a new server.
pub const PROTOCOL_VERSION: u16 = 5;

//! One match as a pure state machine, in ticks: seats, lifecycle, inputs, bots, simulation and
//! replication. No socket, no thread, no clock.
//!
//! [`MatchCore::step`] is the only way in: everything that can change a match is a [`Change`] in a
//! [`Step`]. So a [`Setup`] and its steps are a recording, and [`MatchCore::state`] with
//! [`MatchCore::restore`] is a match that goes on elsewhere as it would have gone on here.
//!
//! What clients are sent is read off a match after a step, through [`replication`]: that changes
//! nothing about what happens next.

mod bots;
mod credentials;
mod input_buffer;
mod lifecycle;
mod lobby;
mod match_core;
mod players;
pub mod replication;
mod roster;
mod rules;
mod step;
mod time;

pub use match_core::{MatchCore, RestoreError, Restored};
pub use replication::{Replication, View};
pub use roster::counts::Counts;
pub use roster::occupant::{Occupant, Stay};
pub use rules::{Rules, Setup};
pub use step::{Advance, Change, Happened, Outcome, OwnerId, Reserve, ReserveError, SecretHash, SessionId, Step};
pub use time::{Age, ticks};

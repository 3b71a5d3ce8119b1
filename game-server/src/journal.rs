//! What lets a match outlive its process: every step is written before anybody sees what came of
//! it, and now and then the whole match. [`tickwire_journal`] is how bytes are kept; here is what.
//!
//! `lane` is a worker's log, `match_log` one match's part of it, `record` what is written,
//! [`recovery`] what a process finds when it starts, `attempt` what it must not try twice, `notes`
//! what the gateway remembers.
//!
//! Invariant: a disk that fails costs durability and never play.

mod attempt;
pub mod lane;
pub mod match_log;
mod notes;
pub mod record;
pub mod recovery;

pub use lane::{Lane, Opening};
pub use match_log::MatchLog;
pub use notes::{NoteKeeper, Notes};
pub use recovery::{Loss, Recovery, RecoveryError, Revival, Upkeep};

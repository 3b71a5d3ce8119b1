//! The delta codec's laboratory: what to expect of a game's snapshots, and what they cost.
//!
//! `record` plays matches, `observe` says what the codec has to tell of them, `train` learns a model from that and `emit` writes it as
//! source; `report` measures. Nothing here is part of a server or a client.

pub mod emit;
pub mod observe;
pub mod record;
pub mod report;
pub mod train;

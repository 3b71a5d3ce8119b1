//! Tickwire's server: runs thousands of matches of any [`Game`](tickwire_game::Game) at a fixed tick.
//!
//! The folders are the stations that data passes, in order: `gateway` turns strangers into players, `transport` turns
//! bytes into messages and back, `matches` owns the worlds, `simulation` steps them, `replication` turns them into bytes, `admin` watches.
//! `docs/ARCHITECTURE.md` is the map.
//!
//! Invariant: nothing here names a game; `main.rs` does.

pub mod admin;
pub mod clock;
pub mod config;
pub mod drain;
pub mod gateway;
pub mod matches;
pub mod metrics;
pub mod replication;
pub mod secrets;
pub mod server;
pub mod simulation;
pub mod telemetry;
pub mod transport;

pub use config::Config;
pub use server::Server;

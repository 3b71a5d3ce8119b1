//! Tickwire's server: runs thousands of matches of any [`Game`](tickwire_game::Game) at a fixed
//! tick.
//!
//! ```
//! use std::time::Duration;
//!
//! use tag::Tag;
//! use tickwire_server::{Config, Server};
//!
//! // Any free ports, and nobody who operates it.
//! let mut config = Config { port: 0, workers: 1, ..Config::default() };
//! config.admin.enabled = false;
//! let server = Server::start::<Tag>(config)?;
//! assert!(server.play_url().starts_with("http://"));
//! server.drain(Duration::ZERO);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `docs/ARCHITECTURE.md` has the map: the folders in the order in which they may import each
//! other.
//!
//! Invariant: nothing here names a game; `main.rs` does.

pub mod clock;
pub mod cluster;
pub mod config;
pub mod drain;
mod gateway;
pub mod http;
pub mod journal;
pub mod matches;
mod memory;
mod metrics;
mod ops;
pub mod secrets;
pub mod server;
pub mod sockets;
#[cfg(unix)]
pub mod supervise;
pub mod systemd;
pub mod telemetry;
mod tls;
pub mod transport;

/// What reads the tokens of strangers, for those who try it from outside: the fuzz targets.
#[doc(hidden)]
pub mod tokens {
    pub use crate::gateway::{Account, Flaw, Keys, KeysError, Rules, TicketDesk, Unverified};
}

pub use config::Config;
pub use server::Server;

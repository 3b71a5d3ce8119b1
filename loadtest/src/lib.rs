//! Headless players: real clients that join over HTTP, play over WebSocket with the game's own bot, and check every
//! snapshot's hash against the server's.
//!
//! The server's integration tests script them; the binary runs hundreds. Invariant: nothing here knows how the server
//! works inside, only the wire.

pub mod api;
pub mod client;
pub mod player;
pub mod plot;
pub mod script;

pub use api::{Api, ApiError, Join};
pub use client::{Client, ClientError, Heard};

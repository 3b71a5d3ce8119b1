//! A headless player: it joins over HTTP, plays over WebSocket or HTTP with the game's own bot,
//! and checks every snapshot against the server's hashes.
//!
//! [`api`] asks the server for a seat, [`mod@line`] connects, [`client`] is one checking
//! connection, and [`script`] is a test's dialogue with it. [`bot`] plays over it and counts what
//! a person would feel, which is a [`measure`]. [`link`] is a bad network between the two,
//! [`mod@route`] the addresses of a seat in a cluster, [`comeback`] what a player does whose
//! connection broke, [`relay`] a liar between the two. Programs that let thousands of them play need
//! [`descriptors`] for their sockets, ask for the [`mod@usage`] of a machine, and draw a `plot`.
//!
//! Invariant: nothing here knows how the server works inside, only the wire and the HTTP API.

pub mod api;
pub mod bot;
pub mod client;
pub mod comeback;
pub mod descriptors;
pub mod http_stream;
pub mod line;
pub mod link;
pub mod measure;
#[cfg(feature = "charts")]
pub mod plot;
pub mod recording;
pub mod relay;
pub mod route;
pub mod script;
pub mod target;
pub mod usage;

pub use api::{Api, ApiError, Join};
pub use client::{Client, ClientError, Heard};

//! The load harness: headless players that join over HTTP, play over WebSocket with the game's own bot, check every snapshot
//! against the server's hashes, and write down what a person would feel.
//!
//! [`client`] is one checking connection and [`script`] a test's dialogue with it; [`bot`] plays over it and measures;
//! [`player`] is a goose user's life, [`scenario`] the ways to lead it, [`entrance`] the way in, [`mod@line`] the connection, [`link`] the network between;
//! [`mod@route`] is where a seat is reached in a cluster; [`comeback`] is what a player does whose connection broke; `descriptors` are its sockets' limit; [`board`] and [`monitor`] bring it together second by second; [`run`] is a whole load test, [`report`] what it found.
//!
//! Invariant: nothing here knows how the server works inside, only the wire and the HTTP API.

pub mod api;
pub mod board;
pub mod bot;
pub mod capacity;
pub mod client;
pub mod comeback;
#[cfg(unix)]
pub mod descriptors;
pub mod entrance;
pub mod http_stream;
pub mod line;
pub mod link;
pub mod measure;
pub mod monitor;
pub mod options;
pub mod player;
pub mod plot;
pub mod progress;
pub mod recording;
pub mod report;
pub mod route;
pub mod run;
pub mod scenario;
pub mod script;
pub mod target;
pub mod thresholds;
pub mod usage;

pub use api::{Api, ApiError, Join};
pub use client::{Client, ClientError, Heard};

//! The browser's half of Tickwire in Rust: it decodes what the server sends, keeps the replica, predicts the own player,
//! and encodes what the client says. TypeScript owns the socket, the clock, and everything that is seen.
//!
//! [`client`] is generic over the game. [`exports`] is the module's surface, for the first game of the registry: plain
//! `extern "C"`, no imports, and nothing in it is one game's. Built for wasm32 as a `cdylib`, and natively for its tests.
//!
//! Invariant: no bytes from a server make it panic; they are applied, or answered with an error.

pub mod client;
pub mod exports;
pub mod json;

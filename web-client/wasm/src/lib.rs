//! The browser's half of Tickwire in Rust: it decodes what the server sends, keeps the replica, predicts the own player,
//! and encodes what the client says. TypeScript owns the socket, the clock, and everything that is seen.
//!
//! [`client`] is generic over the game, [`arena_game`] says what is special about the arena, and [`exports`] is the
//! module's surface: plain `extern "C"`, no imports. Built for wasm32 as a `cdylib`, and natively for its tests.
//!
//! Invariant: no bytes from a server make it panic; they are applied, or answered with an error.

pub mod arena_game;
pub mod client;
pub mod exports;
pub mod json;

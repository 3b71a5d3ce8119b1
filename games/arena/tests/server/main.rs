//! The arena on a real world: whole games of bots, determinism, and prediction against the server's
//! truth.

#![allow(clippy::expect_used)] // a test fails by panicking

mod duel;
mod games;
mod newcomer;
mod prediction;
mod protection;
mod royale;
mod rules;

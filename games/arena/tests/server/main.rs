//! The arena on a real world: whole games of bots, determinism, and prediction against the server's truth.

#![allow(clippy::expect_used)] // a test fails by panicking

mod games;
mod prediction;
mod royale;
mod rules;

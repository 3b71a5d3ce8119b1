//! A journal whose process ends at any moment, on a machine that may lose its power: what was
//! committed is there, and nothing else ever was.
//!
//! `model` says what must be there, `life` runs a process, `exhaustive` ends it everywhere,
//! `random` at random, `controls` breaks things on purpose.

#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking

mod controls;
mod exhaustive;
mod faults;
mod life;
mod model;
mod random;

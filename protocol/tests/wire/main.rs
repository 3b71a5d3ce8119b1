//! What the wire promises, one behaviour per file. `support` has the schemas and the random snapshots.
//!
//! A property that fails prints the least case it found, and its seed goes to `tests/proptest-regressions.txt`, which is
//! committed with the fix: every later run tries it first.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

mod chunks;
mod deltas;
mod documents;
mod golden;
mod hostile_bytes;
mod limits;
mod messages;
mod replica;
mod support;
mod trained;

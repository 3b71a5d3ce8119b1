//! What is replicated: its schema, one tick's view of it, and what is known of how it changes.

mod fields;
pub mod hash;
mod match_state;
pub mod model;
pub mod schema;
pub mod snapshot;
mod table;

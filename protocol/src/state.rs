//! What is replicated: its schema, one tick's view of it, and what is known of how it changes.

pub mod model;
pub mod schema;
pub mod snapshot;

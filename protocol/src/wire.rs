//! What is said between a server and its clients, and how it becomes bytes.

pub mod codec;
pub mod ids;
pub mod limits;
pub mod messages;
pub mod text;

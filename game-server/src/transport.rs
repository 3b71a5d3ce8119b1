//! Bytes to messages and back: one seam, and whatever carries a WebSocket behind it.
//!
//! A [`Socket`] is a connection outside a match. A runtime waits for it: first for Hello, at last
//! for the end of the closing handshake. A `Link` is the same connection inside a match. Nobody
//! waits for it: the match takes what has come when a tick begins, and sends when it ends.
//!
//! | transport | reads | where |
//! |---|---|---|
//! | `raw` | straight from the kernel at the tick, which stamps what came | TCP on Linux |
//! | `portable` | a small task, through `tokio-tungstenite`, which stamps what came | any stream |
//! | `http_stream` | what requests brought, in a queue | HTTP, where WebSocket is blocked |
//! | `memory` | what a test has put there | tests |
//!
//! `seam` is what the four have in common. `session` meters what a transport brings
//! (`meter`) and bounds what waits for it (`outbox`).
//!
//! Invariants: WebSocket opcodes stay in here; bytes are counted before they are parsed; a message
//! that is too long is refused at its frame's header; no call of a `Link` blocks.

#[doc(hidden)]
pub mod echo;
mod farewell;
pub mod frame;
pub mod http_stream;
pub mod memory;
mod meter;
mod outbox;
pub(crate) mod page;
pub mod portable;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod raw;
mod seam;
pub mod session;
mod socket;

pub use farewell::Farewell;
pub use seam::{Arrival, Broken, Ended, Heard, Taken, Transport};
pub use socket::{Permit, Socket};

#[cfg(test)]
mod tests;

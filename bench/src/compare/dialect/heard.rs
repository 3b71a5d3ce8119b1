//! What a server said.

use thiserror::Error;

/// What a message from the server was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The state of a tick.
    Update,
    /// Anything else.
    Other,
    /// Something that must be answered with what was written.
    Answered,
}

/// The server said what its protocol does not have, or that it is over.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub(crate) struct Unexpected(pub(crate) String);

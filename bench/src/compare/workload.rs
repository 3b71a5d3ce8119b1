//! What every arm is measured with: arena-16, and how a run ends early.

use std::time::Duration;

use thiserror::Error;

/// Players in a match.
pub(crate) const MATCH_SEATS: usize = 16;
/// Time between two ticks.
pub(crate) const TICK: Duration = Duration::from_nanos(1_000_000_000 / 30);

/// Ctrl-C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

//! What may carry players' connections, and what does on this system.

use serde::{Deserialize, Serialize};

/// What carries players' connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum TransportChoice {
    /// The fastest on this system.
    Auto,
    /// Sockets read at the tick, on Linux only.
    Raw,
    /// tokio-tungstenite, on every system.
    Portable,
}

impl TransportChoice {
    /// As it is set.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Raw => "raw",
            Self::Portable => "portable",
        }
    }

    /// What that is on this system. `None` if it has no such thing.
    pub fn kind(self) -> Option<TransportKind> {
        match self {
            Self::Auto => Some(TransportKind::BEST),
            Self::Raw => Some(TransportKind::BEST).filter(|kind| *kind != TransportKind::Portable),
            Self::Portable => Some(TransportKind::Portable),
        }
    }
}

/// What carries the connections of players and spectators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportKind {
    /// Sockets read at the tick.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Raw,
    /// tokio-tungstenite.
    Portable,
}

impl TransportKind {
    /// The fastest on this system.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub const BEST: Self = Self::Raw;
    /// The fastest on this system.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub const BEST: Self = Self::Portable;

    /// As it is called in settings, the log and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Self::Raw => "raw",
            Self::Portable => "portable",
        }
    }
}

//! The operator's settings: one typed struct, defaults < file < environment < flags. Unknown keys are fatal.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Sessions: what one socket may do, and how long it may be silent, slow or away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionConfig {
    /// Messages per second a client may send on average; an input per tick at 60 Hz, pings, and room to catch up.
    pub messages_per_second: u32,
    /// Messages a client may send at once: what a stalled connection delivers in one burst.
    pub message_burst: u32,
    /// Bytes per second a client may send on average, framing included.
    pub bytes_per_second: u32,
    /// Messages dropped for their rate before the session is closed.
    pub drops_before_close: u32,
    /// The server pings a client it has not heard for so long, milliseconds.
    pub ping_after_ms: u64,
    /// A client not heard for so long is gone, milliseconds.
    pub silence_ms: u64,
    /// A client whose socket takes nothing for so long is closed, milliseconds.
    pub slow_ms: u64,
    /// Reliable bytes that may wait for a client before it is closed.
    pub reliable_bytes_max: usize,
    /// A lost connection may be resumed for so long, milliseconds.
    pub grace_ms: u64,
    /// Kernel send buffer per socket, bytes: small, so that stale snapshots do not queue there.
    pub send_buffer_bytes: u32,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            messages_per_second: 80,
            message_burst: 160,
            bytes_per_second: 16 * 1024,
            drops_before_close: 200,
            ping_after_ms: 3_000,
            silence_ms: 10_000,
            slow_ms: 10_000,
            reliable_bytes_max: 32 * 1024,
            grace_ms: 30_000,
            send_buffer_bytes: 32 * 1024,
        }
    }
}

/// Matches: how many, how long, and who fills them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MatchConfig {
    /// Most matches on this server.
    pub matches_max: usize,
    /// Most spectators of a match.
    pub spectators_max: usize,
    /// Seconds a match is live; 0 for the game's own.
    pub live_seconds: u32,
    /// Seconds of countdown before a match is live.
    pub countdown_seconds: u32,
    /// Seconds the results are shown and votes for a rematch are taken.
    pub results_seconds: u32,
    /// A match without players and reservations ends after so long, milliseconds.
    pub empty_ms: u64,
    /// Seats that bots fill; absent for the game's own number.
    pub bots_fill: Option<u16>,
    /// Adds the state hash to every Nth snapshot as an event for checking clients; 0 for never.
    pub hash_every: u32,
}

impl Default for MatchConfig {
    fn default() -> Self {
        Self {
            matches_max: 2_000,
            spectators_max: 64,
            live_seconds: 0,
            countdown_seconds: 3,
            results_seconds: 20,
            empty_ms: 10_000,
            bots_fill: None,
            hash_every: 0,
        }
    }
}

/// Milliseconds of a setting.
pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

//! Where a match is in its life: the one table that every schema begins with.

use crate::columns;
use crate::wire::codec::{Decode, Encode};

columns! {
    /// The one row of table 0: where the match is in its life.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct MatchState as "match" {
        /// A [`Phase`] as a number.
        pub phase: u8 = 0..=3,
        /// Low 31 bits of the tick at which the phase ends by itself; 0 when it does not.
        pub phase_ends: u32 = 0..=0x7fff_ffff; moment,
    }
}

/// Where a match is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub enum Phase {
    /// For the first player.
    #[default]
    Waiting,
    /// Players are in; the start is announced.
    Countdown,
    /// Play.
    Live,
    /// Results are shown; votes for a rematch count.
    Finished,
}

impl Phase {
    /// Stable name, for JSON, logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Countdown => "countdown",
            Self::Live => "live",
            Self::Finished => "finished",
        }
    }
}

impl From<u8> for Phase {
    /// Unknown numbers are [`Phase::Finished`]: nothing to play.
    fn from(number: u8) -> Self {
        match number {
            0 => Self::Waiting,
            1 => Self::Countdown,
            2 => Self::Live,
            _ => Self::Finished,
        }
    }
}

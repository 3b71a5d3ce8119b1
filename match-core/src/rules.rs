//! What is fixed about a match before anybody comes.

use tickwire_game::Mode;
use tickwire_protocol::MatchId;
use tickwire_protocol::codec::{Decode, Encode};

/// A match to be made.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Names the match wherever it goes: to other servers, and through restarts.
    pub id: MatchId,
    /// The mode being played.
    pub mode: Mode,
    /// Its index in the game's modes.
    pub mode_index: u8,
    /// The first round waits until its players are ready.
    pub lobby: bool,
    /// Bots fill the seats that the rules want filled. The host of a lobby may change that.
    pub bots: bool,
    /// How long everything lasts.
    pub rules: Rules,
    /// All randomness of the match follows from it.
    pub seed: u64,
}

/// How long everything in a match lasts, in ticks, and who fills it.
///
/// ```
/// use tickwire_match::{Rules, ticks};
///
/// let minute = Rules { live: ticks(60_000, 30), bots_fill: 4, ..Rules::default() };
/// assert_eq!((minute.live, minute.countdown), (1_800, 90));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct Rules {
    /// Ticks from the first player to play.
    pub countdown: u32,
    /// Ticks of play.
    pub live: u32,
    /// Ticks for which the results are shown and votes for a rematch are taken.
    pub results: u32,
    /// Ticks for which the seat of a lost connection is kept.
    pub grace: u32,
    /// Ticks without a change of input until a player is idle; 0 for never.
    pub idle_after: u32,
    /// Ticks without anybody who holds a seat until the match is over.
    pub empty_for: u32,
    /// Seats that people and bots fill together.
    pub bots_fill: u16,
    /// Every so many ticks a snapshot comes with hashes to compare; 0 for never.
    pub hash_every: u32,
}

impl Default for Rules {
    /// A match at 30 Hz of five minutes without bots.
    fn default() -> Self {
        Self { countdown: 90, live: 9_000, results: 600, grace: 9_000, idle_after: 1_800, empty_for: 300, bots_fill: 0, hash_every: 0 }
    }
}

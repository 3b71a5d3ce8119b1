//! What a server tells the others of a match, for lists.

use std::sync::atomic::Ordering::Relaxed;

use tickwire_protocol::codec::{Decode, Encode, decode, encode_into};
use tickwire_protocol::schema::Phase;

use super::handle::MatchInfo;

/// Most bytes of a card.
const BYTES_MAX: usize = 512;

/// A match, as others list it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct MatchCard {
    /// The id of the mode.
    pub mode: String,
    /// The name of the phase.
    pub phase: String,
    /// People who have a seat.
    pub players: u32,
    /// Seats that the server plays.
    pub bots: u32,
    /// Seats in all, taken or free.
    pub max_players: u16,
    /// Anybody may see it in a list.
    pub is_listed: bool,
}

impl MatchCard {
    /// As the match is now.
    pub fn of(info: &MatchInfo) -> Self {
        let stats = &info.stats;
        let (players, phase) = (stats.held.load(Relaxed), stats.phase());
        let has_somebody = players > 0 || stats.spectators.load(Relaxed) > 0;
        Self {
            mode: info.mode.id.to_owned(),
            phase: phase.name().to_owned(),
            players,
            bots: stats.bots.load(Relaxed),
            max_players: info.mode.max_players,
            is_listed: !info.settings.private && has_somebody && phase != Phase::Finished,
        }
    }

    /// Writes it to the end of `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        encode_into(self, out);
    }

    /// What [`write`](Self::write) wrote; `None` if another version did.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        decode::<_, BYTES_MAX>(bytes).ok()
    }
}

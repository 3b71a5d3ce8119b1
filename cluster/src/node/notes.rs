//! What a node remembers of claims.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tickwire_protocol::MatchId;
use tokio::time::Instant;

/// Most matches that this node remembers to have refused; beyond that it forgets the one that it
/// may claim again first.
pub const REFUSED_MAX: usize = 1_024;
/// Most matches that are to be handed over to this node; a further one is found as others are.
pub const WANTED_MAX: usize = 1_024;
/// A match that was refused is not claimed again for so long.
const REFUSED_FOR: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Not to be claimed before.
    refused: BTreeMap<MatchId, Instant>,
    /// Those that are handed over to this node.
    pub(super) wanted: BTreeSet<MatchId>,
    /// Claims whose answer never came.
    pub(super) lost: BTreeSet<MatchId>,
    /// Orphans that are others' to claim, seen at the last look.
    pub(super) seen: BTreeSet<MatchId>,
}

impl Notes {
    pub(super) fn refuse(&mut self, id: MatchId, now: Instant) {
        self.refused.insert(id, now + REFUSED_FOR);
        if self.refused.len() > REFUSED_MAX
            && let Some(oldest) = self.refused.iter().min_by_key(|(_, until)| **until).map(|(id, _)| *id)
        {
            self.refused.remove(&oldest);
        }
    }

    pub(super) fn want(&mut self, id: MatchId) {
        if self.wanted.len() < WANTED_MAX {
            self.wanted.insert(id);
        }
    }

    /// Whether a claim of it was lost; from now on it counts as known.
    pub(super) fn was_lost(&mut self, id: MatchId) -> bool {
        self.lost.remove(&id)
    }

    pub(super) fn may_claim(&mut self, id: MatchId, now: Instant) -> bool {
        self.refused.retain(|_, until| *until > now);
        !self.refused.contains_key(&id)
    }
}

//! What follows from what is true: who is well, what may be gone, what the store has lost.

use std::collections::BTreeMap;

use tickwire_cluster::Epoch;
use tickwire_protocol::MatchId;
use tokio::time::Instant;

use super::{Match, Truth};
use crate::machine::LEASE;

impl Truth {
    /// Whether the store has lost what this, the newest owner of a match, has.
    pub(super) fn is_exposed(&self, (node, id, epoch): &(usize, MatchId, Epoch)) -> bool {
        self.matches.get(id).is_some_and(|one| {
            let newest = one.owners.iter().next_back();
            one.exposed.is_some() && newest.is_some_and(|(newest, (owner, ..))| newest == epoch && owner == node)
        })
    }

    /// The node had looked for orphans before the store went back, and claimed what it saw then: it
    /// could not know.
    pub(super) fn had_decided(&self, node: usize) -> bool {
        self.lost_at.zip(self.looked.get(&node)).is_some_and(|(lost, looked)| *looked <= lost)
    }

    /// The newest owner of a match, if nothing has been wrong with it for long.
    pub(super) fn well_owner(&self, one: &Match) -> Option<usize> {
        let (node, incarnation, _) = one.owners.values().next_back()?;
        let was_hurt = self.hurt[*node].is_some_and(|hurt| hurt + LEASE * 3 >= Instant::now());
        let is_well = !one.is_let_go && !one.is_over && !was_hurt && !self.dead.contains(&(*node, *incarnation));
        is_well.then_some(*node)
    }

    /// Whether what the newest owner of a match had in memory when the store lost it may be gone:
    /// its process is, or has let go of it, or something was wrong with it just then or since.
    pub(super) fn is_owner_lost(&self, one: &Match) -> bool {
        let Some((node, incarnation, _)) = one.owners.values().next_back() else { return true };
        let was_hurt = one.exposed.is_some_and(|(_, since)| self.hurt[*node].is_some_and(|hurt| hurt + LEASE * 2 >= since));
        one.is_let_go || was_hurt || self.dead.contains(&(*node, *incarnation))
    }

    pub(super) fn store_lost(&mut self, durable: BTreeMap<MatchId, u64>, is_known: bool) {
        let now = Instant::now();
        self.durable = durable;
        if !is_known {
            return;
        }
        self.lost_at = Some(now);
        for (id, one) in &mut self.matches {
            if self.durable.get(id).copied().unwrap_or_default() < one.told || !self.durable.contains_key(id) {
                one.exposed = Some((one.told, now));
            }
        }
    }
}

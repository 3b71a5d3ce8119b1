//! What the store of one process knows, and its rules: no clock, no lock, no channel.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use tickwire_protocol::MatchId;
use tokio::time::Instant;

use super::shelf::Shelf;
use crate::store::{Claim, ENDED_KEPT, Epoch, Kept, MatchEntry, NodeCard, NodeId, ORPHAN_KEPT, Owner, RECORDS_MAX, Writes, Written};

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    nodes: BTreeMap<NodeId, (NodeCard, Instant)>,
    matches: BTreeMap<MatchId, Match>,
    /// The epoch in which a match ended, and until when that is remembered.
    ended: BTreeMap<MatchId, (Epoch, Instant)>,
    pub(super) codes: Shelf,
    shelves: BTreeMap<String, Shelf>,
}

#[derive(Clone, Debug)]
struct Match {
    owner: Owner,
    lease_end: Instant,
    card: Bytes,
    checkpoint: Option<Bytes>,
    /// The number of the first of `records`.
    first: u64,
    records: VecDeque<Bytes>,
    /// The owner's records follow what is here. Not so after a takeover that the store missed.
    is_owners: bool,
}

impl State {
    pub(super) fn beat(&mut self, now: Instant, card: NodeCard, ttl: Duration) {
        self.nodes.retain(|_, (_, end)| *end > now);
        self.nodes.insert(card.id.clone(), (card, now + ttl));
    }

    pub(super) fn nodes(&self, now: Instant) -> Vec<NodeCard> {
        self.nodes.values().filter(|(_, end)| *end > now).map(|(card, _)| card.clone()).collect()
    }

    pub(super) fn leave(&mut self, node: &NodeId, incarnation: u64) {
        if self.nodes.get(node).is_some_and(|(card, _)| card.incarnation == incarnation) {
            self.nodes.remove(node);
        }
    }

    pub(super) fn claim(&mut self, now: Instant, id: MatchId, node: &NodeId, lease: Duration) -> Claim {
        let Some(found) = self.matches.get_mut(&id).filter(|found| found.is_remembered(now)) else {
            return Claim::Unknown;
        };
        if found.is_held(now) {
            return Claim::Held(found.owner.clone());
        }
        let Some(checkpoint) = found.checkpoint.clone() else {
            return Claim::Unknown;
        };
        let epoch = Epoch(found.owner.epoch.0 + 1);
        found.owner = Owner { node: node.clone(), epoch };
        found.lease_end = now + lease;
        found.is_owners = true;
        Claim::Granted { epoch, kept: Kept { checkpoint, first: found.first, records: found.records.iter().cloned().collect() } }
    }

    pub(super) fn write(
        &mut self,
        now: Instant,
        node: &NodeId,
        lease: Duration,
        (id, epoch, writes): &(MatchId, Epoch, Writes),
    ) -> Written {
        if let Err(owner) = self.fence(now, node, *id, *epoch) {
            return Written::Fenced(owner);
        }
        self.ended.remove(id);
        let owner = Owner { node: node.clone(), epoch: *epoch };
        let was_known = self.matches.get(id).is_some_and(|found| found.owner == owner);
        let kept = self.matches.entry(*id).or_insert_with(|| Match::new(owner.clone(), now));
        kept.is_owners &= was_known;
        kept.owner = owner;
        kept.lease_end = now + lease;
        if let Some(card) = &writes.card {
            kept.card = card.clone();
        }
        if let Some((first, checkpoint)) = &writes.checkpoint {
            kept.put_checkpoint(*first, checkpoint);
        }
        let is_complete = writes.records.iter().fold(true, |all, (number, record)| kept.put_record(*number, record) && all);
        if was_known && kept.is_owners && is_complete { Written::Done } else { Written::Adopted }
    }

    pub(super) fn give_up(&mut self, now: Instant, node: &NodeId, id: MatchId, epoch: Epoch) {
        if let Some(found) = self.matches.get_mut(&id)
            && found.owner.node == *node
            && found.owner.epoch == epoch
        {
            found.lease_end = found.lease_end.min(now);
        }
    }

    pub(super) fn end(&mut self, now: Instant, node: &NodeId, id: MatchId, epoch: Epoch) {
        self.ended.retain(|_, (_, end)| *end > now);
        if self.fence(now, node, id, epoch).is_ok() {
            self.matches.remove(&id);
            self.ended.insert(id, (epoch, now + ENDED_KEPT));
        }
    }

    pub(super) fn find(&self, now: Instant, id: MatchId) -> Option<MatchEntry> {
        self.matches.get(&id).filter(|found| found.is_held(now) || found.is_orphan(now)).map(|found| found.entry(id, now))
    }

    pub(super) fn list(&self, now: Instant, max: usize) -> Vec<MatchEntry> {
        let is_listed = |found: &Match| found.is_held(now) || found.is_orphan(now);
        self.matches.iter().filter(|(_, found)| is_listed(found)).take(max).map(|(id, found)| found.entry(*id, now)).collect()
    }

    pub(super) fn orphans(&mut self, now: Instant, max: usize) -> Vec<MatchId> {
        self.matches.retain(|_, found| found.is_remembered(now));
        let mut orphans: Vec<_> =
            self.matches.iter().filter(|(_, found)| found.is_orphan(now)).map(|(id, found)| (found.lease_end, *id)).collect();
        orphans.sort_unstable();
        orphans.into_iter().take(max).map(|(_, id)| id).collect()
    }

    /// The shelf of that name, without what is over.
    pub(super) fn shelf(&mut self, now: Instant, name: &str) -> &mut Shelf {
        self.shelves.retain(|_, shelf| {
            shelf.forget(now);
            !shelf.is_empty()
        });
        self.shelves.entry(name.to_owned()).or_default()
    }

    /// Whether `node` may write of the match in that epoch.
    ///
    /// # Errors
    /// The owner that it has by now, or `None` if the match has ended.
    fn fence(&mut self, now: Instant, node: &NodeId, id: MatchId, epoch: Epoch) -> Result<(), Option<Owner>> {
        if self.ended.get(&id).is_some_and(|(last, end)| *end > now && epoch <= *last) {
            return Err(None);
        }
        let Some(found) = self.matches.get(&id).filter(|found| found.is_remembered(now)) else {
            self.matches.remove(&id);
            return Ok(());
        };
        let is_fenced = epoch < found.owner.epoch || (epoch == found.owner.epoch && *node != found.owner.node);
        if is_fenced { Err(Some(found.owner.clone())) } else { Ok(()) }
    }
}

impl Match {
    fn new(owner: Owner, now: Instant) -> Self {
        Self { owner, lease_end: now, card: Bytes::new(), checkpoint: None, first: 0, records: VecDeque::new(), is_owners: false }
    }

    fn next(&self) -> u64 {
        self.first + self.records.len() as u64
    }

    fn put_checkpoint(&mut self, first: u64, checkpoint: &Bytes) {
        if self.is_owners && first < self.first {
            // A write that was on its way for long: a newer one has overtaken it.
            return;
        }
        if self.is_owners && (self.first..=self.next()).contains(&first) {
            self.records.drain(..(first - self.first) as usize);
        } else {
            self.records.clear();
        }
        self.first = first;
        self.checkpoint = Some(checkpoint.clone());
        self.is_owners = true;
    }

    /// Whether the record is kept.
    fn put_record(&mut self, number: u64, record: &Bytes) -> bool {
        if !self.is_owners || self.checkpoint.is_none() || number > self.next() {
            return false;
        }
        if number < self.next() {
            return true;
        }
        if self.records.len() == RECORDS_MAX {
            return false;
        }
        self.records.push_back(record.clone());
        true
    }

    fn is_held(&self, now: Instant) -> bool {
        self.lease_end > now
    }

    fn is_orphan(&self, now: Instant) -> bool {
        !self.is_held(now) && self.checkpoint.is_some() && self.is_remembered(now)
    }

    fn is_remembered(&self, now: Instant) -> bool {
        self.lease_end + ORPHAN_KEPT > now
    }

    fn entry(&self, id: MatchId, now: Instant) -> MatchEntry {
        MatchEntry { id, owner: self.owner.clone(), is_held: self.is_held(now), card: self.card.clone() }
    }
}

//! What is written of one match, by the task that runs it.

use tickwire_journal::StreamKey;
use tickwire_match::Step;
use tickwire_protocol::MatchId;
use tickwire_protocol::codec::Encode;

use super::lane::Lane;
use super::record::{self, Identity};

/// Writes down what happens to a match, if matches are kept.
#[derive(Default)]
pub struct MatchLog {
    /// `None` if the match is not kept.
    lane: Option<(Lane, StreamKey)>,
    scratch: Vec<u8>,
    /// There is something that the newest checkpoint does not have.
    has_more: bool,
}

impl MatchLog {
    /// Of match `id`, in its worker's lane.
    pub fn of(lane: &Lane, id: MatchId) -> Self {
        Self { lane: Some((lane.clone(), StreamKey(id.0))), scratch: Vec::new(), has_more: true }
    }

    /// Whether anything is written.
    pub fn is_on(&self) -> bool {
        self.lane.is_some()
    }

    /// Milliseconds from one checkpoint to the next.
    pub fn checkpoint_ms(&self) -> u64 {
        self.lane.as_ref().map_or(u64::MAX, |(lane, _)| lane.checkpoint_ms())
    }

    /// The match is about to take `step`: when this returns it is written, as far as the disk
    /// works.
    pub fn step<I: Encode>(&mut self, step: &Step<I>) {
        let Some((lane, key)) = &self.lane else { return };
        self.scratch.clear();
        record::write_step(step, &mut self.scratch);
        lane.write(|journal| journal.append(*key, &self.scratch));
        self.has_more = true;
    }

    /// The world that the match came to has this hash.
    pub fn hash(&mut self, hash: u64) {
        let Some((lane, key)) = &self.lane else { return };
        self.scratch.clear();
        record::write_hash(hash, &mut self.scratch);
        lane.note(|journal| journal.append(*key, &self.scratch));
    }

    /// Whether a checkpoint is missing that nobody can do without.
    pub fn wants_checkpoint(&self) -> bool {
        self.lane.as_ref().is_some_and(|(lane, key)| lane.note(|journal| journal.wants_checkpoint(*key)))
    }

    /// Whether the newest checkpoint is all there is to say.
    pub fn is_complete(&self) -> bool {
        self.lane.is_none() || !self.has_more
    }

    /// The whole match, which what was written before is not needed for any more.
    pub fn checkpoint(&mut self, identity: &Identity, core: &[u8]) {
        let Some((lane, key)) = &self.lane else { return };
        self.scratch.clear();
        record::write_checkpoint(identity, core, &mut self.scratch);
        lane.write(|journal| journal.checkpoint(*key, &self.scratch));
        self.has_more = false;
    }

    /// The match has ended.
    pub fn end(&mut self) {
        if let Some((lane, key)) = self.lane.take() {
            lane.write(|journal| journal.end(key));
        }
    }
}

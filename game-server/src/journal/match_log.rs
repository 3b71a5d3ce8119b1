//! What is written of one match, by the task that runs it: to this server's disk, to the store that
//! servers share, to both or to neither.

use tickwire_cluster::{MatchLane, Standing};
use tickwire_journal::StreamKey;
use tickwire_match::Step;
use tickwire_protocol::MatchId;
use tickwire_protocol::codec::Encode;
use tokio::sync::watch;

use super::lane::Lane;
use super::record::{self, Identity};

/// Milliseconds from one checkpoint in the store to the next.
const SHARED_CHECKPOINT_MS: u64 = 1_000;

/// Writes down what happens to a match, if matches are kept.
#[derive(Default)]
pub struct MatchLog {
    /// `None` if the match is not kept on disk.
    lane: Option<(Lane, StreamKey)>,
    /// `None` for a server alone.
    shared: Option<Shared>,
    scratch: Vec<u8>,
    /// There is something that the newest checkpoint does not have.
    has_more: bool,
}

/// The match's part of the store.
struct Shared {
    lane: MatchLane,
    acks: watch::Receiver<u64>,
    /// Records so far.
    written: u64,
}

impl MatchLog {
    /// Of match `id`, in its worker's lane.
    pub fn of(lane: &Lane, id: MatchId) -> Self {
        Self { lane: Some((lane.clone(), StreamKey(id.0))), has_more: true, ..Self::default() }
    }

    /// Writes to the store's `lane` too, if there is one. Nobody is told of a record of a
    /// consistent lane before the store has it.
    #[must_use]
    pub fn shared(self, lane: Option<MatchLane>) -> Self {
        let shared = lane.map(|lane| Shared { acks: lane.acks(), lane, written: 0 });
        let has_more = self.has_more || shared.is_some();
        Self { shared, has_more, ..self }
    }

    /// Whether anything is written.
    pub fn is_on(&self) -> bool {
        self.lane.is_some() || self.shared.is_some()
    }

    /// Milliseconds from one checkpoint to the next.
    pub fn checkpoint_ms(&self) -> u64 {
        let shared = self.shared.as_ref().map(|_| SHARED_CHECKPOINT_MS);
        let own = self.lane.as_ref().map(|(lane, _)| lane.checkpoint_ms());
        own.into_iter().chain(shared).min().unwrap_or(u64::MAX)
    }

    /// The match is about to take `step`: when this returns it is written on disk, as far as that
    /// works, and on its way to the store.
    pub fn step<I: Encode>(&mut self, step: &Step<I>) {
        self.record(|out| record::write_step(step, out), true);
        self.has_more = true;
    }

    /// The world that the match came to has this hash.
    pub fn hash(&mut self, hash: u64) {
        self.record(|out| record::write_hash(hash, out), false);
    }

    fn record(&mut self, write: impl FnOnce(&mut Vec<u8>), is_due: bool) {
        if !self.is_on() {
            return;
        }
        self.scratch.clear();
        write(&mut self.scratch);
        if let Some((lane, key)) = &self.lane {
            if is_due {
                lane.write(|journal| journal.append(*key, &self.scratch));
            } else {
                lane.note(|journal| journal.append(*key, &self.scratch));
            }
        }
        if let Some(shared) = &mut self.shared {
            shared.written = shared.lane.record(&self.scratch) + 1;
        }
    }

    /// Whether a checkpoint is missing that nobody can do without.
    pub fn wants_checkpoint(&self) -> bool {
        let on_disk = self.lane.as_ref().is_some_and(|(lane, key)| lane.note(|journal| journal.wants_checkpoint(*key)));
        on_disk || self.shared.as_ref().is_some_and(|shared| shared.lane.wants_checkpoint())
    }

    /// Whether the newest checkpoint is all there is to say.
    pub fn is_complete(&self) -> bool {
        !self.is_on() || !self.has_more
    }

    /// The whole match, with its core as `core` writes it, which what was written before is not
    /// needed for any more.
    pub fn checkpoint(&mut self, identity: &Identity, core: impl FnOnce(&mut Vec<u8>)) {
        if !self.is_on() {
            return;
        }
        self.scratch.clear();
        record::write_checkpoint(identity, core, &mut self.scratch);
        if let Some((lane, key)) = &self.lane {
            lane.write(|journal| journal.checkpoint(*key, &self.scratch));
        }
        if let Some(shared) = &mut self.shared {
            shared.lane.checkpoint(&self.scratch);
        }
        self.has_more = false;
    }

    /// What other servers list of the match.
    pub fn card(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if let Some(shared) = &mut self.shared {
            self.scratch.clear();
            write(&mut self.scratch);
            shared.lane.card(&self.scratch);
        }
    }

    /// Whether what was written must be in the store before anybody is told of it, and is not.
    pub fn is_awaited(&self) -> bool {
        self.shared.as_ref().is_some_and(|shared| shared.lane.is_consistent() && *shared.acks.borrow() < shared.written)
    }

    /// Waits until [`is_awaited`](Self::is_awaited) may have changed. For ever if nobody writes.
    pub async fn acked(&mut self) {
        let changed = match &mut self.shared {
            Some(shared) => shared.acks.changed().await.is_ok(),
            None => false,
        };
        if !changed {
            std::future::pending::<()>().await;
        }
    }

    /// Whether the match may go on: nobody else may have taken it over by now.
    pub fn may_tick(&self) -> bool {
        self.shared.as_ref().is_none_or(|shared| match shared.lane.standing() {
            Standing::Held => true,
            Standing::Doubtful => !shared.lane.is_consistent(),
            Standing::Fenced => false,
        })
    }

    /// The match has ended.
    pub fn end(&mut self) {
        self.end_on_disk();
        if let Some(shared) = self.shared.take() {
            shared.lane.end();
        }
    }

    /// The match goes on on another server, which has what was written.
    pub fn leave(&mut self) {
        self.end_on_disk();
        if let Some(shared) = self.shared.take() {
            shared.lane.leave();
        }
    }

    /// The match goes on in another process, which reads what was written.
    pub fn rest(&mut self) {
        self.lane = None;
        if let Some(shared) = self.shared.take() {
            shared.lane.leave();
        }
    }

    fn end_on_disk(&mut self) {
        if let Some((lane, key)) = self.lane.take() {
            lane.write(|journal| journal.end(key));
        }
    }
}

//! What a match has to say and the store has not confirmed yet.
//!
//! Everything stays here until a write of it succeeds, so a write whose outcome is not known is
//! simply repeated, with the same numbers.
//!
//! Invariants: the records here have the numbers from `first` on, without a gap; there are none
//! while one is missing; a checkpoint here is numbered as the first record after it.

use bytes::Bytes;

use crate::store::Writes;

/// Most bytes of a match's records that wait for the store. Beyond that they are dropped, and a
/// checkpoint is asked for.
pub const PENDING_BYTES_MAX: usize = 1 << 20;
/// Most records of a match that wait for the store. Beyond that they are dropped, and a checkpoint
/// is asked for.
pub const PENDING_RECORDS_MAX: usize = 4_096;

/// See the module.
#[derive(Debug)]
pub(super) struct Pending {
    card: Versioned,
    checkpoint: Option<Checkpoint>,
    /// Records one after the other.
    bytes: Vec<u8>,
    /// Where each ends in `bytes`.
    ends: Vec<usize>,
    /// The number of the first in `bytes`.
    first: u64,
    /// The number of the next one.
    next: u64,
    /// A record is missing before `next`: the next thing of use is a checkpoint.
    has_gap: bool,
    /// A checkpoint is asked for.
    wants_checkpoint: bool,
}

/// The newest card, and whether it is still to be written.
#[derive(Debug, Default)]
struct Versioned {
    bytes: Bytes,
    version: u64,
    is_written: bool,
}

#[derive(Debug)]
struct Checkpoint {
    number: u64,
    bytes: Bytes,
}

/// What was taken for a write, so that its success can be noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// Records below this are in the store if the write succeeds. `None`: it says nothing of them.
    covers: Option<u64>,
    /// The checkpoint that was with it.
    checkpoint: Option<u64>,
    /// The card that was with it.
    card: Option<u64>,
}

impl Pending {
    /// Of a match whose next record has this number. Without a checkpoint in the store it asks for
    /// one.
    pub(super) fn new(next: u64, has_checkpoint: bool) -> Self {
        Self {
            card: Versioned { is_written: true, ..Versioned::default() },
            checkpoint: None,
            bytes: Vec::new(),
            ends: Vec::new(),
            first: next,
            next,
            has_gap: !has_checkpoint,
            wants_checkpoint: !has_checkpoint,
        }
    }

    /// Adds a record and returns its number.
    pub(super) fn record(&mut self, bytes: &[u8]) -> u64 {
        let number = self.next;
        self.next += 1;
        if self.ends.len() >= PENDING_RECORDS_MAX || self.bytes.len().saturating_add(bytes.len()) > PENDING_BYTES_MAX {
            self.lose_records();
        }
        if !self.has_gap {
            self.bytes.extend_from_slice(bytes);
            self.ends.push(self.bytes.len());
        }
        number
    }

    /// All that came before is of no use any more.
    pub(super) fn checkpoint(&mut self, bytes: &[u8]) {
        self.drop_records();
        self.checkpoint = Some(Checkpoint { number: self.next, bytes: Bytes::copy_from_slice(bytes) });
        (self.has_gap, self.wants_checkpoint) = (false, false);
    }

    pub(super) fn card(&mut self, bytes: &[u8]) {
        if self.card.bytes != bytes {
            self.card.bytes = Bytes::copy_from_slice(bytes);
            self.card.version += 1;
            self.card.is_written = false;
        }
    }

    pub(super) fn wants_checkpoint(&self) -> bool {
        self.wants_checkpoint
    }

    /// Whether everything is in the store: nothing waits, and nothing is missing.
    pub(super) fn is_settled(&self) -> bool {
        self.is_empty() && !self.has_gap
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.card.is_written && self.checkpoint.is_none() && self.ends.is_empty()
    }

    /// Bytes that wait.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() + self.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.bytes.len())
    }

    /// Everything that waits, for a write. It goes on waiting until that is known to have
    /// succeeded.
    pub(super) fn take(&self) -> (Writes, Taken) {
        let bytes = Bytes::copy_from_slice(&self.bytes);
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let records = starts.zip(&self.ends).zip(self.first..).map(|((start, end), number)| (number, bytes.slice(start..*end))).collect();
        let checkpoint = self.checkpoint.as_ref().map(|checkpoint| (checkpoint.number, checkpoint.bytes.clone()));
        // With every checkpoint: a late copy of an older write may have put an older card there.
        let with_card = !self.card.is_written || (checkpoint.is_some() && !self.card.bytes.is_empty());
        let number = checkpoint.as_ref().map(|(number, _)| *number);
        let covers = if self.has_gap { number } else { Some(self.next) };
        let taken = Taken { covers, checkpoint: number, card: with_card.then_some(self.card.version) };
        (Writes { card: with_card.then(|| self.card.bytes.clone()), checkpoint, records }, taken)
    }

    /// What was `taken` is in the store. Returns up to which number records are.
    pub(super) fn written(&mut self, taken: Taken) -> Option<u64> {
        if taken.card == Some(self.card.version) {
            self.card.is_written = true;
        }
        if taken.checkpoint.is_some() && taken.checkpoint == self.checkpoint.as_ref().map(|checkpoint| checkpoint.number) {
            self.checkpoint = None;
        }
        let covers = taken.covers?;
        let count = usize::try_from(covers.saturating_sub(self.first)).map_or(self.ends.len(), |count| count.min(self.ends.len()));
        if let Some(end) = count.checked_sub(1).and_then(|last| self.ends.get(last)).copied() {
            self.bytes.drain(..end);
            self.ends.drain(..count);
            self.ends.iter_mut().for_each(|later| *later -= end);
            self.first += count as u64;
        }
        Some(covers)
    }

    /// The store had lost something, and has of what was `taken` what does not build on that.
    /// Returns up to which number records are there.
    pub(super) fn adopted(&mut self, taken: Taken) -> Option<u64> {
        if taken.checkpoint.is_some() {
            return self.written(taken);
        }
        self.card.is_written = taken.card == Some(self.card.version) || self.card.bytes.is_empty();
        if self.checkpoint.is_none() {
            self.lose_records();
        }
        None
    }

    /// The store has lost something, and nobody knows what.
    pub(super) fn store_lost(&mut self) {
        self.card.is_written = self.card.bytes.is_empty();
        self.wants_checkpoint |= self.checkpoint.is_none();
    }

    /// Records are missing from here on, until a checkpoint comes.
    fn lose_records(&mut self) {
        self.drop_records();
        (self.has_gap, self.wants_checkpoint) = (true, true);
    }

    fn drop_records(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.first = self.next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(writes: &Writes) -> Vec<u64> {
        writes.records.iter().map(|(number, _)| *number).collect()
    }

    #[test]
    fn what_was_not_confirmed_is_taken_again_with_the_same_numbers() {
        let mut pending = Pending::new(0, false);
        pending.checkpoint(b"start");
        assert_eq!((pending.record(b"a"), pending.record(b"bc")), (0, 1));
        let (first, taken) = pending.take();
        assert_eq!(first.checkpoint, Some((0, Bytes::from_static(b"start"))));
        assert_eq!(first.records, [(0, Bytes::from_static(b"a")), (1, Bytes::from_static(b"bc"))]);
        assert_eq!(pending.record(b"d"), 2);
        assert_eq!(numbers(&pending.take().0), [0, 1, 2]);
        assert_eq!(pending.written(taken), Some(2));
        let (second, taken) = pending.take();
        assert_eq!((second.checkpoint, second.records), (None, vec![(2, Bytes::from_static(b"d"))]));
        assert_eq!(pending.written(taken), Some(3));
        assert!(pending.is_settled());
    }

    #[test]
    fn a_checkpoint_replaces_what_came_before_it() {
        let mut pending = Pending::new(7, true);
        pending.record(b"a");
        let (_, taken) = pending.take();
        pending.checkpoint(b"all");
        pending.record(b"b");
        assert_eq!(pending.written(taken), Some(8), "the older write succeeds late");
        let (writes, taken) = pending.take();
        assert_eq!((writes.checkpoint.map(|(number, _)| number), numbers(&pending.take().0)), (Some(8), vec![8]));
        assert_eq!(pending.written(taken), Some(9));
        assert!(pending.is_settled());
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_a_checkpoint_is_wanted() {
        let mut pending = Pending::new(0, true);
        let big = vec![0; PENDING_BYTES_MAX / 2];
        for _ in 0..3 {
            pending.record(&big);
        }
        assert!(pending.wants_checkpoint() && !pending.is_settled());
        let (writes, taken) = pending.take();
        assert_eq!(writes, Writes::default());
        assert_eq!(pending.written(taken), None, "nothing is known of what was dropped");
        for _ in 0..PENDING_RECORDS_MAX * 2 {
            pending.record(b"x");
        }
        assert_eq!(pending.len(), 0);
        pending.checkpoint(b"all");
        let next = pending.record(b"y");
        let (writes, taken) = pending.take();
        assert_eq!(writes.checkpoint.map(|(number, _)| number), Some(next));
        assert_eq!(pending.written(taken), Some(next + 1));
        for _ in 0..=PENDING_RECORDS_MAX {
            pending.record(b"x");
        }
        assert!(pending.wants_checkpoint());
    }

    #[test]
    fn a_store_that_lost_the_match_is_given_all_of_it() {
        let mut pending = Pending::new(0, false);
        pending.card(b"card");
        pending.checkpoint(b"start");
        let (_, taken) = pending.take();
        pending.written(taken);
        pending.record(b"a");
        let (_, taken) = pending.take();
        pending.record(b"b");
        assert_eq!(pending.adopted(taken), None);
        assert!(pending.wants_checkpoint());
        pending.record(b"c");
        let (writes, taken) = pending.take();
        assert_eq!((writes.card.as_deref(), writes.records.len()), (Some(&b"card"[..]), 0));
        pending.written(taken);
        pending.checkpoint(b"all");
        let (writes, taken) = pending.take();
        assert_eq!((writes.card.is_some(), writes.checkpoint.map(|(number, _)| number)), (true, Some(3)));
        assert_eq!(pending.adopted(taken), Some(3), "a whole match is all that it needs");
        assert!(pending.is_settled() && !pending.wants_checkpoint());
    }
}

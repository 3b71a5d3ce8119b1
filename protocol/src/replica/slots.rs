//! The chunks that a client has of a divided match, and the one view made of them.
//!
//! Invariants: all slots together hold at most [`ROWS_MAX`] rows of a table, and buffers not much larger than these rows;
//! the merged view changes only with a whole snapshot.

use crate::delta::{self, Scratch};
use crate::state::hash::ChunksHash;
use crate::state::snapshot::{Snapshot, Table};
use crate::wire::codec::DecodeError;
use crate::wire::ids::{NetId, Tick};
use crate::wire::limits::{CHUNK_SLOTS_MAX, ROWS_MAX};
use crate::wire::messages::chunks::{News, Part};

/// Emptied snapshots kept for their buffers.
const SPARE_MAX: usize = 4;

#[derive(Debug)]
pub(super) struct Slots {
    /// By slot.
    chunks: Vec<Option<Held>>,
    /// Rows of each table in all slots.
    rows: Vec<usize>,
    merged: Snapshot,
    /// The view being merged, until it is known to be good.
    next: Snapshot,
    spare: Vec<Snapshot>,
    order: Vec<MergedRow>,
}

#[derive(Debug)]
struct Held {
    chunk: Snapshot,
    /// The snapshot it last came with; `None` until that snapshot is there.
    since: Option<Tick>,
}

/// Where a row of the merged view comes from. Sorts the rows of a table by id, and of one id the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct MergedRow {
    id: NetId,
    age: u32,
    /// A slot; [`CHUNK_SLOTS_MAX`] for the snapshot itself.
    source: u16,
    row: u32,
}

impl Slots {
    /// No chunks yet, beside the view that there is without them.
    pub(super) fn new(empty: &Snapshot, view: &Snapshot) -> Self {
        Self {
            chunks: Vec::new(),
            rows: vec![0; empty.tables().len()],
            merged: view.clone(),
            next: empty.clone(),
            spare: Vec::new(),
            order: Vec::new(),
        }
    }

    pub(super) fn merged(&self) -> &Snapshot {
        &self.merged
    }

    /// Takes in what changed in one slot until `tick`.
    pub(super) fn apply(&mut self, tick: Tick, part: &Part, empty: &Snapshot, scratch: &mut Scratch) -> Result<(), DecodeError> {
        let index = usize::from(part.slot);
        if index >= self.chunks.len() {
            self.chunks.resize_with(index + 1, || None);
        }
        let slot = self.chunks.get_mut(index).ok_or(DecodeError::Malformed)?;
        let (advance, body) = match &part.news {
            News::Reset => {
                self.chunks.clear();
                self.rows.fill(0);
                return Ok(());
            }
            News::Gone => {
                let gone = slot.take().ok_or(DecodeError::Malformed)?;
                count(&mut self.rows, Some(&gone.chunk), None)?;
                recycle(&mut self.spare, gone.chunk);
                return Ok(());
            }
            News::Keyframe(body) => (None, body),
            News::Delta { advance, body } => (Some(u32::from(*advance)), body),
        };
        let mut chunk = self.spare.pop().unwrap_or_else(|| empty.clone());
        chunk.tick = tick;
        let base = match (advance, slot.as_mut()) {
            (None, _) => empty,
            (Some(advance), Some(held)) => {
                // The last tick at which it was true, as the server knows it.
                held.chunk.tick = Tick(tick.0.wrapping_sub(advance));
                &held.chunk
            }
            (Some(_), None) => return Err(DecodeError::Malformed),
        };
        delta::apply(base, body.as_slice(), scratch, &mut chunk)?;
        count(&mut self.rows, slot.as_ref().map(|held| &held.chunk), Some(&chunk))?;
        chunk.fit();
        if let Some(old) = slot.replace(Held { chunk, since: None }) {
            recycle(&mut self.spare, old.chunk);
        }
        Ok(())
    }

    /// Makes the view of `whole`, the snapshot that the newest parts belong to.
    pub(super) fn merge(&mut self, whole: &Snapshot) -> Result<(), DecodeError> {
        for held in self.chunks.iter_mut().flatten() {
            held.since.get_or_insert(whole.tick);
        }
        let Self { chunks, next, order, merged, .. } = self;
        next.tick = whole.tick;
        for (index, out) in next.tables_mut().iter_mut().enumerate() {
            order.clear();
            let held = (0u16..).zip(chunks.iter()).filter_map(|(slot, held)| {
                let held = held.as_ref()?;
                Some((slot, whole.tick.since(held.since?) as u32, &held.chunk))
            });
            for (source, age, snapshot) in held.chain([(CHUNK_SLOTS_MAX as u16, 0, whole)]) {
                let ids = snapshot.table(index).map_or(&[][..], Table::ids);
                order.extend((0u32..).zip(ids).map(|(row, id)| MergedRow { id: *id, age, source, row }));
            }
            order.sort_unstable();
            order.dedup_by_key(|place| place.id);
            out.clear();
            for place in order.iter() {
                let source = chunks.get(usize::from(place.source)).and_then(Option::as_ref).map_or(whole, |held| &held.chunk);
                let is_in = source.table(index).is_some_and(|table| out.push_from(table, place.row as usize));
                if !is_in {
                    return Err(DecodeError::Malformed);
                }
            }
        }
        core::mem::swap(next, merged);
        Ok(())
    }

    pub(super) fn hash(&self, whole: u64) -> u64 {
        let mut hash = ChunksHash::new(whole);
        for (slot, held) in (0u8..=u8::MAX).zip(&self.chunks) {
            if let Some(held) = held {
                hash.slot(slot, held.chunk.rows_hash());
            }
        }
        hash.finish()
    }
}

/// Counts a slot's rows anew; an error if all slots have too many.
fn count(rows: &mut [usize], before: Option<&Snapshot>, after: Option<&Snapshot>) -> Result<(), DecodeError> {
    for (index, count) in rows.iter_mut().enumerate() {
        let rows_of = |snapshot: Option<&Snapshot>| snapshot.and_then(|snapshot| snapshot.table(index)).map_or(0, Table::len);
        *count = (*count + rows_of(after)).saturating_sub(rows_of(before));
        if *count > ROWS_MAX {
            return Err(DecodeError::Malformed);
        }
    }
    Ok(())
}

fn recycle(spare: &mut Vec<Snapshot>, mut snapshot: Snapshot) {
    if spare.len() < SPARE_MAX {
        snapshot.clear();
        spare.push(snapshot);
    }
}

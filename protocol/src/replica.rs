//! A client's copy of its match: applies keyframes and deltas in the order they arrive.
//!
//! Invariant: the current snapshot is the baseline of the next delta, because the transport is ordered and reliable; so is
//! what a slot holds for the next part for that slot.

mod slots;

use crate::codec::DecodeError;
use crate::delta::{self, Scratch};
use crate::ids::Tick;
use crate::limits;
use crate::messages::ServerMessage;
use crate::schema::Schema;
use crate::snapshot::Snapshot;
use slots::Slots;

/// A client's newest view of its match.
#[derive(Debug)]
pub struct Replica {
    empty: Snapshot,
    current: Snapshot,
    next: Snapshot,
    scratch: Scratch,
    has_keyframe: bool,
    /// The chunks of a divided match; none before the first of them.
    slots: Option<Box<Slots>>,
}

impl Replica {
    /// Before the first keyframe.
    pub fn new(schema: &Schema) -> Self {
        let empty = Snapshot::empty(schema);
        Self { current: empty.clone(), next: empty.clone(), empty, scratch: Scratch::default(), has_keyframe: false, slots: None }
    }

    /// The newest snapshot; `None` before the first keyframe. Of a divided match it has the rows of all chunks this client
    /// has. Where two have a row, as happens while it moves from one to the other, the newer one counts.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.has_keyframe.then(|| self.slots.as_ref().map_or(&self.current, |slots| slots.merged()))
    }

    /// Applies a keyframe or a delta, or takes in the cells of the one that follows; other messages change nothing. Says
    /// whether there is a new snapshot. After an error the current snapshot stands, and the stream cannot be trusted any
    /// further.
    pub fn apply(&mut self, message: &ServerMessage) -> Result<bool, DecodeError> {
        match message {
            ServerMessage::Keyframe { tick, body } => self.advance_to(*tick, body.as_slice(), true)?,
            ServerMessage::Delta { advance, body } => {
                let in_range = (1..=limits::BASELINE_AGE_MAX).contains(&u32::from(*advance));
                if !self.has_keyframe || !in_range {
                    return Err(DecodeError::Malformed);
                }
                self.advance_to(self.current.tick.plus(u32::from(*advance)), body.as_slice(), false)?;
            }
            ServerMessage::Cells { tick, parts } => {
                let slots = self.slots.get_or_insert_with(|| Box::new(Slots::new(&self.empty)));
                parts.as_slice().iter().try_for_each(|part| slots.apply(*tick, part, &self.empty, &mut self.scratch))?;
                return Ok(false);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What a [`ServerMessage::CellsCheck`] compares with: all that this client has, chunk by chunk.
    pub fn cells_hash(&self) -> u64 {
        let whole = self.current.hash();
        self.slots.as_ref().map_or_else(|| crate::cells::CellsHash::new(whole).finish(), |slots| slots.hash(whole))
    }

    fn advance_to(&mut self, tick: Tick, body: &[u8], keyframe: bool) -> Result<(), DecodeError> {
        self.next.tick = tick;
        let base = if keyframe { &self.empty } else { &self.current };
        delta::apply(base, body, &mut self.scratch, &mut self.next)?;
        if let Some(slots) = &mut self.slots {
            slots.merge(&self.next)?;
        }
        core::mem::swap(&mut self.current, &mut self.next);
        self.has_keyframe = true;
        Ok(())
    }
}

//! A client's copy of its match: applies keyframes and deltas in the order they arrive.
//!
//! Invariant: the current snapshot is the baseline of the next delta, because the transport is ordered and reliable; so is
//! what a slot holds for the next part for that slot.

mod slots;

use crate::delta::{self, Scratch};
use crate::state::hash::ChunksHash;
use crate::state::schema::Schema;
use crate::state::snapshot::Snapshot;
use crate::wire::codec::DecodeError;
use crate::wire::ids::Tick;
use crate::wire::limits;
use crate::wire::messages::ServerMessage;
use slots::Slots;

/// A client's newest view of its match.
///
/// ```
/// use tickwire_protocol::messages::{Body, ServerMessage};
/// use tickwire_protocol::schema::{Columns, MatchState, Schema};
/// use tickwire_protocol::{Replica, Tick};
///
/// const SCHEMA: Schema = Schema::new(&[MatchState::TABLE]);
/// let mut replica = Replica::new(&SCHEMA);
/// assert!(replica.snapshot().is_none(), "nothing came yet");
///
/// // No bytes at all: the empty snapshot, and then a tick in which nothing changed.
/// replica.apply(&ServerMessage::Keyframe { tick: Tick(7), body: Body::default() })?;
/// replica.apply(&ServerMessage::Delta { advance: 1, body: Body::default() })?;
/// assert_eq!(replica.snapshot().map(|view| view.tick), Some(Tick(8)));
/// # Ok::<(), tickwire_protocol::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct Replica {
    current: Snapshot,
    has_keyframe: bool,
    /// The chunks of a divided match; none before the first of them.
    slots: Option<Box<Slots>>,
    /// Of [`Replica::apply`], once it was called.
    workspace: Option<Box<Workspace>>,
}

/// What is needed while a message is applied and not between messages. Many replicas of one schema can share one, which keeps what
/// they all use in the processor's cache.
#[derive(Debug)]
pub struct Workspace {
    empty: Snapshot,
    next: Snapshot,
    scratch: Scratch,
}

impl Workspace {
    /// For replicas of `schema`.
    pub fn new(schema: &Schema) -> Self {
        let empty = Snapshot::empty(schema);
        Self { next: empty.clone(), empty, scratch: Scratch::default() }
    }
}

impl Replica {
    /// Before the first keyframe.
    pub fn new(schema: &Schema) -> Self {
        Self { current: Snapshot::empty(schema), has_keyframe: false, slots: None, workspace: None }
    }

    /// The newest snapshot; `None` before the first keyframe. Of a divided match it has the rows of all chunks this client
    /// has. Where two have a row, as happens while it moves from one to the other, the newer one counts.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.has_keyframe.then(|| self.slots.as_ref().map_or(&self.current, |slots| slots.merged()))
    }

    /// Applies a keyframe or a delta, or takes in the chunks of the one that follows; other messages change nothing. Says
    /// whether there is a new snapshot. After an error the current snapshot stands, and the stream cannot be trusted any
    /// further.
    pub fn apply(&mut self, message: &ServerMessage) -> Result<bool, DecodeError> {
        let mut workspace = self.workspace.take().unwrap_or_else(|| {
            let mut empty = self.current.clone();
            empty.clear();
            Box::new(Workspace { next: empty.clone(), empty, scratch: Scratch::default() })
        });
        let result = self.apply_with(message, &mut workspace);
        self.workspace = Some(workspace);
        result
    }

    /// [`Replica::apply`] for one of many replicas of a schema.
    pub fn apply_with(&mut self, message: &ServerMessage, workspace: &mut Workspace) -> Result<bool, DecodeError> {
        match message {
            ServerMessage::Keyframe { tick, body } => self.advance_to(*tick, body.as_slice(), true, workspace)?,
            ServerMessage::Delta { advance, body } => {
                let in_range = (1..=limits::BASELINE_AGE_MAX).contains(&u32::from(*advance));
                if !self.has_keyframe || !in_range {
                    return Err(DecodeError::Malformed);
                }
                self.advance_to(self.current.tick.plus(u32::from(*advance)), body.as_slice(), false, workspace)?;
            }
            ServerMessage::Chunks { tick, parts } => {
                let Workspace { empty, scratch, .. } = workspace;
                let slots = self.slots.get_or_insert_with(|| Box::new(Slots::new(empty, &self.current)));
                parts.as_slice().iter().try_for_each(|part| slots.apply(*tick, part, empty, scratch))?;
                return Ok(false);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What a [`ServerMessage::ChunksCheck`] compares with: all that this client has, chunk by chunk.
    pub fn chunks_hash(&self) -> u64 {
        let whole = self.current.hash();
        self.slots.as_ref().map_or_else(|| ChunksHash::new(whole).finish(), |slots| slots.hash(whole))
    }

    fn advance_to(&mut self, tick: Tick, body: &[u8], keyframe: bool, workspace: &mut Workspace) -> Result<(), DecodeError> {
        let Workspace { empty, next, scratch } = workspace;
        next.tick = tick;
        if keyframe {
            delta::apply(empty, body, scratch, next)?;
        } else {
            delta::advance(&mut self.current, body, scratch, next)?;
        }
        core::mem::swap(&mut self.current, next);
        self.has_keyframe = true;
        if let Some(slots) = &mut self.slots {
            slots.merge(&self.current)?;
        }
        Ok(())
    }
}

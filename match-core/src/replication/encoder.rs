//! Snapshots to bodies, in working memory that is used again.

use tickwire_protocol::delta::{self, Scratch};
use tickwire_protocol::messages::BodyRef;
use tickwire_protocol::{Schema, Snapshot};

pub(super) struct Encoder {
    empty: Snapshot,
    scratch: Scratch,
    body: Vec<u8>,
    /// A snapshot was too large for the wire: clients cannot follow the match any further.
    overflowed: bool,
}

impl Encoder {
    pub(super) fn new(schema: &Schema) -> Self {
        Self { empty: Snapshot::empty(schema), scratch: Scratch::default(), body: Vec::new(), overflowed: false }
    }

    pub(super) fn has_overflowed(&self) -> bool {
        self.overflowed
    }

    /// The delta from `base`, or a keyframe if there is none. `None` if it is too large for a body.
    pub(super) fn encode(&mut self, base: Option<&Snapshot>, next: &Snapshot) -> Option<BodyRef<'_>> {
        self.body.clear();
        delta::encode(base.unwrap_or(&self.empty), next, &mut self.scratch, &mut self.body);
        let body = BodyRef::new(&self.body);
        if body.is_none() {
            tracing::error!(tick = next.tick.0, "snapshot is too large for the wire: the game has too many entities");
            self.overflowed = true;
        }
        body
    }
}

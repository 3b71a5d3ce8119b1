//! Snapshots to bodies, in working memory that is used again.

use tickwire_protocol::delta::{self, Scratch};
use tickwire_protocol::messages::Body;
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

    /// Hands `write` the delta from `base`, or a keyframe if there is none, and takes the body back. Says whether there was
    /// one: no body may be too large.
    pub(super) fn encode(&mut self, base: Option<&Snapshot>, next: &Snapshot, write: impl FnOnce(Body) -> Body) -> bool {
        self.body.clear();
        delta::encode(base.unwrap_or(&self.empty), next, &mut self.scratch, &mut self.body);
        let Some(body) = Body::new(std::mem::take(&mut self.body)) else {
            tracing::error!(tick = next.tick.0, "snapshot is too large for the wire: the game has too many entities");
            self.overflowed = true;
            return false;
        };
        self.body = write(body).into_inner();
        true
    }
}

//! Any bytes as a delta from any snapshot.
//!
//! Input: a byte for the schema, a byte for the ticks between, a snapshot as `Source` makes it, and the rest is the body.

use crate::source::{Source, assert_valid};
use tickwire_protocol::Snapshot;
use tickwire_protocol::delta::{Scratch, apply, encode};

/// Snapshots of a few dozen rows and bodies several times as long as they need.
const INPUT_BYTES_MAX: usize = 4096;

/// Tries it.
pub fn run(bytes: &[u8]) {
    if bytes.len() > INPUT_BYTES_MAX {
        return;
    }
    let mut source = Source::new(bytes);
    let schema = source.schema();
    let advance = u32::from(source.byte());
    let base = source.snapshot(schema);
    let (mut scratch, mut next) = (Scratch::default(), Snapshot::empty(schema));
    next.tick = base.tick.plus(advance);
    if apply(&base, source.rest(), &mut scratch, &mut next).is_err() {
        return;
    }
    assert_valid(schema, &next);
    let mut body = Vec::new();
    encode(&base, &next, &mut scratch, &mut body);
    let mut again = Snapshot::empty(schema);
    again.tick = next.tick;
    assert_eq!(apply(&base, &body, &mut scratch, &mut again), Ok(()), "what was read can be told again");
    assert_eq!(again, next);
}

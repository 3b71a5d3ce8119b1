//! The difference between any two snapshots leads from one to the other.
//!
//! Input: a byte for the schema, four for the ticks between, and two snapshots as `Source` makes them.

use crate::source::Source;
use tickwire_protocol::delta::{Scratch, apply, encode};

/// Two snapshots of a few dozen rows.
const INPUT_BYTES_MAX: usize = 4096;

/// Tries it.
pub fn run(bytes: &[u8]) {
    if bytes.len() > INPUT_BYTES_MAX {
        return;
    }
    let mut source = Source::new(bytes);
    let schema = source.schema();
    let advance = source.word();
    let base = source.snapshot(schema);
    let mut next = source.snapshot(schema);
    next.tick = base.tick.plus(advance);
    let (mut scratch, mut body) = (Scratch::default(), Vec::new());
    encode(&base, &next, &mut scratch, &mut body);
    // Rows of another snapshot, which must all go.
    let mut read = base.clone();
    read.tick = next.tick;
    assert_eq!(apply(&base, &body, &mut scratch, &mut read), Ok(()));
    assert_eq!(read, next);
    assert_eq!(read.hash(), next.hash());
}

//! A client's whole way from a server's bytes to its view: any messages, in any order, with any bodies.

use crate::source::{FIXTURE, assert_valid};
use tickwire_protocol::{Replica, ServerMessage};

/// A keyframe and a few dozen deltas.
const INPUT_BYTES_MAX: usize = 4096;

/// Tries it.
pub fn run(bytes: &[u8]) {
    if bytes.len() > INPUT_BYTES_MAX {
        return;
    }
    let mut replica = Replica::new(&FIXTURE);
    let mut rest = bytes;
    while let Some(Ok(message)) = ServerMessage::decode_next(&mut rest) {
        let before = replica.snapshot().map(|view| (view.tick, view.hash()));
        let applied = replica.apply(&message);
        if applied != Ok(true) {
            assert_eq!(replica.snapshot().map(|view| (view.tick, view.hash())), before, "nothing new, so the view stands");
        }
        if let Some(view) = replica.snapshot() {
            assert_valid(&FIXTURE, view);
        }
    }
}

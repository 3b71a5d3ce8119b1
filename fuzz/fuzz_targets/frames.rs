//! WebSocket frames of a stranger, as they come out of its connection.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tickwire_fuzz_bodies::frames;

fuzz_target!(|bytes: &[u8]| frames::run(bytes));

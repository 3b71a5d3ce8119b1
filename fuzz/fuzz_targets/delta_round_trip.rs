//! The difference between any two snapshots leads from one to the other.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tickwire_fuzz_bodies::delta_round_trip;

fuzz_target!(|bytes: &[u8]| delta_round_trip::run(bytes));

//! Any bytes as a delta from any snapshot.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tickwire_fuzz_bodies::delta_apply;

fuzz_target!(|bytes: &[u8]| delta_apply::run(bytes));

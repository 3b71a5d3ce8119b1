//! A directory of the journal's, and what happens to it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tickwire_fuzz_bodies::journal;

fuzz_target!(|bytes: &[u8]| journal::run(bytes));

//! A forwarding header that a stranger has begun and a trusted proxy has ended.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tickwire_fuzz_bodies::forwarded;

fuzz_target!(|bytes: &[u8]| forwarded::run(bytes));

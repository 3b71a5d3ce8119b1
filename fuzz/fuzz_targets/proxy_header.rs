//! What a connection begins with where a PROXY header is expected.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tickwire_fuzz_bodies::proxy_header;

fuzz_target!(|bytes: &[u8]| proxy_header::run(bytes));

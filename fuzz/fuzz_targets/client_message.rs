//! What a server does first with a stranger's bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tickwire_fuzz_bodies::client_message;

fuzz_target!(|bytes: &[u8]| client_message::run(bytes));

//! What a client does first with a server's bytes: one WebSocket message, several messages in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tickwire_fuzz_bodies::server_message;

fuzz_target!(|bytes: &[u8]| server_message::run(bytes));

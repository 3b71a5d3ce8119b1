//! Tickets, resume tokens and match ids, as text in an API and as bytes in a Hello.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tickwire_fuzz_bodies::ticket;

fuzz_target!(|bytes: &[u8]| ticket::run(bytes));

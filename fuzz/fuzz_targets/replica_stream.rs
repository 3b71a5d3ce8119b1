//! A client's whole way from a server's bytes to its view: any messages, in any order, with any bodies.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tickwire_fuzz_bodies::replica_stream;

fuzz_target!(|bytes: &[u8]| replica_stream::run(bytes));

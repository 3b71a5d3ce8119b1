//! Bodies that a client sends over HTTP, and what a server's bodies are made of.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tickwire_fuzz_bodies::http_stream;

fuzz_target!(|bytes: &[u8]| http_stream::run(bytes));

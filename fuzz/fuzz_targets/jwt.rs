//! Tokens of an identity provider, as a stranger presents them, and files of keys.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tickwire_fuzz_bodies::jwt;

fuzz_target!(|bytes: &[u8]| jwt::run(bytes));

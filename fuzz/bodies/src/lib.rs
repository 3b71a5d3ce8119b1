//! What each fuzz target does with its bytes. Here it is a function, so that it needs neither a fuzzer nor nightly:
//! `tests/corpus.rs` runs what the fuzzer has found, and its neighbours, with every `cargo test`.

#![allow(clippy::expect_used, clippy::panic, clippy::missing_panics_doc)] // a target reports by panicking

pub mod client_message;
pub mod delta_apply;
pub mod delta_round_trip;
pub mod forwarded;
pub mod frames;
pub mod http_stream;
pub mod journal;
pub mod jwt;
pub mod proxy_header;
pub mod replica_stream;
pub mod server_message;
pub mod source;
pub mod ticket;

/// A target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Of the binary under `fuzz/fuzz_targets` and of the folder under `fuzz/corpus`.
    pub name: &'static str,
    /// Panics if these bytes show a fault.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "client_message", run: client_message::run },
    Target { name: "delta_apply", run: delta_apply::run },
    Target { name: "delta_round_trip", run: delta_round_trip::run },
    Target { name: "forwarded", run: forwarded::run },
    Target { name: "frames", run: frames::run },
    Target { name: "http_stream", run: http_stream::run },
    Target { name: "journal", run: journal::run },
    Target { name: "jwt", run: jwt::run },
    Target { name: "proxy_header", run: proxy_header::run },
    Target { name: "replica_stream", run: replica_stream::run },
    Target { name: "server_message", run: server_message::run },
    Target { name: "ticket", run: ticket::run },
];

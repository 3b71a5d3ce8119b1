//! A server that has stopped leaves no thread and no descriptor behind, whoever was connected.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work
#![cfg(target_os = "linux")]

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::time::{Duration, Instant};

use harness::Harness;
use tag::Tag;

fn count(folder: &str) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// Threads and descriptors of this process.
fn resources() -> (usize, usize) {
    (count("/proc/self/task"), count("/proc/self/fd"))
}

#[test]
fn servers_come_and_go_without_leaving_anything() {
    let visit = || {
        let harness = Harness::start::<Tag>(|_| ());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let players = runtime.block_on(harness.pair::<Tag>());
        let silent = http::handshake(harness.server.play_addr(), "/ws", &[]);
        let idle = http::connect(harness.server.play_addr());
        // Clients that do not say goodbye.
        drop((players, silent, idle, runtime));
        drop(harness);
    };
    visit();
    let before = resources();
    (0..4).for_each(|_| visit());
    // The kernel takes a moment to let go of a thread that was joined.
    let deadline = Instant::now() + Duration::from_secs(20);
    while resources() != before && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(resources(), before);
}

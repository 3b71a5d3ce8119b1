//! When memory runs short nobody new is let in, and then the largest consumer goes.

#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use harness::{Harness, eventually};
use http::get;
use tag::Tag;
use tickwire_game::Game;
use tickwire_protocol::CloseReason;
use tickwire_testkit::script::{enter, hear_closing, see};
use tickwire_testkit::{ApiError, Client};

/// Resident memory of this process, the server within it.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    1024 * line.trim().trim_end_matches("kB").trim().parse::<u64>().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_new_is_let_in_then_the_largest_goes_and_then_all_is_well_again() {
    let limit = 2 * resident() + (64 << 20);
    let harness = Harness::start::<Tag>(|config| {
        config.memory.limit_bytes = limit;
        (config.memory.brake_percent, config.memory.shed_percent) = (85, 95);
    });
    let ready = || get(harness.server.ops_addr(), "/readyz").status;
    let api = harness.guest(0).await;
    let newcomer = harness.guest(1).await;
    let mode = Tag::MODES[0].id;
    let join = api.create(mode, true).await.expect("a match");
    let mut ada: Client<Tag> = enter(&api, &join).await.expect("Welcome");
    see(&mut ada, |_| true).await.expect("Ada plays");

    // The rest of what there may be is taken.
    let ballast = vec![1_u8; usize::try_from(limit).expect("a length")];
    assert_eq!(hear_closing(&mut ada).await.expect("a reason"), CloseReason::Overloaded);
    assert_eq!(ready(), 503);
    let refused = newcomer.quick_play(mode).await.expect_err("nobody new");
    assert!(matches!(&refused, ApiError::Refused { code, .. } if code == "at_capacity"), "{refused}");
    assert!(get(harness.server.ops_addr(), "/metrics").text().contains("tickwire_memory_pressure 2"));

    assert_eq!(ballast.last(), Some(&1));
    drop(ballast);
    eventually("there is enough again", || (ready() == 200).then_some(())).await;
    newcomer.quick_play(mode).await.expect("a seat");
}

//! What a pong tells: when the ping came, and how long its answer waited for the tick that read it.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;

use std::collections::HashSet;
use std::time::Duration;

use harness::Harness;
use tag::Tag;
use tickwire_protocol::ClientMessage;
use tickwire_testkit::Heard;
use tickwire_testkit::script::hear;

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_is_answered_at_the_tick_and_told_from_when_it_came() {
    let harness = Harness::start::<Tag>(|_| {});
    let (mut ada, _bob, _) = harness.pair::<Tag>().await;
    let mut phases = HashSet::new();
    for number in 0..24 {
        // The answer before came with a tick: so this ping comes at another place of the interval.
        tokio::time::sleep(Duration::from_millis(5 * (number % 6))).await;
        let client_time_ms = 1_000 + number as u32;
        ada.send(ClientMessage::Ping { client_time_ms }).await.expect("sent");
        let pong = hear(&mut ada, |heard| match heard {
            Heard::Pong(pong) => Some(pong),
            _ => None,
        });
        let pong = pong.await.expect("a pong");
        assert_eq!(pong.client_time_ms, client_time_ms);
        let told = u16::from(pong.phase) + pong.held;
        assert!((255..=256).contains(&told), "what was left of the interval was waited for: {pong:?}");
        phases.insert(pong.phase);
    }
    #[cfg(target_os = "linux")]
    assert!(phases.len() > 4, "the kernel says when each came: {phases:?}");
}

//! Slow, silent and returning clients: nobody waits for them, and they get the newest state when they read again.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;

use std::time::Duration;

use arena::Arena;
use harness::Harness;
use tickwire_game::{Game, GameDef};
use tickwire_loadtest::client::Traffic;
use tickwire_loadtest::script::{enter, hear, see};
use tickwire_loadtest::{Client, Heard};
use tickwire_protocol::limits::BASELINE_AGE_MAX;
use tickwire_protocol::{Credential, Event, PlayerId};
use tokio::net::{TcpSocket, TcpStream};

/// A connection whose kernel buffers hold next to nothing, so that not reading shows at once.
async fn narrow_connection(harness: &Harness) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(2_048).expect("a small buffer");
    socket.connect(harness.server.play_addr()).await.expect("connected")
}

/// Bob plays normally; the returned client sits in the same match behind a narrow connection.
async fn with_a_narrow_client<G: Game>(harness: &Harness) -> (Client<G>, Client<G>, PlayerId) {
    let (bob, slow) = (harness.guest(0).await, harness.guest(1).await);
    let first = bob.create(G::MODES[0].id, true).await.expect("a match");
    let second = slow.join(&first.code).await.expect("a seat");
    let bob = enter(&bob, &first).await.expect("Welcome");
    let mut slow = Client::<G>::over(narrow_connection(harness).await, format!("ws://{}{}", harness.server.play_addr(), second.ws_url))
        .await
        .expect("upgraded");
    slow.hello(Credential::Ticket(second.ticket)).await.expect("sent");
    hear(&mut slow, |heard| matches!(heard, Heard::Welcome(_)).then_some(())).await.expect("Welcome");
    let player = slow.player().expect("a seat");
    (bob, slow, player)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_stalls_gets_the_newest_state_and_the_others_notice_nothing() {
    stall(2_048).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_snapshots_do_not_queue_in_the_kernel_however_large_its_buffer() {
    stall(256 * 1_024).await;
}

async fn stall(send_buffer_bytes: u32) {
    let harness = Harness::start::<Arena>(|config| {
        config.session.send_buffer_bytes = send_buffer_bytes;
        config.session.slow_ms = 60_000;
        config.matches.bots_fill = Some(16);
    });
    let (mut bob, mut slow, _) = with_a_narrow_client::<Arena>(&harness).await;
    let start = see(&mut bob, |_| true).await.expect("Bob plays");
    // While the other reads nothing, Bob misses no tick.
    let mut last = start;
    let stalled_for = 4 * BASELINE_AGE_MAX as i32;
    while last.since(start) < stalled_for {
        let tick = see(&mut bob, |_| true).await.expect("Bob plays");
        assert_eq!(tick.since(last), 1, "Bob misses no tick");
        last = tick;
    }
    // It reads again: what the kernel held, and then the newest, at once. Every snapshot's hash is compared on the way.
    let (mut seen, mut jump) = (slow.view().expect("a keyframe").tick, 0);
    while seen.since(last) < 0 {
        let tick = see(&mut slow, |_| true).await.expect("the stream holds together");
        jump = jump.max(tick.since(seen));
        seen = tick;
    }
    // The kernel's buffers hold bytes, and so the more ticks the shorter deltas are; but not all of them.
    assert!(jump > BASELINE_AGE_MAX as i32, "superseded snapshots were not queued: the greatest jump was {jump} ticks");
    let Traffic { checked, snapshots, .. } = slow.traffic();
    assert!(checked > 0 && checked == snapshots);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_takes_nothing_for_too_long_is_closed() {
    let harness = Harness::start::<Arena>(|config| {
        config.session.send_buffer_bytes = 2_048;
        config.session.slow_ms = 500;
        config.session.grace_ms = 100;
        config.matches.bots_fill = Some(16);
    });
    let (mut bob, _slow, player) = with_a_narrow_client::<Arena>(&harness).await;
    hear(&mut bob, |heard| (heard == Heard::Event(Event::Left(player))).then_some(())).await.expect("the seat is freed");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_answers_no_ping_is_gone_and_one_that_does_stays() {
    let harness = Harness::start::<Arena>(|config| {
        config.session.ping_after_ms = 200;
        config.session.silence_ms = 700;
        config.session.grace_ms = 100;
    });
    // Neither sends anything after Hello. Bob reads, and so answers the server's pings; the other's machine is dead.
    let (mut bob, _dead, player) = with_a_narrow_client::<Arena>(&harness).await;
    hear(&mut bob, |heard| (heard == Heard::Event(Event::Left(player))).then_some(())).await.expect("the dead peer is reaped");
    let now = see(&mut bob, |_| true).await.expect("Bob is there");
    let ticks = i32::from(Arena::MODES[0].tick_rate);
    tokio::time::timeout(Duration::from_secs(10), see(&mut bob, |view| view.tick.since(now) > 2 * ticks))
        .await
        .expect("in time")
        .expect("Bob stays");
}

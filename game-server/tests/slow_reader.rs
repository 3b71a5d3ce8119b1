//! Slow, silent and returning clients: nobody waits for them, and they get the newest state when
//! they read again.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/slow.rs"]
mod slow;

use arena::tables::Fighter;
use arena::{Arena, ROYALE_ID};
use harness::Harness;
use slow::{Granted, drain, enter_over, narrow_connection};
use tickwire_game::Game;
use tickwire_protocol::limits::BASELINE_AGE_MAX;
use tickwire_protocol::{CloseReason, Credential, Event, PlayerId, Tick};
use tickwire_testkit::client::Traffic;
use tickwire_testkit::script::{enter, hear, see};
use tickwire_testkit::{Client, Heard};

/// Bob plays normally; the second client sits in the same match behind a narrow connection.
async fn with_a_narrow_client<G: Game>(harness: &Harness) -> (Client<G>, Client<G, Granted>, PlayerId) {
    let (bob, slow) = (harness.guest(0).await, harness.guest(1).await);
    let first = bob.create(G::MODES[0].id, true).await.expect("a match");
    let second = slow.join(&first.code).await.expect("a seat");
    let bob = enter(&bob, &first).await.expect("Welcome");
    let server = harness.server.play_addr();
    let slow = enter_over::<G>(server, narrow_connection(server).await, &second).await;
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
        // It answers no ping while it stalls.
        config.session.silence_ms = 60_000;
        config.matches.bots_fill = Some(16);
    });
    let (mut bob, mut slow, _) = with_a_narrow_client::<Arena>(&harness).await;
    // The kernel's buffers hold bytes, and so the more ticks the shorter deltas are; but not all of
    // them.
    stalls_for(4 * BASELINE_AGE_MAX, &mut bob, &mut slow).await;
    #[cfg(target_os = "linux")]
    {
        // What the reader's window let out and its kernel had no room for, and the frame that went
        // beyond `UNSENT_BYTES`.
        let kept = slow::unsent_in_kernel(harness.server.play_addr());
        let port = slow.stream().local_addr().port();
        assert!(kept.iter().any(|(client, bytes)| *client == port && *bytes < 4_096), "the kernel keeps little: {kept:?}");
    }
    let jump = comes_back(&mut bob, &mut slow).await;
    assert!(jump > BASELINE_AGE_MAX as i32, "superseded snapshots were not queued: the greatest jump was {jump} ticks");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_seconds_of_silence_leave_nothing_old_whatever_room_the_reader_has() {
    for is_narrow in [true, false] {
        let harness = Harness::start::<Arena>(|config| config.matches.bots_fill = Some(16));
        let (bob, slow) = (harness.guest(0).await, harness.guest(1).await);
        let first = bob.create("ffa", true).await.expect("a match");
        let second = slow.join(&first.code).await.expect("a seat");
        let server = harness.server.play_addr();
        let connection = if is_narrow { narrow_connection(server).await } else { slow.connect().await.expect("connected") };
        let mut bob = enter::<Arena>(&bob, &first).await.expect("Welcome");
        let mut slow = enter_over::<Arena>(server, connection, &second).await;
        stalls_for(60, &mut bob, &mut slow).await;
        comes_back(&mut bob, &mut slow).await;
    }
}

/// `slow` plays until all are there, and then reads nothing for so many ticks, of which Bob misses
/// none.
async fn stalls_for(ticks: u32, bob: &mut Client<Arena>, slow: &mut Client<Arena, Granted>) {
    let mut start = see(bob, |view| view.rows::<Fighter>().count() == 16).await.expect("bots fill the seats");
    for _ in 0..10 {
        drain(slow).await;
        start = next_tick(bob, start).await;
    }
    slow.stream().limit(0);
    let mut last = start;
    while last.since(start) < ticks as i32 {
        last = next_tick(bob, last).await;
    }
}

/// `slow` reads again: what the kernels held, and then the newest. Every snapshot's hash is
/// compared on the way. Returns the greatest jump from one of its snapshots to the next, in ticks.
async fn comes_back(bob: &mut Client<Arena>, slow: &mut Client<Arena, Granted>) -> i32 {
    slow.stream().limit(usize::MAX);
    let mut last = see(bob, |_| true).await.expect("Bob plays");
    let (mut seen, mut jump) = (slow.view().expect("a keyframe").tick, 0);
    // A tick for what the kernels held, one for the newest state, one to spare; from then on it
    // plays as if nothing had been.
    for since in 0..30 {
        for tick in drain(slow).await {
            jump = jump.max(tick.since(seen));
            seen = tick;
        }
        assert!(since < 3 || last.since(seen) <= 2, "{since} ticks after it began to read its newest state is {} old", last.since(seen));
        last = next_tick(bob, last).await;
    }
    let Traffic { checked, snapshots, .. } = slow.traffic();
    assert!(checked > 0 && checked == snapshots);
    jump
}

async fn next_tick(bob: &mut Client<Arena>, last: Tick) -> Tick {
    let tick = see(bob, |_| true).await.expect("Bob plays");
    assert_eq!(tick.since(last), 1, "Bob misses no tick");
    tick
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_takes_nothing_for_too_long_is_closed_and_finds_the_reason_when_it_reads() {
    let harness = Harness::start::<Arena>(|config| {
        config.session.send_buffer_bytes = 2_048;
        config.session.slow_ms = 500;
        config.session.grace_ms = 100;
        config.matches.bots_fill = Some(16);
    });
    let (mut bob, mut slow, player) = with_a_narrow_client::<Arena>(&harness).await;
    hear(&mut bob, |heard| (heard == Heard::Event(Event::Left(player))).then_some(())).await.expect("the seat is freed");
    // Long after the server has let go of the socket.
    let now = see(&mut bob, |_| true).await.expect("Bob is there");
    see(&mut bob, |view| view.tick.since(now) > 90).await.expect("Bob stays");
    let reason = loop {
        if let Heard::Closing(reason) = slow.next().await.expect("a reason before the end") {
            break reason;
        }
    };
    assert_eq!(reason, CloseReason::TooSlow);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_takes_a_long_message_bit_by_bit_is_not_stuck() {
    let harness = Harness::start::<Arena>(|config| {
        config.session.send_buffer_bytes = 2_048;
        config.session.slow_ms = 1_500;
        config.matches.bots_fill = Some(700);
        config.matches.tick_rate = 10;
    });
    let (bob, slow) = (harness.guest(0).await, harness.guest(1).await);
    let first = bob.create(ROYALE_ID, true).await.expect("a match");
    let second = slow.join(&first.code).await.expect("a seat");
    let mut bob = enter::<Arena>(&bob, &first).await.expect("Welcome");
    let start = see(&mut bob, |_| true).await.expect("Bob plays");
    see(&mut bob, |view| view.tick.since(start) > 2).await.expect("Bob plays, and the seats are filled");
    let server = harness.server.play_addr();
    let url = format!("ws://{server}{}", second.ws_url);
    let mut slow = Client::<Arena, _>::over(Granted::new(narrow_connection(server).await), url).await.expect("upgraded");
    // Welcome has everyone's name: it takes several times as long as a socket may be stuck.
    slow.stream().limit(0);
    slow.hello(Credential::Ticket(second.ticket)).await.expect("sent");
    let mut ticks = 0;
    while slow.view().is_none() {
        slow.stream().grant(192);
        drain(&mut slow).await;
        see(&mut bob, |_| true).await.expect("Bob plays");
        ticks += 1;
    }
    assert!(ticks > 30, "it took {ticks} ticks: no test of patience");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_answers_no_ping_is_gone_and_one_that_does_stays() {
    let harness = Harness::start::<Arena>(|config| {
        config.session.ping_after_ms = 200;
        config.session.silence_ms = 700;
        config.session.grace_ms = 100;
    });
    // Neither sends anything after Hello. Bob reads, and so answers the server's pings; the other's
    // machine is dead.
    let (mut bob, _dead, player) = with_a_narrow_client::<Arena>(&harness).await;
    hear(&mut bob, |heard| (heard == Heard::Event(Event::Left(player))).then_some(())).await.expect("the dead peer is reaped");
    let now = see(&mut bob, |_| true).await.expect("Bob is there");
    let ticks = i32::from(Arena::MODES[0].tick_rate);
    see(&mut bob, |view| view.tick.since(now) > 2 * ticks).await.expect("Bob stays");
}

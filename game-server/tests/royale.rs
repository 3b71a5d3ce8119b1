//! A divided match over real sockets: each client has what the server thinks it has, and sees what
//! is around it and no more.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;

use arena::tables::{Fighter, Score, Zone};
use arena::{Arena, ROYALE_ID};
use harness::Harness;
use tickwire_game::{Bots, Game, Predict};
use tickwire_protocol::limits::BASELINE_AGE_MAX;
use tickwire_protocol::{Credential, Snapshot};
use tickwire_testkit::bot::{Bot, Driver};
use tickwire_testkit::client::Traffic;
use tickwire_testkit::script::{enter, hear, see};
use tickwire_testkit::{Client, Heard};
use tokio::net::TcpSocket;
use tokio::time::{Duration, Instant};

const BOTS: u16 = 150;

fn royale() -> Harness {
    Harness::start::<Arena>(|config| {
        config.session.send_buffer_bytes = 2_048;
        config.session.slow_ms = 60_000;
        config.session.silence_ms = 60_000;
        config.matches.bots_fill = Some(BOTS);
    })
}

/// `count` clients in one match of royale.
async fn players(harness: &Harness, count: usize) -> Vec<Client<Arena>> {
    let first = harness.guest(0).await;
    let join = first.create(ROYALE_ID, true).await.expect("a match");
    let mut clients = vec![enter(&first, &join).await.expect("Welcome")];
    for index in 1..count {
        let guest = harness.guest(index).await;
        let seat = guest.join(&join.code).await.expect("a seat");
        clients.push(enter(&guest, &seat).await.expect("Welcome"));
    }
    clients
}

/// All that `view` has around the fighter of `me` is in sight, and nobody else's score.
fn assert_filtered(client: &Client<Arena>) {
    let (view, me) = (client.view().expect("a view"), client.player().expect("a seat"));
    assert!(view.rows::<Score>().all(|(_, score)| score.player == me.0), "others' scores stay on the server");
    let Some(own) = Arena::body(view, me) else { return };
    let interest = Arena::interest(&Arena::MODES[1]).expect("royale has one");
    let reach = (i32::from(interest.tiers.last().expect("a tier").cells) + 1) * interest.cell[0] + interest.cell[0] / 2;
    let far = |fighter: &Fighter| (fighter.x - own.x).abs().max((fighter.y - own.y).abs());
    assert!(view.rows::<Fighter>().all(|(_, fighter)| far(&fighter) <= reach), "only what is near");
}

fn has_zone(view: &Snapshot) -> bool {
    view.rows::<Zone>().count() == 1
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_has_what_the_server_thinks_it_has() {
    let harness = royale();
    let mut clients = players(&harness, 12).await;
    let until = Instant::now() + Duration::from_secs(4);
    let playing = clients.drain(..).zip(1..).map(|(client, seed)| {
        tokio::spawn(async move {
            let mut bot = Bot::<Arena, _>::new(client, Driver::Brain(Arena::brain(seed)), 0.5);
            let played = bot.play(until).await;
            (bot, played)
        })
    });
    for played in playing.collect::<Vec<_>>() {
        let (mut bot, played) = played.await.expect("no panic");
        played.expect("it plays to the end");
        let client = bot.client();
        let Traffic { checked, snapshots, .. } = client.traffic();
        assert!(checked > 0 && checked == snapshots, "{checked} of {snapshots} checked");
        assert!(has_zone(client.view().expect("a view")));
        assert_filtered(client);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_stalls_comes_back_to_the_newest_state() {
    let harness = royale();
    let guest = harness.guest(0).await;
    let join = guest.create(ROYALE_ID, true).await.expect("a match");
    let mut steady: Client<Arena> = enter(&guest, &join).await.expect("Welcome");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(2_048).expect("a small buffer");
    let stream = socket.connect(harness.server.play_addr()).await.expect("connected");
    let other = harness.guest(1).await;
    let seat = other.join(&join.code).await.expect("a seat");
    let mut slow =
        Client::<Arena>::over(stream.into(), format!("ws://{}{}", harness.server.play_addr(), seat.ws_url)).await.expect("upgraded");
    slow.hello(Credential::Ticket(seat.ticket)).await.expect("sent");
    hear(&mut slow, |heard| matches!(heard, Heard::Welcome(_)).then_some(())).await.expect("Welcome");
    let start = see(&mut steady, has_zone).await.expect("it plays");
    let mut last = start;
    while last.since(start) < 2 * BASELINE_AGE_MAX as i32 {
        last = see(&mut steady, has_zone).await.expect("it plays");
    }
    // It reads again. Every hash is compared on the way. What it saw long ago and far away is gone
    // a few ticks later.
    let mut seen = slow.view().map_or(start, |view| view.tick);
    while seen.since(last) < 30 {
        seen = see(&mut slow, |_| true).await.expect("the stream holds together");
    }
    let Traffic { checked, snapshots, .. } = slow.traffic();
    assert!(checked > 0 && checked == snapshots);
    assert_filtered(&slow);
}

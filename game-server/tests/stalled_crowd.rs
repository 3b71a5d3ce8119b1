//! Hundreds of clients that stop reading at once: the server's memory stays under the formula of
//! `docs/OPERATING.md`, those who read again are at the newest state, and the others are closed by
//! the documented deadline.
//!
//! The server is the binary, so that its memory is its own. Whoever wants the full thousand sets
//! `STALLED_READERS=1000`.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work
#![cfg(target_os = "linux")]

#[path = "common/http.rs"]
mod http;
#[path = "common/slow.rs"]
mod slow;

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use arena::{Arena, Input};
use futures_util::FutureExt;
use futures_util::future::join_all;
use slow::{Granted, drain, enter_over, narrow_connection, unsent_in_kernel};
use tickwire_game::{Game, Mode};
use tickwire_protocol::{CloseReason, Snapshot, Tick};
use tickwire_server::config::SessionConfig;
use tickwire_testkit::script::{enter, see};
use tickwire_testkit::{Api, Client, Heard};
use tokio::task::unconstrained;

/// Older snapshots that a match keeps, at most: `OLDER_MAX` in `replication/versions.rs`.
const OLDER_MAX: usize = 32;
/// An entry in the list of what waits for a client.
const ENTRY_BYTES: usize = 32;
/// What a client has of a divided match: `VIEW_BYTES_MAX` in `replication/view.rs`.
const VIEW_BYTES_MAX: usize = 256 * 40;

/// A server in a process of its own.
struct Running {
    child: Child,
    play: SocketAddr,
    ops: SocketAddr,
}

impl Running {
    fn start(slow_ms: usize) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
        command.args(["--port", "0", "--no-admin", "--hash-every", "1", "--set", "matches.countdown_seconds=0"]);
        let slow = format!("session.slow_ms={slow_ms}");
        let limits = ["connections.per_address=10000", "rates.handshakes_per_minute=0", "session.silence_ms=60000", &slow];
        command.args(limits.iter().flat_map(|setting| ["--set", setting]));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs");
        let stdout = BufReader::new(child.stdout.take().expect("standard output"));
        let addresses: Vec<SocketAddr> = stdout
            .lines()
            .take(2)
            .map(|line| {
                let line = line.expect("a line");
                let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
                address.and_then(|address| address.parse().ok()).expect("an address")
            })
            .collect();
        Self { child, play: addresses[0], ops: addresses[1] }
    }

    /// Resident memory, bytes.
    fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
    }

    /// How many sessions were closed, by reason.
    fn closes(&self) -> Vec<(String, usize)> {
        let metrics = http::get(self.ops, "/metrics").text();
        let lines = metrics.lines().filter_map(|line| line.strip_prefix("tickwire_session_closes_total{reason=\""));
        lines
            .map(|line| {
                line.split_once("\"} ").map(|(reason, count)| (reason.to_owned(), count.parse().expect("a number"))).expect("a count")
            })
            .collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The formula of `docs/OPERATING.md`: what `clients` that read nothing add to the server's memory,
/// in matches that look like `views`.
fn stalled_bytes_max(clients: usize, views: &[&Snapshot], mode: &Mode, slow_ms: usize) -> usize {
    let config = SessionConfig::default();
    let ticks = slow_ms * usize::from(mode.tick_rate) / 1_000;
    let waiting = 2 * config.reliable_bytes_max + ENTRY_BYTES * ticks.next_power_of_two();
    let cells = if Arena::interest(mode).is_some() { VIEW_BYTES_MAX } else { 0 };
    let snapshots: Vec<usize> = views.iter().map(|view| snapshot_bytes(view)).collect();
    // A frame tells of no more than there is.
    let frame = snapshots.iter().max().copied().unwrap_or_default();
    clients * (waiting + cells + frame) + OLDER_MAX * snapshots.iter().sum::<usize>()
}

/// Memory of a snapshot's rows: four bytes for each field and for the id, twice for what the lists
/// grew into.
fn snapshot_bytes(view: &Snapshot) -> usize {
    let tables = view.tables().iter().zip(Arena::SCHEMA.tables());
    tables.map(|(table, schema)| 2 * 4 * table.len() * (schema.fields.len() + 1)).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_matches_of_sixteen() {
    stall(&Arena::MODES[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_one_divided_match() {
    stall(&Arena::MODES[1]).await;
}

async fn stall(mode: &Mode) {
    let count: usize = std::env::var("STALLED_READERS").map_or(Ok(180), |count| count.parse()).expect("a number");
    tickwire_server::server::provide_descriptors(count).expect("descriptors");
    // A thousand keep a machine busy: nobody may be closed while the others are served.
    let slow_ms = 6_000.max(20 * count);
    let server = Running::start(slow_ms);
    let mut matches = crowd(&server, mode, count).await;
    // They play, so that what they take while they play is not counted.
    let until = matches[0].last.plus(60);
    while matches[0].last.since(until) < 0 {
        for group in &mut matches {
            group.newest_tick().await;
            for client in &mut group.stalled {
                drain(client).await;
            }
            group.fire().await;
        }
    }
    let before = server.memory();

    // Now they read nothing, and fire, so that there is something to tell. The others miss no tick
    // of it.
    matches.iter().flat_map(|group| &group.stalled).for_each(|client| client.stream().limit(0));
    let mut memory = before;
    let until = matches[0].last.plus(60);
    while matches[0].last.since(until) < 0 {
        for group in &mut matches {
            group.newest_tick().await;
            group.fire().await;
        }
        memory = memory.max(server.memory());
    }
    let kept = unsent_in_kernel(server.play);
    assert!(kept.iter().all(|(_, bytes)| *bytes < 4_096), "the kernel keeps little for each: {kept:?}");
    assert_eq!(server.closes(), [], "nobody is closed for two seconds");

    // Every other one reads again, and is soon at the newest state.
    let mut gone = Vec::new();
    for group in &mut matches {
        let (back, stuck): (Vec<_>, Vec<_>) = group.stalled.drain(..).enumerate().partition(|(index, _)| index % 2 == 0);
        group.stalled = back.into_iter().map(|(_, client)| client).collect();
        gone.extend(stuck.into_iter().map(|(_, client)| client));
        group.stalled.iter().for_each(|client| client.stream().limit(usize::MAX));
    }
    let mut caught_up = HashSet::new();
    // The others are closed `slow_ms` after their socket took its last byte. Where little is told,
    // their buffers still took some while they stalled and a while beyond: no more than is told in
    // as long again.
    let until = matches[0].last.plus((2 * slow_ms * usize::from(mode.tick_rate) / 1_000) as u32);
    while server.closes().iter().map(|(_, count)| count).sum::<usize>() < gone.len() {
        assert!(matches[0].last.since(until) < 0, "of {} only {:?} are closed", gone.len(), server.closes());
        for group in &mut matches {
            let tick = group.newest_tick().await;
            for client in &mut group.stalled {
                drain(client).await;
                if tick.since(client.view().expect("a view").tick) <= 2 {
                    caught_up.insert(client.stream().local_addr());
                }
            }
            group.fire().await;
        }
        memory = memory.max(server.memory());
    }

    assert_eq!(caught_up.len() + gone.len(), count, "all that read again have come to the newest state");

    // The others are closed by then, for one reason, and find it when they read.
    let views: Vec<&Snapshot> = matches.iter().filter_map(|group| group.steady.view()).collect();
    let (grown, max) = (memory - before, stalled_bytes_max(count, &views, mode, slow_ms));
    println!("{}: {count} stalled readers took {} KiB; the formula says {} KiB", mode.id, grown / 1024, max / 1024);
    assert!(grown < max, "{grown} bytes, and the formula says {max}");
    assert_eq!(server.closes(), [("too_slow".to_owned(), gone.len())]);
    let reasons = gone.iter_mut().map(async |client| {
        client.stream().limit(usize::MAX);
        loop {
            if let Heard::Closing(reason) = client.next().await.expect("a reason before the end") {
                break reason;
            }
        }
    });
    assert!(join_all(reasons).await.iter().all(|reason| *reason == CloseReason::TooSlow));
}

/// One match: someone who plays on, and those who will not read.
struct Group {
    steady: Client<Arena>,
    last: Tick,
    stalled: Vec<Client<Arena, Granted>>,
}

impl Group {
    /// What the steady one sees next, and whatever else has come.
    async fn newest_tick(&mut self) -> Tick {
        let tick = see(&mut self.steady, |_| true).await.expect("the others play on");
        self.note(tick);
        while let Some(heard) = unconstrained(self.steady.next()).now_or_never() {
            if let Heard::Snapshot(tick) = heard.expect("the others play on") {
                self.note(tick);
            }
        }
        self.last
    }

    fn note(&mut self, tick: Tick) {
        assert!(self.last == Tick(0) || tick.since(self.last) == 1, "the others miss nothing");
        self.last = tick;
    }

    /// Everybody shoots in circles, and one in eight says so: an input holds until the next. Who
    /// was told to read nothing can still say something.
    async fn fire(&mut self) {
        let (tick, aim) = (self.last.plus(2), (self.last.0 as u16) << 10);
        for client in self.stalled.iter_mut().skip(self.last.0 as usize % 8).step_by(8) {
            client.input(tick, Input { buttons: Input::FIRE, move_x: 100, aim, ..Input::default() }).await.expect("sent");
        }
    }
}

/// `count` clients behind narrow connections, in full matches, each with one more who plays as
/// usual.
async fn crowd(server: &Running, mode: &Mode, count: usize) -> Vec<Group> {
    let mut matches: Vec<Group> = Vec::new();
    let mut code = String::new();
    let (mut left, mut index) = (count, 0);
    while left > 0 {
        let mut guest = Api::new(server.play, Api::loopback_source(index));
        guest.open_session(&format!("player {index}")).await.expect("a guest");
        index += 1;
        match matches.last_mut().filter(|group| group.stalled.len() + 1 < usize::from(mode.max_players)) {
            None => {
                let join = guest.create(mode.id, true).await.expect("a match");
                matches.push(Group { steady: enter(&guest, &join).await.expect("Welcome"), last: Tick(0), stalled: Vec::new() });
                code = join.code;
            }
            Some(group) => {
                let join = guest.join(&code).await.expect("a seat");
                group.stalled.push(enter_over(server.play, narrow_connection(server.play).await, &join).await);
                left -= 1;
            }
        }
        // Who has come plays while the others come.
        for group in matches.iter_mut().filter(|_| left.is_multiple_of(8)) {
            while unconstrained(group.steady.next()).now_or_never().is_some() {}
            for client in &mut group.stalled {
                drain(client).await;
            }
        }
    }
    matches
}

//! The default verdict, which nobody had to ask for: each fault is planted, the run must fail, and
//! the first line of its verdict must say why. Faults are planted by how much went through, never
//! by the clock.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/server.rs"]
mod server;

use std::net::SocketAddr;
use std::process::Output;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use arena::Arena;
use tickwire_loadtest::report::{Report, json};
use tickwire_protocol::CloseReason;
use tickwire_testkit::relay::{Fault, Relay};

/// What a run said.
struct Found {
    output: Output,
    report: Report,
}

/// Runs the program as a user does who asks for nothing but players, until there is enough.
fn load(address: SocketAddr, ops: SocketAddr, arguments: &[&str], is_enough: impl FnMut() -> bool) -> Found {
    let dir = tempfile::tempdir().expect("a folder");
    let [ops, folder] = [ops.to_string(), dir.path().display().to_string()];
    let common = ["--ops", &ops, "--report-dir", &folder, "--increase-time", "1s", "--run-time", "5m"];
    let output = server::run_until(address, &[&common, arguments].concat(), is_enough);
    let report =
        json::read(&dir.path().join("report.json")).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    Found { output, report }
}

/// As [`load`], with a relay that does something wrong.
fn load_with(fault: Fault, arguments: &[&str], is_enough: impl Fn(&Relay) -> bool) -> Found {
    let server = server::start(|_| {});
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (address, relay) = runtime.block_on(Relay::start::<Arena>(server.play_addr(), fault));
    load(address, server.ops_addr(), arguments, || is_enough(&relay))
}

impl Found {
    /// The run failed, and the first line of its verdict begins so.
    fn fails_because(&self, cause: &str) {
        let text = String::from_utf8_lossy(&self.output.stdout);
        assert_eq!(self.output.status.code(), Some(1), "{text}");
        let verdict = &self.report.verdict;
        assert!(!verdict.passed && !verdict.inconclusive && verdict.cause.starts_with(cause), "{text}");
        assert!(text.lines().any(|line| line.starts_with(&format!("FAILED: {cause}"))), "{text}");
    }

    /// The bound on `figure` was broken.
    fn breaks(&self, figure: &str) {
        let bound = self.report.bounds.iter().find(|bound| bound.figure == figure);
        assert!(bound.is_some_and(|bound| !bound.held), "{figure}: {bound:?}");
    }
}

/// What a loaded machine delays is not what these tests are about: what is planted outlasts it.
const FREEZE: Duration = Duration::from_secs(3);

#[test]
fn a_server_that_stands_still_for_three_seconds() {
    // What comes after it is on its way to the players.
    let after = AtomicU64::new(u64::MAX);
    let found = load_with(Fault::Stall { players: 6, length: FREEZE }, &["--users", "6"], |relay| {
        if relay.faults() == 6 {
            after.fetch_min(relay.snapshots() + 6 * 30, Relaxed);
        }
        relay.snapshots() > after.load(Relaxed)
    });
    found.fails_because("the server stood still");
    found.breaks("fresh_share_worst_10s");
    // Each of the six waited for three seconds, and a snapshot is fresh for a tenth of one.
    let stale = Duration::from_micros(found.report.counts.stale_micros);
    assert!(stale + 6 * Duration::from_millis(200) >= 6 * FREEZE, "{stale:?}");
}

#[test]
fn players_who_never_got_in() {
    let server = server::start(|config| config.matches.matches_max = 1);
    let dir = tempfile::tempdir().expect("a folder");
    let report = dir.path().display().to_string();
    let ops = server.ops_addr().to_string();
    let arguments = ["--users", "20", "--run-time", "6s", "--increase-time", "1s", "--ops", &ops, "--report-dir", &report];
    let output = server::run(server.play_addr(), &arguments);
    let found = Found { output, report: json::read(&dir.path().join("report.json")).expect("a report") };
    found.fails_because("4 of 20 players never got in");
    found.breaks("attendance");
    let run = &found.report.run;
    assert_eq!((run.users, run.users_started, run.users_played, run.users_at_once), (20, 20, 16, 16));
}

#[test]
fn a_server_that_drains_while_it_is_played_on() {
    let server = server::start(|_| {});
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (address, relay) = runtime.block_on(Relay::start::<Arena>(server.play_addr(), Fault::None));
    let ops = server.ops_addr();
    let mut server = Some(server);
    let found = load(address, ops, &["--users", "4"], || {
        if relay.snapshots() > 4 * 60
            && let Some(server) = server.take()
        {
            std::thread::spawn(move || server.drain(Duration::ZERO));
        }
        relay.closed() >= 4
    });
    found.fails_because("the server drained while it was played on");
}

#[test]
fn a_server_that_dies() {
    let found = load_with(Fault::Die { after: 6 * 90 }, &["--users", "6"], |relay| relay.refused() > 6 * 5);
    found.fails_because("the server went away: 6 connections broke");
    found.breaks("attendance");
}

#[test]
fn a_session_that_ends_though_nobody_asked_for_it() {
    let fault = Fault::Close { after: 4 * 60, reason: CloseReason::TooSlow };
    let found = load_with(fault, &["--users", "4"], |relay| relay.snapshots() > 4 * 120);
    found.fails_because("the server ended 1 session that no player had ended, as `too_slow`");
    assert_eq!(found.report.counts.closes.get("too_slow"), Some(&1));
}

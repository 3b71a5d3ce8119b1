//! Players whose connections break without a word come back to their seats, and that they do is
//! told as what it is: no failure, unless they come back to something else or not at all.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/server.rs"]
mod server;

use std::process::Output;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use arena::Arena;
use tickwire_loadtest::report::{Report, json};
use tickwire_testkit::comeback::Wrong;
use tickwire_testkit::relay::{Fault, Relay};

const PLAYERS: u64 = 6;

/// Six players on a line that breaks once, until all that come back have played on.
fn played_over(fault: Fault, more: &[&str], is_enough: impl Fn(&Relay, u64) -> bool) -> (Output, Report) {
    let server = server::start(|_| {});
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (address, relay) = runtime.block_on(Relay::start::<Arena>(server.play_addr(), fault));
    let dir = tempfile::tempdir().expect("a folder");
    let [ops, folder] = [server.ops_addr().to_string(), dir.path().display().to_string()];
    let common = ["--users", "6", "--ops", &ops, "--report-dir", &folder, "--increase-time", "1s", "--run-time", "5m"];
    // Snapshots when all connections had broken.
    let broken = AtomicU64::new(u64::MAX);
    let output = server::run_until(address, &[&common, more].concat(), || {
        if relay.closed() >= PLAYERS {
            broken.fetch_min(relay.snapshots(), Relaxed);
        }
        is_enough(&relay, broken.load(Relaxed))
    });
    let report =
        json::read(&dir.path().join("report.json")).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output, report)
}

/// Everyone has seen a second's worth of snapshots since.
fn all_played_on(relay: &Relay, broken: u64) -> bool {
    relay.snapshots() > broken.saturating_add(PLAYERS * 60)
}

#[test]
fn players_whose_connection_broke_come_back_and_that_is_no_failure() {
    let (output, report) = played_over(Fault::Blink { after: PLAYERS * 90, swaps: false }, &[], all_played_on);
    let text = String::from_utf8_lossy(&output.stdout);
    let counts = &report.counts;
    assert_eq!((counts.returns, counts.returns_wrong, counts.resume_failures), (PLAYERS, 0, 0), "{text}");
    assert_eq!((counts.closes["connection_lost"], counts.unexplained_closes()), (PLAYERS, 0), "{text}");
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    assert_eq!(report.returns.len() as u64, PLAYERS);
    for found in &report.returns {
        assert!(found.tick_after >= found.tick_before && found.ms > 0.0 && found.wrong.is_none(), "{found:?}");
    }
    let times = report.measures["returned"].quantiles;
    assert!(times.count == PLAYERS && times.max >= times.p50, "{times:?}");
    assert!(text.contains("6 of 6 whose connection broke in "), "{text}");
    let page = tickwire_loadtest::show::html::page(&report, None);
    assert!(page.contains("Players that came back after their connection broke"));
}

#[test]
fn players_whose_match_moves_go_on_where_they_are_told_and_that_is_no_failure() {
    let server = server::start(|_| {});
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (there, new) = runtime.block_on(Relay::start::<Arena>(server.play_addr(), Fault::None));
    // One that is sent in between comes to a server that sends it on.
    let (between, _) = runtime.block_on(Relay::start::<Arena>(server.play_addr(), Fault::Move { after: 0, to: there }));
    let (here, old) = runtime.block_on(Relay::start::<Arena>(server.play_addr(), Fault::Move { after: PLAYERS * 90, to: between }));
    let dir = tempfile::tempdir().expect("a folder");
    let [ops, folder] = [server.ops_addr().to_string(), dir.path().display().to_string()];
    let arguments = ["--users", "6", "--ops", &ops, "--report-dir", &folder, "--increase-time", "1s", "--run-time", "5m"];
    let output = server::run_until(here, &arguments, || old.closed() >= PLAYERS && new.snapshots() > PLAYERS * 60);
    let text = String::from_utf8_lossy(&output.stdout);
    let report = json::read(&dir.path().join("report.json")).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let counts = &report.counts;
    assert_eq!((counts.returns, counts.returns_wrong, counts.resume_failures), (PLAYERS, 0, 0), "{text}");
    assert_eq!((counts.closes["moved"], counts.unexplained_closes()), (PLAYERS, 0), "{text}");
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    assert!(text.contains("6 of 6 whose connection broke in "), "{text}");
}

#[test]
fn who_comes_back_to_another_match_is_found() {
    let (output, report) = played_over(Fault::Blink { after: PLAYERS * 90, swaps: true }, &[], all_played_on);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!((report.counts.returns, report.counts.returns_wrong), (PLAYERS, 1), "{text}");
    assert_eq!(report.returns.iter().filter(|found| found.wrong == Some(Wrong::Match)).count(), 1, "{text}");
    assert!(text.contains("1 player came back to something else than what they had left; user "), "{text}");
}

#[test]
fn who_does_not_come_back_in_time_has_lost_its_seat() {
    let gave_up = |relay: &Relay, _: u64| relay.refused() > PLAYERS * 7;
    let (output, report) = played_over(Fault::Die { after: PLAYERS * 90 }, &["--return-within", "1s"], gave_up);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let counts = &report.counts;
    assert_eq!((counts.returns, counts.resume_failures, counts.unexplained_closes()), (0, PLAYERS, PLAYERS), "{text}");
    assert!(report.errors.keys().any(|error| error.starts_with("lost seat: ")), "{:?}", report.errors);
}

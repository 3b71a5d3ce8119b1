//! A harness is believed only if it finds what is wrong: each fault is planted, and the report must name it. Without one it
//! must find nothing.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests: failing by panicking is their work

#[path = "common/relay.rs"]
mod relay;
#[path = "common/server.rs"]
mod server;

use std::process::Output;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use relay::Fault;
use tickwire_loadtest::report::{Report, json};
use tickwire_protocol::Tick;

/// What a load test of a server with `fault` said.
struct Found {
    output: Output,
    report: Report,
}

/// Runs the program as a user does, for a few seconds, against a true server behind the relay.
fn load(fault: Fault, arguments: &[&str]) -> Found {
    let server = server::start(|_| {});
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let address = runtime.block_on(relay::start(server.play_addr(), fault));
    let dir = tempfile::tempdir().expect("a folder");
    // What a loaded machine does to gaps is not what these tests are about.
    let bounds = dir.path().join("bounds.toml");
    let text = "divergences = \"= 0\"\ninputs_lost = \"= 0\"\nunexplained_closes = \"= 0\"\nleaked_seats = \"= 0\"\n";
    std::fs::write(&bounds, text).expect("written");
    let [ops, folder, bounds] = [server.ops_addr().to_string(), dir.path().display().to_string(), bounds.display().to_string()];
    let common = ["--ops", &ops, "--report-dir", &folder, "--thresholds", &bounds, "--increase-time", "1s"];
    let output = server::run(address, &[&common, arguments].concat());
    let report =
        json::read(&dir.path().join("report.json")).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    Found { output, report }
}

impl Found {
    fn fails_with(&self, sentence: &str) {
        let text = String::from_utf8_lossy(&self.output.stdout);
        assert_eq!(self.output.status.code(), Some(1), "{text}");
        assert!(self.report.verdict.failures.iter().any(|failure| failure.contains(sentence)), "{text}");
        assert!(text.contains(sentence), "{text}");
    }
}

#[test]
fn a_true_server_passes() {
    let found = load(Fault::None, &["--users", "24", "--run-time", "5s", "--mix", "play:4,churn:1,reconnect:1"]);
    assert!(found.output.status.success(), "{}", String::from_utf8_lossy(&found.output.stdout));
    let counts = &found.report.counts;
    assert!(counts.joins >= 24 && counts.checked > 24 * 60 && counts.inputs_shown > 24 * 30, "{counts:?}");
    assert_eq!((found.report.leaked_seats, found.report.divergences.len()), (Some(0), 0));
}

#[test]
fn one_corrupt_component_in_ten_thousand_snapshots_is_found_and_named() {
    // 60 players see 10,000 snapshots in less than six seconds.
    let fault = Fault::Corrupt { component: "score", one_in: 10_000, seen: AtomicU64::new(0) };
    let found = load(fault, &["--users", "60", "--run-time", "8s"]);
    found.fails_with("divergences");
    let first = found.report.divergences.first().expect("it is named");
    assert_eq!(first.component, "score");
    assert!(first.tick > 0 && first.match_id.len() == 32, "{first:?}");
}

#[test]
fn a_match_that_stalls_for_200_ms_is_found_and_named() {
    let found = load(Fault::Stall { at: Tick(90), length: Duration::from_millis(200) }, &["--users", "12", "--run-time", "5s"]);
    let stall = found.report.stalls.iter().find(|stall| stall.tick == 90).expect("it is in the report");
    assert!(stall.players == 12 && stall.gap_ms >= 200.0, "{stall:?}");
    assert!(String::from_utf8_lossy(&found.output.stdout).contains(&stall.match_id), "and on the terminal");
}

#[test]
fn one_dropped_input_in_a_thousand_is_found() {
    let fault = Fault::DropInput { one_in: 1_000, seen: AtomicU64::new(0) };
    let found = load(fault, &["--users", "16", "--run-time", "10s"]);
    found.fails_with("inputs_lost");
    let counts = &found.report.counts;
    assert!(counts.inputs_lost <= counts.inputs / 1_000, "none is called lost that was not: {counts:?}");
}

#[test]
fn a_leaked_seat_is_found() {
    let found = load(Fault::LeakSeat { left: AtomicU64::new(0) }, &["--users", "8", "--run-time", "2s"]);
    found.fails_with("leaked_seats");
    assert_eq!(found.report.leaked_seats, Some(1));
}

//! A harness is believed only if it finds what is wrong: each fault is planted, and the report must name it. Without one it
//! must find nothing.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/server.rs"]
mod server;

use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use arena::Arena;
use tickwire_loadtest::report::{Report, json};
use tickwire_testkit::relay::{Fault, Relay};

/// What a load test of a server with `fault` said.
struct Found {
    output: Output,
    report: Report,
    relay: Arc<Relay>,
}

/// Runs the program as a user does, against a true server behind the relay, until enough went through it: on a slow machine that takes longer.
fn load(fault: Fault, arguments: &[&str], is_enough: impl Fn(&Relay) -> bool) -> Found {
    let server = server::start(|_| {});
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (address, relay) = runtime.block_on(Relay::start::<Arena>(server.play_addr(), fault));
    let dir = tempfile::tempdir().expect("a folder");
    // What a loaded machine does to gaps is not what these tests are about.
    let bounds = dir.path().join("bounds.toml");
    let text =
        "divergences = \"= 0\"\ninputs_lost = \"= 0\"\nunexplained_closes = \"= 0\"\nleaked_seats = \"= 0\"\nresume_failures = \"= 0\"\n";
    std::fs::write(&bounds, text).expect("written");
    let [ops, folder, bounds] = [server.ops_addr().to_string(), dir.path().display().to_string(), bounds.display().to_string()];
    let common = ["--ops", &ops, "--report-dir", &folder, "--thresholds", &bounds, "--increase-time", "1s", "--run-time", "5m"];
    let output = server::run_until(address, &[&common, arguments].concat(), || is_enough(&relay));
    let report =
        json::read(&dir.path().join("report.json")).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    Found { output, report, relay }
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
    let mix = ["--users", "24", "--mix", "play:4,churn:1,reconnect:1"];
    let found = load(Fault::None, &mix, |relay| relay.snapshots() > 24 * 120 && relay.inputs() > 24 * 120);
    assert!(found.output.status.success(), "{}", String::from_utf8_lossy(&found.output.stdout));
    let counts = &found.report.counts;
    assert!(counts.joins >= 24 && counts.checked > 24 * 60 && counts.inputs_shown > 24 * 30, "{counts:?}");
    assert_eq!((found.report.leaked_seats, found.report.divergences.len()), (Some(0), 0));
}

#[test]
fn one_corrupt_component_in_ten_thousand_snapshots_is_found_and_named() {
    let fault = Fault::Corrupt { component: "score", one_in: 10_000 };
    let found = load(fault, &["--users", "60"], |relay| relay.snapshots() > 10_600);
    found.fails_with("divergences");
    let first = found.report.divergences.first().expect("it is named");
    assert_eq!(first.component, "score");
    assert!(first.tick > 0 && first.match_id.len() == 32, "{first:?}");
}

#[test]
fn a_match_that_stalls_for_200_ms_is_found_and_named() {
    let fault = Fault::Stall { players: 12, length: Duration::from_millis(200) };
    // What comes after it is on its way to the players.
    let after = AtomicU64::new(u64::MAX);
    let found = load(fault, &["--users", "12"], |relay| {
        if relay.faults() == 12 {
            after.fetch_min(relay.snapshots() + 12 * 30, Relaxed);
        }
        relay.snapshots() > after.load(Relaxed)
    });
    let at = found.relay.stall_at().expect("there was one");
    let stall = found.report.stalls.iter().find(|stall| stall.tick == at.0).expect("it is in the report");
    assert!(stall.players == 12 && stall.gap_ms >= 200.0, "{stall:?}");
    assert!(String::from_utf8_lossy(&found.output.stdout).contains(&stall.match_id), "and on the terminal");
}

#[test]
fn one_dropped_input_in_a_thousand_is_found() {
    let found = load(Fault::DropInput { one_in: 1_000 }, &["--users", "16"], |relay| relay.inputs() > 5_000);
    found.fails_with("inputs_lost");
    let counts = &found.report.counts;
    assert!(counts.inputs_lost <= found.relay.faults(), "none is called lost that was not: {counts:?}");
}

#[test]
fn a_leaked_seat_is_found() {
    let found = load(Fault::LeakSeat, &["--users", "8"], |relay| relay.snapshots() > 8 * 60);
    found.fails_with("leaked_seats");
    assert_eq!(found.report.leaked_seats, Some(1));
}

/// Four players whose line drops between Hello and Welcome, both as they come in and as they
/// return. Each has come in, lost its connection, and lost it again when it returned.
fn flaky(fault: Fault) -> Found {
    let after = AtomicU64::new(u64::MAX);
    load(fault, &["--users", "4", "--mix", "flaky"], |relay| {
        if relay.closed() >= 4 * 3 {
            after.fetch_min(relay.snapshots() + 4 * 60, Relaxed);
        }
        relay.snapshots() > after.load(Relaxed)
    })
}

#[test]
fn a_line_that_drops_twice_costs_no_seat() {
    let found = flaky(Fault::None);
    let counts = &found.report.counts;
    assert!(found.output.status.success(), "{}", String::from_utf8_lossy(&found.output.stdout));
    assert_eq!((counts.joins, counts.join_failures, counts.resume_failures), (4, 0, 0), "{:?}", found.report.errors);
    assert!(counts.resumes >= 4, "{counts:?}");
}

#[test]
fn a_server_that_spends_a_token_before_the_next_is_known_is_found() {
    let found = flaky(Fault::SpendAtOnce);
    found.fails_with("resume_failures");
    assert!(found.report.errors.keys().any(|error| error.contains("bad_resume")), "{:?}", found.report.errors);
    assert_eq!(found.report.counts.join_failures, 0, "tickets hold: {:?}", found.report.errors);
}

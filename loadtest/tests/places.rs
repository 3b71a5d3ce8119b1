//! Servers as people write them: by name, by address of either family, as a URL.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/server.rs"]
mod server;

use std::net::Ipv6Addr;

use server::{run_at_until, start};
use tickwire_loadtest::report::{Report, json};
use tickwire_server::server::RunningServer;
use tickwire_testkit::Api;
use tickwire_testkit::target::any_like;

/// What five players found at `place`, who stayed until each had played a while.
fn play(place: &str, server: &RunningServer, arguments: &[&str]) -> Report {
    let dir = tempfile::tempdir().expect("a folder");
    let [ops, folder] = [server.ops_addr().to_string(), dir.path().display().to_string()];
    let common = ["--users", "5", "--run-time", "5m", "--increase-time", "1s", "--ops", &ops, "--report-dir", &folder];
    let mut frames_at_start = None;
    let output = run_at_until(place, &[&common, arguments].concat(), || {
        let frames = figure(server, "tickwire_sent_frames_total");
        if figure(server, "tickwire_connections{state=\"authenticated\"}") < 5.0 {
            return false;
        }
        frames >= *frames_at_start.get_or_insert(frames) + 150.0
    });
    json::read(&dir.path().join("report.json")).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The sum of what the server's metrics say of a family, or of one of its series.
fn figure(server: &RunningServer, name: &str) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let ops = Api::new(server.ops_addr(), any_like(server.ops_addr()));
    let text = runtime.block_on(ops.get_text("/metrics")).expect("metrics");
    text.lines().filter(|line| line.starts_with(name)).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// A run that Ctrl-C ended says so; this is what else it warns of.
fn warnings(report: &Report) -> Vec<&str> {
    report.verdict.warnings.iter().map(String::as_str).filter(|warning| !warning.starts_with("the run was ended")).collect()
}

#[test]
fn a_name_and_a_url_lead_to_a_server_of_ipv4() {
    let server = start(|_| {});
    let port = server.play_addr().port();
    for place in [format!("localhost:{port}"), format!("http://127.0.0.1:{port}/")] {
        for spread in ["2", "0"] {
            let report = play(&place, &server, &["--users-per-address", spread]);
            assert_eq!((report.run.users, report.run.users_played), (5, 5), "{place}: {:?}", report.errors);
            assert_eq!(warnings(&report), Vec::<&str>::new());
        }
    }
}

#[test]
fn an_ipv6_address_and_a_name_lead_to_a_server_of_ipv6() {
    if std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        eprintln!("left out: this machine has no IPv6");
        return;
    }
    let server = start(|config| config.bind = Ipv6Addr::LOCALHOST.into());
    let port = server.play_addr().port();
    let spread = play(&format!("[::1]:{port}"), &server, &["--users-per-address", "2"]);
    assert_eq!(spread.run.users_played, 5, "{:?}", spread.errors);
    assert!(spread.verdict.warnings.iter().any(|warning| warning.contains("all 5 players come from ::1")), "{:?}", spread.verdict.warnings);
    let named = play(&format!("localhost:{port}"), &server, &["--users-per-address", "0"]);
    assert_eq!(named.run.users_played, 5, "{:?}", named.errors);
}

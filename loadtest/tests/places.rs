//! Servers as people write them: by name, by address of either family, as a URL.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/server.rs"]
mod server;

use std::net::Ipv6Addr;

use server::{run_at, start};
use tickwire_loadtest::report::{Report, json};
use tickwire_server::server::RunningServer;

/// What five players found at `place`, two to an address.
fn play(place: &str, server: &RunningServer, arguments: &[&str]) -> Report {
    let dir = tempfile::tempdir().expect("a folder");
    let [ops, folder] = [server.ops_addr().to_string(), dir.path().display().to_string()];
    let common = ["--users", "5", "--run-time", "2s", "--increase-time", "1s", "--ops", &ops, "--report-dir", &folder];
    let output = run_at(place, &[&common, arguments].concat());
    json::read(&dir.path().join("report.json")).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_name_and_a_url_lead_to_a_server_of_ipv4() {
    let server = start(|_| {});
    let port = server.play_addr().port();
    for place in [format!("localhost:{port}"), format!("http://127.0.0.1:{port}/")] {
        for spread in ["2", "0"] {
            let report = play(&place, &server, &["--users-per-address", spread]);
            assert_eq!((report.run.users, report.run.users_played), (5, 5), "{place}: {:?}", report.errors);
            assert_eq!(report.verdict.warnings, Vec::<String>::new());
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

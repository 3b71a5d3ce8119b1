//! The search for the most players that a server holds.

#![allow(clippy::expect_used)] // helpers of tests: failing by panicking is their work

#[path = "common/server.rs"]
mod server;

use server::{run, start};
use tickwire_loadtest::report::json;

#[test]
fn a_server_that_holds_all_there_are_has_not_shown_its_limit() {
    let server = start(|_| {});
    let dir = tempfile::tempdir().expect("a folder");
    let (ops, report) = (server.ops_addr().to_string(), dir.path().display().to_string());
    let search = ["--find-capacity", "--capacity-from", "4", "--users", "5", "--capacity-hold", "1s"];
    let output = run(server.play_addr(), &[&search[..], &["--ops", &ops, "--report-dir", &report]].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    let found = json::read(&dir.path().join("report.json")).expect("a report").capacity.expect("there was a search");
    // A busy machine may break the service level even for five players; then the search must have stopped there.
    match found.broke_at {
        None => assert!(found.users == 5 && !found.is_server_limit && found.steps.len() == 2, "{text}"),
        Some(at) => assert!(found.users < at && found.steps.iter().any(|step| !step.held), "{text}"),
    }
    assert!(text.contains("Capacity"), "{text}");
}

#[test]
fn a_server_without_room_breaks_where_its_seats_end() {
    let server = start(|config| config.matches.matches_max = 1);
    let dir = tempfile::tempdir().expect("a folder");
    let (ops, report) = (server.ops_addr().to_string(), dir.path().display().to_string());
    let search = ["--find-capacity", "--capacity-from", "17", "--users", "17", "--capacity-hold", "1s"];
    run(server.play_addr(), &[&search[..], &["--ops", &ops, "--report-dir", &report]].concat());
    let found = json::read(&dir.path().join("report.json")).expect("a report").capacity.expect("there was a search");
    assert_eq!((found.users, found.broke_at), (0, Some(17)));
    assert_eq!(found.reason, "only 16 of 17 players could be seated");
}

//! What cannot work is refused before anyone is sent, in one line that says what to do; what goes wrong later still gives a report.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/server.rs"]
mod server;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use server::{run, start};
use tickwire_loadtest::report::json;

/// The one line on standard error.
fn refused(server: SocketAddr, arguments: &[&str]) -> String {
    let output = run(server, arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

/// Answers every request with `body`.
fn impostor(body: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
        }
    });
    address
}

#[test]
fn a_server_that_is_not_there() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let nobody = listener.local_addr().expect("bound");
    drop(listener);
    let line = refused(nobody, &[]);
    assert!(line.contains(&format!("no server at {nobody}")) && line.contains("--hash-every"), "{line}");
}

#[test]
fn a_server_that_is_something_else_or_another_version() {
    let line = refused(impostor("{\"hello\": 1}"), &[]);
    assert!(line.contains("is no Tickwire server"), "{line}");
    let line = refused(impostor(r#"{"game":"arena","protocol":9999,"schema":"0","modes":[]}"#), &[]);
    assert!(line.contains("the server speaks protocol 9999"), "{line}");
}

#[test]
fn what_the_server_or_this_machine_does_not_have() {
    let server = start(|_| {});
    let address = server.play_addr();
    let line = refused(address, &["--mode", "chess"]);
    assert!(line.contains("there is no mode `chess`; there are ffa"), "{line}");
    let line = refused(address, &["--users", "100000000"]);
    assert!(line.contains("file descriptors") && line.contains("ulimit -n"), "{line}");
    let line = refused(address, &["--mix", "spectate"]);
    assert!(line.contains("--admin-token-file"), "{line}");
    let line = refused(address, &["--replay", "no/such/file"]);
    assert!(line.contains("no/such/file"), "{line}");
}

#[test]
fn thresholds_that_make_no_sense() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("bounds.toml");
    std::fs::write(&path, "divergences = \"= 0\"\n\"gap.p98_ms\" = \"< 50\"\n").expect("written");
    let server = start(|_| {});
    let line = refused(server.play_addr(), &["--thresholds", &path.display().to_string()]);
    assert!(line.contains("bounds.toml:2") && line.contains("did you mean"), "{line}");
}

#[test]
fn an_operators_token_that_is_refused_shows_in_the_report() {
    let dir = tempfile::tempdir().expect("a folder");
    let (right, wrong) = (dir.path().join("right"), dir.path().join("wrong"));
    std::fs::write(&right, "0123456789abcdef0123456789abcdef").expect("written");
    std::fs::write(&wrong, "fedcba9876543210fedcba9876543210").expect("written");
    let server = start(|config| {
        config.admin.enabled = true;
        config.admin.token_file = Some(right.clone());
    });
    let admin = server.admin_addr().expect("there is one").to_string();
    let watch = |token: &std::path::Path| {
        let (token, report) = (token.display().to_string(), dir.path().join("report"));
        let arguments = ["--users", "6", "--run-time", "3s", "--increase-time", "1s", "--mix", "play:2,spectate:1", "--ops", "off"];
        let extra = ["--admin", &admin, "--admin-token-file", &token, "--report-dir", &report.display().to_string()];
        let output = run(server.play_addr(), &[&arguments[..], &extra[..]].concat());
        (output, json::read(&report.join("report.json")).expect("a report"))
    };
    let (output, report) = watch(&right);
    assert_eq!(report.counts.joins, 6, "{}", String::from_utf8_lossy(&output.stdout));
    let (output, report) = watch(&wrong);
    let errors: Vec<&String> = report.errors.keys().collect();
    assert!(report.counts.joins >= 4 && report.counts.join_failures > 0, "{}", String::from_utf8_lossy(&output.stdout));
    assert!(errors.iter().any(|error| error.contains("401")), "{errors:?}");
}

//! What cannot work is refused before anyone is sent, in one line that says what to do; what goes wrong later still gives a report.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/server.rs"]
mod server;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use http::Method;
use server::{run, run_at, start};
use tickwire_loadtest::report::json;
use tickwire_testkit::Api;

/// The one line on standard error.
fn refused(server: SocketAddr, arguments: &[&str]) -> String {
    let output = run(server, arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

/// Answers every request so.
fn impostor(status: &'static str, body: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = write!(stream, "{status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
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
    let line = refused(impostor("HTTP/1.1 200 OK", "{\"hello\": 1}"), &[]);
    assert!(line.contains("is no Tickwire server") && line.contains("/api/info says missing field `game`"), "{line}");
    let line = refused(impostor("HTTP/1.1 404 Not Found", "<h1>nothing here</h1>"), &[]);
    assert!(line.contains("is no Tickwire server") && line.contains("404 Not Found and no JSON"), "{line}");
    let line = refused(impostor("SSH-2.0-OpenSSH_9.2", ""), &[]);
    assert!(line.contains("is no Tickwire server") && line.contains("no HTTP"), "{line}");
    let server = start(|_| {});
    let line = refused(server.ops_addr(), &[]);
    assert!(line.contains("is no Tickwire server for players") && line.contains("404"), "{line}");
    let line = refused(impostor("HTTP/1.1 200 OK", r#"{"game":"arena","protocol":9999,"schema":"0","modes":[]}"#), &[]);
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
fn a_place_that_is_none_or_that_no_name_leads_to() {
    for (server, why) in [("localhost", "the port is missing"), ("::1:8080", "in brackets"), ("ftp://game.example", "https://HOST:PORT")] {
        let output = run_at(server, &[]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && text.contains(why), "{text}");
    }
    let output = run_at("no..name:8080", &[]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && text.contains("no server at no..name:8080") && text.lines().count() == 1, "{text}");
}

#[test]
fn a_report_that_cannot_be_written_or_compared_with() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("file");
    std::fs::write(&file, "{\"format\": 1}").expect("written");
    let path = file.display().to_string();
    let server = start(|_| {});
    let line = refused(server.play_addr(), &["--report-dir", &format!("{path}/report")]);
    assert!(line.contains("cannot create the report folder"), "{line}");
    let line = refused(server.play_addr(), &["--against", &path]);
    assert!(line.contains("--against") && line.contains("has report format 1") && line.contains("run the test again"), "{line}");
    let line = refused(server.play_addr(), &["--against", "no/such/report.json"]);
    assert!(line.contains("cannot read no/such/report.json"), "{line}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_a_call_and_never_answers() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let api = Api::new(silent.local_addr().expect("bound"), Ipv4Addr::UNSPECIFIED.into());
    let error = api.call(Method::GET, "/api/info", None).await.expect_err("nobody answers");
    assert!(error.to_string().contains("did not answer within"), "{error}");
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

//! `tickwire --supervise`: a server that dies is started again on the same ports, and nobody who
//! connects meanwhile is refused.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work
#![cfg(unix)]

#[path = "common/http.rs"]
mod http;
#[path = "common/supervised.rs"]
mod supervised;

use std::io::{Read, Write};
use std::net::TcpStream;

use http::get;
use supervised::Supervised;

#[test]
fn a_server_that_is_killed_is_started_again_on_the_same_port() {
    let mut supervised = Supervised::start(&[]);
    let first = supervised.started();
    let play = supervised.listening();
    assert_eq!(get(play, "/api/info").json()["game"], "tag");
    supervised::kill(first, "KILL");
    let died = supervised.says("server process died: starting another");
    assert_eq!((died["pid"].as_u64(), died["signal"].as_u64()), (Some(first), Some(9)), "{died}");
    let second = supervised.started();
    assert_ne!(first, second);
    assert_eq!(supervised.listening(), play);
    assert_eq!(get(play, "/api/info").json()["game"], "tag");
    assert_eq!(supervised.stop("TERM"), Some(0));
}

#[test]
fn who_connects_while_there_is_no_server_is_answered_by_the_next() {
    let mut supervised = Supervised::start(&[]);
    let first = supervised.started();
    let play = supervised.listening();
    // It takes no connection from now on, and dies without having looked at any of these.
    supervised::hold(first);
    let mut waiting: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(play).expect("nobody is refused")).collect();
    supervised::kill(first, "KILL");
    supervised.started();
    for stream in &mut waiting {
        stream.write_all(b"GET /api/info HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    assert_eq!(supervised.stop("TERM"), Some(0));
}

#[test]
fn a_program_that_was_replaced_is_started_as_it_is_by_then() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().expect("a folder");
    let program = dir.path().join("tickwire");
    let original = env!("CARGO_BIN_EXE_tickwire");
    if std::fs::hard_link(original, &program).is_err() {
        std::fs::copy(original, &program).expect("copied");
    }
    let mut supervised = Supervised::of(&program, &[]);
    let first = supervised.started();
    supervised.listening();
    std::fs::remove_file(&program).expect("removed");
    // The new build has but one thing to say.
    std::fs::write(&program, "#!/bin/sh\nexit 78\n").expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("made a program");
    supervised::kill(first, "KILL");
    let ended = supervised.says("the server has ended, and so does its supervisor");
    assert_eq!(ended["exit_code"], 78);
    assert_eq!(supervised.end(), Some(78));
}

#[test]
fn a_signal_to_the_supervisor_ends_both_in_order() {
    for signal in ["TERM", "INT"] {
        let mut supervised = Supervised::start(&[]);
        let server = supervised.started();
        supervised.listening();
        supervised.signal(signal);
        supervised.says("stopping; a second signal stops at once");
        supervised.says("stopped");
        supervised.says("the server has ended, and so does its supervisor");
        assert_eq!(supervised.end(), Some(0));
        assert!(!supervised::is_there(server), "{signal}");
    }
}

#[test]
fn a_hangup_is_handed_on_and_ends_nobody() {
    let mut supervised = Supervised::start(&["--tls-self-signed"]);
    let server = supervised.started();
    supervised.says("the certificate is looked at, on SIGHUP too");
    supervised.signal("HUP");
    supervised.says("SIGHUP: the certificate was made at the start and stays as it is");
    assert!(supervised::is_there(server));
    assert_eq!(supervised.stop("TERM"), Some(0));
}

#[test]
fn a_server_that_dies_each_time_is_given_up() {
    let mut supervised = Supervised::start(&["--set", "supervise.deaths_per_minute=3"]);
    for _ in 0..3 {
        let server = supervised.started();
        supervised::kill(server, "KILL");
    }
    let given_up = supervised.says("server process died too often within a minute: giving up");
    assert_eq!(given_up["deaths"], 3);
    assert_eq!(supervised.end(), Some(1));
}

#[test]
fn settings_that_cannot_work_are_not_tried_again() {
    // Good when the supervisor looks, and bad when the second server does.
    let dir = tempfile::tempdir().expect("a folder");
    let config = dir.path().join("tickwire.toml");
    std::fs::write(&config, "workers = 1\n").expect("written");
    let mut supervised = Supervised::start(&["--config", config.to_str().expect("UTF-8")]);
    let first = supervised.started();
    supervised.listening();
    std::fs::write(&config, "workres = 1\n").expect("written");
    supervised::kill(first, "KILL");
    supervised.started();
    let ended = supervised.says("the server has ended, and so does its supervisor");
    assert_eq!(ended["exit_code"], 78);
    assert_eq!(supervised.end(), Some(78));
}

#[test]
fn a_server_whose_supervisor_is_killed_stops_and_frees_its_port() {
    let mut supervised = Supervised::start(&[]);
    let server = supervised.started();
    let play = supervised.listening();
    supervised.signal("KILL");
    // Linux tells it; elsewhere it is up to whoever looks after the supervisor.
    if cfg!(target_os = "linux") {
        supervised.says("stopped");
        while std::net::TcpListener::bind(play).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    } else {
        supervised::kill(server, "KILL");
    }
}

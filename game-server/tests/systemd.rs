//! What systemd is told and hands over: the unit files are good, a socket of its is taken, and it
//! hears that the server listens, lives and stops.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work
#![cfg(unix)]

#[path = "common/http.rs"]
mod http;

use std::io::Read;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http::get;

/// How long systemd would wait.
const PATIENCE: Duration = Duration::from_secs(30);

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn tickwire(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
    command.args(["--game", "tag", "--port", "0", "--no-admin", "--drain-seconds", "0"]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/systemd");
    let dir = tempfile::tempdir().expect("a folder");
    for name in ["tickwire.service", "tickwire.socket"] {
        let unit = std::fs::read_to_string(units.join(name)).expect("it is there");
        // It must exist to be started.
        std::fs::write(dir.path().join(name), unit.replace("/usr/local/bin/tickwire", env!("CARGO_BIN_EXE_tickwire"))).expect("written");
    }
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--man=no", "--recursive-errors=no", "tickwire.service", "tickwire.socket"]).current_dir(dir.path());
    match verify.output() {
        Ok(output) => {
            let told = String::from_utf8_lossy(&output.stderr);
            let ours: Vec<&str> = told.lines().filter(|line| line.contains("tickwire")).collect();
            assert!(output.status.success() && ours.is_empty(), "{told}");
        }
        Err(error) => eprintln!("skipped: systemd-analyze cannot be run here ({error})"),
    }
}

#[test]
fn it_hears_that_the_server_listens_lives_and_stops() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("set");
    let hear = || {
        let mut message = [0; 256];
        let length = loop {
            match socket.recv(&mut message) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                heard => break heard.expect("told in time"),
            }
        };
        String::from_utf8_lossy(&message[..length]).into_owned()
    };
    // Without WATCHDOG_PID it is meant for whoever reads it.
    let child = tickwire(&[]).env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "20000").spawn().expect("the binary runs");
    let child = Killed(child);
    assert!(hear().starts_with("READY=1\n"), "first of all");
    for _ in 0..3 {
        assert_eq!(hear().trim_end(), "WATCHDOG=1");
    }
    let script = format!("kill -TERM {}", child.0.id());
    assert!(Command::new("sh").args(["-c", &script]).status().expect("a shell").success());
    while hear().trim_end() != "STOPPING=1" {}
}

#[test]
fn of_a_supervised_server_it_hears_the_same_again_and_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("set");
    let mut command = tickwire(&["--supervise", "--no-journal", "--log", "json"]);
    // To the supervisor as systemd has it: its own number.
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "20000").env("WATCHDOG_PID", "1");
    let mut supervisor = Killed(command.spawn().expect("the binary runs"));
    let log = std::io::BufRead::lines(std::io::BufReader::new(supervisor.0.stderr.take().expect("standard error")));
    let mut started = log.map_while(Result::ok).filter_map(|line| {
        let line: serde_json::Value = serde_json::from_str(&line).ok()?;
        (line["message"] == "server process started").then(|| line["pid"].as_u64())?
    });
    let send = |signal: &str, pid: u64| {
        assert!(Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status().expect("a shell").success());
    };
    for _ in 0..2 {
        let server = started.next().expect("a server");
        hear_until(&socket, "READY=1");
        hear_until(&socket, "WATCHDOG=1");
        send("KILL", server);
    }
    started.next().expect("a server");
    hear_until(&socket, "READY=1");
    send("TERM", u64::from(supervisor.0.id()));
    hear_until(&socket, "STOPPING=1");
    assert!(supervisor.0.wait().expect("a child").success());
}

/// Waits for a message that begins so.
fn hear_until(socket: &UnixDatagram, wanted: &str) {
    let mut message = [0; 256];
    loop {
        match socket.recv(&mut message) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            heard => {
                if message[..heard.expect("told in time")].starts_with(wanted.as_bytes()) {
                    return;
                }
            }
        }
    }
}

#[test]
fn settings_that_cannot_work_end_it_so_that_nobody_tries_again() {
    let refused = tickwire(&["--set", "gmae=tag"]).env("NOTIFY_SOCKET", "/nowhere").output().expect("the binary runs");
    assert_eq!(refused.status.code(), Some(78), "{refused:?}");
}

#[test]
fn a_socket_that_is_handed_over_is_listened_on() {
    // A shell hands over its descriptor 3 as systemd would; the test's own socket stays open beside
    // it.
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("bound");
    let mut command = tickwire(&[]);
    command.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", "play");
    let mapping = command_fds::FdMapping { parent_fd: socket.into(), child_fd: 3 };
    command_fds::CommandFdExt::fd_mappings(&mut command, vec![mapping]).expect("one only");
    let child = Killed(command.spawn().expect("the binary runs"));
    drop(command);
    assert_eq!(get(address, "/api/info").json()["game"], "tag");
    drop(child);
}

#[test]
fn a_socket_that_nobody_knows_is_refused() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut command = tickwire(&[]);
    command.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", "tickwire.socket");
    let mapping = command_fds::FdMapping { parent_fd: socket.into(), child_fd: 3 };
    command_fds::CommandFdExt::fd_mappings(&mut command, vec![mapping]).expect("one only");
    let mut child = Killed(command.spawn().expect("the binary runs"));
    let mut told = String::new();
    child.0.stderr.take().expect("standard error").read_to_string(&mut told).expect("UTF-8");
    assert!(told.contains("called `tickwire.socket` was handed over: call it play, admin, ops or redirect"), "{told}");
    assert_eq!(child.0.wait().expect("a child").code(), Some(1));
}

//! The `tickwire` binary: three lines when it is ready, one line when it cannot start, and an
//! orderly end.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work
#![cfg(unix)]

#[path = "common/http.rs"]
mod http;

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use http::get;

/// How long it may take to stop; its own patience with players is longer where that is what a test
/// is about.
const PATIENCE: Duration = Duration::from_secs(30);
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn tickwire(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (variable, _) in std::env::vars_os().filter(|(variable, _)| variable.to_string_lossy().starts_with("TICKWIRE_")) {
        command.env_remove(variable);
    }
    command
}

/// What it says of why it does not start.
fn refusal(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("the binary runs");
    assert_eq!(status.code(), Some(1));
    assert!(stdout.is_empty(), "nothing on standard output");
    let error = String::from_utf8(stderr).expect("UTF-8");
    assert_eq!(error.lines().count(), 1, "one line: {error}");
    assert!(error.starts_with("tickwire: "), "{error}");
    error
}

/// A running server.
struct Running {
    child: Child,
    play: SocketAddr,
    lines: Vec<String>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        Self::start_in(arguments, &[])
    }

    /// With these variables in the environment.
    fn start_in(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = tickwire(arguments).envs(environment.iter().copied()).spawn().expect("the binary runs");
        let expected = if arguments.contains(&"--no-admin") { 2 } else { 3 };
        let stdout = BufReader::new(child.stdout.take().expect("standard output"));
        let lines: Vec<String> = stdout.lines().take(expected).collect::<Result<_, _>>().expect("lines");
        let play = lines.first().and_then(|line| line.strip_prefix("tickwire: play   http://")).and_then(|line| line.strip_suffix('/'));
        let play = play.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("no address in {lines:?}"));
        Self { child, play, lines }
    }

    fn signal(&self, name: &str) {
        let script = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &script]).status().expect("a shell").success());
    }

    /// The exit code, and what it logged.
    fn end(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(Instant::now() < deadline, "it did not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut log = String::new();
        self.child.stderr.take().expect("standard error").read_to_string(&mut log).expect("UTF-8");
        (status.code(), log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let token = dir.path().join("token");
    std::fs::write(&token, TOKEN).expect("a token file");
    (dir, token)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn it_says_where_it_is_when_it_is_ready() {
    let (_dir, token) = folder();
    let running = Running::start(&["--game", "tag", "--port", "0", "--admin-token-file", text(&token)]);
    assert_eq!(get(running.play, "/api/info").json()["game"], "tag", "ready when it says so");
    let [_, admin, ops] = &running.lines[..] else { panic!("three lines") };
    let admin = admin.strip_prefix("tickwire: admin  http://").and_then(|line| line.strip_suffix(&format!("/admin/#token={TOKEN}")));
    let admin: SocketAddr = admin.and_then(|address| address.parse().ok()).expect("the operator's link");
    let ops = ops.strip_prefix("tickwire: ops    http://").and_then(|line| line.strip_suffix("/metrics"));
    let ops: SocketAddr = ops.and_then(|address| address.parse().ok()).expect("the metrics' link");
    assert_eq!(get(admin, "/admin/api/matches").status, 401);
    assert_eq!(get(ops, "/readyz").status, 200);
    running.signal("TERM");
    let (code, log) = running.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains(TOKEN) && log.contains("stopped"), "{log}");
}

#[test]
fn arena_runs_unless_told_otherwise() {
    let running = Running::start(&["--port", "0", "--no-admin", "--log", "json"]);
    assert_eq!(get(running.play, "/api/info").json()["game"], "arena");
    running.signal("INT");
    let (code, log) = running.end();
    assert_eq!(code, Some(0));
    for line in log.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line["message"].is_string()), "{line}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let running = Running::start(&["--port", "0", "--no-admin", "--game", "tag", "--drain-seconds", "60"]);
    let token = http::guest(running.play);
    let mode = get(running.play, "/api/info").json()["modes"][0]["id"].as_str().expect("a mode").to_owned();
    // A reserved seat: somebody plays, or is about to.
    assert_eq!(http::post(running.play, "/api/quick-play", Some(&token), &format!(r#"{{"mode":"{mode}"}}"#)).status, 200);
    running.signal("TERM");
    while http::post(running.play, "/api/session", None, r#"{"name":"late"}"#).status != 503 {
        std::thread::sleep(Duration::from_millis(10));
    }
    running.signal("TERM");
    assert_eq!(running.end().0, Some(130));
}

#[test]
fn what_is_missing_is_said_in_one_line() {
    let (dir, token) = folder();
    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).expect("a folder");
    assert!(refusal(&mut tickwire(&["--port", "0"])).contains("--admin-token-file"));
    let short = dir.path().join("short");
    std::fs::write(&short, "short").expect("a token file");
    assert!(refusal(&mut tickwire(&["--port", "0", "--admin-token-file", text(&short)])).contains("16"));
    let no_page = refusal(&mut tickwire(&["--port", "0", "--admin-token-file", text(&token), "--web-dir", text(&empty)]));
    assert!(no_page.contains("there is no page in") && no_page.contains(text(&empty)), "{no_page}");
    let too_many = refusal(&mut tickwire(&["--port", "0", "--no-admin", "--set", "connections.total=2000000000"]));
    assert!(too_many.contains("connections.total = 2000000000") && too_many.contains("LimitNOFILE"), "{too_many}");
    assert!(refusal(&mut tickwire(&["--no-admin", "--set", "gmae=tag"])).contains("unknown setting `gmae`"));
    assert!(refusal(&mut tickwire(&["--no-admin", "--set", "game=chess"])).contains("no game `chess`"));
    assert!(refusal(tickwire(&["--no-admin"]).env("TICKWIRE_PROT", "1")).contains("unknown setting `prot`"));
    assert!(refusal(&mut tickwire(&["--config", "/no/such/file"])).contains("/no/such/file"));
}

#[test]
fn a_port_in_use_is_said_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let error = refusal(&mut tickwire(&["--no-admin", "--no-journal", "--port", &address.port().to_string()]));
    assert!(error.contains(&format!("cannot listen on {address} for players")), "{error}");
}

#[test]
fn settings_can_be_checked_and_shown() {
    let (dir, token) = folder();
    let checked = tickwire(&["--check-config", "--admin-token-file", text(&token)]).output().expect("the binary runs");
    assert!(checked.status.success(), "{checked:?}");
    assert!(refusal(&mut tickwire(&["--check-config"])).contains("--admin-token-file"));

    let shown = tickwire(&["--print-config", "--game", "tag", "--port", "7777", "--match-seconds", "9"]).output().expect("the binary runs");
    let shown = String::from_utf8(shown.stdout).expect("UTF-8");
    assert!(shown.contains("port = 7777") && shown.contains("live_seconds = 9") && shown.contains("game = \"tag\""), "{shown}");
    let file = dir.path().join("tickwire.toml");
    std::fs::write(&file, &shown).expect("a config file");
    let again = tickwire(&["--config", text(&file), "--print-config"]).output().expect("the binary runs");
    assert_eq!(String::from_utf8(again.stdout).expect("UTF-8"), shown, "what is printed is what is read");
}

/// A server that ends with its log.
fn log_of(arguments: &[&str], ask: impl FnOnce(SocketAddr)) -> String {
    let running = Running::start(&[&["--game", "tag", "--port", "0", "--no-admin"], arguments].concat());
    ask(running.play);
    running.signal("TERM");
    let (code, log) = running.end();
    assert_eq!(code, Some(0), "{log}");
    log
}

#[test]
fn a_page_that_may_not_connect_leaves_one_line_that_says_what_mends_it() {
    let log = log_of(&[], |play| {
        for _ in 0..3 {
            let answer = http::handshake(play, "/ws", &[("Origin", "https://play.example"), ("X-Forwarded-Host", "play.example")]).1;
            assert_eq!(answer.status, 403);
        }
        http::request(play, "POST", "/api/session", &[("Origin", "https://play.example")], "");
    });
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("a page cannot open its WebSocket")).collect();
    let [line] = lines[..] else { panic!("one line in {log}") };
    for part in [
        "WARN",
        "proxy_set_header Host",
        "allowed_origins",
        "origin=\"https://play.example\"",
        "host=\"127.0.0.1:",
        "forwarded_host=\"play.example\"",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[test]
fn a_page_of_another_game_is_named_at_the_start() {
    let (dir, _) = folder();
    let web_dir = ["--web-dir", text(dir.path())];
    let write = |game: &str| std::fs::write(dir.path().join("index.html"), format!("<meta name=\"tickwire-game\" content=\"{game}\">"));
    write("arena").expect("a page");
    let log = log_of(&web_dir, |_| ());
    assert_eq!(log.lines().filter(|line| line.contains("the page is of the game `arena`, and this server runs `tag`")).count(), 1, "{log}");
    write("tag").expect("a page");
    assert!(!log_of(&web_dir, |_| ()).contains("the page is of"), "its own page");
}

#[test]
fn a_home_that_cannot_be_written_costs_the_matches_and_not_the_start() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let nowhere = [("HOME", "/dev/null"), ("XDG_STATE_HOME", ""), ("STATE_DIRECTORY", "")];
    let port = free.port().to_string();
    let running = Running::start_in(&["--port", &port, "--no-admin", "--set", "ops.port=0", "--game", "tag"], &nowhere);
    assert_eq!(get(running.play, "/api/info").json()["game"], "tag");
    running.signal("TERM");
    let (code, log) = running.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("matches are not kept"), "{log}");
}

#[test]
fn a_server_that_froze_says_so_by_its_exit_code() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let running = Running::start(&["--port", "0", "--no-admin", "--game", "tag", "--state-dir", text(dir.path())]);
    running.signal("USR2");
    let (code, log) = running.end();
    assert_eq!(code, Some(75), "{log}");
}

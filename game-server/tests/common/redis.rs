//! A Redis of the test's own, and servers that share it.

#![allow(dead_code)] // every test uses a part of it
#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

use std::fs;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::http::get;

/// A Redis that ends with the test.
pub(crate) struct Redis {
    child: Child,
    port: u16,
    dir: TempDir,
    is_tls: bool,
}

/// Of a Redis with TLS, in its folder. The certificate signs itself.
const CERTIFICATE: &str = "redis.crt";
const KEY: &str = "redis.key";

impl Redis {
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), false)
    }

    /// One that hears nobody without TLS.
    pub(crate) fn start_with_tls() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        fs::write(dir.path().join(CERTIFICATE), made.cert.pem()).expect("written");
        fs::write(dir.path().join(KEY), made.signing_key.serialize_pem()).expect("written");
        Self::start_in(dir, true)
    }

    fn start_in(dir: TempDir, is_tls: bool) -> Self {
        // It takes no port that the system chooses: one that was free just now.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
        let child = Self::spawn(port, &dir, is_tls);
        Self { child, port, dir, is_tls }
    }

    fn spawn(port: u16, dir: &TempDir, is_tls: bool) -> Child {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]).arg(dir.path());
        if is_tls {
            let (certificate, key) = (dir.path().join(CERTIFICATE), dir.path().join(KEY));
            command.args(["--port", "0", "--tls-auth-clients", "no", "--tls-port", &port.to_string(), "--tls-cert-file"]);
            command.arg(&certificate).arg("--tls-ca-cert-file").arg(&certificate).arg("--tls-key-file").arg(key);
        } else {
            command.args(["--port", &port.to_string()]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("redis-server is installed: `cargo xtask test` does that");
        let is_there = (0..400).any(|_| {
            is_answering(port, is_tls) || {
                sleep(Duration::from_millis(25));
                false
            }
        });
        assert!(is_there, "redis-server does not answer on port {port}");
        child
    }

    pub(crate) fn url(&self) -> String {
        if self.is_tls { format!("rediss://localhost:{}/", self.port) } else { format!("redis://127.0.0.1:{}/", self.port) }
    }

    /// The file of the certificate that its clients must trust.
    pub(crate) fn certificate(&self) -> Option<PathBuf> {
        self.is_tls.then(|| self.dir.path().join(CERTIFICATE))
    }

    /// It dies, with all that it had.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("a child");
        self.child.wait().expect("a child");
    }

    /// It is there again, empty.
    pub(crate) fn restart(&mut self) {
        self.child = Self::spawn(self.port, &self.dir, self.is_tls);
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two servers that know of each other.
pub(crate) fn pair(redis: &Redis, arguments: &[&str]) -> [Server; 2] {
    let servers = ["a", "b"].map(|name| Server::start(redis, name, arguments));
    let origin = |server: &Server| format!("http://{}", server.play);
    for (server, other) in [(&servers[0], origin(&servers[1])), (&servers[1], origin(&servers[0]))] {
        let knows = || get(server.play, "/api/info").header("content-security-policy").is_some_and(|policy| policy.contains(&other));
        let known = (0..400).any(|_| {
            knows() || {
                sleep(Duration::from_millis(25));
                false
            }
        });
        assert!(known, "never: a page of one server may connect to the other");
    }
    servers
}

fn is_answering(port: u16, is_tls: bool) -> bool {
    let mut answer = [0; 5];
    let connected = TcpStream::connect(("127.0.0.1", port));
    if is_tls {
        return connected.is_ok();
    }
    let asked = connected.and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        stream.read_exact(&mut answer)
    });
    asked.is_ok() && &answer == b"+PONG"
}

/// A server of a cluster, in a process of its own.
pub(crate) struct Server {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    told: Lines<BufReader<ChildStdout>>,
    pub(crate) play: SocketAddr,
}

impl Server {
    /// Server `name` of those that share `redis`.
    pub(crate) fn start(redis: &Redis, name: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
        command.args(["--game", "tag", "--port", "0", "--no-admin", "--log", "json", "--hash-every", "1", "--set", "workers=1"]);
        command.args(["--set", "headroom.busy_percent=0", "--set", "headroom.late_percent=0", "--set", "memory.brake_percent=0"]);
        command.args(["--set", "matches.countdown_seconds=0", "--store", &redis.url(), "--node-id", name]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // As if the system knew who signed it.
        command.envs(redis.certificate().map(|file| ("SSL_CERT_FILE", file)));
        for (variable, _) in std::env::vars_os().filter(|(variable, _)| variable.to_string_lossy().starts_with("TICKWIRE_")) {
            command.env_remove(variable);
        }
        let mut child = command.spawn().expect("the binary runs");
        let log = BufReader::new(child.stderr.take().expect("standard error")).lines();
        let mut told = BufReader::new(child.stdout.take().expect("standard output")).lines();
        let line = told.find_map(|line| line.expect("UTF-8").strip_prefix("tickwire: play   http://").map(str::to_owned));
        let play = line.and_then(|line| line.strip_suffix('/')?.parse().ok()).expect("it says where it listens");
        Self { child, log, told, play }
    }

    /// The next line of the log with this message.
    pub(crate) fn says(&mut self, message: &str) -> Value {
        let mut seen = Vec::new();
        for line in self.log.by_ref() {
            let line: Value = serde_json::from_str(&line.expect("UTF-8")).unwrap_or_default();
            if line["message"] == message {
                return line;
            }
            seen.push(line.to_string());
        }
        panic!("it ended and never said `{message}`: {seen:#?}")
    }

    pub(crate) fn signal(&self, signal: &str) {
        let script = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &script]).status().expect("a shell").success());
    }

    /// Its exit code, once it has ended.
    pub(crate) fn end(&mut self) -> Option<i32> {
        self.child.wait().expect("a child").code()
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("a child");
        self.child.wait().expect("a child");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let lines = self.log.by_ref().map_while(Result::ok);
            lines.for_each(|line| eprintln!("{}: {line}", self.play));
        }
    }
}

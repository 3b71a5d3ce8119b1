//! `tickwire --supervise` with its log, a line at a time.

#![allow(dead_code)] // every test uses a part of it

use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use serde_json::Value;

/// A supervisor, and whatever it started.
pub(crate) struct Supervised {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    told: Lines<BufReader<ChildStdout>>,
    /// The newest server.
    server: Option<u64>,
}

impl Supervised {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::of(Path::new(env!("CARGO_BIN_EXE_tickwire")), arguments)
    }

    /// Starts `program` in place of the tests' own binary.
    pub(crate) fn of(program: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(["--supervise", "--port", "0", "--no-admin", "--log", "json", "--drain-seconds", "0"]);
        command.args(["--set", "workers=1"]).args(arguments);
        if !arguments.contains(&"--game") {
            command.args(["--game", "tag"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (variable, _) in std::env::vars_os().filter(|(variable, _)| variable.to_string_lossy().starts_with("TICKWIRE_")) {
            command.env_remove(variable);
        }
        let mut child = command.spawn().expect("the binary runs");
        let log = BufReader::new(child.stderr.take().expect("standard error")).lines();
        let told = BufReader::new(child.stdout.take().expect("standard output")).lines();
        Self { child, log, told, server: None }
    }

    /// The next line of the log with this message.
    pub(crate) fn says(&mut self, message: &str) -> Value {
        let lines = self.log.by_ref().map(|line| serde_json::from_str::<Value>(&line.expect("UTF-8")).unwrap_or_default());
        let mut seen = Vec::new();
        for line in lines {
            if line["message"] == message {
                return line;
            }
            seen.push(line.to_string());
        }
        panic!("it ended and never said `{message}`: {seen:#?}")
    }

    /// The process of the next server.
    pub(crate) fn started(&mut self) -> u64 {
        let pid = self.says("server process started")["pid"].as_u64().expect("a number");
        self.server = Some(pid);
        pid
    }

    /// Where the next server says that players connect.
    pub(crate) fn listening(&mut self) -> SocketAddr {
        let mut lines = self.told.by_ref().map(|line| line.expect("UTF-8"));
        let found = lines.find_map(|line| line.strip_prefix("tickwire: play   http://")?.strip_suffix('/')?.parse().ok());
        found.expect("it says where it listens")
    }

    /// Sends a signal to the supervisor.
    pub(crate) fn signal(&self, signal: &str) {
        kill(u64::from(self.child.id()), signal);
    }

    /// Asks it to stop. Returns its exit code.
    pub(crate) fn stop(&mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        self.end()
    }

    /// Its exit code, once it has ended.
    pub(crate) fn end(&mut self) -> Option<i32> {
        self.child.wait().expect("a child").code()
    }
}

/// Sends a signal to a process of this test.
pub(crate) fn kill(pid: u64, signal: &str) {
    let script = format!("kill -{signal} {pid}");
    assert!(Command::new("sh").args(["-c", &script]).status().expect("a shell").success());
}

/// Whether there is such a process.
pub(crate) fn is_there(pid: u64) -> bool {
    Command::new("sh").args(["-c", &format!("kill -0 {pid} 2>/dev/null")]).status().expect("a shell").success()
}

impl Drop for Supervised {
    fn drop(&mut self) {
        // The server first: nobody else ends it if the supervisor is gone before it has told it.
        if let Some(server) = self.server.filter(|_| self.child.try_wait().is_ok_and(|status| status.is_none())) {
            let _ = Command::new("sh").args(["-c", &format!("kill -KILL {server} 2>/dev/null")]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Stops a process of this test, and returns when none of its threads runs any more.
pub(crate) fn hold(pid: u64) {
    kill(pid, "STOP");
    let runs = || {
        // Elsewhere than on Linux there is no such folder, and the signal has to do.
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().filter_map(Result::ok);
        let states = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok());
        states.into_iter().any(|stat| !stat.rsplit_once(')').is_some_and(|(_, state)| state.trim_start().starts_with('T')))
    };
    while runs() {
        std::thread::yield_now();
    }
}

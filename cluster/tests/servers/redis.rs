//! Redis servers that a test starts on ports of its own and ends by their process ids.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// Tries to start a server: somebody else may take the port that was free.
const STARTS_MAX: usize = 5;

/// A server that listens on the loopback and keeps nothing unless it is told to.
pub(crate) struct Server {
    pub(crate) port: u16,
    folder: TempDir,
    arguments: Vec<String>,
    child: Child,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        (0..STARTS_MAX).find_map(|_| Self::try_start(free_port(), arguments)).expect("redis-server does not start: its log is above")
    }

    pub(crate) fn start_on(port: u16, arguments: &[&str]) -> Self {
        Self::try_start(port, arguments).expect("redis-server does not start: its log is above")
    }

    /// A Sentinel, of one that may decide alone, for the master called `main`.
    pub(crate) fn start_sentinel(master: u16) -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let file = folder.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {master} 1\n\
             sentinel down-after-milliseconds main 2000\nsentinel failover-timeout main 4000\n"
        );
        fs::write(&file, text).expect("there is room for a file");
        let mut command = Command::new("redis-server");
        command.arg(&file).args(["--sentinel", "--logfile"]).arg(folder.path().join("log"));
        let child = quiet(&mut command);
        let mut server = Self { port, folder, arguments: Vec::new(), child };
        assert!(server.answers(), "a Sentinel does not start: its log is above");
        server
    }

    fn try_start(port: u16, arguments: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let child = spawn(port, folder.path(), &arguments);
        let mut server = Self { port, folder, arguments, child };
        server.answers().then_some(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What it answers to a command, as `redis-cli` prints it.
    pub(crate) fn ask(&self, command: &[&str]) -> String {
        ask(self.port, command)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
    }

    /// Starts it again on its port, with what `SAVE` has saved.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.port, self.folder.path(), &self.arguments);
        assert!(self.answers(), "redis-server does not start again: its log is above");
    }

    /// Stops it with SIGSTOP, or lets it go on.
    pub(crate) fn freeze(&self, is_frozen: bool) {
        let signal = if is_frozen { "-STOP" } else { "-CONT" };
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.expect("kill is a program").success());
    }

    /// Whether it comes to answer.
    fn answers(&mut self) -> bool {
        while self.child.try_wait().expect("it is ours").is_none() {
            if self.ask(&["PING"]).trim() == "PONG" {
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        writeln!(std::io::stderr(), "{log}").ok();
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            writeln!(std::io::stderr(), "the log of the server on port {}:\n{log}", self.port).ok();
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Three servers that share the slots.
pub(crate) struct Cluster {
    pub(crate) servers: Vec<Server>,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let servers: Vec<_> = (0..3)
            .map(|_| {
                let bus = free_port().to_string();
                Server::start_with(&["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-node-timeout", "2000"])
            })
            .collect();
        let addresses: Vec<_> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
        let made = run(Command::new("redis-cli").args(["--cluster", "create"]).args(&addresses).arg("--cluster-yes"));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
        let is_whole = |server: &Server| server.ask(&["CLUSTER", "INFO"]).contains("cluster_state:ok");
        while !servers.iter().all(is_whole) {
            thread::sleep(Duration::from_millis(10));
        }
        Self { servers }
    }

    pub(crate) fn url(&self) -> String {
        let hosts: Vec<_> = self.servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
        format!("redis+cluster://{}", hosts.join(","))
    }
}

pub(crate) fn ask(port: u16, command: &[&str]) -> String {
    let answer = run(Command::new("redis-cli").args(["-h", "127.0.0.1", "-p", &port.to_string()]).args(command));
    String::from_utf8_lossy(&answer.stdout).into_owned()
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there are ports");
    listener.local_addr().expect("it is bound").port()
}

fn spawn(port: u16, folder: &Path, arguments: &[String]) -> Child {
    let log: PathBuf = folder.join("log");
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
    command.args(["--repl-diskless-sync-delay", "0", "--daemonize", "no"]);
    command.arg("--dir").arg(folder).arg("--logfile").arg(log).args(arguments);
    quiet(&mut command)
}

fn quiet(command: &mut Command) -> Child {
    started(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn(), "redis-server")
}

fn run(command: &mut Command) -> Output {
    started(command.stdin(Stdio::null()).output(), "redis-cli")
}

fn started<T>(result: std::io::Result<T>, program: &str) -> T {
    result.unwrap_or_else(|error| {
        panic!("{program} does not start ({error}): `cargo xtask test` installs it, or your system's package of Redis")
    })
}

//! The server under attack: a process of its own, with every limit as it comes, and what it uses.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tickwire_testkit::line::Trust;
use tickwire_testkit::usage::{self, Cpu};

use crate::wire::Target;

/// How long it may take to listen.
const START_PATIENCE: Duration = Duration::from_secs(20);
/// How long it may take to end.
const STOP_PATIENCE: Duration = Duration::from_secs(8);
/// Guards the operators' listener.
pub(crate) const ADMIN_TOKEN: &str = "abuse-abuse-abuse-abuse";

/// A running server.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
    /// Of players, operators, and metrics.
    pub(crate) listeners: [Target; 3],
}

/// What it holds at one moment.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub(crate) struct Held {
    /// Resident memory.
    pub(crate) resident_bytes: u64,
    /// Open file descriptors.
    pub(crate) descriptors: usize,
    /// Connections of players that its metrics count.
    pub(crate) connections: u64,
}

impl Server {
    /// Starts `binary` and waits until it listens. `flags` come after those that every run needs.
    pub(crate) fn start(binary: &Path, scratch: &Path, flags: &[String]) -> Result<Self> {
        let token = scratch.join("admin-token");
        fs::write(&token, ADMIN_TOKEN).with_context(|| format!("cannot write {}", token.display()))?;
        let log = scratch.join("server.log");
        let mut command = Command::new(binary);
        command.args([
            "--port",
            "0",
            "--no-journal",
            "--match-seconds",
            "86400",
            "--set",
            "log_filter=info",
            "--set",
            "matches.bots_fill=0",
        ]);
        command.args(["--set", "matches.countdown_seconds=1", "--set", "session.idle_ms=0", "--hash-every", "30"]);
        command.arg("--admin-token-file").arg(&token).args(flags).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log).context("cannot write the server's log")?);
        let mut child = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
        let (found, listeners) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if let Some(listener) = listener_in(&line) {
                        let _ = found.send(listener);
                    }
                }
            });
        }
        let nowhere = Target { address: SocketAddr::from(([127, 0, 0, 1], 0)), tls: None };
        let mut server = Self { child, log, listeners: [nowhere.clone(), nowhere.clone(), nowhere] };
        for listener in &mut server.listeners {
            let Ok(found) = listeners.recv_timeout(START_PATIENCE) else {
                bail!("the server did not come up: {}", fs::read_to_string(&server.log).unwrap_or_default().trim());
            };
            *listener = found;
        }
        Ok(server)
    }

    /// What it holds now. `metrics` is the text of its metrics.
    pub(crate) fn held(&self, metrics: &str) -> Result<Held> {
        let pid = self.child.id();
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).context("the server is gone")?.count();
        let connections = metrics.lines().filter(|line| line.starts_with("tickwire_connections"));
        let connections = connections.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum();
        Ok(Held { resident_bytes: usage::resident_bytes(pid)?, descriptors, connections })
    }

    /// CPU time it has used.
    pub(crate) fn cpu(&self) -> Result<Cpu> {
        usage::cpu(self.child.id())
    }

    /// Lines of its log that tell of a panic.
    pub(crate) fn panics(&self) -> usize {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| line.contains("panic")).count()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id() as i32) {
            // It may be gone already.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let asked = Instant::now();
        while asked.elapsed() < STOP_PATIENCE && self.child.try_wait().is_ok_and(|status| status.is_none()) {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listener_in(line: &str) -> Option<Target> {
    let (scheme, rest) = line.strip_prefix("tickwire: ")?.split_once("://")?;
    // The server's certificate is its own: whoever is there is it.
    let tls = if scheme.ends_with("https") { Some(Trust::anyone().ok()?) } else { None };
    Some(Target { address: rest.split('/').next()?.parse().ok()?, tls })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_where_it_is_and_what_it_speaks() {
        let found = |line| listener_in(line).map(|target| (target.address.port(), target.tls.is_some()));
        assert_eq!(found("tickwire: play   http://127.0.0.1:4567/"), Some((4567, false)));
        assert_eq!(found("tickwire: play   https://127.0.0.1:4567/"), Some((4567, true)));
        assert_eq!(found("tickwire: admin  http://127.0.0.1:8081/admin/#token=x"), Some((8081, false)));
        assert_eq!(found("something else"), None);
    }
}

//! The server under attack: a process of its own, with every limit as it comes, and what it uses.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tickwire_bench::process::{Listener, Process};
use tickwire_testkit::line::Trust;
use tickwire_testkit::usage::{self, Cpu};

use crate::wire::Target;

/// How long it may take to end.
const STOP_PATIENCE: Duration = Duration::from_secs(8);
/// Guards the operators' listener.
pub(crate) const ADMIN_TOKEN: &str = "abuse-abuse-abuse-abuse";

/// A running server.
pub(crate) struct Server {
    process: Process,
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
        command.stdin(Stdio::null()).stderr(File::create(&log).context("cannot write the server's log")?);
        let mut process = Process::spawn(&mut command, STOP_PATIENCE)?;
        let Some(listeners) = process.told(target_in) else {
            bail!("the server did not come up: {}", fs::read_to_string(&log).unwrap_or_default().trim());
        };
        Ok(Self { process, log, listeners })
    }

    /// What it holds now. `metrics` is the text of its metrics.
    pub(crate) fn held(&self, metrics: &str) -> Result<Held> {
        let pid = self.process.pid();
        let descriptors = usage::descriptors(pid)?;
        let connections = metrics.lines().filter(|line| line.starts_with("tickwire_connections"));
        let connections = connections.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum();
        Ok(Held { resident_bytes: usage::resident_bytes(pid)?, descriptors, connections })
    }

    /// CPU time it has used.
    pub(crate) fn cpu(&self) -> Result<Cpu> {
        usage::cpu(self.process.pid())
    }

    /// Lines of its log that tell of a panic.
    pub(crate) fn panics(&self) -> usize {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| line.contains("panic")).count()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.process.has_ended()
    }
}

fn target_in(line: &str) -> Option<Target> {
    let found = Listener::in_line(line)?;
    // The server made its certificate itself, so nobody vouches for it. Nobody needs to: this
    // program started the server.
    let tls = if found.is_secure { Some(Trust::anyone().ok()?) } else { None };
    Some(Target { address: found.address, tls })
}

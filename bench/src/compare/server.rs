//! A server under measurement: a process of its own, started, found, watched and ended.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tickwire_bench::checkout;
use tickwire_bench::process::{Listener, Process};
use tickwire_testkit::usage::{self, Cpu};

use crate::arm::Arm;

/// How long a server may take to end before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(3);
/// What the operator's listener of `tickwire` is guarded with here; nobody uses it.
const ADMIN_TOKEN: &str = "benchmark-benchmark-benchmark";
/// Where a server that is not `tickwire` says where it is.
const READY_MARK: &str = "ready http://";

/// Where the programs are.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    /// The `tickwire` binary.
    pub(crate) tickwire: PathBuf,
    /// The folder with the Node arms and their packages.
    pub(crate) arms: PathBuf,
    /// Logs, and what servers need on disk.
    pub(crate) scratch: PathBuf,
}

impl Programs {
    /// Says what is missing for `arms`, in one line.
    pub(crate) fn check(&self, arms: &[Arm]) -> Result<()> {
        if arms.iter().any(|arm| arm.transport().is_some()) {
            checkout::must_be_built(&self.tickwire)?;
        }
        let Some(arm) = arms.iter().find(|arm| arm.script().is_some()) else { return Ok(()) };
        let version = Command::new("node").arg("--version").stdin(Stdio::null()).output();
        if !version.is_ok_and(|output| output.status.success()) {
            bail!("the arm `{}` needs Node.js, which is not installed; leave it out with --arms floor,tickwire", arm.name());
        }
        if !self.arms.join("node_modules/ws").is_dir() {
            bail!("the arm `{}` needs its packages: run `npm ci` in {}", arm.name(), self.arms.display());
        }
        Ok(())
    }

    fn command(&self, arm: Arm, floor_payload_bytes: usize) -> Result<Command> {
        let mut command = match (arm.transport(), arm.script()) {
            (_, Some(script)) => {
                let mut command = Command::new("node");
                command.arg(self.arms.join(script)).arg(arm.name()).env("NODE_ENV", "production");
                command
            }
            (Some(transport), None) => {
                let mut command = self.tickwire_command(transport)?;
                match arm.durability() {
                    Some(durability) => command.arg("--state-dir").arg(self.scratch.join(arm.name())).args(["--durability", durability]),
                    None => command.arg("--no-journal"),
                };
                if arm.is_supervised() {
                    command.arg("--supervise");
                }
                if arm.is_secure() {
                    command.args(["--tls-self-signed", "--set", "tls.handshakes_per_minute=0"]);
                }
                command
            }
            (_, None) => {
                let mut command = Command::new(std::env::current_exe().context("this program cannot be found")?);
                command.args(["floor", "--payload-bytes", &floor_payload_bytes.to_string()]);
                command
            }
        };
        // A group of its own: Ctrl-C is ours to handle, and the figures so far are to be printed.
        command.process_group(0);
        Ok(command)
    }

    /// Everything on as it comes. What is raised are the budgets per address, as all players share a few here, and the matches'
    /// length.
    fn tickwire_command(&self, transport: &str) -> Result<Command> {
        let token = self.scratch.join("admin-token");
        fs::write(&token, ADMIN_TOKEN).with_context(|| format!("cannot write {}", token.display()))?;
        let mut command = Command::new(&self.tickwire);
        command.args(["--port", "0", "--match-seconds", "86400", "--transport", transport]).arg("--admin-token-file").arg(token);
        let settings = [
            "log_filter=warn",
            "rates.handshakes_per_minute=100000",
            "rates.sessions_per_minute=100000",
            "rates.matches_per_minute=100000",
            "sessions.per_address=100000",
            "sessions.seats_per_address=100000",
            "sessions.matches_per_address=100000",
            "matches.bots_fill=0",
            "matches.countdown_seconds=1",
            "session.idle_ms=0",
            // What is measured is how far it can go, not when it says stop.
            "headroom.busy_percent=0",
            "headroom.late_percent=0",
        ];
        command.args(settings.iter().flat_map(|setting| ["--set", *setting]));
        Ok(command)
    }
}

/// A running server. Ends with this value.
pub(crate) struct Server {
    process: Process,
    pub(crate) arm: Arm,
    pub(crate) address: SocketAddr,
    log: PathBuf,
}

impl Server {
    /// Starts `arm` and waits until it listens.
    pub(crate) fn start(programs: &Programs, arm: Arm, floor_payload_bytes: usize) -> Result<Self> {
        let log = programs.scratch.join(format!("{}.log", arm.name()));
        let errors = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = programs.command(arm, floor_payload_bytes)?;
        // Standard input stays open as long as this program lives; the arms on Node and the floor end
        // when it closes.
        command.stdin(Stdio::piped()).stderr(errors);
        let mut process = Process::spawn(&mut command, STOP_PATIENCE)?;
        let Some([address]) = process.told(address_in) else { bail!("{} did not come up: {}", arm.name(), last_words(&log)) };
        Ok(Self { process, arm, address, log })
    }

    pub(crate) fn cpu(&self) -> Result<Cpu> {
        usage::cpu(self.pid()?)
    }

    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        usage::resident_bytes(self.pid()?)
    }

    /// The process that serves.
    fn pid(&self) -> Result<u32> {
        let pid = self.process.pid();
        if !self.arm.is_supervised() {
            return Ok(pid);
        }
        usage::first_child(pid).with_context(|| format!("the supervisor {pid} of {} has no server", self.arm.name()))
    }

    /// The last of what it wrote about errors, for a message.
    pub(crate) fn last_words(&self) -> String {
        last_words(&self.log)
    }
}

fn last_words(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    line.map_or_else(|| "it said nothing".to_owned(), str::to_owned)
}

fn address_in(line: &str) -> Option<SocketAddr> {
    match line.strip_prefix(READY_MARK) {
        Some(rest) => rest.split('/').next()?.parse().ok(),
        None => Listener::in_line(line).filter(|found| found.name == "play").map(|found| found.address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_where_it_is() {
        let at = |line| address_in(line).map(|address| address.port());
        assert_eq!(at("ready http://127.0.0.1:4567/"), Some(4567));
        assert_eq!(at("tickwire: play   http://127.0.0.1:8080/"), Some(8080));
        assert_eq!(at("tickwire: ops    http://127.0.0.1:8082/metrics"), None);
        assert_eq!(at("ready http://nowhere/"), None);
    }

    #[test]
    fn what_is_missing_is_said() {
        let nowhere = PathBuf::from("/nonexistent");
        let programs = Programs { tickwire: nowhere.join("tickwire"), arms: nowhere.clone(), scratch: nowhere };
        let refused = |arms: &[Arm]| programs.check(arms).expect_err("nothing is there").to_string();
        assert!(refused(&[Arm::Tickwire]).contains("cargo build --release -p tickwire-server"));
        assert!(refused(&[Arm::WsJson]).contains("ws-json"));
        assert!(programs.check(&[Arm::Floor]).is_ok());
    }
}

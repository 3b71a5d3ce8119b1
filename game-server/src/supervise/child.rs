//! The server as a child process: how it is started with the sockets, and what it does first.

use std::ffi::OsString;
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus};

use command_fds::{CommandFdExt, FdMapping};
use rustix::process::{Pid, Signal, getppid, kill_process};

use crate::sockets::{PLAYERS, Sockets};

/// The number of the first descriptor that is handed over.
const FIRST: i32 = 3;

/// A running server.
pub(super) struct Child {
    process: tokio::process::Child,
    pid: u32,
}

/// Its supervisor is gone already.
#[derive(Debug, thiserror::Error)]
#[error("the supervisor that started this server, process {0}, is gone")]
pub struct Orphaned(u32);

impl Child {
    /// Starts `program` with `arguments`, whichever build it is by now, and hands `sockets` over,
    /// and the way to players' connections.
    pub(super) fn start(program: &Path, sockets: &Sockets, players: Option<OwnedFd>, arguments: &[OsString]) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).arg(format!("--supervised-by={}", std::process::id())).process_group(0);
        let names: Vec<&str> = sockets.iter().map(|(name, _)| name).collect();
        // Without LISTEN_PID, which cannot be known before there is a process.
        command.env("LISTEN_FDS", names.len().to_string()).env("LISTEN_FDNAMES", names.join(":")).env_remove("LISTEN_PID");
        // What systemd wants to hear, it hears from the server: the supervisor does not know how it
        // is.
        command.env_remove("LISTEN_FDS_FIRST_FD").env_remove("WATCHDOG_PID");
        let mapped = sockets.iter().zip(FIRST..).map(|((_, socket), child_fd)| Ok(FdMapping { parent_fd: duplicate(socket)?, child_fd }));
        let mut mapped = mapped.collect::<io::Result<Vec<_>>>()?;
        command.env_remove(PLAYERS);
        if let Some(parent_fd) = players {
            let child_fd = FIRST + names.len() as i32;
            command.env(PLAYERS, child_fd.to_string());
            mapped.push(FdMapping { parent_fd, child_fd });
        }
        command.fd_mappings(mapped).map_err(io::Error::other)?;
        let process = tokio::process::Command::from(command).spawn()?;
        let pid = process.id().unwrap_or_default();
        Ok(Self { process, pid })
    }

    /// Its number.
    pub(super) const fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits until it has ended.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.process.wait().await
    }

    /// Hands `signal` on, unless it has ended.
    pub(super) fn signal(&self, signal: Signal) {
        // Its number is not given to another process before it was waited for.
        let pid = self.process.id().and_then(|pid| Pid::from_raw(pid as i32));
        if let Some(Err(error)) = pid.map(|pid| kill_process(pid, signal)) {
            tracing::warn!(pid = self.pid, ?signal, %error, "a signal could not be handed on");
        }
    }
}

fn duplicate(socket: &TcpListener) -> io::Result<OwnedFd> {
    Ok(socket.try_clone()?.into())
}

/// What a server does first that process `supervisor` started: it stops when that one dies.
pub fn enter(supervisor: u32) -> Result<(), Orphaned> {
    // Nobody else would, and its successor could not listen.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(Signal::TERM)) {
        tracing::warn!(%error, "this server will outlive its supervisor");
    }
    // It may have died before that was set.
    let is_there = getppid().is_some_and(|parent| parent.as_raw_nonzero().get() as u32 == supervisor);
    if is_there { Ok(()) } else { Err(Orphaned(supervisor)) }
}

//! The server, under its supervisor: two processes, of which one is killed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use tickwire_bench::process::{Listener, Process, signal, tail};
use tickwire_testkit::usage::is_running;

use crate::history::{Recorder, What};

/// How long it may take to end.
pub(crate) const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// A supervisor and its server.
pub(crate) struct Server {
    supervisor: Process,
    /// The server's process now.
    pid: Arc<AtomicU32>,
    state: PathBuf,
    log: PathBuf,
    /// Where players connect.
    pub(crate) play: SocketAddr,
}

impl Server {
    /// Starts `binary` with its matches in `scratch`, and waits until it listens. Tells `recorder`
    /// of each server that the supervisor starts.
    pub(crate) fn start(binary: &Path, scratch: &Path, flags: &[String], recorder: &Arc<Recorder>) -> Result<Self> {
        let (state, log) = (scratch.join("state"), scratch.join("server.log"));
        fs::create_dir_all(&state).with_context(|| format!("cannot make {}", state.display()))?;
        let mut command = tickwire(binary);
        command.args(["--supervise", "--port", "0", "--drain-seconds", "0"]);
        // As often as this program kills it.
        command.args(["--set", "supervise.deaths_per_minute=1000000"]).arg("--state-dir").arg(&state).args(flags);
        let mut supervisor = Process::spawn(&mut command, STOP_PATIENCE)?;
        let pid = Arc::new(AtomicU32::new(0));
        let mut copy = File::create(&log).context("cannot write the server's log")?;
        let (now, recorder) = (Arc::clone(&pid), Arc::clone(recorder));
        supervisor.each_error(move |line| {
            if let Some(started) = started_in(&line) {
                now.store(started, Relaxed);
                recorder.note(What::Started { pid: started });
            }
            // The log is for people, when something has failed.
            let _ = writeln!(copy, "{line}");
        });
        let Some([play]) = supervisor.told(Listener::in_line) else { bail!("the server did not come up: {}", tail(&log)) };
        Ok(Self { supervisor, pid, state, log, play: play.address })
    }

    /// The server's process now.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.load(Relaxed)
    }

    /// Kills the server with SIGKILL, which it cannot catch.
    pub(crate) fn kill(&self) -> Result<()> {
        signal(self.pid(), Signal::KILL).context("the server cannot be killed")
    }

    /// Asks the server, through its supervisor, to leave its matches to another one.
    pub(crate) fn freeze(&self) -> Result<()> {
        signal(self.supervisor.pid(), Signal::USR2).context("the server cannot be asked to freeze")
    }

    /// The server does nothing until [`Self::go_on`].
    pub(crate) fn stop(&self) -> Result<()> {
        signal(self.pid(), Signal::STOP).context("the server cannot be stopped")
    }

    /// See [`Self::stop`].
    pub(crate) fn go_on(&self) -> Result<()> {
        signal(self.pid(), Signal::CONT).context("the server cannot be continued")
    }

    /// Where the server keeps its matches.
    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    /// As [`Self::kill`], and does something to what it had kept before another one starts.
    pub(crate) fn kill_and(&self, damage: fn(&Path) -> io::Result<()>) -> Result<()> {
        signal(self.supervisor.pid(), Signal::STOP).context("the supervisor cannot be stopped")?;
        let done = self.kill().and_then(|()| self.wait_until_gone()).and_then(|()| damage(&self.state).context("what it had kept"));
        signal(self.supervisor.pid(), Signal::CONT).context("the supervisor cannot be continued")?;
        done
    }

    /// It writes until it is gone.
    fn wait_until_gone(&self) -> Result<()> {
        let gone = Instant::now();
        while gone.elapsed() < STOP_PATIENCE && is_running(self.pid()) {
            thread::sleep(Duration::from_millis(1));
        }
        if gone.elapsed() < STOP_PATIENCE { Ok(()) } else { bail!("the server was killed and is still there") }
    }

    /// The last lines of its log.
    pub(crate) fn log_tail(&self) -> String {
        tail(&self.log)
    }

    /// Its whole log, if it is to be kept.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Whether the supervisor has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.supervisor.has_ended()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A supervisor that is killed cannot end its server any more.
        if !self.supervisor.ends_when_asked() {
            let _ = self.kill();
            let _ = self.supervisor.kill();
        }
    }
}

/// The command that starts `binary`, with the flags that all servers here have in common. The
/// server does not see the `TICKWIRE_` settings of the shell that this program was started from.
pub(crate) fn tickwire(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    command.args(["--no-admin", "--log", "json", "--match-seconds", "86400", "--hash-every", "30"]);
    command.args(["--set", "matches.bots_fill=0", "--set", "matches.countdown_seconds=0", "--set", "session.idle_ms=0"]);
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    for (variable, _) in std::env::vars_os().filter(|(variable, _)| variable.to_string_lossy().starts_with("TICKWIRE_")) {
        command.env_remove(variable);
    }
    command
}

/// A small disk, for as long as it is kept.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one at `place`.
    pub(crate) fn mount(place: &Path) -> Result<Self> {
        fs::create_dir_all(place)?;
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=256m", "tmpfs"]).arg(place).stderr(Stdio::null()).status();
        if !mounted.is_ok_and(|status| status.success()) {
            bail!("a small disk cannot be mounted: that takes Linux, and root");
        }
        Ok(Self(place.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Takes all the room that there is.
pub(crate) fn fill(filler: &Path) -> Result<()> {
    let mut file = File::create(filler).context("the disk cannot be filled")?;
    let bytes = vec![7; 1 << 20];
    while file.write_all(&bytes).is_ok() {}
    while file.write_all(&[7]).is_ok() {}
    Ok(())
}

/// Takes away all that is in `state`.
pub(crate) fn forget(state: &Path) -> io::Result<()> {
    fs::remove_dir_all(state)?;
    fs::create_dir_all(state)
}

/// Takes away the newest steps in `state`: the end of each file that holds any.
pub(crate) fn forget_the_newest(state: &Path) -> io::Result<()> {
    for entry in fs::read_dir(state)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "segment") {
            let file = fs::OpenOptions::new().write(true).open(&path)?;
            let length = file.metadata()?.len();
            file.set_len(length - (length / 4).min(NEWEST_BYTES))?;
        }
    }
    Ok(())
}

/// Changes bytes near the end of the newest file that holds steps, as a bad disk does.
pub(crate) fn corrupt_the_newest(state: &Path) -> io::Result<()> {
    let mut newest = None;
    for entry in fs::read_dir(state)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "segment") {
            let changed = path.metadata()?.modified()?;
            if newest.as_ref().is_none_or(|(at, _)| *at < changed) {
                newest = Some((changed, path));
            }
        }
    }
    let Some((_, path)) = newest else { return Ok(()) };
    let mut bytes = fs::read(&path)?;
    let last = bytes.iter().rposition(|byte| *byte != 0).unwrap_or_default();
    for back in [16, 64, 256] {
        if let Some(byte) = last.checked_sub(back).and_then(|at| bytes.get_mut(at)) {
            *byte ^= 0x55;
        }
    }
    fs::write(path, bytes)
}

/// Less than the steps of a second of a match with a dozen players.
const NEWEST_BYTES: u64 = 2048;

/// The process that a line of the supervisor's log says was started.
fn started_in(line: &str) -> Option<u32> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    (line.get("message")? == "server process started").then(|| line.get("pid")?.as_u64()?.try_into().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_started_server_is_known_from_the_log() {
        assert_eq!(started_in(r#"{"level":"INFO","message":"server process started","pid":77}"#), Some(77));
        assert_eq!(started_in(r#"{"message":"server process died: starting another","pid":77}"#), None);
        assert_eq!(started_in("tickwire: something"), None);
    }
}

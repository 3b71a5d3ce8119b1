//! A server as a process: started, found by what it prints, and ended.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take to listen.
pub const START_PATIENCE: Duration = Duration::from_secs(30);

/// A running program. Ends with this value.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stop_patience: Duration,
}

impl Process {
    /// Starts it. It has `stop_patience` to end when it is asked to.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn spawn(command: &mut Command, stop_patience: Duration) -> Result<Self> {
        let child = command.stdout(Stdio::piped()).spawn();
        let child = child.with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
        Ok(Self { child, stop_patience })
    }

    /// Reads its output, and returns what `find` finds in the first `N` lines that have something;
    /// `None` if they do not come in [`START_PATIENCE`]. May be called once: it takes the output.
    pub fn told<T: Send + 'static, const N: usize>(&mut self, find: fn(&str) -> Option<T>) -> Option<[T; N]> {
        let (found, told) = mpsc::channel();
        // Reads on to the end, as a server would wait whose output nobody reads.
        each_line(self.child.stdout.take(), move |line| {
            if let Some(it) = find(&line) {
                let _ = found.send(it);
            }
        });
        let by = Instant::now() + START_PATIENCE;
        let next = |_| told.recv_timeout(by.saturating_duration_since(Instant::now())).ok();
        let first: Option<Vec<T>> = (0..N).map(next).collect();
        first?.try_into().ok()
    }

    /// Does `each` with every line that it writes to its standard error, if that is piped.
    pub fn each_error(&mut self, each: impl FnMut(String) + Send + 'static) {
        each_line(self.child.stderr.take(), each);
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills it with SIGKILL, which it cannot catch, and waits until it is gone.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().context("the process cannot be killed")?;
        self.child.wait().map(drop).context("the process does not end")
    }

    /// Asks it to end, and says whether it did in the time that it has.
    pub fn ends_when_asked(&mut self) -> bool {
        if !self.has_ended() {
            let _ = signal(self.pid(), Signal::TERM);
        }
        let asked = Instant::now();
        while !self.has_ended() {
            if asked.elapsed() >= self.stop_patience {
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
        true
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.ends_when_asked() {
            let _ = self.kill();
        }
    }
}

fn each_line(output: Option<impl Read + Send + 'static>, each: impl FnMut(String) + Send + 'static) {
    if let Some(output) = output {
        thread::spawn(move || BufReader::new(output).lines().map_while(Result::ok).for_each(each));
    }
}

/// Sends `signal` to a process.
///
/// # Errors
/// If there is no such process.
pub fn signal(pid: u32, signal: Signal) -> Result<()> {
    let pid = Pid::from_raw(pid as i32).context("there is no such process")?;
    Ok(kill_process(pid, signal)?)
}

/// The last lines of a log.
pub fn tail(log: &Path) -> String {
    let log = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines.get(lines.len().saturating_sub(TAIL_LINES)..).unwrap_or_default().join("\n")
}

const TAIL_LINES: usize = 20;

/// Where `tickwire` says that it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// `play`, `admin` or `ops`.
    pub name: String,
    /// Where.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub is_secure: bool,
}

impl Listener {
    /// What a line of the server's output says of a listener.
    pub fn in_line(line: &str) -> Option<Self> {
        let (head, rest) = line.strip_prefix("tickwire: ")?.split_once("://")?;
        let (name, scheme) = head.split_once(' ')?;
        let address = rest.split('/').next()?.parse().ok()?;
        Some(Self { name: name.to_owned(), address, is_secure: scheme.trim() == "https" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_where_it_is_and_what_it_speaks() {
        let found = |line| Listener::in_line(line).map(|found| (found.name, found.address.port(), found.is_secure));
        assert_eq!(found("tickwire: play   http://127.0.0.1:4567/"), Some(("play".into(), 4567, false)));
        assert_eq!(found("tickwire: play   https://127.0.0.1:4567/"), Some(("play".into(), 4567, true)));
        assert_eq!(found("tickwire: admin  http://127.0.0.1:8081/admin/#token=x"), Some(("admin".into(), 8081, false)));
        assert_eq!(found("something else"), None);
    }

    #[test]
    fn a_process_is_found_by_what_it_prints_and_ends_when_asked() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo noise; echo two; exec sleep 60"]);
        let mut process = Process::spawn(&mut command, Duration::from_secs(30)).expect("a shell");
        let told = process.told::<String, 2>(|line| (line != "noise").then(|| line.to_owned()));
        assert_eq!(told, Some(["one".to_owned(), "two".to_owned()]));
        assert!(!process.has_ended() && process.ends_when_asked() && process.has_ended());
    }
}

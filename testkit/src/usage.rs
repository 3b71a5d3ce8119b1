//! What a process has used, as the kernel tells in `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// CPU time since a process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// In the program itself.
    pub user: Duration,
    /// In the kernel on its behalf.
    pub system: Duration,
}

impl Cpu {
    /// User and system together.
    pub fn total(self) -> Duration {
        self.user + self.system
    }

    /// What was used since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self { user: self.user.saturating_sub(earlier.user), system: self.system.saturating_sub(earlier.system) }
    }
}

/// CPU time of the process `pid`, all its threads together.
pub fn cpu(pid: u32) -> Result<Cpu> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid} is gone"))?;
    let (user, system) = ticks(&stat).context("/proc/PID/stat is not as Linux writes it")?;
    let per_second = rustix::param::clock_ticks_per_second() as f64;
    let seconds = |ticks: u64| Duration::from_secs_f64(ticks as f64 / per_second);
    Ok(Cpu { user: seconds(user), system: seconds(system) })
}

/// Of this process.
pub fn own_cpu() -> Result<Cpu> {
    cpu(std::process::id())
}

/// CPU time that this machine has worked or was kept from working, all cores together, since it was started.
pub fn machine_busy() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/stat").context("there is no /proc/stat")?;
    let ticks = busy_ticks(&stat).context("/proc/stat is not as Linux writes it")?;
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// Resident memory of the process `pid`, bytes.
pub fn resident_bytes(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid} is gone"))?;
    kibibytes(&status, "VmRSS:").map(|kibibytes| kibibytes * 1024).context("/proc/PID/status is not as Linux writes it")
}

/// `utime` and `stime`: the 14th and 15th fields. The second is a name in brackets that may contain anything.
fn ticks(stat: &str) -> Option<(u64, u64)> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// The first line: user, nice, system, idle, iowait, irq, softirq, steal.
fn busy_ticks(stat: &str) -> Option<u64> {
    let times: Vec<u64> = stat.lines().next()?.split_whitespace().skip(1).map_while(|word| word.parse().ok()).collect();
    match times.as_slice() {
        [user, nice, system, _idle, _iowait, irq, softirq, steal, ..] => Some(user + nice + system + irq + softirq + steal),
        _ => None,
    }
}

fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "28602 (a) b (c) R 28598 28598 13924 0 -1 4194304 125 0 0 0 17 42 0 0 20 0 1 0 1201508 3133440";
        assert_eq!(ticks(stat), Some((17, 42)));
        assert_eq!(ticks("28602 (cat"), None);
    }

    #[test]
    fn the_machine_is_busy_when_it_is_not_idle() {
        assert_eq!(busy_ticks("cpu  10 1 20 1000 500 3 4 5 0 0\ncpu0 1 1 1 1"), Some(43));
        assert_eq!(busy_ticks("cpu  10 1"), None);
    }

    #[test]
    fn resident_memory_is_found() {
        assert_eq!(kibibytes("VmPeak:\t  9000 kB\nVmRSS:\t    1234 kB\n", "VmRSS:"), Some(1234));
        assert_eq!(kibibytes("VmPeak:\t  9000 kB\n", "VmRSS:"), None);
    }

    #[test]
    fn this_process_uses_something() {
        assert!(resident_bytes(std::process::id()).expect("a process") > 100_000);
        assert!(own_cpu().is_ok());
    }
}

//! What processes and the machine have used, as Linux tells; elsewhere nobody does.

use std::time::Duration;

use anyhow::Result;

pub use system::{cpu, descriptors, first_child, host, is_running, machine_busy, resident_bytes};

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

/// CPU time of this process.
///
/// # Errors
/// If the system does not tell.
pub fn own_cpu() -> Result<Cpu> {
    cpu(std::process::id())
}

/// A machine. What its system does not tell is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Its processor.
    pub cpu: String,
    /// The version of its kernel.
    pub kernel: String,
    /// Its memory.
    pub memory_bytes: u64,
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::time::Duration;

    use anyhow::{Context, Result};
    use procfs::process::{Process, Stat};
    use procfs::{CpuInfo, Current, CurrentSI, KernelStats, Meminfo, ticks_per_second};

    use super::{Cpu, Host};

    fn process(pid: u32) -> Result<Process> {
        Process::new(pid as i32).with_context(|| format!("process {pid} is gone"))
    }

    fn stat(pid: u32) -> Result<Stat> {
        process(pid)?.stat().with_context(|| format!("process {pid} is gone"))
    }

    /// CPU time of the process `pid`, all its threads together.
    ///
    /// # Errors
    /// If there is no such process.
    pub fn cpu(pid: u32) -> Result<Cpu> {
        let (stat, per_second) = (stat(pid)?, ticks_per_second() as f64);
        let time = |ticks: u64| Duration::from_secs_f64(ticks as f64 / per_second);
        Ok(Cpu { user: time(stat.utime), system: time(stat.stime) })
    }

    /// Resident memory of the process `pid`, bytes.
    ///
    /// # Errors
    /// If there is no such process.
    pub fn resident_bytes(pid: u32) -> Result<u64> {
        let kibibytes = process(pid)?.status()?.vmrss;
        kibibytes.map(|kibibytes| kibibytes * 1024).with_context(|| format!("process {pid} has ended"))
    }

    /// Open file descriptors of the process `pid`.
    ///
    /// # Errors
    /// If there is no such process, or it is somebody else's.
    pub fn descriptors(pid: u32) -> Result<usize> {
        process(pid)?.fd_count().with_context(|| format!("process {pid} is gone"))
    }

    /// The first process that `pid` started and that runs.
    pub fn first_child(pid: u32) -> Option<u32> {
        process(pid).ok()?.task_main_thread().ok()?.children().ok()?.first().copied()
    }

    /// Whether the process `pid` runs. One that has ended is there until its parent looks.
    pub fn is_running(pid: u32) -> bool {
        stat(pid).is_ok_and(|stat| stat.state != 'Z')
    }

    /// CPU time that this machine has worked or was kept from working, all cores together, since it
    /// was started.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn machine_busy() -> Result<Duration> {
        let total = KernelStats::current().context("there is no /proc/stat")?.total;
        let rare = [total.irq_duration(), total.softirq_duration(), total.steal_duration()];
        Ok(total.user_duration() + total.nice_duration() + total.system_duration() + rare.into_iter().flatten().sum::<Duration>())
    }

    /// This machine.
    pub fn host() -> Host {
        let read = |name: &str| fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default().trim().to_owned();
        let cpu = CpuInfo::current().ok().and_then(|cpus| cpus.model_name(0).map(str::to_owned));
        let memory_bytes = Meminfo::current().map_or(0, |memory| memory.mem_total);
        Host { name: read("hostname"), cpu: cpu.unwrap_or_default(), kernel: read("osrelease"), memory_bytes }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::time::Duration;

    use anyhow::{Result, bail};

    use super::{Cpu, Host};

    /// CPU time of the process `pid`: unknown here.
    ///
    /// # Errors
    /// Always.
    pub fn cpu(_: u32) -> Result<Cpu> {
        bail!("this system does not tell what processes use")
    }

    /// Resident memory of the process `pid`: unknown here.
    ///
    /// # Errors
    /// Always.
    pub fn resident_bytes(_: u32) -> Result<u64> {
        bail!("this system does not tell what processes use")
    }

    /// Open file descriptors of the process `pid`: unknown here.
    ///
    /// # Errors
    /// Always.
    pub fn descriptors(_: u32) -> Result<usize> {
        bail!("this system does not tell what processes use")
    }

    /// The first process that `pid` started: unknown here.
    pub fn first_child(_: u32) -> Option<u32> {
        None
    }

    /// Whether the process `pid` runs: unknown here.
    pub fn is_running(_: u32) -> bool {
        false
    }

    /// CPU time that this machine has worked: unknown here.
    ///
    /// # Errors
    /// Always.
    pub fn machine_busy() -> Result<Duration> {
        bail!("this system does not tell what it uses")
    }

    /// This machine, of which nothing is known.
    pub fn host() -> Host {
        Host::default()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_and_its_machine_use_something() {
        let pid = std::process::id();
        assert!(resident_bytes(pid).expect("a process") > 100_000);
        assert!(descriptors(pid).expect("a process") > 2 && is_running(pid));
        assert!(machine_busy().expect("a machine") >= own_cpu().expect("a process").total());
        assert!(host().memory_bytes > 1 << 20, "{:?}", host());
    }

    #[test]
    fn a_process_that_is_not_there_is_named() {
        let error = format!("{:#}", cpu(i32::MAX as u32).expect_err("no process has this number"));
        assert!(error.contains("process 2147483647 is gone"), "{error}");
        assert!(!is_running(i32::MAX as u32));
    }
}

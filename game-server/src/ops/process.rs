//! What the operating system says of this process. Linux tells; elsewhere these figures are absent.

#[cfg(target_os = "linux")]
use procfs::process::Process;

/// Resident memory, bytes.
#[cfg(target_os = "linux")]
pub(crate) fn resident_bytes() -> Option<u64> {
    Some(Process::myself().ok()?.status().ok()?.vmrss? * 1024)
}

/// CPU time used, seconds, user and system.
#[cfg(target_os = "linux")]
pub(crate) fn cpu_seconds() -> Option<f64> {
    let stat = Process::myself().ok()?.stat().ok()?;
    Some((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
}

/// Open file descriptors.
#[cfg(target_os = "linux")]
pub(crate) fn open_descriptors() -> Option<u64> {
    Some(Process::myself().ok()?.fd_count().ok()? as u64)
}

#[cfg(not(target_os = "linux"))]
mod silent {
    pub(crate) fn resident_bytes() -> Option<u64> {
        None
    }

    pub(crate) fn cpu_seconds() -> Option<f64> {
        None
    }

    pub(crate) fn open_descriptors() -> Option<u64> {
        None
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) use silent::{cpu_seconds, open_descriptors, resident_bytes};

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn linux_tells() {
        assert!(super::resident_bytes().is_some_and(|bytes| bytes > 100_000));
        assert!(super::cpu_seconds().is_some_and(|seconds| seconds < 1e6));
        assert!(super::open_descriptors().is_some_and(|count| count > 0));
    }
}

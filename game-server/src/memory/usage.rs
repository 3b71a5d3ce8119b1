//! What the system says of memory: the control groups this process is in, and the machine. Linux
//! tells; elsewhere nobody knows.
//!
//! Files are read below a root, so that tests have systems of their own.

use std::fs;
use std::path::{Path, PathBuf};

/// The machine's memory counts while this process has at least this part of it: what others take,
/// nobody gets back by refusing players.
const OWN_SHARE_MIN: u64 = 10;
/// A control group of version 1 without a limit says a number about as large as there is.
const NO_LIMIT: u64 = 1 << 60;

/// So much of so much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Bytes in use.
    pub(crate) used: u64,
    /// Bytes there may be.
    pub(crate) limit: u64,
}

impl Usage {
    /// The part in use, in thousandths.
    pub(crate) fn thousandths(self) -> u32 {
        u32::try_from(u128::from(self.used) * 1_000 / u128::from(self.limit.max(1))).unwrap_or(u32::MAX - 1)
    }
}

/// Where the system's files are.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    root: PathBuf,
    /// What the operator says this process may have.
    limit: Option<u64>,
}

impl Source {
    /// Below `root`, which is `/` but for tests. With a limit of 0 the system says what it is.
    pub(crate) fn new(root: impl Into<PathBuf>, limit_bytes: u64) -> Self {
        Self { root: root.into(), limit: (limit_bytes > 0).then_some(limit_bytes) }
    }

    /// What is in use of what there may be: of the tightest of the limits there are.
    pub(crate) fn read(&self) -> Option<Usage> {
        let resident = self.kibibytes("proc/self/status", "VmRSS:");
        if let Some(limit) = self.limit {
            return Some(Usage { used: resident?, limit });
        }
        let machine = self.machine().filter(|machine| resident.is_none_or(|own| own.saturating_mul(OWN_SHARE_MIN) >= machine.limit));
        let mut all: Vec<Usage> = self.groups();
        all.extend(machine);
        all.into_iter().max_by_key(|usage| usage.thousandths())
    }

    /// All memory, and what could not be had without taking it from somebody.
    fn machine(&self) -> Option<Usage> {
        let [limit, free] = ["MemTotal:", "MemAvailable:"].map(|name| self.kibibytes("proc/meminfo", name));
        let limit = limit?;
        Some(Usage { used: limit.saturating_sub(free?), limit })
    }

    /// The process's control groups that have a limit, of version 2 and of version 1.
    fn groups(&self) -> Vec<Usage> {
        let Some(groups) = self.text("proc/self/cgroup") else { return Vec::new() };
        let mut found = Vec::new();
        for line in groups.lines() {
            let mut parts = line.splitn(3, ':');
            let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
            if controllers.is_empty() {
                let names = Names { limit: "memory.max", used: "memory.current", cache: "inactive_file" };
                found.extend(["sys/fs/cgroup", "sys/fs/cgroup/unified"].into_iter().flat_map(|mount| self.group(mount, path, &names)));
            } else if controllers.split(',').any(|controller| controller == "memory") {
                let names = Names { limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes", cache: "total_inactive_file" };
                found.extend(self.group("sys/fs/cgroup/memory", path, &names));
            }
        }
        found
    }

    /// The group at `path` below its mount, and those above it. In a container the path may be one
    /// that only the machine knows; the mount is the group then.
    fn group(&self, mount: &str, path: &str, names: &Names) -> Vec<Usage> {
        let path = Path::new(path.trim_start_matches('/'));
        // A process chooses no path of its groups; one that leads out of the mount is none.
        let is_plain = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let folders = path.ancestors().filter(|_| is_plain).map(|folder| Path::new(mount).join(folder));
        folders.filter_map(|folder| self.limited(&folder, names)).collect()
    }

    fn limited(&self, folder: &Path, names: &Names) -> Option<Usage> {
        let number = |name: &str| self.text(folder.join(name))?.trim().parse::<u64>().ok();
        // "max" is no number, and no limit.
        let limit = number(names.limit).filter(|limit| *limit > 0 && *limit < NO_LIMIT)?;
        let used = number(names.used)?;
        let stat = self.text(folder.join("memory.stat")).unwrap_or_default();
        let cache = stat.lines().filter_map(|line| line.split_once(' ')).find(|(name, _)| *name == names.cache);
        // What the kernel keeps of files it gives back before anybody goes short.
        let cache = cache.and_then(|(_, bytes)| bytes.trim().parse().ok()).unwrap_or(0);
        Some(Usage { used: used.saturating_sub(cache), limit })
    }

    /// The bytes that a line of a file says in kB.
    fn kibibytes(&self, file: &str, name: &str) -> Option<u64> {
        let text = self.text(file)?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    }

    fn text(&self, file: impl AsRef<Path>) -> Option<String> {
        fs::read_to_string(self.root.join(file)).ok()
    }
}

/// Files of a control group.
struct Names {
    limit: &'static str,
    used: &'static str,
    /// In `memory.stat`.
    cache: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system of which these files are known.
    fn system(files: &[(&str, &str)], limit_bytes: u64) -> Option<Usage> {
        let root = tempfile::tempdir().expect("a folder");
        for (file, text) in files {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().expect("a folder")).expect("created");
            fs::write(file, text).expect("written");
        }
        Source::new(root.path(), limit_bytes).read()
    }

    const MACHINE: (&str, &str) = ("proc/meminfo", "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  400 kB\n");
    const STATUS: (&str, &str) = ("proc/self/status", "Name:\tx\nVmRSS:\t     200 kB\n");

    #[test]
    fn a_control_group_of_version_2_has_a_limit_of_its_own_or_of_one_above() {
        let files = [
            ("proc/self/cgroup", "0::/games/arena\n"),
            ("sys/fs/cgroup/games/arena/memory.max", "max\n"),
            ("sys/fs/cgroup/games/arena/memory.current", "900\n"),
            ("sys/fs/cgroup/games/memory.max", "1000\n"),
            ("sys/fs/cgroup/games/memory.current", "950\n"),
            ("sys/fs/cgroup/games/memory.stat", "anon 700\ninactive_file 150\nactive_file 3\n"),
            MACHINE,
        ];
        assert_eq!(system(&files, 0), Some(Usage { used: 800, limit: 1000 }), "without what is cached");
    }

    #[test]
    fn a_control_group_of_version_1_is_read_from_its_mount() {
        let files = [
            ("proc/self/cgroup", "8:pids:/x\n4:cpu,memory:/docker/abc\n0::/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "2000\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "1900\n"),
            ("sys/fs/cgroup/memory/memory.stat", "cache 1\ntotal_inactive_file 100\n"),
            MACHINE,
            STATUS,
        ];
        assert_eq!(system(&files, 0), Some(Usage { used: 1800, limit: 2000 }));
        let unlimited = [files[0], ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"), files[2], MACHINE, STATUS];
        assert_eq!(system(&unlimited, 0), Some(Usage { used: 600 * 1024, limit: 1000 * 1024 }), "then it is the machine's");
    }

    #[test]
    fn the_machines_memory_counts_only_for_who_has_a_part_of_it_worth_mentioning() {
        let small = ("proc/self/status", "VmRSS:\t 99 kB\n");
        assert_eq!(system(&[MACHINE, STATUS], 0).map(Usage::thousandths), Some(600));
        assert_eq!(system(&[MACHINE, small], 0), None);
        assert_eq!(system(&[("proc/self/cgroup", "0::/../../etc\n"), MACHINE, small], 0), None);
    }

    #[test]
    fn what_the_operator_says_is_compared_with_what_is_resident() {
        assert_eq!(system(&[MACHINE, STATUS], 400 * 1024), Some(Usage { used: 200 * 1024, limit: 400 * 1024 }));
        assert_eq!(system(&[], 1), None, "where nobody knows there is no brake");
        assert_eq!(system(&[("proc/self/cgroup", "nonsense"), ("proc/meminfo", "MemTotal: many\n")], 0), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells() {
        let usage = Source::new("/", 1 << 40).read().expect("resident memory");
        assert!(usage.used > 100_000, "{usage:?}");
    }
}

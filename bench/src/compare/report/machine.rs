//! What the run was made on.

use std::fs;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

/// The machine and the tools.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) cpu: String,
    pub(crate) kernel: String,
    pub(crate) memory_bytes: u64,
    pub(crate) rustc: String,
    pub(crate) node: String,
}

impl Machine {
    /// This one. What cannot be found out is empty.
    pub(crate) fn this() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let memory = field(&read("/proc/meminfo"), "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        Self {
            cores: std::thread::available_parallelism().map_or(0, Into::into),
            cpu: field(&read("/proc/cpuinfo"), "model name").unwrap_or_default(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            memory_bytes: memory.unwrap_or_default() * 1024,
            rustc: ask("rustc", &["--version"]),
            node: ask("node", &["--version"]),
        }
    }
}

/// The commit that was measured, with a mark if the checkout differs from it.
pub(crate) fn commit() -> String {
    let here = env!("CARGO_MANIFEST_DIR");
    let commit = ask("git", &["-C", here, "rev-parse", "--short=12", "HEAD"]);
    let has_changes = !ask("git", &["-C", here, "status", "--porcelain", "--untracked-files=no"]).is_empty();
    if has_changes { format!("{commit} and uncommitted changes") } else { commit }
}

/// What a program says, trimmed; nothing if it is not there or fails.
fn ask(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let said = output.ok().filter(|output| output.status.success()).map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&said).trim().to_owned()
}

/// The first value called `name` in a file of `name : value` lines.
fn field(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name() {
        assert_eq!(field("MemTotal:  24 kB\nMemFree: 3 kB\n", "MemTotal").as_deref(), Some("24 kB"));
        assert_eq!(field("processor\t: 0\nmodel name\t: A CPU\n", "model name").as_deref(), Some("A CPU"));
        assert_eq!(field("", "model name"), None);
    }

    #[test]
    fn this_machine_has_cores_and_memory() {
        let machine = Machine::this();
        assert!(machine.cores > 0 && machine.memory_bytes > 1 << 20, "{machine:?}");
    }
}

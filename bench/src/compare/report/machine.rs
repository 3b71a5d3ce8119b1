//! What the run was made on.

use serde::{Deserialize, Serialize};
use tickwire_bench::checkout::ask;
use tickwire_testkit::usage::host;

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
        let host = host();
        Self {
            cores: std::thread::available_parallelism().map_or(0, Into::into),
            cpu: host.cpu,
            kernel: host.kernel,
            memory_bytes: host.memory_bytes,
            rustc: ask("rustc", &["--version"]),
            node: ask("node", &["--version"]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_cores_and_memory() {
        let machine = Machine::this();
        assert!(machine.cores > 0 && machine.memory_bytes > 1 << 20, "{machine:?}");
    }
}

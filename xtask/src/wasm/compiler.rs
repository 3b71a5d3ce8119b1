//! Finds a compiler for wasm32-unknown-unknown. In this order: the active toolchain, if it has that
//! target's standard library; the system's packaged compiler, which builds the standard library
//! from its own sources. `wasm::install` installs one where there is none.
//!
//! Invariant: a compiler older than the workspace's `rust-version` is none.

use crate::machine::Machine;
use crate::process::ask;
use crate::tools;
use crate::workspace;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A compiler that can build the browser module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compiler {
    /// The toolchain that built this command.
    Active,
    /// `/usr/bin/rustc` with the standard library's sources beside it.
    System,
}

impl Compiler {
    /// The one that is installed, if any.
    pub(crate) fn find(machine: &Machine) -> Option<Self> {
        if active_has_target(machine) {
            return Some(Self::Active);
        }
        (SystemCompiler::look(machine) == SystemCompiler::Complete).then_some(Self::System)
    }

    /// The command that builds package `tickwire-web`, in a target folder of its own: two compilers
    /// must not share one.
    pub(super) fn build_command(self, machine: &Machine) -> Command {
        let mut command = match self {
            Self::Active => workspace::cargo(),
            Self::System => system_cargo(machine),
        };
        command.arg("build").args(["--package", "tickwire-web", "--lib", "--profile", "wasm", "--target", TARGET]);
        command.arg("--target-dir").arg(target_dir()).args(workspace::lock_flag());
        if self == Self::System {
            command.args(["-Z", "build-std=std,panic_abort", "-Z", "build-std-features=optimize_for_size"]);
            if ask(system_rustc(machine).args(IMMEDIATE_ABORT).args(["--print", "cfg", "--target", TARGET])).is_some() {
                command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", IMMEDIATE_ABORT.join(" "));
            }
        }
        command
    }

    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Active => "the active toolchain",
            Self::System => "/usr/bin/rustc, building std from source",
        }
    }
}

/// What there is of the system's packaged compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SystemCompiler {
    Missing,
    /// Its version.
    TooOld(String),
    /// It lacks its cargo, its standard library's sources, or the linker.
    Incomplete,
    Complete,
}

impl SystemCompiler {
    pub(crate) fn look(machine: &Machine) -> Self {
        let rustc = machine.system_program("rustc");
        // A packaged rustup puts its own stand-in at this path.
        let is_rustup = rustc.canonicalize().is_ok_and(|path| path.file_name().is_some_and(|name| name == "rustup"));
        if is_rustup || !rustc.is_file() {
            return Self::Missing;
        }
        let version = ask(system_rustc(machine).arg("--version")).unwrap_or_default();
        if !tools::is_at_least(&version, oldest_rustc()) {
            return Self::TooOld(version.split_whitespace().nth(1).unwrap_or("unknown").to_string());
        }
        let sysroot = ask(system_rustc(machine).args(["--print", "sysroot"])).unwrap_or_default();
        let has_sources = Path::new(&sysroot).join("lib/rustlib/src/rust/library/std").is_dir();
        let has_cargo = machine.system_program("cargo").is_file();
        if has_sources && has_cargo && machine.program(LINKER).is_some() { Self::Complete } else { Self::Incomplete }
    }
}

/// The oldest compiler that this workspace's code is written for: its `rust-version`, which this
/// crate inherits as the crates of the browser module do.
pub(crate) fn oldest_rustc() -> (u32, u32) {
    tools::major_and_minor(OLDEST_RUSTC)
}

/// Where the browser module is built.
pub(super) fn target_dir() -> PathBuf {
    workspace::target_dir().join("wasm")
}

fn active_has_target(machine: &Machine) -> bool {
    let lib_dir = ask(machine.active_rustc().args(["--print", "target-libdir", "--target", TARGET]));
    lib_dir.is_some_and(|dir| holds_core(Path::new(&dir)))
}

fn holds_core(lib_dir: &Path) -> bool {
    let Ok(entries) = lib_dir.read_dir() else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}

/// The system's cargo and rustc, free of everything that would lead them back to the active
/// toolchain.
pub(crate) fn system_cargo(machine: &Machine) -> Command {
    let mut command = uninfluenced(machine, "cargo");
    command.env("RUSTC", machine.system_program("rustc")).env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", LINKER);
    command
}

fn system_rustc(machine: &Machine) -> Command {
    uninfluenced(machine, "rustc")
}

fn uninfluenced(machine: &Machine, program: &str) -> Command {
    let mut command = Command::new(machine.system_program(program));
    command.current_dir(workspace::root());
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(steers_the_build) {
            command.env_remove(name);
        }
    }
    // Only a nightly compiler builds its standard library, unless it is told that it may.
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}

fn steers_the_build(variable: &str) -> bool {
    const NAMES: &[&str] = &["CARGO", "RUSTFLAGS", "RUSTDOCFLAGS", "CARGO_BIN_NAME", "CARGO_ENCODED_RUSTFLAGS", "LD_LIBRARY_PATH"];
    const PREFIXES: &[&str] =
        &["RUSTUP_", "RUSTC", "RUSTDOC", "CARGO_BUILD_", "CARGO_TARGET_", "CARGO_PROFILE_", "CARGO_MANIFEST_", "CARGO_PKG_"];
    NAMES.contains(&variable) || PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}

/// What the browser module is compiled for.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";
/// `rust-version` of the workspace's Cargo.toml.
pub(crate) const OLDEST_RUSTC: &str = env!("CARGO_PKG_RUST_VERSION");
const LINKER: &str = "wasm-ld";
/// A panic has nobody to tell: the module imports nothing. Leaving out the telling saves a quarter
/// of its size, where rustc can.
const IMMEDIATE_ABORT: &[&str] = &["-Zunstable-options", "-Cpanic=immediate-abort"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_outer_cargo_set_does_not_reach_the_system_compiler() {
        for name in ["CARGO", "RUSTC", "RUSTC_WRAPPER", "RUSTUP_TOOLCHAIN", "CARGO_TARGET_DIR", "CARGO_MANIFEST_DIR", "RUSTFLAGS"] {
            assert!(steers_the_build(name), "{name} must be cleared");
        }
        for name in ["PATH", "HOME", "CARGO_HOME", "CARGO_NET_OFFLINE", "HTTPS_PROXY"] {
            assert!(!steers_the_build(name), "{name} must be kept");
        }
    }

    #[test]
    fn a_target_is_installed_only_with_its_core() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        assert!(!holds_core(dir.path()));
        assert!(!holds_core(&dir.path().join("missing")));
        std::fs::write(dir.path().join("libcore-0123456789abcdef.rlib"), "").expect("a file");
        assert!(holds_core(dir.path()));
    }

    #[test]
    fn the_oldest_compiler_is_the_one_the_browser_module_asks_for() {
        let workspace = std::fs::read_to_string(workspace::root().join("Cargo.toml")).expect("a manifest");
        assert!(workspace.contains(&format!("rust-version = \"{OLDEST_RUSTC}\"")), "{OLDEST_RUSTC}");
        for package in ["web-client/wasm", "protocol", "game-api", "games/arena"] {
            let manifest = std::fs::read_to_string(workspace::root().join(package).join("Cargo.toml")).expect("a manifest");
            assert!(manifest.contains("rust-version.workspace = true"), "{package}");
        }
    }
}

//! Finds a compiler for wasm32-unknown-unknown, or installs one. In this order: the active toolchain, if it has that target's standard
//! library; Debian's `rustc-web`, which builds the standard library from its own sources. Never rustup: what a toolchain manager
//! holds is its owner's business, so where only it could help we say the command.

use crate::console::Step;
use crate::process::ask;
use crate::tools;
use crate::workspace;
use anyhow::{Result, bail};
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
    pub(crate) fn find() -> Option<Self> {
        if active_has_target() {
            return Some(Self::Active);
        }
        system_is_complete().then_some(Self::System)
    }

    /// The command that builds package `tickwire-web`, in a target folder of its own: two compilers must not share one.
    pub(super) fn build_command(self) -> Command {
        let mut command = match self {
            Self::Active => workspace::cargo(),
            Self::System => system_cargo(),
        };
        command.arg("build").args(["--package", "tickwire-web", "--lib", "--profile", "wasm", "--target", TARGET]);
        command.arg("--target-dir").arg(target_dir()).args(workspace::lock_flag());
        if self == Self::System {
            // The workspace asks for the compiler its server needs; the browser's half is content with less.
            command.args(["--ignore-rust-version", "-Z", "build-std=std,panic_abort", "-Z", "build-std-features=optimize_for_size"]);
            if ask(system_rustc().args(IMMEDIATE_ABORT).args(["--print", "cfg", "--target", TARGET])).is_some() {
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

/// Where the browser module is built.
pub(super) fn target_dir() -> PathBuf {
    workspace::target_dir().join("wasm")
}

pub(super) fn find_or_install(step: &mut Step) -> Result<Compiler> {
    if let Some(compiler) = Compiler::find() {
        return Ok(compiler);
    }
    if tools::Rights::find().is_none() || workspace::program_on_path("apt-get").is_none() {
        bail!("no compiler for the browser module: run `{INSTALL_COMMAND}`");
    }
    if let Err(error) = tools::install(step, SYSTEM_PACKAGES) {
        return Err(error.context(format!("no compiler for the browser module: run `{INSTALL_COMMAND}`")));
    }
    match Compiler::find() {
        Some(compiler) => Ok(compiler),
        None => bail!("this system's packages are too old to build the browser module: run `{INSTALL_COMMAND}`"),
    }
}

fn active_has_target() -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let lib_dir = ask(Command::new(rustc).current_dir(workspace::root()).args(["--print", "target-libdir", "--target", TARGET]));
    lib_dir.is_some_and(|dir| holds_core(Path::new(&dir)))
}

fn holds_core(lib_dir: &Path) -> bool {
    let Ok(entries) = lib_dir.read_dir() else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}

fn system_is_complete() -> bool {
    // A packaged rustup puts its own stand-in at this path.
    let is_rustup = Path::new(SYSTEM_RUSTC).canonicalize().is_ok_and(|path| path.file_name().is_some_and(|name| name == "rustup"));
    if is_rustup || !Path::new(SYSTEM_CARGO).is_file() || workspace::program_on_path(LINKER).is_none() {
        return false;
    }
    let version = ask(system_rustc().arg("--version")).unwrap_or_default();
    let sysroot = ask(system_rustc().args(["--print", "sysroot"])).unwrap_or_default();
    tools::is_at_least(&version, OLDEST_SYSTEM_RUSTC) && Path::new(&sysroot).join("lib/rustlib/src/rust/library/std").is_dir()
}

/// Debian's cargo and rustc, free of everything that would lead them back to the active toolchain.
fn system_cargo() -> Command {
    let mut command = uninfluenced(SYSTEM_CARGO);
    command.env("RUSTC", SYSTEM_RUSTC).env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", LINKER);
    command
}

fn system_rustc() -> Command {
    uninfluenced(SYSTEM_RUSTC)
}

fn uninfluenced(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace::root());
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(steers_the_build) {
            command.env_remove(name);
        }
    }
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}

fn steers_the_build(variable: &str) -> bool {
    const NAMES: &[&str] = &["CARGO", "RUSTFLAGS", "RUSTDOCFLAGS", "CARGO_BIN_NAME", "CARGO_ENCODED_RUSTFLAGS", "LD_LIBRARY_PATH"];
    const PREFIXES: &[&str] =
        &["RUSTUP_", "RUSTC", "RUSTDOC", "CARGO_BUILD_", "CARGO_TARGET_", "CARGO_PROFILE_", "CARGO_MANIFEST_", "CARGO_PKG_"];
    NAMES.contains(&variable) || PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}

/// What a person runs where we cannot install anything.
pub(crate) const INSTALL_COMMAND: &str = "rustup target add wasm32-unknown-unknown";
/// Browsers need a new compiler to be packaged for stable Debian; this is it, under names of its own.
pub(crate) const SYSTEM_PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "lld"];
const TARGET: &str = "wasm32-unknown-unknown";
const SYSTEM_RUSTC: &str = "/usr/bin/rustc";
const SYSTEM_CARGO: &str = "/usr/bin/cargo";
const LINKER: &str = "wasm-ld";
/// A panic has nobody to tell: the module imports nothing. Leaving out the telling saves a quarter of its size, where rustc can.
const IMMEDIATE_ABORT: &[&str] = &["-Zunstable-options", "-Cpanic=immediate-abort"];
/// The first that knows edition 2024 and lock file version 4.
const OLDEST_SYSTEM_RUSTC: (u32, u32) = (1, 85);

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
}

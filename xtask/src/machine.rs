//! The machine these commands run on: which programs it has, and which compiler is active. Tests
//! make one of their own from a folder of fake programs (`machine::fake`).

#[cfg(test)]
#[cfg(unix)]
pub(crate) mod fake;

use crate::process::ask;
use crate::workspace;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where programs are found.
pub(crate) struct Machine {
    /// As in the environment's `PATH`.
    path: OsString,
    /// Where the system's packages put theirs.
    system: PathBuf,
    /// The compiler of the active toolchain.
    rustc: OsString,
}

impl Machine {
    /// The real one.
    pub(crate) fn this() -> Self {
        Self {
            path: env::var_os("PATH").unwrap_or_default(),
            system: PathBuf::from("/usr/bin"),
            rustc: env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()),
        }
    }

    /// The first program of this name on `PATH`.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        let suffixes: &[&str] = if cfg!(windows) { &[".exe", ".cmd"] } else { &[""] };
        let in_dir = |dir: PathBuf| suffixes.iter().map(|suffix| dir.join(format!("{name}{suffix}"))).find(|file| file.is_file());
        env::split_paths(&self.path).find_map(in_dir)
    }

    /// A program to run, found as `program` finds it.
    pub(crate) fn command(&self, name: impl AsRef<OsStr>) -> Command {
        let name = name.as_ref();
        let found = name.to_str().and_then(|name| self.program(name));
        let mut command = Command::new(found.map_or_else(|| name.to_os_string(), PathBuf::into_os_string));
        command.env("PATH", &self.path);
        command
    }

    /// The compiler of the active toolchain, as it is chosen for this checkout.
    pub(crate) fn active_rustc(&self) -> Command {
        let mut command = self.command(&self.rustc);
        command.current_dir(workspace::root());
        command
    }

    /// Where a program of the system's packages is, whether or not it is there.
    pub(crate) fn system_program(&self, name: &str) -> PathBuf {
        self.system.join(name)
    }

    /// The active toolchain's folder.
    fn active_sysroot(&self) -> Option<PathBuf> {
        ask(self.active_rustc().args(["--print", "sysroot"])).map(PathBuf::from)
    }

    /// Whether the active toolchain is one that rustup installed, so that rustup can add to it.
    pub(crate) fn active_is_rustups(&self) -> bool {
        if self.program("rustup").is_none() {
            return false;
        }
        let mut which = self.rustup(&["which", "rustc"]);
        // A question must not download a toolchain.
        let Some(rustc) = ask(which.env("RUSTUP_AUTO_INSTALL", "0")) else { return false };
        // One of the two may go through a symbolic link.
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        self.active_sysroot().is_some_and(|sysroot| real(Path::new(&rustc)).starts_with(real(&sysroot)))
    }

    /// `rustup`, speaking of the toolchain that is active for this checkout.
    pub(crate) fn rustup(&self, words: &[&str]) -> Command {
        let mut command = self.command("rustup");
        command.current_dir(workspace::root()).args(words);
        command
    }
}

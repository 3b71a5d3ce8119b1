//! Installs a compiler for the browser module where there is none. In this order: the system's
//! packages, where this process may install them; rustup, where the active toolchain is its own.
//! Where neither can help, one line says what a person can do.

use super::compiler::{Compiler, OLDEST_RUSTC, SystemCompiler, TARGET, oldest_rustc};
use crate::apt::{self, Apt, NoApt};
use crate::console::Step;
use crate::machine::Machine;
use crate::tools;
use anyhow::{Result, anyhow, bail};

/// The compiler that is there, or the one that is installed now.
pub(crate) fn find_or_install(machine: &Machine, step: &mut Step) -> Result<Compiler> {
    if let Some(compiler) = Compiler::find(machine) {
        return Ok(compiler);
    }
    let obstacle = match install_packages(machine, step) {
        Ok(compiler) => return Ok(compiler),
        Err(obstacle) => obstacle,
    };
    if machine.active_is_rustups() {
        step.say(&format!("running `{RUSTUP_COMMAND}`: {obstacle:#}"));
        step.must(&format!("`{RUSTUP_COMMAND}`"), &mut machine.rustup(&["target", "add", TARGET]))?;
        let nothing_came = || anyhow!("`{RUSTUP_COMMAND}` succeeded, but the active toolchain still lacks that target");
        return Compiler::find(machine).ok_or_else(nothing_came);
    }
    Err(obstacle.context(format!("no compiler for the browser module: {}", by_hand(machine))))
}

/// What a person can run who has no compiler for the browser module.
pub(crate) fn by_hand(machine: &Machine) -> String {
    if machine.active_is_rustups() {
        return format!("run `{RUSTUP_COMMAND}`");
    }
    match Packages::of(machine) {
        Some(packages) => format!("run `{}`", apt::by_hand(packages.names)),
        None => format!("install Rust by https://rustup.rs and run `{RUSTUP_COMMAND}`"),
    }
}

fn install_packages(machine: &Machine, step: &mut Step) -> Result<Compiler> {
    let apt = Apt::find(machine).map_err(|no_apt| match no_apt {
        NoApt::OtherSystem => anyhow!("the active Rust cannot compile for {TARGET}"),
        NoApt::NoRights => anyhow!("{no_apt}"),
    })?;
    apt.refresh(step)?;
    let Some(packages) = Packages::of(machine) else { bail!("this system has no package of Rust") };
    let Packages { names, version } = &packages;
    if !packages.are_new_enough() {
        bail!("this system's {} is {version}, and Rust {OLDEST_RUSTC} is needed", names[0]);
    }
    step.say(&match SystemCompiler::look(machine) {
        SystemCompiler::TooOld(old) => {
            format!("upgrading {} from {old} to {version} with apt-get: Rust {OLDEST_RUSTC} is needed", names[0])
        }
        _ => format!("installing {} {version} with apt-get (200 MB): the active Rust cannot compile for {TARGET}", names[0]),
    });
    apt.install(step, names)?;
    match Compiler::find(machine) {
        Some(compiler) => Ok(compiler),
        None => bail!("{} are installed, but are no compiler for {TARGET}", names.join(", ")),
    }
}

/// The system's packages of a compiler that can build its own standard library, and of wasm32's
/// linker.
struct Packages {
    /// The compiler's is the first.
    names: &'static [&'static str],
    version: String,
}

impl Packages {
    /// The newest there are, by the lists that are there.
    fn of(machine: &Machine) -> Option<Self> {
        // Of two as new, `max_by_key` takes the last.
        let known = PACKAGES.iter().rev().filter_map(|names| Some(Self { names, version: apt::candidate(machine, names[0])? }));
        known.max_by_key(|packages| tools::major_and_minor(&packages.version))
    }

    fn are_new_enough(&self) -> bool {
        tools::is_at_least(&self.version, oldest_rustc())
    }
}

/// Browsers need a new compiler to be packaged for a stable Debian; this is it, under names of its
/// own.
pub(crate) const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "lld"];
const RUSTUP_COMMAND: &str = "rustup target add wasm32-unknown-unknown";
const PACKAGES: &[&[&str]] = &[DEBIAN_PACKAGES, &["rustc", "cargo", "rust-src", "lld"]];

#[cfg(test)]
#[cfg(unix)]
mod tests;

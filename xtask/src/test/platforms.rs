//! The server and these commands, type-checked for the systems that game makers work on and the
//! tests do not run on.

use crate::console::Step;
use crate::machine::Machine;
use crate::summaries::Tally;
use crate::wasm::{self, SystemCompiler, system_cargo};
use crate::workspace;
use anyhow::Result;
use std::process::Command;

/// Compiles nothing that could run: this finds what does not exist on a system, not what behaves
/// differently there.
pub(super) fn check(step: &mut Step) -> Result<Tally> {
    let Some(mut command) = command(&Machine::this()) else {
        step.note(&format!("it needs Debian's compiler, packages {}", wasm::DEBIAN_PACKAGES.join(", ")));
        return Ok(Tally::none());
    };
    step.must("type-checking for macOS and Windows", &mut command)?;
    Ok(Tally::one())
}

/// `None` without a compiler that has its standard library's sources: it can check for systems that
/// nothing is installed for.
fn command(machine: &Machine) -> Option<Command> {
    if SystemCompiler::look(machine) != SystemCompiler::Complete {
        return None;
    }
    let mut cargo = system_cargo(machine);
    cargo.args(["check", "--package", "tickwire-server", "--package", "xtask", "--lib", "--bins", "-Z", "build-std"]);
    cargo.args(TARGETS.iter().flat_map(|target| ["--target", target])).args(workspace::lock_flag());
    cargo.args(TARGETS.iter().flat_map(|target| without_c(target)));
    // Two compilers must not share a folder.
    cargo.arg("--target-dir").arg(workspace::target_dir().join("platforms"));
    Some(cargo)
}

/// What encrypts is C, whose build script would look for a compiler for that system. Types need
/// none: its bindings are the same everywhere.
fn without_c(target: &str) -> [String; 4] {
    let script = format!("target.{target}.aws_lc_{}", version_of("aws-lc-sys", LOCK).replace('.', "_"));
    ["--config".to_owned(), format!("{script}.rustc-cfg=[\"universal\"]"), "--config".to_owned(), format!("{script}.include=\"none\"")]
}

/// The version of a package that `lock` names once; empty if there is none.
fn version_of<'a>(package: &str, lock: &'a str) -> &'a str {
    let after = lock.split_once(&format!("name = \"{package}\"\nversion = \"")).map_or("", |(_, after)| after);
    after.split('"').next().unwrap_or_default()
}

const LOCK: &str = include_str!("../../../Cargo.lock");

/// The Macs of today, and the Windows target that rustup installs there by default.
const TARGETS: &[&str] = &["aarch64-apple-darwin", "x86_64-pc-windows-msvc"];

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::machine::fake::FakeMachine;
    use crate::process::shown;

    #[test]
    fn it_is_left_out_without_a_compiler_that_can() {
        let fake = FakeMachine::new();
        assert!(command(&fake.machine()).is_none(), "no compiler");
        fake.system_compiler("1.0.0");
        assert!(command(&fake.machine()).is_none(), "too old");
    }

    #[test]
    fn the_library_that_encrypts_is_known_by_its_version() {
        assert_eq!(version_of("b", "name = \"a\"\nversion = \"1\"\n\nname = \"b\"\nversion = \"2.0\"\n"), "2.0");
        assert!(!version_of("aws-lc-sys", LOCK).is_empty());
    }

    #[test]
    fn both_packages_are_checked_for_both_systems_by_the_system_compiler() {
        let fake = FakeMachine::new();
        fake.system_compiler("9999.0.0");
        let command = shown(&command(&fake.machine()).expect("a compiler"));
        assert!(command.starts_with(&fake.path("usr/bin/cargo").display().to_string()), "{command}");
        for part in ["--package tickwire-server", "--package xtask", "--target aarch64-apple-darwin", "--target x86_64-pc-windows-msvc"] {
            assert!(command.contains(part), "{command}");
        }
    }
}

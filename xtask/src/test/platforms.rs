//! The server and these commands, type-checked for the systems that game makers work on and the
//! tests do not run on.

use crate::console::Step;
use crate::machine::Machine;
use crate::summaries::Tally;
use crate::wasm::{SystemCompiler, system_cargo};
use crate::workspace;
use anyhow::Result;

/// Compiles nothing that could run: this finds what does not exist on a system, not what behaves
/// differently there. Left out, and said so, without a compiler that has its standard library's sources.
pub(super) fn check(step: &mut Step) -> Result<Tally> {
    let machine = Machine::this();
    if SystemCompiler::look(&machine) != SystemCompiler::Complete {
        step.note("needs Debian's compiler and its sources, packages rustc-web, cargo-web, rust-web-src and lld");
        return Ok(Tally::none());
    }
    let mut cargo = system_cargo(&machine);
    cargo.args(["check", "--package", "tickwire-server", "--package", "xtask", "--lib", "--bins", "-Z", "build-std"]);
    cargo.args(TARGETS.iter().flat_map(|target| ["--target", target])).args(workspace::lock_flag());
    // Two compilers must not share a folder.
    cargo.arg("--target-dir").arg(workspace::target_dir().join("platforms"));
    step.must("type-checking for macOS and Windows", &mut cargo)?;
    Ok(Tally::one())
}

const TARGETS: &[&str] = &["aarch64-apple-darwin", "x86_64-pc-windows-msvc"];

//! The server's binary, for playing and for the browser tests.

use crate::console::Step;
use crate::workspace;
use anyhow::Result;
use std::path::PathBuf;

/// Builds `target/release/tickwire`, or the debug one quickly.
pub(crate) fn build_for_play(step: &mut Step, debug: bool) -> Result<PathBuf> {
    let profile: &[&str] = if debug { &[] } else { &["--release"] };
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--package", "tickwire-server", "--bin", "tickwire"]).args(profile).args(workspace::lock_flag());
    step.must("building the server", &mut cargo)?;
    Ok(binary_for_play(debug))
}

/// Where that is, whether or not it is built.
pub(crate) fn binary_for_play(debug: bool) -> PathBuf {
    binary(if debug { "debug" } else { "release" })
}

/// Builds `target/debug/tickwire` among the workspace's tests: with the same features, so that no
/// dependency is built twice.
pub(crate) fn build_for_tests(step: &mut Step) -> Result<PathBuf> {
    let mut cargo = workspace::cargo();
    step.must("building the server", cargo.args(["build", "--workspace", "--bins", "--tests"]).args(workspace::lock_flag()))?;
    Ok(binary_for_tests())
}

/// Where that is, whether or not it is built.
pub(crate) fn binary_for_tests() -> PathBuf {
    binary("debug")
}

fn binary(profile: &str) -> PathBuf {
    workspace::target_dir().join(profile).join("tickwire").with_extension(std::env::consts::EXE_EXTENSION)
}

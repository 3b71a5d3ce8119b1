//! `cargo xtask train-codec`: what the delta codec expects of the arena's snapshots, learned anew
//! from recorded matches.

use crate::console::Console;
use crate::workspace;
use anyhow::Result;
use std::process::ExitCode;

/// What is written. It is committed, and part of the schema's hash.
const MODEL: &str = "games/arena/src/tables/trained.rs";

pub(crate) fn run(console: &Console) -> Result<ExitCode> {
    console.step("Learning from recorded matches", |step| {
        let mut command = workspace::cargo();
        command.args(["run", "--release", "--quiet", "-p", "codec-lab"]).args(workspace::lock_flag()).args(["--", "train"]);
        step.must("learning", command.arg(workspace::root().join(MODEL)))?;
        step.note(MODEL);
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

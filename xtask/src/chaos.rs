//! `cargo xtask chaos`: kills a server built from this checkout, or one of several, while bots
//! play, and says what was lost. Builds, then hands over to `tickwire-chaos`.

use crate::console::Console;
use crate::{bench, tools, workspace};
use anyhow::Result;
use std::ffi::OsString;
use std::process::{Command, ExitCode};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Handed on: `--kills N`, `--bots N`, `--nodes N`, `--fault kill|stop|...`, `--seed N`,
    /// `--control no-kill`, `--report-dir DIR`, `--check FILE`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    chaos: Vec<OsString>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<ExitCode> {
    console.step("Building the server and its bots", |step| {
        let mut cargo = workspace::cargo();
        cargo.args(["build", "--release", "--package", "tickwire-server", "--package", "tickwire-bench"]);
        step.must(
            "building the server and its bots",
            cargo.args(["--bin", "tickwire", "--bin", "tickwire-chaos"]).args(workspace::lock_flag()),
        )
    })?;
    if args.chaos.iter().any(|argument| argument.to_string_lossy().starts_with("--nodes")) {
        console.step("Finding Redis", tools::redis)?;
    }
    let mut chaos = Command::new(workspace::target_dir().join("release/tickwire-chaos"));
    chaos.args(&args.chaos).current_dir(workspace::root());
    bench::become_program(&mut chaos)
}

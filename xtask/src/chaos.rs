//! `cargo xtask chaos`: kills a server built from this checkout, or one of several, while bots
//! play, and says what was lost. Builds, then hands over to `tickwire-chaos`.

use crate::console::Console;
use crate::{bench, tools, workspace};
use anyhow::Result;
use std::ffi::OsString;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Handed on: `--kills N`, `--bots N`, `--nodes N`, `--fault kill|stop|...`, `--seed N`,
    /// `--control no-kill`, `--report-dir DIR`, `--check FILE`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    chaos: Vec<OsString>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<ExitCode> {
    if args.chaos.iter().any(|argument| argument.to_string_lossy().starts_with("--nodes")) {
        console.step("Finding Redis", tools::redis)?;
    }
    bench::become_program(bench::build(console, "tickwire-chaos")?.args(&args.chaos).current_dir(workspace::root()))
}

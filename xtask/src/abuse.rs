//! `cargo xtask abuse`: every attack of SECURITY.md against a server built from this checkout.
//! Builds, then hands over to `tickwire-abuse`.

use crate::console::Console;
use crate::{bench, workspace};
use anyhow::Result;
use std::ffi::OsString;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Handed on: `--attacks a,b+c`, `--tls`, `--soak MINUTES`, `--players N`, `--json PATH`,
    /// `--docs PATH`, `--list`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    abuse: Vec<OsString>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<ExitCode> {
    bench::become_program(bench::build(console, "tickwire-abuse")?.args(&args.abuse).current_dir(workspace::root()))
}

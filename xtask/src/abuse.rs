//! `cargo xtask abuse`: every attack of SECURITY.md against a server built from this checkout.
//! Builds, then hands over to `tickwire-abuse`.

use crate::console::Console;
use crate::{bench, workspace};
use anyhow::Result;
use std::ffi::OsString;
use std::process::{Command, ExitCode};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Handed on: `--attacks a,b+c`, `--tls`, `--soak MINUTES`, `--players N`, `--json PATH`,
    /// `--docs PATH`, `--list`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    abuse: Vec<OsString>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<ExitCode> {
    console.step("Building the server and its attackers", |step| {
        let mut cargo = workspace::cargo();
        cargo.args(["build", "--release", "--package", "tickwire-server", "--package", "tickwire-bench"]);
        step.must(
            "building the server and its attackers",
            cargo.args(["--bin", "tickwire", "--bin", "tickwire-abuse"]).args(workspace::lock_flag()),
        )
    })?;
    let mut abuse = Command::new(workspace::target_dir().join("release/tickwire-abuse"));
    abuse.args(&args.abuse).current_dir(workspace::root());
    bench::become_program(&mut abuse)
}

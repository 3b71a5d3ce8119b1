//! `cargo xtask bindings`: what the page's client knows of the protocol and what each page knows of its
//! game, written from the code (`generated.ts` in `web-client/packages`).

use crate::console::Console;
use crate::{page, workspace};
use anyhow::Result;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write nothing, and fail if something is not as the game says
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<ExitCode> {
    let label = if args.check { "Comparing what the page knows with the game" } else { "Writing what the page knows of the game" };
    console.step(label, |step| {
        let mut command = workspace::cargo();
        command.args(["run", "--quiet", "-p", "games", "--bin", "bindings"]).args(workspace::lock_flag());
        command.arg("--").arg(page::dir().join("packages"));
        if args.check {
            command.arg("--check");
        }
        let written = step.must(label, &mut command)?;
        step.note(if written.trim().is_empty() { "up to date" } else { "renewed" });
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

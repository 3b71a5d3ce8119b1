//! `cargo xtask e2e`: the game in a real browser.

use crate::console::{Console, Step};
use crate::summaries::{self, Tally};
use crate::{page, server, tools, workspace};
use anyhow::{Context, Result};
use std::fs;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Further arguments for Playwright, after `--`: a file name, `--headed`, `--grep`
    #[arg(last = true, value_name = "PLAYWRIGHT ARGUMENTS")]
    playwright: Vec<String>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<ExitCode> {
    console.step("Building the page", page::build_all)?;
    console.step("Building the server", server::build_for_tests)?;
    console.step("Looking for Chromium", tools::chromium)?;
    console.step("Looking for reverse proxies", tools::reverse_proxies)?;
    let mut step = console.begin("Playing in a browser")?;
    let tally = run_tests(&mut step, &args.playwright)?;
    step.end("");
    if tally.failed > 0 {
        console.print_log(&step);
    }
    println!("{tally}");
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs Playwright; the page and the server must be there.
pub(crate) fn run_tests(step: &mut Step, playwright: &[String]) -> Result<Tally> {
    let chromium = tools::chromium(step)?;
    tools::reverse_proxies(step)?;
    let report = workspace::state_dir()?.join("playwright.json");
    let _ = fs::remove_file(&report);
    let mut command = page::script("e2e", &["--reporter=list,json"]);
    command.args(playwright).env("PLAYWRIGHT_JSON_OUTPUT_FILE", &report).env(tools::CHROMIUM_VARIABLE, chromium);
    let finished = step.run(&mut command)?;
    let read = fs::read_to_string(&report).context("Playwright left no report").and_then(|json| summaries::playwright(&json));
    Ok(summaries::judge(read, &finished))
}

//! `cargo xtask doctor`: what is installed, what is missing, and what installs it. Changes nothing.

use crate::process::ask;
use crate::wasm::Compiler;
use crate::{fuzz, instructions, page, tools, workspace};
use std::process::{Command, ExitCode};

/// One thing that may be missing.
struct Finding {
    name: &'static str,
    /// What was found.
    found: Option<String>,
    /// What installs it.
    remedy: &'static str,
    need: Need,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Nothing works without it, and we do not install it.
    Required,
    /// Installed when first needed.
    Automatic,
    /// Its absence costs one command, or nothing but size.
    Optional,
}

pub(crate) fn run() -> ExitCode {
    let findings = look();
    for finding in &findings {
        match (&finding.found, finding.need) {
            (Some(found), _) => println!("  ok       {:<18} {found}", finding.name),
            (None, Need::Required) => println!("  MISSING  {:<18} run: {}", finding.name, finding.remedy),
            (None, Need::Automatic) => println!("  missing  {:<18} installed when first needed, by: {}", finding.name, finding.remedy),
            (None, Need::Optional) => println!("  missing  {:<18} optional; run: {}", finding.name, finding.remedy),
        }
    }
    let missing = findings.iter().filter(|finding| finding.found.is_none() && finding.need == Need::Required).count();
    if missing > 0 {
        println!("{missing} missing; with what is above installed, everything works.");
        return ExitCode::FAILURE;
    }
    println!("Ready: `cargo xtask play` starts the game, `cargo xtask test` checks everything.");
    ExitCode::SUCCESS
}

fn look() -> Vec<Finding> {
    // Without the right to install packages, what would be automatic is up to the reader.
    let may_install = tools::Rights::find().is_some() && workspace::program_on_path("apt-get").is_some();
    let packaged = if may_install { Need::Automatic } else { Need::Required };
    let version =
        |program: &str| ask(Command::new(program).arg("--version")).map(|text| text.lines().next().unwrap_or_default().to_string());
    let cargo_tool = |name: &str| ask(workspace::cargo().args([name, "--version"]));
    let located = |name: &str| workspace::program_on_path(name).map(|path| path.display().to_string());
    let compiler =
        if may_install { "apt-get install rustc-web cargo-web rust-web-src lld" } else { "rustup target add wasm32-unknown-unknown" };
    let rows = [
        ("rustc", version("rustc"), "see https://rustup.rs", Need::Required),
        ("rustfmt", cargo_tool("fmt"), "rustup component add rustfmt", Need::Required),
        ("clippy", cargo_tool("clippy"), "rustup component add clippy", Need::Required),
        ("node and npm", tools::node().ok(), "see https://nodejs.org (20.19 or newer)", Need::Required),
        ("page's packages", installed_packages(), "npm ci, in web-client", Need::Automatic),
        ("wasm compiler", Compiler::find().map(|compiler| compiler.describe().to_string()), compiler, packaged),
        ("chromium", tools::find_chromium().map(|path| path.display().to_string()), "apt-get install chromium", packaged),
        ("python3", version("python3"), "apt-get install python3", packaged),
        ("wasm-opt", located("wasm-opt"), "apt-get install binaryen", Need::Optional),
        ("cargo-fuzz", fuzz::find_cargo_fuzz(), fuzz::INSTALL_COMMAND, Need::Optional),
        ("valgrind", located("valgrind"), instructions::INSTALL_COMMAND, Need::Optional),
    ];
    rows.into_iter().map(|(name, found, remedy, need)| Finding { name, found, remedy, need }).collect()
}

fn installed_packages() -> Option<String> {
    page::packages_are_current(&page::dir()).then(|| "as locked".to_string())
}

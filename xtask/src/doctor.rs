//! `cargo xtask doctor`: what is installed, what is missing, and what installs it. Changes nothing.

use crate::apt::Apt;
use crate::machine::Machine;
use crate::process::ask;
use crate::wasm::{self, Compiler};
use crate::{fuzz, instructions, page, supply_chain, tools, workspace};
use std::process::{Command, ExitCode};

/// One thing that may be missing.
struct Finding {
    name: &'static str,
    /// What was found.
    found: Option<String>,
    /// What a person can do about its absence.
    remedy: String,
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
            (None, Need::Required) => println!("  MISSING  {:<18} {}", finding.name, finding.remedy),
            (None, Need::Automatic) => println!("  missing  {:<18} installed when first needed", finding.name),
            (None, Need::Optional) => println!("  missing  {:<18} optional; {}", finding.name, finding.remedy),
        }
    }
    let missing = findings.iter().filter(|finding| finding.found.is_none() && finding.need == Need::Required).count();
    if missing > 0 {
        println!("{missing} missing; everything works with what is MISSING above installed.");
        return ExitCode::FAILURE;
    }
    println!("Ready: `cargo xtask play` starts the game, `cargo xtask test` checks everything.");
    ExitCode::SUCCESS
}

fn look() -> Vec<Finding> {
    let machine = Machine::this();
    // Without the right to install packages, what would be automatic is up to the reader.
    let packaged = if Apt::find(&machine).is_ok() { Need::Automatic } else { Need::Required };
    let compiled = if machine.active_is_rustups() { Need::Automatic } else { packaged };
    let version =
        |program: &str| ask(Command::new(program).arg("--version")).map(|text| text.lines().next().unwrap_or_default().to_string());
    let cargo_tool = |name: &str| ask(workspace::cargo().args([name, "--version"]));
    let located = |name: &str| machine.program(name).map(|path| path.display().to_string());
    let run = |command: &str| format!("run `{command}`");
    let rows = [
        ("rustc", version("rustc"), "see https://rustup.rs".to_string(), Need::Required),
        ("rustfmt", cargo_tool("fmt"), run("rustup component add rustfmt"), Need::Required),
        ("clippy", cargo_tool("clippy"), run("rustup component add clippy"), Need::Required),
        ("node and npm", tools::node().ok(), "see https://nodejs.org (20.19 or newer)".to_string(), Need::Required),
        ("page's packages", installed_packages(), run("npm ci in web-client"), Need::Automatic),
        ("wasm compiler", Compiler::find(&machine).map(|compiler| compiler.describe().to_string()), wasm::by_hand(&machine), compiled),
        (
            "chromium",
            tools::find_chromium(&machine).map(|path| path.display().to_string()),
            format!("install one, or name it in {}", tools::CHROMIUM_VARIABLE),
            packaged,
        ),
        (
            "reverse proxies",
            tools::missing_proxies(&machine).is_empty().then(|| "all".to_string()),
            format!("install {}", tools::missing_proxies(&machine).join(", ")),
            packaged,
        ),
        (
            "redis",
            tools::missing_redis(&machine).is_empty().then(|| version("redis-server")).flatten(),
            format!("install {}", tools::missing_redis(&machine).join(", ")),
            packaged,
        ),
        ("python3", version("python3"), "install it".to_string(), packaged),
        ("wasm-opt", located("wasm-opt"), run("apt-get install binaryen"), Need::Optional),
        ("cargo-deny", supply_chain::find_deny(), run(supply_chain::INSTALL_DENY), Need::Optional),
        ("cargo-fuzz", fuzz::find_cargo_fuzz(), run(fuzz::INSTALL_COMMAND), Need::Optional),
        ("valgrind", located("valgrind"), run(instructions::INSTALL_COMMAND), Need::Optional),
    ];
    rows.into_iter().map(|(name, found, remedy, need)| Finding { name, found, remedy, need }).collect()
}

fn installed_packages() -> Option<String> {
    page::packages_are_current(&page::dir()).then(|| "as locked".to_string())
}

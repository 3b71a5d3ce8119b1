//! `cargo xtask supply-chain`: what the server and the page are made of. Licences, sources and known weaknesses of every crate (cargo-deny)
//! and package (npm audit), and the list of them all (`--sbom`, in the format of `CycloneDX`).
//!
//! What cannot be asked, because a service does not answer, is said and fails nothing: a machine without a network still has its tests.

use crate::console::{Console, Step};
use crate::machine::Machine;
use crate::process::ask;
use crate::summaries::Tally;
use crate::workspace;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write the list of everything the server and the page are made of into this folder (needs cargo-cyclonedx)
    #[arg(long, value_name = "DIR")]
    sbom: Option<PathBuf>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<ExitCode> {
    if let Some(dir) = &args.sbom {
        console.step("Listing crates and packages", |step| write_sbom(step, dir))?;
        return Ok(ExitCode::SUCCESS);
    }
    let checked = console.step("Checking crates and packages", check)?;
    if checked == Tally::none() {
        bail!("cargo-deny is not installed: run `{INSTALL_DENY}`");
    }
    Ok(ExitCode::SUCCESS)
}

/// A check of `cargo xtask test`; skipped where cargo-deny is not installed.
pub(crate) fn check(step: &mut Step) -> Result<Tally> {
    if find_deny().is_none() {
        return Ok(Tally::none());
    }
    step.must("licences, sources and versions of crates", &mut deny(&["bans", "licenses", "sources"]))?;
    let advisories = step.run(&mut deny(&["advisories"]))?;
    if !advisories.success {
        if !advisories.output.contains(UNREACHABLE_DATABASE) {
            return Err(step.failure("a crate has a known weakness".to_owned(), advisories.output).into());
        }
        step.note("the crates' advisories were not checked: their database cannot be reached");
    }
    for packages in PACKAGES {
        let mut npm = Machine::this().command("npm");
        npm.current_dir(workspace::root().join(packages)).args(["audit", "--audit-level=low"]);
        let audit = step.run(&mut npm)?;
        if !audit.success {
            if !audit.output.contains(UNREACHABLE_AUDIT) {
                return Err(step.failure(format!("a package of {packages} has a known weakness"), audit.output).into());
            }
            step.note(&format!("the advisories of {packages} were not checked: the registry does not answer"));
        }
    }
    Ok(Tally::one())
}

pub(crate) fn find_deny() -> Option<String> {
    ask(Command::new("cargo-deny").arg("--version"))
}

fn deny(what: &[&str]) -> Command {
    let mut cargo = workspace::cargo();
    cargo.args(["deny", "--workspace", "check"]).args(what);
    cargo
}

/// One list of crates for each of the programs, one of packages for the page.
fn write_sbom(step: &mut Step, dir: &Path) -> Result<()> {
    if ask(Command::new("cargo-cyclonedx").args(["cyclonedx", "--version"])).is_none() {
        bail!("cargo-cyclonedx is not installed: run `{INSTALL_CYCLONEDX}`");
    }
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let mut cargo = workspace::cargo();
    cargo.args([
        "cyclonedx",
        "--format",
        "json",
        "--manifest-path",
        "game-server/Cargo.toml",
        "--override-filename",
        "tickwire-server.cdx",
    ]);
    step.must("listing the server's crates", &mut cargo)?;
    // It writes beside the manifest.
    let written = workspace::root().join("game-server/tickwire-server.cdx.json");
    let crates = dir.join("tickwire-server.cdx.json");
    fs::copy(&written, &crates).and_then(|_| fs::remove_file(&written)).with_context(|| format!("cannot write {}", crates.display()))?;
    let mut npm = Machine::this().command("npm");
    npm.current_dir(workspace::root().join("web-client")).args([
        "sbom",
        "--sbom-format",
        "cyclonedx",
        "--omit",
        "dev",
        "--package-lock-only",
    ]);
    let packages = npm.output().context("cannot run npm")?;
    if !packages.status.success() {
        bail!("listing the page's packages failed: {}", String::from_utf8_lossy(&packages.stderr).trim());
    }
    let page = dir.join("tickwire-page.cdx.json");
    fs::write(&page, packages.stdout).with_context(|| format!("cannot write {}", page.display()))
}

/// Folders with packages of their own.
const PACKAGES: [&str; 2] = ["web-client", "loadtest/arms"];
/// What the two say when nobody answers them.
const UNREACHABLE_DATABASE: &str = "failed to fetch advisory database";
const UNREACHABLE_AUDIT: &str = "audit endpoint returned an error";
/// What installs the tools.
pub(crate) const INSTALL_DENY: &str = "cargo install cargo-deny --locked";
const INSTALL_CYCLONEDX: &str = "cargo install cargo-cyclonedx --locked";

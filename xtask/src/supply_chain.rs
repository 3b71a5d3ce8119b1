//! `cargo xtask supply-chain`: what the server and the page are made of. Licences, sources and
//! known weaknesses of every crate (cargo-deny) and package (npm audit), and the list of them all
//! (`--sbom`, in the format of `CycloneDX`).
//!
//! What cannot be asked, because a service does not answer, is said and fails nothing: a machine
//! without a network still has its tests.

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
    /// Write the list of everything the server and the page are made of into this folder (needs
    /// cargo-cyclonedx)
    #[arg(long, value_name = "DIR")]
    sbom: Option<PathBuf>,
    /// Build the server with the list of its crates inside, for a release, and put it into this
    /// folder (needs cargo-auditable)
    #[arg(long, value_name = "DIR")]
    binary: Option<PathBuf>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<ExitCode> {
    if let Some(dir) = &args.sbom {
        console.step("Listing crates and packages", |step| write_sbom(step, dir))?;
    }
    if let Some(dir) = &args.binary {
        console.step("Building the server with the list of its crates inside", |step| build_binary(step, dir))?;
    }
    if args.sbom.is_some() || args.binary.is_some() {
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
        "--spec-version",
        "1.5",
        "--manifest-path",
        "game-server/Cargo.toml",
        "--override-filename",
        LIST_OF_CRATES.trim_end_matches(".json"),
    ]);
    step.must("listing the server's crates", &mut cargo)?;
    // It writes beside every manifest of the workspace.
    let mut files = Vec::new();
    workspace::collect_files(workspace::root().as_path(), &["target", "node_modules", ".git"], &mut files)?;
    let crates = dir.join(LIST_OF_CRATES);
    let own = workspace::root().join("game-server").join(LIST_OF_CRATES);
    fs::copy(&own, &crates).with_context(|| format!("cannot write {}", crates.display()))?;
    let is_written = |file: &PathBuf| file.file_name().is_some_and(|name| name == LIST_OF_CRATES) && !is_same(file, &crates);
    for file in files.iter().filter(|file| is_written(file)) {
        fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
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

/// `tickwire` as players are to be let in by: whoever has the file can ask what it is made of
/// (`cargo audit bin`).
fn build_binary(step: &mut Step, dir: &Path) -> Result<()> {
    if ask(Command::new("cargo-auditable").args(["auditable", "--version"])).is_none() {
        bail!("cargo-auditable is not installed: run `{INSTALL_AUDITABLE}`");
    }
    let mut cargo = workspace::cargo();
    cargo.args(["auditable", "build", "--release", "--package", "tickwire-server", "--bin", "tickwire"]).args(workspace::lock_flag());
    step.must("building the server", &mut cargo)?;
    let name = format!("tickwire{}", std::env::consts::EXE_SUFFIX);
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let binary = dir.join(&name);
    fs::copy(workspace::target_dir().join("release").join(&name), &binary).with_context(|| format!("cannot write {}", binary.display()))?;
    Ok(())
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// The server's crates.
const LIST_OF_CRATES: &str = "tickwire-server.cdx.json";
/// Folders with packages of their own.
const PACKAGES: [&str; 2] = ["web-client", "bench/arms"];
/// What the two say when nobody answers them.
const UNREACHABLE_DATABASE: &str = "failed to fetch advisory database";
const UNREACHABLE_AUDIT: &str = "audit endpoint returned an error";
/// What installs the tools.
pub(crate) const INSTALL_DENY: &str = "cargo install cargo-deny --locked";
const INSTALL_AUDITABLE: &str = "cargo install cargo-auditable --locked";
const INSTALL_CYCLONEDX: &str = "cargo install cargo-cyclonedx --locked";

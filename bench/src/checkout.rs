//! The checkout that these programs were built from.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The commit, with a mark if the checkout differs from it; empty without git.
pub fn commit() -> String {
    let here = env!("CARGO_MANIFEST_DIR");
    let commit = ask("git", &["-C", here, "rev-parse", "--short=12", "HEAD"]);
    let has_changes = !ask("git", &["-C", here, "status", "--porcelain", "--untracked-files=no"]).is_empty();
    if has_changes { format!("{commit} and uncommitted changes") } else { commit }
}

/// What a program says, trimmed; nothing if it is not there or fails.
pub fn ask(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let said = output.ok().filter(|output| output.status.success()).map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&said).trim().to_owned()
}

/// The server's binary: the one that was `given`, else `tickwire` beside this program.
///
/// # Errors
/// If there is no such file.
pub fn tickwire(given: Option<PathBuf>) -> Result<PathBuf> {
    let binary = path_of_tickwire(given)?;
    must_be_built(&binary)?;
    Ok(binary)
}

/// As [`tickwire`], whether the file is there or not.
///
/// # Errors
/// If this program does not know where it is itself.
pub fn path_of_tickwire(given: Option<PathBuf>) -> Result<PathBuf> {
    let beside = || std::env::current_exe().map(|this| this.with_file_name("tickwire"));
    given.map_or_else(beside, Ok).context("this program cannot be found")
}

/// Says how the server's binary is built if it is not there.
///
/// # Errors
/// If there is no file `binary`.
pub fn must_be_built(binary: &Path) -> Result<()> {
    if !binary.is_file() {
        bail!("there is no {}: run `cargo build --release -p tickwire-server`", binary.display());
    }
    Ok(())
}

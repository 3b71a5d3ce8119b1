//! Where things are in this checkout, and cargo as the developer runs it.

use anyhow::{Context, Result};
use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A folder for what these commands keep between runs: logs, stamps, the admin token. Created if
/// missing.
pub(crate) fn state_dir() -> Result<PathBuf> {
    let dir = target_dir().join("tickwire");
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    Ok(dir)
}

/// The cargo that runs this command, without what it set for this process alone.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).env("CARGO_TARGET_DIR", target_dir());
    for name in variables_of_cargo_run() {
        command.env_remove(name);
    }
    command
}

/// What `cargo run` tells the program it starts; a cargo started from there must not mistake it for
/// its own.
pub(crate) fn variables_of_cargo_run() -> Vec<String> {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_") || name == "CARGO_BIN_NAME").collect()
}

/// `--locked` where nobody is there to look at a changed lock file.
pub(crate) fn lock_flag() -> &'static [&'static str] {
    if env::var_os("CI").is_some() { &["--locked"] } else { &[] }
}

/// Whether the files a result was made of still have the contents they had then.
pub(crate) struct Stamp {
    file: PathBuf,
    current: String,
}

impl Stamp {
    /// `name` says whose stamp; `inputs` are files and folders, `skip` the names of folders left
    /// out.
    pub(crate) fn of(name: &str, inputs: &[PathBuf], skip: &[&str]) -> Result<Self> {
        let mut files = Vec::new();
        for input in inputs {
            collect_files(input, skip, &mut files)?;
        }
        files.sort();
        let mut hasher = DefaultHasher::new();
        for file in &files {
            file.hash(&mut hasher);
            fs::read(file).with_context(|| format!("cannot read {}", file.display()))?.hash(&mut hasher);
        }
        Ok(Self { file: state_dir()?.join(format!("{name}.stamp")), current: format!("{:016x}", hasher.finish()) })
    }

    pub(crate) fn is_fresh(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|stored| stored == self.current)
    }

    pub(crate) fn store(&self) -> Result<()> {
        fs::write(&self.file, &self.current).with_context(|| format!("cannot write {}", self.file.display()))
    }
}

/// Every file under `path` (or `path` itself), leaving out folders whose name is in `skip`.
pub(crate) fn collect_files(path: &Path, skip: &[&str], files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot read the folder {}", path.display()))?;
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        let skipped = entry.file_name().to_str().is_some_and(|name| skip.contains(&name));
        if kind.is_file() {
            files.push(entry.path());
        } else if kind.is_dir() && !skipped {
            collect_files(&entry.path(), skip, files)?;
        }
    }
    Ok(())
}

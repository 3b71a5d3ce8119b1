//! What must be installed besides Rust and Node: found if present, installed through apt where we may, else one line saying the command.

use crate::console::Step;
use crate::process::ask;
use crate::workspace::program_on_path;
use anyhow::{Result, bail};
use std::env;
use std::path::PathBuf;
use std::process::Command;

/// The browser the tests drive; the page's Playwright configuration reads the same variable.
pub(crate) const CHROMIUM_VARIABLE: &str = "CHROMIUM";

/// A Chromium that starts: the one named by `CHROMIUM`, else the first on `PATH`.
pub(crate) fn find_chromium() -> Option<PathBuf> {
    let named = env::var_os(CHROMIUM_VARIABLE).map(PathBuf::from);
    let candidates = named.into_iter().chain(CHROMIUM_NAMES.iter().filter_map(|name| program_on_path(name)));
    // Ubuntu's package is a script that asks for a snap: present, but not a browser.
    candidates.into_iter().find(|path| ask(Command::new(path).arg("--version")).is_some())
}

/// Finds Chromium, or installs it.
pub(crate) fn chromium(step: &mut Step) -> Result<PathBuf> {
    if let Some(path) = find_chromium() {
        return Ok(path);
    }
    install(step, &["chromium"])?;
    match find_chromium() {
        Some(path) => Ok(path),
        None => bail!("the `chromium` package of this system is no browser that starts: install one and name it in {CHROMIUM_VARIABLE}"),
    }
}

/// Finds Python, or installs it: the wire is decoded from its documentation in a second language.
pub(crate) fn python(step: &mut Step) -> Result<PathBuf> {
    if let Some(path) = program_on_path("python3") {
        return Ok(path);
    }
    install(step, &["python3-minimal", "libpython3-stdlib"])?;
    match program_on_path("python3") {
        Some(path) => Ok(path),
        None => bail!("python3 is still not on PATH after installing it"),
    }
}

/// Checks that Node and npm are there and new enough. We do not install them: everybody has an opinion on how.
pub(crate) fn node() -> Result<String> {
    let Some(version) = ask(Command::new("node").arg("--version")) else {
        bail!("Node.js is not installed: install Node.js {}.{} or newer, with npm", OLDEST_NODE.0, OLDEST_NODE.1);
    };
    if !is_at_least(&version, OLDEST_NODE) {
        bail!("Node.js {version} is too old: install {}.{} or newer", OLDEST_NODE.0, OLDEST_NODE.1);
    }
    if program_on_path("npm").is_none() {
        bail!("npm is not installed: it comes with Node.js, or as the package `npm`");
    }
    Ok(version)
}

/// Installs packages through apt. Refuses to remove anything: replacing somebody's compiler is not ours to do.
pub(crate) fn install(step: &mut Step, packages: &[&str]) -> Result<()> {
    let by_hand = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    if program_on_path("apt-get").is_none() {
        bail!("missing: {}; this is no Debian or Ubuntu, so please install it by this system's means", packages.join(", "));
    }
    let Some(rights) = Rights::find() else {
        bail!("missing: {}; please run `sudo {by_hand}`", packages.join(", "));
    };
    step.note(&format!("installing {}", packages.join(", ")));
    let mut words = vec!["install", "-y", "--no-install-recommends", "--no-remove", "-o", "DPkg::Lock::Timeout=300"];
    words.extend(packages);
    if step.run(&mut rights.apt_get(&words))?.success {
        return Ok(());
    }
    // The lists may never have been fetched here, or name versions that are gone.
    step.must("apt-get update", &mut rights.apt_get(&["update"]))?;
    let finished = step.run(&mut rights.apt_get(&words))?;
    if finished.success {
        return Ok(());
    }
    Err(step.failure(format!("cannot install {}; try `{by_hand}` by hand", packages.join(", ")), finished.output).into())
}

/// Whether a version like `v20.19.2` or `rustc 1.96.0 (...)` is at least `oldest` (major, minor).
pub(crate) fn is_at_least(version: &str, oldest: (u32, u32)) -> bool {
    let number =
        version.split_whitespace().map(|word| word.trim_start_matches('v')).find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let mut parts = number.unwrap_or_default().split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= oldest
}

/// How we may install packages.
#[derive(Clone, Copy)]
pub(crate) enum Rights {
    Root,
    /// `sudo` that asks no password.
    Sudo,
}

impl Rights {
    pub(crate) fn find() -> Option<Self> {
        if ask(Command::new("id").arg("-u")).as_deref() == Some("0") {
            return Some(Self::Root);
        }
        ask(Command::new("sudo").args(["-n", "true"])).map(|_| Self::Sudo)
    }

    fn apt_get(self, words: &[&str]) -> Command {
        let mut command = match self {
            Self::Root => Command::new("env"),
            Self::Sudo => Command::new("sudo"),
        };
        if matches!(self, Self::Sudo) {
            command.args(["-n", "env"]);
        }
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(words);
        command
    }
}

const CHROMIUM_NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
/// What Vite and Vitest ask for.
const OLDEST_NODE: (u32, u32) = (20, 19);

#[cfg(test)]
mod tests {
    use super::is_at_least;

    #[test]
    fn versions_compare_by_number() {
        assert!(is_at_least("v20.19.2", (20, 19)));
        assert!(is_at_least("v22.1.0", (20, 19)));
        assert!(!is_at_least("v20.9.0", (20, 19)));
        assert!(is_at_least("rustc 1.96.0 (ac68faa20 2026-05-25)", (1, 85)));
        assert!(!is_at_least("rustc 1.63.0", (1, 85)));
        assert!(!is_at_least("", (1, 85)));
    }
}

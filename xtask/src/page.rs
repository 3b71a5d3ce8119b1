//! The page: its npm packages and its Vite build. Both are skipped while they are up to date.

use crate::console::Step;
use crate::machine::Machine;
use crate::tools;
use crate::wasm;
use crate::workspace::{self, Stamp};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The page's folder.
pub(crate) fn dir() -> PathBuf {
    workspace::root().join("web-client")
}

/// What Vite builds and the server serves.
pub(crate) fn dist() -> PathBuf {
    dir().join("dist")
}

/// `npm run <script> -- <args>` in the page's folder.
pub(crate) fn script(script: &str, args: &[&str]) -> Command {
    let mut command = npm();
    command.args(["run", "--silent", script]);
    if !args.is_empty() {
        command.arg("--").args(args);
    }
    command
}

/// Whether a step found its work done already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Done,
    WasUpToDate,
}

impl Work {
    pub(crate) fn say(self, step: &mut Step) {
        if self == Self::WasUpToDate {
            step.note("up to date");
        }
    }
}

/// Installs the packages the lock file names, unless exactly those are installed.
pub(crate) fn install_packages(step: &mut Step) -> Result<Work> {
    tools::node()?;
    if packages_are_current(&dir()) {
        return Ok(Work::WasUpToDate);
    }
    step.must("installing the page's packages", npm().args(["ci", "--no-audit", "--no-fund", "--prefer-offline"]))?;
    Ok(Work::Done)
}

/// Builds the page. The browser module and the packages must be there.
pub(crate) fn build(step: &mut Step) -> Result<Work> {
    let stamp = Stamp::of("page", &[dir()], NOT_IN_THE_PAGE)?;
    if is_built() && stamp.is_fresh() {
        return Ok(Work::WasUpToDate);
    }
    step.must("building the page", &mut script("build", &[]))?;
    stamp.store()?;
    Ok(Work::Done)
}

/// Whether there is a page, of whatever age.
pub(crate) fn is_built() -> bool {
    ["index.html", "admin/index.html"].iter().all(|page| dist().join(page).is_file())
}

/// Everything the page needs, from nothing.
pub(crate) fn build_all(step: &mut Step) -> Result<Work> {
    wasm::build(step)?;
    install_packages(step)?;
    build(step)
}

fn npm() -> Command {
    let mut command = Machine::this().command("npm");
    command.current_dir(dir()).env("npm_config_update_notifier", "false");
    command
}

/// npm notes what it installed in a lock file of its own, hidden among the packages: compare that
/// with what is asked for.
pub(crate) fn packages_are_current(dir: &Path) -> bool {
    let read = |name: &Path| -> Result<Value> {
        let text = fs::read_to_string(dir.join(name)).with_context(|| format!("cannot read {}", name.display()))?;
        Ok(serde_json::from_str(&text)?)
    };
    match (read("package-lock.json".as_ref()), read("node_modules/.package-lock.json".as_ref())) {
        (Ok(wanted), Ok(installed)) => {
            let manifest_of = |package: &str| read(&Path::new(package).join("package.json")).ok();
            lock_matches_manifests(&wanted, manifest_of) && installed_matches(&wanted, &installed)
        }
        _ => false,
    }
}

/// `manifest_of` reads the manifest of a package of ours by its folder: the root's is empty, the
/// others are its workspaces.
fn lock_matches_manifests(wanted: &Value, manifest_of: impl Fn(&str) -> Option<Value>) -> bool {
    let Some(packages) = wanted["packages"].as_object() else { return false };
    packages.iter().filter(|(path, _)| !path.contains("node_modules/")).all(|(path, locked)| {
        let same = |manifest: Value| ["dependencies", "devDependencies"].iter().all(|group| manifest[group] == locked[group]);
        manifest_of(path).is_some_and(same)
    })
}

fn installed_matches(wanted: &Value, installed: &Value) -> bool {
    let (Some(wanted), Some(installed)) = (wanted["packages"].as_object(), installed["packages"].as_object()) else { return false };
    // The root package itself is not installed; packages for other platforms are optional.
    wanted.iter().filter(|(path, _)| !path.is_empty()).all(|(path, package)| match installed.get(path) {
        Some(found) => found["version"] == package["version"] && found["integrity"] == package["integrity"],
        None => package["optional"] == true,
    })
}

/// Folders of web-client that the build does not read. `wasm` is read by way of the module built
/// from it.
const NOT_IN_THE_PAGE: &[&str] = &["node_modules", "dist", "e2e", "wasm", "test-results", "playwright-report"];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn packages_are_current_only_if_each_is_the_locked_one() {
        let wanted = json!({"packages": {
            "": {"dependencies": {"a": "1.0.0"}},
            "node_modules/a": {"version": "1.0.0", "integrity": "x"},
            "node_modules/a-darwin": {"version": "1.0.0", "integrity": "y", "optional": true},
        }});
        let installed = |version: &str| json!({"packages": {"node_modules/a": {"version": version, "integrity": "x"}}});
        assert!(installed_matches(&wanted, &installed("1.0.0")));
        assert!(!installed_matches(&wanted, &installed("0.9.0")));
        assert!(!installed_matches(&wanted, &json!({"packages": {}})));
        assert!(!installed_matches(&wanted, &json!({})));
    }

    #[test]
    fn a_manifest_the_lock_does_not_know_is_noticed() {
        let lock = json!({"packages": {"": {"dependencies": {"a": "1.0.0"}}, "node_modules/a": {"version": "1.0.0"}, "packages/own": {}}});
        let matches = |root: Value, own: Option<Value>| {
            lock_matches_manifests(&lock, |package| if package.is_empty() { Some(root.clone()) } else { own.clone() })
        };
        assert!(matches(json!({"dependencies": {"a": "1.0.0"}}), Some(json!({}))));
        assert!(!matches(json!({"dependencies": {"a": "1.0.0", "b": "2.0.0"}}), Some(json!({}))));
        assert!(!matches(json!({"dependencies": {"a": "1.0.0"}}), Some(json!({"dependencies": {"b": "2.0.0"}}))));
        assert!(!matches(json!({"dependencies": {"a": "1.0.0"}}), None));
    }
}

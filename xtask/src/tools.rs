//! What must be installed besides Rust and Node: found if present, installed where we may (`apt`),
//! else one line saying what to do. The browser module's compiler is found by `wasm::compiler`.

use crate::apt;
use crate::console::Step;
use crate::machine::Machine;
use crate::process::ask;
use anyhow::{Result, bail};
use std::env;
use std::path::PathBuf;
use std::process::Command;

/// The browser the tests drive; the page's Playwright configuration reads the same variable.
pub(crate) const CHROMIUM_VARIABLE: &str = "CHROMIUM";

/// A Chromium that starts: the one named by `CHROMIUM`, else the first on `PATH`.
pub(crate) fn find_chromium(machine: &Machine) -> Option<PathBuf> {
    // Ubuntu's package is a script that asks for a snap: present, but not a browser.
    chromiums(machine).find(|path| ask(machine.command(path).arg("--version")).is_some())
}

/// Whether there is something called Chromium; to start it, and so to be sure, can take a second.
pub(crate) fn seems_to_have_chromium(machine: &Machine) -> bool {
    chromiums(machine).next().is_some()
}

fn chromiums(machine: &Machine) -> impl Iterator<Item = PathBuf> {
    let named = env::var_os(CHROMIUM_VARIABLE).map(PathBuf::from);
    named.into_iter().chain(CHROMIUM_NAMES.iter().filter_map(|name| machine.program(name)))
}

/// Finds Chromium, or installs it.
pub(crate) fn chromium(step: &mut Step) -> Result<PathBuf> {
    let machine = Machine::this();
    if let Some(path) = find_chromium(&machine) {
        return Ok(path);
    }
    apt::install(&machine, step, &["chromium"])?;
    match find_chromium(&machine) {
        Some(path) => Ok(path),
        None => bail!("the `chromium` package of this system is no browser that starts: install one and name it in {CHROMIUM_VARIABLE}"),
    }
}

/// Finds Python, or installs it: the wire is decoded from its documentation in a second language.
pub(crate) fn python(step: &mut Step) -> Result<PathBuf> {
    let machine = Machine::this();
    if let Some(path) = machine.program("python3") {
        return Ok(path);
    }
    apt::install(&machine, step, &["python3-minimal", "libpython3-stdlib"])?;
    match machine.program("python3") {
        Some(path) => Ok(path),
        None => bail!("python3 is still not on PATH after installing it"),
    }
}

/// Finds the reverse proxies of deploy/, or installs them: the browser plays through each.
pub(crate) fn reverse_proxies(step: &mut Step) -> Result<()> {
    let machine = Machine::this();
    let missing = missing_proxies(&machine);
    if !missing.is_empty() {
        apt::install_without_services(&machine, step, &missing)?;
    }
    match missing_proxies(&machine)[..] {
        [] => Ok(()),
        [first, ..] => bail!("{first} is still not there after installing it"),
    }
}

/// Those of the reverse proxies that are not there. Their packages are called as they are.
pub(crate) fn missing_proxies(machine: &Machine) -> Vec<&'static str> {
    // Few who are not root have Debian's folder of servers on their `PATH`.
    let is_there = |name: &str| machine.program(name).is_some() || machine.system_program(&format!("../sbin/{name}")).is_file();
    REVERSE_PROXIES.iter().copied().filter(|name| !is_there(name)).collect()
}

/// Finds Redis, which nodes share, or installs it: tests start servers of their own.
pub(crate) fn redis(step: &mut Step) -> Result<()> {
    let machine = Machine::this();
    let missing = missing_redis(&machine);
    if !missing.is_empty() {
        apt::install_without_services(&machine, step, &missing)?;
    }
    match missing_redis(&machine)[..] {
        [] => Ok(()),
        [first, ..] => bail!("{first} is still not there after installing it"),
    }
}

/// Debian's packages of those of Redis' programs that are not there.
pub(crate) fn missing_redis(machine: &Machine) -> Vec<&'static str> {
    REDIS.iter().filter(|(program, _)| machine.program(program).is_none()).map(|(_, package)| *package).collect()
}

/// Checks that Node and npm are there and new enough. We do not install them: everybody has an
/// opinion on how.
pub(crate) fn node() -> Result<String> {
    let Some(version) = ask(Command::new("node").arg("--version")) else {
        bail!("Node.js is not installed: install Node.js {}.{} or newer, with npm", OLDEST_NODE.0, OLDEST_NODE.1);
    };
    if !is_at_least(&version, OLDEST_NODE) {
        bail!("Node.js {version} is too old: install {}.{} or newer", OLDEST_NODE.0, OLDEST_NODE.1);
    }
    if Machine::this().program("npm").is_none() {
        bail!("npm is not installed: it comes with Node.js, or as the package `npm`");
    }
    Ok(version)
}

/// Whether a version like `v20.19.2` or `rustc 1.96.0 (...)` is at least `oldest` (major, minor).
pub(crate) fn is_at_least(version: &str, oldest: (u32, u32)) -> bool {
    major_and_minor(version) >= oldest
}

/// The numbers a version begins with; zeros where there are none.
pub(crate) fn major_and_minor(version: &str) -> (u32, u32) {
    let number =
        version.split_whitespace().map(|word| word.trim_start_matches('v')).find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let mut parts = number.unwrap_or_default().split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

const CHROMIUM_NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
/// Debian's names for programs and packages alike. The last one makes their certificates.
const REVERSE_PROXIES: &[&str] = &["nginx", "caddy", "haproxy", "apache2", "openssl"];
/// Programs and Debian's packages of them. A Sentinel is a `redis-server` too.
const REDIS: &[(&str, &str)] = &[("redis-server", "redis-server"), ("redis-cli", "redis-tools")];
/// What Vite and Vitest ask for.
const OLDEST_NODE: (u32, u32) = (20, 19);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn proxies_are_found_where_debian_puts_servers() {
        let fake = crate::machine::fake::FakeMachine::new();
        assert_eq!(missing_proxies(&fake.machine()), REVERSE_PROXIES);
        fake.program("caddy", "").write("usr/sbin/nginx");
        assert_eq!(missing_proxies(&fake.machine()), ["haproxy", "apache2", "openssl"]);
    }

    #[test]
    #[cfg(unix)]
    fn redis_programs_are_found_by_their_packages() {
        let fake = crate::machine::fake::FakeMachine::new();
        assert_eq!(missing_redis(&fake.machine()), ["redis-server", "redis-tools"]);
        fake.program("redis-cli", "");
        assert_eq!(missing_redis(&fake.machine()), ["redis-server"]);
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(is_at_least("v20.19.2", (20, 19)));
        assert!(is_at_least("v22.1.0", (20, 19)));
        assert!(!is_at_least("v20.9.0", (20, 19)));
        assert!(is_at_least("rustc 1.96.0 (ac68faa20 2026-05-25)", (1, 85)));
        assert!(is_at_least("1.96.0+dfsg1-1~deb12u2", (1, 95)));
        assert!(!is_at_least("1.85.0+dfsg3-1~deb12u3", (1, 95)));
        assert!(!is_at_least("rustc 1.63.0", (1, 85)));
        assert!(!is_at_least("", (1, 85)));
    }
}

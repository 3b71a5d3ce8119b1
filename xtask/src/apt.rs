//! Packages of Debian and its descendants, installed through apt where we may.
//!
//! Invariants: the lists are refreshed before a version is chosen; nothing is ever removed, because
//! replacing somebody's compiler is not ours to do.

use crate::console::Step;
use crate::machine::Machine;
use crate::process::ask;
use anyhow::{Result, bail};
use std::process::Command;

/// The right to install packages on a machine that has apt.
pub(crate) struct Apt<'m> {
    machine: &'m Machine,
    rights: Rights,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rights {
    Root,
    /// `sudo` that asks no password.
    Sudo,
}

/// Why packages cannot be installed from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoApt {
    /// The system's packages are not apt's.
    OtherSystem,
    /// The developer is not root, and sudo wants a password.
    NoRights,
}

impl std::fmt::Display for NoApt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::OtherSystem => "this is no Debian or Ubuntu",
            Self::NoRights => "you are not root and sudo wants a password",
        })
    }
}

impl<'m> Apt<'m> {
    pub(crate) fn find(machine: &'m Machine) -> Result<Self, NoApt> {
        if machine.program("apt-get").is_none() {
            return Err(NoApt::OtherSystem);
        }
        let rights = if ask(machine.command("id").arg("-u")).as_deref() == Some("0") {
            Rights::Root
        } else if ask(machine.command("sudo").args(["-n", "true"])).is_some() {
            Rights::Sudo
        } else {
            return Err(NoApt::NoRights);
        };
        Ok(Self { machine, rights })
    }

    /// Fetches the lists of what there is. Where that fails, those of last time must do.
    pub(crate) fn refresh(&self, step: &mut Step) -> Result<()> {
        let finished = step.run(&mut self.apt_get(&["update"]))?;
        if !finished.success {
            step.say("`apt-get update` failed: going by the package lists of last time");
        }
        Ok(())
    }

    /// Installs packages, or upgrades those that are there. The lists must have been refreshed.
    pub(crate) fn install(&self, step: &mut Step, packages: &[&str]) -> Result<()> {
        let mut words = vec!["install", "-y", "--no-install-recommends", "--no-remove", "-o", "DPkg::Lock::Timeout=300"];
        words.extend(packages);
        let finished = step.run(&mut self.apt_get(&words))?;
        if finished.success {
            return Ok(());
        }
        let summary = format!("apt-get cannot install {}; try `{}`", packages.join(", "), by_hand(packages));
        Err(step.failure(summary, finished.output).into())
    }

    /// Installs servers, and lets none of them start, now or with the machine. The lists must have
    /// been refreshed.
    fn install_without_services(&self, step: &mut Step, packages: &[&str]) -> Result<()> {
        let mut command = self.privileged("sh");
        command.args(["-c", INSTALL_WITHOUT_SERVICES, "sh"]).args(packages);
        let finished = step.run(&mut command)?;
        if finished.success {
            return Ok(());
        }
        let summary = format!("apt-get cannot install {}; try `{}`", packages.join(", "), by_hand(packages));
        Err(step.failure(summary, finished.output).into())
    }

    fn apt_get(&self, words: &[&str]) -> Command {
        let mut command = self.privileged("apt-get");
        command.args(words);
        command
    }

    fn privileged(&self, program: &str) -> Command {
        let mut command = match self.rights {
            Rights::Root => self.machine.command(program),
            Rights::Sudo => {
                let mut sudo = self.machine.command("sudo");
                sudo.args(["-n", "env", "DEBIAN_FRONTEND=noninteractive", program]);
                sudo
            }
        };
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    }
}

/// Debian starts what it installs, unless a file says no. One that is there already says what it
/// says.
const INSTALL_WITHOUT_SERVICES: &str = r#"
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    trap 'exit 1' INT TERM
    printf '#!/bin/sh\nexit 101\n' > $policy && chmod 755 $policy || exit 1
fi
apt-get install -y --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300 "$@" || exit 1
systemctl disable --quiet "$@" 2> /dev/null
exit 0
"#;

/// The version of a package that apt would install, by the lists that are there.
pub(crate) fn candidate(machine: &Machine, package: &str) -> Option<String> {
    let shown = ask(machine.command("apt-cache").args(["show", "--no-all-versions", package]).env("LC_ALL", "C"))?;
    shown.lines().find_map(|line| line.strip_prefix("Version:")).map(|version| version.trim().to_string())
}

/// Installs packages after a refresh, and says so while it does.
pub(crate) fn install(machine: &Machine, step: &mut Step, packages: &[&str]) -> Result<()> {
    find_and_refresh(machine, step, packages)?.install(step, packages)
}

/// Installs packages of servers after a refresh, and does not start the servers.
pub(crate) fn install_without_services(machine: &Machine, step: &mut Step, packages: &[&str]) -> Result<()> {
    find_and_refresh(machine, step, packages)?.install_without_services(step, packages)
}

fn find_and_refresh<'m>(machine: &'m Machine, step: &mut Step, packages: &[&str]) -> Result<Apt<'m>> {
    let apt = match Apt::find(machine) {
        Ok(apt) => apt,
        Err(NoApt::OtherSystem) => bail!("missing: {}; {}: install it by this system's means", packages.join(", "), NoApt::OtherSystem),
        Err(NoApt::NoRights) => bail!("missing: {}; {}: run `{}`", packages.join(", "), NoApt::NoRights, by_hand(packages)),
    };
    step.say(&format!("installing {} with apt-get", packages.join(", ")));
    apt.refresh(step)?;
    Ok(apt)
}

/// What a person runs who may not be asked for a password.
pub(crate) fn by_hand(packages: &[&str]) -> String {
    format!("sudo apt-get update && sudo apt-get install --no-install-recommends {}", packages.join(" "))
}

//! `cargo xtask bench`: the servers side by side. Builds what is measured, then hands over to
//! `tickwire-bench`.

use crate::console::{Console, Step};
use crate::machine::Machine;
use crate::page::{self, Work};
use crate::{tools, workspace};
use anyhow::Result;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Fewer repeats of shorter windows: under ten minutes in all
    #[arg(long)]
    quick: bool,
    /// Write the results here
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// Write tables and charts into docs/BENCHMARKS.md and docs/images
    #[arg(long)]
    docs: bool,
    /// Servers to measure, separated by commas [default:
    /// floor,tickwire,tickwire-portable,tickwire-tls,ws-binary,ws-json,colyseus]
    #[arg(long, value_name = "NAMES")]
    arms: Option<String>,
    /// Player counts to measure at [default: 320,960]
    #[arg(long, value_name = "COUNTS")]
    players: Option<String>,
    /// Times that every arm is measured [default: 5, with --quick 3]
    #[arg(long, value_name = "N")]
    repeats: Option<usize>,
    /// Leave out how many players each arm holds
    #[arg(long)]
    no_capacity: bool,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<ExitCode> {
    // Asked for by name, arms without Node need none.
    let needs_node = args.arms.as_ref().is_none_or(|arms| arms.split(',').any(|arm| !NATIVE_ARMS.contains(&arm)));
    if needs_node {
        console.step("Installing the other servers' packages", |step| install_packages(step).map(|work| work.say(step)))?;
    }
    become_program(build(console, "tickwire-bench")?.args(flags(args)))
}

/// Builds the server and one of the programs that start it. Returns that program.
pub(crate) fn build(console: &Console, program: &str) -> Result<Command> {
    console.step(&format!("Building the server and {program}"), |step| {
        let mut cargo = workspace::cargo();
        cargo.args(["build", "--release", "--package", "tickwire-server", "--package", "tickwire-bench"]);
        cargo.args(["--bin", "tickwire", "--bin", program]).args(workspace::lock_flag());
        step.must(&format!("building the server and {program}"), &mut cargo)
    })?;
    Ok(Command::new(workspace::target_dir().join("release").join(program)))
}

/// Installs what the arms on Node are made of, unless exactly that is installed.
pub(crate) fn install_packages(step: &mut Step) -> Result<Work> {
    tools::node()?;
    let dir = workspace::root().join("bench/arms");
    if page::packages_are_current(&dir) {
        return Ok(Work::WasUpToDate);
    }
    let mut npm = Machine::this().command("npm");
    npm.current_dir(dir).env("npm_config_update_notifier", "false");
    // `npm ci` refuses a lock file that lacks an optional package of another system, as one made
    // behind a mirror does; this takes the same versions and leaves the file alone.
    npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--prefer-offline"]);
    step.must("installing the benchmark's packages", &mut npm)?;
    Ok(Work::Done)
}

fn flags(args: &Args) -> Vec<String> {
    let mut flags = Vec::new();
    let mut add = |name: &str, value: Option<String>| flags.extend(value.map(|value| [name.to_string(), value]).into_iter().flatten());
    add("--json", args.json.as_ref().map(|path| path.display().to_string()));
    add("--docs", args.docs.then(|| workspace::root().join("docs").display().to_string()));
    add("--arms", args.arms.clone());
    add("--players", args.players.clone());
    add("--repeats", args.repeats.map(|repeats| repeats.to_string()));
    let switches = [("--quick", args.quick), ("--no-capacity", args.no_capacity)];
    flags.extend(switches.iter().filter(|(_, is_on)| *is_on).map(|(name, _)| (*name).to_string()));
    flags
}

/// The program takes this process over, so that Ctrl-C reaches it, and it prints what it has.
#[cfg(unix)]
pub(crate) fn become_program(program: &mut Command) -> Result<ExitCode> {
    use anyhow::Context;
    use std::os::unix::process::CommandExt;
    let error = program.exec();
    Err(error).with_context(|| format!("cannot start {}", program.get_program().to_string_lossy()))
}

#[cfg(not(unix))]
pub(crate) fn become_program(_program: &mut Command) -> Result<ExitCode> {
    anyhow::bail!("this reads /proc: it runs on Linux")
}

const NATIVE_ARMS: &[&str] = &[
    "floor",
    "tickwire",
    "tickwire-portable",
    "tickwire-http",
    "tickwire-tls",
    "tickwire-journal",
    "tickwire-supervised",
    "tickwire-journal-second",
    "tickwire-journal-tick",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_handed_on() {
        let args = Args {
            quick: true,
            json: Some("a.json".into()),
            docs: false,
            arms: Some("floor,tickwire".to_string()),
            players: None,
            repeats: Some(2),
            no_capacity: false,
        };
        assert_eq!(flags(&args), ["--json", "a.json", "--arms", "floor,tickwire", "--repeats", "2", "--quick"]);
    }
}

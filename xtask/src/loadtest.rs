//! `cargo xtask loadtest`: thousands of checking players against a server built from this checkout,
//! and their report.

use crate::console::{Console, Step};
use crate::play::ensure_admin_token;
use crate::summaries::Tally;
use crate::{server, workspace};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A further flag for the server, such as --server-flag=--tick-rate=10; may be repeated
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    server_flag: Vec<OsString>,
    /// Arguments for the load test, after `--`, such as `--users 2000 --run-time 60s`; with
    /// `--server` none is started here
    #[arg(last = true, value_name = "LOAD TEST ARGUMENTS")]
    loadtest: Vec<OsString>,
}

/// What a server is told so that it can be checked: hashes once a second, long matches, no bots of
/// its own, not even for players who only look on; and that it goes on where it would say stop,
/// since how far it can go is what is asked.
const SERVER_FLAGS: [&str; 8] = [
    "--port=0",
    "--hash-every=30",
    "--match-seconds=86400",
    "--set=matches.bots_fill=0",
    "--set=session.idle_ms=0",
    "--set=headroom.busy_percent=0",
    "--set=headroom.late_percent=0",
    "--set=log_filter=warn",
];

pub(crate) fn run(console: &Console, args: &Args) -> Result<ExitCode> {
    let binary = console.step("Building the load test", build)?;
    let has = |name: &str| args.loadtest.iter().filter_map(|argument| argument.to_str()).any(|argument| argument.starts_with(name));
    let is_no_test = has("merge") || has("--help") || has("-h") || has("--version");
    let mut loadtest = Command::new(binary);
    if !is_no_test && !has("--report-dir") {
        loadtest.arg("--report-dir").arg(workspace::target_dir().join("loadtest"));
    }
    let running = if is_no_test || has("--server") {
        None
    } else {
        let binary = console.step("Building the server", |step| server::build_for_play(step, false))?;
        let running = Running::start(&binary, &args.server_flag)?;
        loadtest.args(running.arguments());
        Some(running)
    };
    // The terminal is the load test's: its live line, and Ctrl-C, which makes it report what it
    // has.
    let status = loadtest.args(&args.loadtest).status().context("cannot start the load test")?;
    drop(running);
    Ok(status.code().map_or(ExitCode::FAILURE, |code| ExitCode::from(code as u8)))
}

/// The load test of `cargo xtask test`: 200 players for 20 s, every snapshot of every one compared
/// with the server's.
pub(crate) fn check(step: &mut Step) -> Result<Tally> {
    let server = server::build_for_tests(step)?;
    let running = Running::start(&server, &["--hash-every=1".into()])?;
    let mut loadtest = Command::new(workspace::target_dir().join("debug/tickwire-loadtest"));
    loadtest.args(running.arguments()).args(["--users", "200", "--run-time", "20s", "--mix", "play:8,churn:1,reconnect:1", "--quiet"]);
    loadtest.arg("--thresholds").arg(workspace::root().join(".ci/load-thresholds.toml"));
    loadtest.arg("--report-dir").arg(workspace::target_dir().join("loadtest/ci"));
    step.must("the load test", &mut loadtest)?;
    Ok(Tally::one())
}

/// Builds `target/release/tickwire-loadtest`.
fn build(step: &mut Step) -> Result<PathBuf> {
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--release", "--package", "tickwire-loadtest", "--bin", "tickwire-loadtest"]).args(workspace::lock_flag());
    step.must("building the load test", &mut cargo)?;
    Ok(workspace::target_dir().join("release/tickwire-loadtest"))
}

/// The flags that are not given anyway; `--set` may come more than once.
fn defaults_beside(flags: &[OsString]) -> impl Iterator<Item = &'static str> {
    let name = |flag: &str| flag.split('=').next().unwrap_or_default().to_owned();
    let given: Vec<String> = flags.iter().filter_map(|flag| flag.to_str()).map(name).filter(|name| name != "--set").collect();
    SERVER_FLAGS.into_iter().filter(move |default| !given.contains(&name(default)))
}

/// A server on a free port, stopped when dropped.
struct Running {
    child: Child,
    /// Of players, operators and metrics, as the server printed them.
    addresses: [String; 3],
    token: PathBuf,
}

impl Running {
    fn start(binary: &PathBuf, flags: &[OsString]) -> Result<Self> {
        let token = ensure_admin_token(&workspace::state_dir()?)?;
        let mut server = Command::new(binary);
        server.args(defaults_beside(flags)).arg("--admin-token-file").arg(&token).args(flags).stdin(Stdio::null()).stdout(Stdio::piped());
        // Ctrl-C is for the load test: the server must live until everyone has left.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut server, 0);
        let mut child = server.spawn().context("cannot start the server")?;
        let lines = child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok);
        let mut told =
            lines.filter_map(|line| line.strip_prefix(ADDRESS_LINE)?.split("http://").nth(1)?.split('/').next().map(str::to_owned));
        match [told.next(), told.next(), told.next()] {
            [Some(play), Some(admin), Some(ops)] => Ok(Self { child, addresses: [play, admin, ops], token }),
            _ => bail!("the server did not start: {}", child.wait()?),
        }
    }

    /// What tells the load test where everything is.
    fn arguments(&self) -> Vec<OsString> {
        let [play, admin, ops] = &self.addresses;
        let named = [
            ("--server", play.into()),
            ("--admin", admin.into()),
            ("--ops", ops.into()),
            ("--admin-token-file", self.token.clone().into()),
        ];
        named.into_iter().flat_map(|(name, value)| [name.into(), value]).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nobody plays any more: there is nothing to drain.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How the server's lines with its addresses begin, in the order of [`Running::addresses`].
const ADDRESS_LINE: &str = "tickwire: ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_that_is_given_takes_the_place_of_the_default() {
        let flags: Vec<OsString> = vec!["--hash-every=1".into(), "--set=matches.bots_fill=4".into(), "--tick-rate=10".into()];
        let defaults: Vec<_> = defaults_beside(&flags).collect();
        assert!(!defaults.contains(&"--hash-every=30") && defaults.len() == SERVER_FLAGS.len() - 1, "{defaults:?}");
    }
}

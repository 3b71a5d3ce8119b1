//! The checks of `cargo xtask test`, in the order they run: what fails soonest first. Each does
//! whatever it needs done before it, so that any of them can be run alone; what is up to date costs
//! nothing.

use super::platforms;
use crate::console::Step;
use crate::summaries::{self, Tally};
use crate::{bench, e2e, instructions, loadtest, page, server, supply_chain, tidy, tools, wasm, workspace};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// One check.
pub(super) struct Check {
    pub(super) name: &'static str,
    /// About how long it takes on two cores while nothing is compiled or installed yet, and once
    /// all is.
    pub(super) seconds: (u32, u32),
    /// Left out by `--fast`.
    pub(super) is_slow: bool,
    /// Runs tests, whose number is worth saying.
    pub(super) counts_tests: bool,
    pub(super) run: Run,
}

/// How a check is run.
#[derive(Clone, Copy)]
pub(super) enum Run {
    Alone(fn(&mut Step) -> Result<Tally>),
    /// Told of the commands that this program has.
    WithCommands(fn(&mut Step, &clap::Command) -> Result<Tally>),
}

impl Run {
    pub(super) fn call(self, step: &mut Step, commands: &clap::Command) -> Result<Tally> {
        match self {
            Self::Alone(run) => run(step),
            Self::WithCommands(run) => run(step, commands),
        }
    }
}

impl Check {
    const fn one(name: &'static str, seconds: (u32, u32), run: fn(&mut Step) -> Result<Tally>) -> Self {
        Self { name, seconds, is_slow: false, counts_tests: false, run: Run::Alone(run) }
    }

    const fn tests(name: &'static str, seconds: (u32, u32), run: fn(&mut Step) -> Result<Tally>) -> Self {
        Self { name, seconds, is_slow: false, counts_tests: true, run: Run::Alone(run) }
    }

    const fn slow(self) -> Self {
        Self { is_slow: true, ..self }
    }
}

pub(super) const CHECKS: &[Check] = &[
    Check { name: "tidy", seconds: (0, 0), is_slow: false, counts_tests: false, run: Run::WithCommands(tidy::check) },
    Check::one("rustfmt", (1, 1), rustfmt),
    Check::one("clippy", (100, 5), clippy),
    Check::one("rustdoc", (30, 5), rustdoc),
    // Its tests play against them.
    Check::one("benchmark packages", (5, 0), benchmark_packages),
    // On its own: from a cold cache this takes longer than all the tests, and each command has a
    // limit.
    Check::one("rust test binaries", (240, 20), rust_test_binaries),
    Check::tests("rust tests", (120, 120), rust_tests),
    Check::tests("socket tests over the portable transport", (60, 60), portable_socket_tests),
    Check::tests("socket tests over TLS", (60, 30), secure_socket_tests),
    Check::tests("protocol read from its documentation", (8, 1), protocol_from_documentation),
    Check::one("browser module", (110, 2), browser_module),
    Check::tests("browser module computes what the server does", (5, 5), browser_module_tests),
    Check::one("page packages", (15, 0), page_packages),
    Check::one("page format", (4, 4), |step| page_script(step, "format:check")),
    Check::one("page lint", (10, 10), |step| page_script(step, "lint")),
    Check::one("page types", (4, 4), |step| page_script(step, "typecheck")),
    Check::tests("page tests", (8, 8), page_tests),
    Check::one("page build", (3, 3), page_build),
    Check::one("server binary", (5, 1), server_binary),
    Check::one("types on macOS and Windows", (180, 3), platforms::check).slow(),
    Check::one("supply chain", (20, 10), supply_chain::check).slow(),
    Check::one("load test", (30, 30), loadtest::check).slow(),
    Check::tests("browser tests", (200, 150), browser_tests).slow(),
    // Informs, so it comes last and fails only if it cannot be done.
    Check::one("instruction counts", (60, 60), instructions::say).slow(),
];

fn rustfmt(step: &mut Step) -> Result<Tally> {
    step.must("the style check (mend it with `cargo fmt --all`)", workspace::cargo().args(["fmt", "--all", "--check"]))?;
    // fuzz/ is a workspace of its own.
    if workspace::root().join("fuzz/Cargo.toml").is_file() {
        let mut fuzz = workspace::cargo();
        fuzz.args(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]);
        step.must("the style check (mend it with `cargo fmt --manifest-path fuzz/Cargo.toml`)", &mut fuzz)?;
    }
    Ok(Tally::one())
}

fn clippy(step: &mut Step) -> Result<Tally> {
    let mut cargo = workspace::cargo();
    cargo.args(["clippy", "--workspace", "--all-targets"]).args(workspace::lock_flag()).args(["--", "-D", "warnings"]);
    step.must("clippy", &mut cargo)?;
    Ok(Tally::one())
}

fn rustdoc(step: &mut Step) -> Result<Tally> {
    let mut cargo = workspace::cargo();
    cargo.args(["doc", "--workspace", "--no-deps", "--document-private-items"]).args(workspace::lock_flag());
    step.must("rustdoc", cargo.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Tally::one())
}

fn cargo_test() -> Command {
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--workspace", "--no-fail-fast"]).args(workspace::lock_flag());
    cargo
}

fn rust_test_binaries(step: &mut Step) -> Result<Tally> {
    step.must("building the tests", cargo_test().arg("--no-run"))?;
    Ok(Tally::one())
}

fn rust_tests(step: &mut Step) -> Result<Tally> {
    tools::redis(step)?;
    let finished = step.run(&mut cargo_test())?;
    Ok(summaries::judge(summaries::cargo_test(&finished.output), &finished))
}

/// The tests that show how connections behave, once more over the transport that is not this
/// system's first choice. The workspace's, so that nothing is compiled anew.
fn portable_socket_tests(step: &mut Step) -> Result<Tally> {
    let mut cargo = cargo_test();
    cargo.args(SOCKET_TESTS.iter().flat_map(|name| ["--test", *name]));
    let finished = step.run(cargo.env("TICKWIRE_TRANSPORT", "portable"))?;
    Ok(summaries::judge(summaries::cargo_test(&finished.output), &finished))
}

/// Those of them that say all they say through the checking client, once more over TLS.
fn secure_socket_tests(step: &mut Step) -> Result<Tally> {
    let mut cargo = cargo_test();
    cargo.args(SECURE_SOCKET_TESTS.iter().flat_map(|name| ["--test", *name]));
    let finished = step.run(cargo.env("TICKWIRE_TLS", "1"))?;
    Ok(summaries::judge(summaries::cargo_test(&finished.output), &finished))
}

fn protocol_from_documentation(step: &mut Step) -> Result<Tally> {
    let python = tools::python(step)?;
    let script = workspace::root().join("protocol/fixtures/decode_test.py");
    let finished = step.run(Command::new(python).arg("-B").arg(script).current_dir(workspace::root()))?;
    Ok(summaries::judge(summaries::python_unittest(&finished.output), &finished))
}

fn browser_module(step: &mut Step) -> Result<Tally> {
    let size = wasm::build_and_say(step)?;
    if size.gzipped > BROWSER_MODULE_LIMIT_BYTES {
        bail!("the browser module is {size}, over its budget of {} kB gzipped: find what grew", BROWSER_MODULE_LIMIT_BYTES / 1000);
    }
    Ok(Tally::one())
}

/// Every script in web-client/wasm/tests: the module in Node against what the native build
/// computed.
fn browser_module_tests(step: &mut Step) -> Result<Tally> {
    wasm::build(step)?;
    let dir = workspace::root().join("web-client/wasm/tests");
    let entries = dir.read_dir().with_context(|| format!("cannot read {}", dir.display()))?;
    let mut scripts: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "mjs")).collect();
    scripts.sort();
    if scripts.is_empty() {
        bail!("no tests in {}", dir.display());
    }
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=tap"]).args(scripts).current_dir(workspace::root());
    let finished = step.run(&mut node)?;
    Ok(summaries::judge(summaries::node_tap(&finished.output), &finished))
}

fn benchmark_packages(step: &mut Step) -> Result<Tally> {
    bench::install_packages(step)?.say(step);
    Ok(Tally::one())
}

fn page_packages(step: &mut Step) -> Result<Tally> {
    page::install_packages(step)?.say(step);
    Ok(Tally::one())
}

fn page_script(step: &mut Step, script: &str) -> Result<Tally> {
    page::install_packages(step)?;
    step.must(&format!("`npm run {script}` in web-client"), &mut page::script(script, &[]))?;
    Ok(Tally::one())
}

fn page_tests(step: &mut Step) -> Result<Tally> {
    wasm::build(step)?;
    page::install_packages(step)?;
    let report = workspace::state_dir()?.join("vitest.json");
    // A report of an earlier run must not speak for this one.
    let _ = fs::remove_file(&report);
    let output = format!("--outputFile.json={}", report.display());
    let finished = step.run(&mut page::script("test", &["--reporter=default", "--reporter=json", &output]))?;
    let read = fs::read_to_string(&report).context("Vitest left no report").and_then(|json| summaries::vitest(&json));
    Ok(summaries::judge(read, &finished))
}

fn page_build(step: &mut Step) -> Result<Tally> {
    page::build_all(step)?.say(step);
    Ok(Tally::one())
}

fn server_binary(step: &mut Step) -> Result<Tally> {
    server::build_for_tests(step)?;
    Ok(Tally::one())
}

fn browser_tests(step: &mut Step) -> Result<Tally> {
    page::build_all(step)?;
    server::build_for_tests(step)?;
    e2e::run_tests(step, &[])
}

/// Of the server: play, returning, slow readers, hostile peers, close codes, draining, pings.
const SOCKET_TESTS: &[&str] = &["play", "seats", "way_back", "slow_reader", "slow_link", "hostile", "strangers", "pongs", "drain"];

/// Of the server: play, returning, pings.
const SECURE_SOCKET_TESTS: &[&str] = &["play", "seats", "pongs"];

/// What every player downloads before anything else happens, bytes gzipped. It has 45.0 kB today.
const BROWSER_MODULE_LIMIT_BYTES: u64 = 46_000;

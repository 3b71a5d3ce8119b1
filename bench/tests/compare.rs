//! The benchmark as a whole, as small as it gets: every arm is started, joined, played and measured for a moment.

#![allow(clippy::expect_used)] // helpers of tests: failing by panicking is their work

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Built with the workspace's tests; the benchmark looks for it in the same place.
fn tickwire() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_tickwire-bench")).with_file_name("tickwire");
    assert!(binary.is_file(), "{} is missing: run `cargo build -p tickwire-server`", binary.display());
    binary
}

fn bench(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tickwire-bench")).args(words).output().expect("the benchmark starts")
}

/// A run of one repeat with 32 players, and its results.
fn results(arms: &str) -> Value {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let json = dir.path().join("results.json");
    let path = json.to_string_lossy().into_owned();
    let words = ["--arms", arms, "--players", "32", "--repeats", "1", "--window-seconds", "1", "--no-capacity", "--json", &path];
    let output = bench(&words);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&std::fs::read(json).expect("results")).expect("JSON")
}

fn check_line(results: &Value, arm: &str) {
    let line = &results["arms"][arm]["players"]["32"];
    for figure in ["payload_bytes_per_update", "wire_bytes_per_update", "gap_ms_p99", "delivered_hz"] {
        assert!(line[figure].as_f64().is_some_and(|value| value > 0.0), "{figure} of {arm}: {line}");
    }
}

#[test]
fn the_native_arms_are_measured() {
    tickwire();
    let results = results("floor,tickwire,tickwire-portable,tickwire-tls");
    check_line(&results, "floor");
    check_line(&results, "tickwire");
    check_line(&results, "tickwire-portable");
    check_line(&results, "tickwire-tls");
    let payload = |arm: &str| results["arms"][arm]["players"]["32"]["payload_bytes_per_update"].as_f64().expect("a figure");
    assert!((payload("floor") - payload("tickwire")).abs() < 20.0, "the floor writes as much as Tickwire");
    for arm in ["tickwire", "tickwire-portable", "tickwire-tls"] {
        let means = &results["workload"][arm];
        assert!(means["movers"].as_f64().is_some_and(|movers| movers > 12.0), "{arm}: {means}");
        assert!(means["turners"].as_f64().is_some_and(|turners| turners > 12.0), "inputs are followed by {arm}: {means}");
    }
}

#[test]
fn the_arms_on_node_are_measured() {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("arms/node_modules");
    if !packages.is_dir() {
        eprintln!("left out: the packages of bench/arms are not installed (npm ci)");
        return;
    }
    let arms = ["ws-json", "ws-binary", "colyseus", "colyseus-messages"];
    let results = results(&arms.join(","));
    for arm in arms {
        check_line(&results, arm);
        let means = &results["workload"][arm];
        assert!(means["movers"].as_f64().is_some_and(|movers| movers > 12.0), "{arm}: {means}");
    }
}

#[test]
fn bad_input_gets_one_line() {
    let refused = |words: &[&str], part: &str| {
        let output = bench(words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(part) && said.trim_end().lines().count() == 1, "{words:?}: {said}");
    };
    refused(&["--arms", "socketio"], "there is no arm `socketio`");
    refused(&["--players", "100"], "whole matches of 16");
    refused(&["--arms", "tickwire", "--tickwire", "no-such-binary"], "there is no no-such-binary");
    refused(&["--arms", "floor", "--window-seconds", "0"], "--window-seconds");
    refused(&["--arms", "floor", "--json", "no/such/folder/results.json"], "cannot write no/such/folder/results.json");
    refused(&["--arms", "floor", "--docs", "no-such-folder"], "cannot read no-such-folder/BENCHMARKS.md");
    refused(&["render", "no-such.json", "--docs", "docs"], "cannot read no-such.json");
}

//! `docs/OPERATING.md` says what is true: every setting with its default, and every metric.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::collections::BTreeMap;

use harness::Harness;
use serde_json::Value;
use tag::Tag;
use tickwire_server::Config;
use tickwire_server::config::JwtAlgorithm;

/// The document's table rows whose first cell is code: its text, and the second cell's.
fn rows() -> BTreeMap<String, String> {
    let text = include_str!("../../docs/OPERATING.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| {
        let (first, rest) = row.split_once("` | ")?;
        let second = rest.split('|').next().unwrap_or_default();
        Some((first.to_owned(), second.trim_matches(['`', ' ', '|']).to_owned()))
    })
    .collect()
}

/// Every setting and how its default would be written; empty for those that are absent.
fn defaults() -> BTreeMap<String, String> {
    let mut all = Config::default();
    let defaults = serde_json::to_value(&all).expect("JSON");
    // Absent ones have no place in the default's JSON: give them a value to see their names.
    all.game = Some(String::new());
    all.public_ws_url = Some(String::new());
    all.accounts.sign_in_url = Some(String::new());
    all.accounts.jwt.algorithm = Some(JwtAlgorithm::EdDSA);
    all.accounts.jwt.keys_file = Some("x".into());
    all.accounts.jwt.issuer = Some(String::new());
    all.accounts.jwt.audience = Some(String::new());
    all.accounts.jwt.rating_claim = Some(String::new());
    all.tickets.key_file = Some("x".into());
    all.admin.port = Some(0);
    all.admin.token_file = Some("x".into());
    all.ops.port = Some(0);
    (all.tls.cert, all.tls.key, all.tls.redirect_port) = (Some("x".into()), Some("x".into()), Some(0));
    all.matches.bots_fill = Some(0);
    let mut found = BTreeMap::new();
    flatten("", &serde_json::to_value(&all).expect("JSON"), &defaults, &mut found);
    found
}

fn flatten(prefix: &str, all: &Value, defaults: &Value, found: &mut BTreeMap<String, String>) {
    for (key, value) in all.as_object().expect("a table") {
        let path = format!("{prefix}{key}");
        match (value, &defaults[key]) {
            (Value::Object(_), inner) => flatten(&format!("{path}."), value, inner, found),
            (_, Value::Null) => drop(found.insert(path, String::new())),
            (_, Value::String(text)) => drop(found.insert(path, text.clone())),
            (_, default) => drop(found.insert(path, default.to_string())),
        }
    }
}

#[test]
fn every_setting_is_there_with_its_default() {
    let rows = rows();
    let defaults = defaults();
    assert!(defaults.len() > 40, "{defaults:?}");
    for (key, default) in &defaults {
        assert_eq!(rows.get(key), Some(default), "`{key}` in the table of settings");
    }
    let tables = [
        "tls.",
        "accounts.",
        "admin.",
        "ops.",
        "proxies.",
        "connections.",
        "rates.",
        "session.",
        "sessions.",
        "matches.",
        "queue.",
        "headroom.",
        "memory.",
        "supervise.",
    ];
    let described = rows.keys().filter(|key| tables.iter().any(|table| key.starts_with(table)));
    described.for_each(|key| assert!(defaults.contains_key(key), "there is no setting `{key}`"));
}

#[test]
fn every_metric_is_there_with_its_type() {
    // With everything that has figures of its own.
    let harness = Harness::start::<Tag>(|config| config.tls.self_signed = true);
    let text = http::get(harness.server.ops_addr(), "/metrics").text();
    let rows = rows();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let mut described: Vec<String> = types
        .map(|(name, kind)| {
            let name = match kind {
                "counter" => format!("{name}_total"),
                "info" => format!("{name}_info"),
                _ => name.to_owned(),
            };
            assert_eq!(rows.get(&name).map(String::as_str), Some(kind), "`{name}` in the table of metrics");
            name
        })
        .collect();
    // These appear when they are first counted.
    described.extend(
        [
            "session_closes",
            "connection_rejects",
            "admission_refusals",
            "tls_failures",
            "sign_in_refusals",
            "ticket_refusals",
            "slower_paths",
            "http_requests",
        ]
        .map(|name| format!("tickwire_{name}_total")),
    );
    // Only where there is a limit to compare with.
    described.push("tickwire_memory_used_ratio".to_owned());
    // Only in a cluster.
    described.extend(["servers", "store_away"].map(|name| format!("tickwire_cluster_{name}")));
    let documented = rows.keys().filter(|name| name.starts_with("tickwire_") || name.starts_with("process_"));
    documented.for_each(|name| assert!(described.contains(name), "there is no metric `{name}`"));
}

//! The monitoring system's listener: metrics that are well formed and name nobody, health, and
//! readiness.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::collections::BTreeMap;

use harness::{Harness, eventually};
use http::{get, guest};
use tag::Tag;
use tickwire_protocol::ClientMessage;
use tickwire_server::config::TransportChoice;

/// Samples by name and labels.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').expect("a name and a value"))
        .map(|(name, value)| (name, value.parse().expect("a number")))
        .collect()
}

#[test]
fn metrics_name_the_transport() {
    let system = if cfg!(any(target_os = "linux", target_os = "android")) { "raw" } else { "portable" };
    for (choice, name) in [(TransportChoice::Auto, system), (TransportChoice::Portable, "portable")] {
        let harness = Harness::start::<Tag>(|config| config.transport = choice);
        let text = get(harness.server.ops_addr(), "/metrics").text();
        assert!(text.contains(&format!(r#"transport="{name}"}} 1"#)), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_what_goes_on() {
    let harness = Harness::start::<Tag>(|_| ());
    let (_ada, _bob, join) = harness.pair::<Tag>().await;
    let answer = eventually("some ticks", || {
        let answer = get(harness.server.ops_addr(), "/metrics");
        let ticks = samples(&answer.text()).get("tickwire_tick_duration_seconds_count").copied();
        ticks.is_some_and(|ticks| ticks > 10.0).then_some(answer)
    })
    .await;
    assert_eq!(answer.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    let text = answer.text();
    let metrics = samples(&text);
    let value = |name: &str| *metrics.get(name).unwrap_or_else(|| panic!("no {name} in {text}"));
    let is_near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(
        is_near(value("tickwire_players{state=\"connected\"}"), 2.0)
            && is_near(value("tickwire_players{state=\"away\"}"), 0.0)
            && is_near(value("tickwire_spectators"), 0.0)
    );
    assert!(is_near(value(r#"tickwire_connections{state="authenticated"}"#), 2.0));
    assert!(is_near(value(r#"tickwire_workers{state="running"}"#), 2.0) && is_near(value("tickwire_draining"), 0.0));
    let phases: f64 = metrics.iter().filter(|(name, _)| name.starts_with("tickwire_matches{")).map(|(_, count)| count).sum();
    assert!(is_near(phases, 1.0));
    assert!(value("tickwire_sent_bytes_total") > 0.0 && value("tickwire_sent_frames_total") > 0.0);
    assert!(value("tickwire_tick_duration_seconds_sum") > 0.0);
    assert!(is_near(value(r#"tickwire_tick_duration_seconds_bucket{le="+Inf"}"#), value("tickwire_tick_duration_seconds_count")));
    assert!(metrics.contains_key("tickwire_late_inputs_total") && metrics.contains_key("tickwire_tick_overruns_total"));
    assert!(metrics.keys().any(|name| name.starts_with("tickwire_build_info{version=")));
    assert!(value(r#"tickwire_http_requests_total{method="POST",route="/api/session",status="201"}"#) >= 2.0);
    assert!(cfg!(not(target_os = "linux")) || value("process_resident_memory_bytes") > 1e6);
    assert!(text.ends_with("# EOF\n"));
    assert!(!text.contains("player 0") && !text.contains(&join.code) && !text.contains(&join.match_id), "no player and no match is named");
}

#[test]
fn strangers_cannot_add_series() {
    let harness = Harness::start::<Tag>(|_| ());
    let (play, ops) = (harness.server.play_addr(), harness.server.ops_addr());
    guest(play);
    let visit = |round: usize| {
        for path in [format!("/api/x{round}"), format!("/x{round}"), format!("/api/matches/{round}/join"), format!("/api/info?{round}")] {
            get(play, &path);
        }
        http::request(play, &format!("METHOD{round}"), "/api/info", &[], "");
    };
    (0..20).for_each(visit);
    let text = get(ops, "/metrics").text();
    let requests: Vec<_> = text.lines().filter(|line| line.starts_with("tickwire_http_requests_total{")).collect();
    assert!(requests.iter().any(|line| line.contains(r#"method="other",route="/api/info""#)), "{requests:?}");
    let (methods, routes) =
        (["GET", "POST", "other"], ["unknown", "page", "/api/info", "/api/session", "/api/matches", "/api/matches/{id}/join"]);
    let known: Vec<_> = methods.iter().flat_map(|method| routes.map(|route| format!(r#"{{method="{method}",route="{route}","#))).collect();
    for line in requests {
        assert!(known.iter().any(|labels| line.contains(labels)), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn totals_do_not_go_back_when_a_match_ends() {
    let harness = Harness::start::<Tag>(|config| config.matches.empty_ms = 100);
    let ops = harness.server.ops_addr();
    let read = |name: &str| {
        let text = get(ops, "/metrics").text();
        samples(&text).get(name).copied().unwrap_or_else(|| panic!("no {name}"))
    };
    let (mut ada, mut bob, _) = harness.pair::<Tag>().await;
    let (ticks, bytes) = eventually("ticks and frames", || {
        let (ticks, bytes) = (read("tickwire_tick_duration_seconds_count"), read("tickwire_sent_bytes_total"));
        (ticks > 0.0 && bytes > 0.0).then_some((ticks, bytes))
    })
    .await;
    for client in [&mut ada, &mut bob] {
        client.send(ClientMessage::Leave).await.expect("sent");
    }
    let matches = || {
        ["waiting", "countdown", "live", "finished"]
            .map(|phase| read(&format!("tickwire_matches{{phase=\"{phase}\"}}")))
            .iter()
            .sum::<f64>()
    };
    eventually("no match", || (matches() == 0.0).then_some(())).await;
    assert!(read("tickwire_tick_duration_seconds_count") >= ticks && read("tickwire_sent_bytes_total") >= bytes);
}

#[test]
fn healthy_and_ready_until_it_drains() {
    let harness = Harness::start::<Tag>(|_| ());
    let ops = harness.server.ops_addr();
    assert_eq!((get(ops, "/healthz").status, get(ops, "/readyz").status), (200, 200));
    assert_eq!(get(ops, "/none").problem(), "not_found");
    harness.server.start_draining();
    let ready = get(ops, "/readyz");
    assert_eq!((ready.status, ready.problem().as_str()), (503, "draining"));
    assert_eq!(get(ops, "/healthz").status, 200, "draining is no illness");
}

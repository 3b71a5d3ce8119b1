#![allow(clippy::float_cmp)] // a report's figures are rounded to three decimals: what should be equal is

use super::*;
use crate::generator::window::Health;

fn sample(players: usize, user: f64, system: f64, payload: f64) -> Sample {
    Sample {
        players,
        user_us_per_update: user,
        system_us_per_update: system,
        payload_bytes_per_update: payload,
        wire_bytes_per_update: payload + 2.0,
        resident_bytes: 1e6 + 2000.0 * players as f64,
        idle_bytes: 5e5,
        gap_ms_p99: 35.0,
        delivered_hz: 30.0,
        generator: Health { cpu_share: 0.3, late_ms_p99: 1.0, others_cpu_share: 0.0 },
    }
}

fn samples() -> Samples {
    let repeats = |user: f64, payload: f64| -> Vec<Vec<Sample>> {
        [0.0, 2.0, 1.0].iter().map(|extra| vec![sample(320, user, 8.0 + extra, payload), sample(960, user, 9.0, payload)]).collect()
    };
    [(Arm::Floor, repeats(0.5, 80.0)), (Arm::Tickwire, repeats(1.5, 80.0)), (Arm::WsJson, repeats(10.5, 1600.0))].into()
}

#[test]
fn medians_spreads_and_the_distance_from_the_floor() {
    let arms = arms(&samples(), &[(Arm::Tickwire, 3000)].into());
    let figures = &arms["tickwire"].players[&320];
    assert_eq!((figures.cpu_us_per_update, figures.cpu_us_above_floor), (10.5, Some(1.0)));
    assert_eq!(figures.spread["cpu_us_per_update"], [9.5, 11.5]);
    assert_eq!((figures.payload_bytes_per_player_update, figures.rss_bytes_per_player), (5.0, 2000.0));
    assert_eq!(figures.wire_bytes_with_tcp_ip_per_update, 134.0);
    assert_eq!((arms["tickwire"].capacity_players, arms["floor"].capacity_players), (Some(3000), None));
    assert_eq!(arms["floor"].players[&960].cpu_us_above_floor, Some(0.0));
}

#[test]
fn ratios_are_named_after_what_they_compare() {
    let ratios = ratios(&arms(&samples(), &[(Arm::Tickwire, 3000), (Arm::WsJson, 1500)].into()));
    assert_eq!(ratios["tickwire_cpu_over_floor_960"], rounded(10.5 / 9.5));
    assert_eq!(ratios["ws_json_cpu_over_tickwire_960"], rounded(19.5 / 10.5));
    assert_eq!(ratios["ws_json_cpu_above_floor_over_tickwire_960"], 10.0);
    assert_eq!(ratios["ws_json_payload_over_tickwire"], 20.0);
    assert_eq!(ratios["tickwire_capacity_over_ws_json"], 2.0);
    assert!(!ratios.keys().any(|name| name.starts_with("floor")), "the floor is compared with, not compared: {ratios:?}");
}

#[test]
fn without_the_floor_there_is_no_distance_from_it() {
    let mut samples = samples();
    samples.remove(&Arm::Floor);
    let arms = arms(&samples, &BTreeMap::new());
    assert_eq!(arms["tickwire"].players[&960].cpu_us_above_floor, None);
    assert!(ratios(&arms).keys().all(|name| !name.contains("floor")));
}

#[test]
fn one_count_of_players_measures_memory_from_the_empty_server() {
    assert_eq!(bytes_per_player(&[sample(100, 1.0, 1.0, 80.0)]), Some(7000.0));
    assert_eq!(bytes_per_player(&[]), None);
}

#[test]
fn a_busy_generator_is_told() {
    let mut samples = samples();
    for repeat in samples.entry(Arm::WsJson).or_default() {
        repeat[1].generator = Health { cpu_share: 0.97, late_ms_p99: 3.0, others_cpu_share: 0.1 };
    }
    let notes = bottlenecks(&arms(&samples, &BTreeMap::new()));
    assert_eq!(notes.len(), 1);
    assert!(notes[0].starts_with("ws-json at 960 players is not the server's alone: the generator used 97 %"), "{notes:?}");
}

#[test]
fn the_document_has_the_promised_shape() {
    let arms = arms(&samples(), &[(Arm::Tickwire, 3000)].into());
    let report = Report {
        ratios: ratios(&arms),
        arms,
        commit: "0123456789ab".into(),
        machine: Machine::default(),
        workload: [("tickwire".to_owned(), Means { movers: 15.5, turners: 15.8, shots: 16.2 })].into(),
        settings: Settings { command: "bench".into(), repeats: 3, window_seconds: 4.0, capacity_step: 0.05 },
        notes: Vec::new(),
    };
    let json = serde_json::to_value(&report).expect("JSON");
    let line = &json["arms"]["tickwire"]["players"]["960"];
    for figure in [
        "cpu_us_per_update",
        "cpu_us_above_floor",
        "user_us_per_update",
        "system_us_per_update",
        "payload_bytes_per_update",
        "payload_bytes_per_player_update",
        "wire_bytes_per_update",
        "rss_bytes_per_player",
        "gap_ms_p99",
        "delivered_hz",
    ] {
        assert!(line[figure].is_f64(), "{figure}: {}", line[figure]);
        assert_eq!(line["spread"][figure].as_array().map(Vec::len), Some(2), "the spread of {figure}");
    }
    assert_eq!(json["arms"]["tickwire"]["capacity_players"], 3000);
    assert_eq!(json["workload"]["tickwire"]["movers"], 15.5);
    for part in ["cores", "cpu", "kernel", "memory_bytes", "rustc", "node"] {
        assert!(!json["machine"][part].is_null(), "{part}");
    }
    assert_eq!(serde_json::from_value::<Report>(json).expect("the same"), report);
}

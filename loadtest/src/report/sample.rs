//! Reports for tests: what a run looks like, without a run.

use tickwire_testkit::measure::{Counts, Measure, Tally};

use super::{
    Bound, Capacity, CapacityStep, Divergence, FORMAT, GeneratorFacts, MeasureReport, Operator, Report, Return, RunFacts, Second,
    ServerSecond, Stall, Unit, Verdict,
};

/// A run of two minutes that ramped up to 1,500 users and found a little of everything.
pub(crate) fn full() -> Report {
    let tally = tally(1, 20_000);
    let series: Vec<Second> = (0..120).map(second).collect();
    Report {
        format: FORMAT,
        run: RunFacts {
            command: "tickwire-loadtest --users 1500 --run-time 120s --mix play=8,churn=1,reconnect=1".into(),
            server: "127.0.0.1:8080".into(),
            game: "arena".into(),
            mode: "ffa".into(),
            tick_rate: 30,
            began: 1_790_000_000,
            seconds: 120.0,
            users: 1500,
            users_started: 1500,
            users_played: 1498,
            users_at_once: 1497,
            mix: "play=8, churn=1, reconnect=1".into(),
            network: "clean=7, wifi=2, train=1".into(),
            seed: 42,
            version: "0.1.0".into(),
            processes: 1,
        },
        verdict: Verdict {
            passed: false,
            inconclusive: false,
            cause: "2 views differed from the server's".into(),
            failures: vec!["divergences was 2; it must be = 0".into()],
            warnings: vec!["the server shares this machine with the generator".into()],
        },
        bounds: vec![Bound {
            figure: "divergences".into(),
            operator: Operator::Equal,
            limit: 0.0,
            unit: Unit::Plain,
            value: Some(2.0),
            held: false,
            sentence: "divergences was 2; it must be = 0".into(),
        }],
        generator: GeneratorFacts {
            machine: "bench-1: 2 × Example CPU at 2.4 GHz, Linux 6.1".into(),
            saturated: false,
            reasons: Vec::new(),
            lateness_ms: tally.histogram(Measure::Jitter).quantiles(),
            cpu_share: 0.46,
            cores: 2,
            memory_bytes: 734_003_200,
            descriptors_max: 65_536,
        },
        counts: counts(),
        measures: Measure::ALL.iter().map(|&one| (one.name().to_owned(), MeasureReport::from(tally.histogram(one)))).collect(),
        series,
        divergences: (0..2)
            .map(|user| Divergence { match_id: "m-17".into(), tick: 1201 + user, component: "Position".into(), user: 40 + u64::from(user) })
            .collect(),
        returns: vec![Return { user: 7, match_id: "m-3".into(), tick_before: 880, tick_after: 893, ms: 431.0, wrong: None }],
        stalls: vec![Stall { match_id: "m-3".into(), tick: 900, gap_ms: 212.4, players: 16, generator_was_late: false }],
        stall_count: 1,
        errors: [("server closed the socket".to_owned(), 3), ("503 Service Unavailable".to_owned(), 12)].into(),
        leaked_seats: Some(0),
        capacity: Some(Capacity {
            users: 1300,
            broke_at: Some(1500),
            reason: "97.20 % of snapshot gaps were under 1.5 ticks; the service level asks for 99 %".into(),
            is_server_limit: true,
            steps: [(500, 0.9999), (900, 0.9991), (1300, 0.9931), (1500, 0.972)].map(|(users, within)| step(users, within)).into(),
        }),
    }
}

/// A run that ended before anybody joined.
pub(crate) fn empty() -> Report {
    Report { format: FORMAT, ..Report::default() }
}

/// One process' part of a run: `count` values that depend on `seed`, and seconds from `began` on.
pub(crate) fn part(seed: u64, count: u64, began: u64, seconds: u32) -> Report {
    let tally = tally(seed, count);
    let mut report = full();
    report.capacity = None;
    report.run.began = began;
    report.run.seconds = f64::from(seconds);
    report.run.seed = seed;
    report.series = (0..seconds).map(second).collect();
    report.measures = Measure::ALL.iter().map(|&one| (one.name().to_owned(), MeasureReport::from(tally.histogram(one)))).collect();
    report
}

/// `count` values a measure, most near a tick of 30 Hz, with a long tail.
pub(crate) fn tally(seed: u64, count: u64) -> Tally {
    let mut tally = Tally::default();
    let mut state = seed;
    for measure in Measure::ALL {
        let middle = match measure {
            Measure::Gap => 33_333.0,
            Measure::InputToView => 52_000.0,
            Measure::Join | Measure::Resume | Measure::Returned => 80_000.0,
            Measure::Age => 30_000.0,
            Measure::Jitter | Measure::Lateness | Measure::RoundTrip => 900.0,
        };
        let width = if middle > 1000.0 { 0.02 } else { 0.3 };
        for _ in 0..count {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let even = ((state >> 11) as f64 / (1_u64 << 53) as f64).clamp(1e-9, 1.0 - 1e-9);
            // Logistic around the middle, with one in two hundred far out.
            let logistic = (even / (1.0 - even)).ln();
            let tail = if state % 1000 < 5 { (state % 7) as f64 * 0.4 } else { 0.0 };
            tally.record(measure, (middle * (1.0 + width * logistic + tail)).max(1.0) as u64);
        }
    }
    tally
}

fn counts() -> Counts {
    Counts {
        joins: 1620,
        join_failures: 12,
        resumes: 88,
        returns: 1,
        snapshots: 4_200_000,
        checked: 4_199_998,
        missed_snapshots: 310,
        long_gaps: 61,
        divergences: 2,
        inputs: 4_100_000,
        inputs_shown: 3_000_000,
        inputs_late: 1200,
        inputs_unclear: 900_000,
        payload_bytes: 546_000_000,
        received_bytes: 556_000_000,
        sent_bytes: 120_000_000,
        messages: 4_210_000,
        player_micros: 142_000_000_000,
        absent_micros: 100_000_000,
        watched_micros: 142_000_000_000,
        stale_micros: 100_000_000,
        ticks: 4_260_000,
        ticks_micros: 142_000_000_000,
        closes: [("scenario".to_owned(), 1617), ("server_error".to_owned(), 3)].into(),
        ..Counts::default()
    }
}

fn second(index: u32) -> Second {
    let at = f64::from(index);
    let wave = (at / 7.0).sin();
    let users = (u64::from(index) * 50).min(1500);
    let playing = users > 0;
    let spike = if index == 77 { 170.0 } else { 0.0 };
    Second {
        at,
        users,
        player_seconds: users as f64,
        absent_seconds: 0.0,
        watched_seconds: users as f64,
        stale_seconds: if index == 77 { users as f64 / 20.0 } else { 0.0 },
        stale_by_generator_seconds: 0.0,
        closes: if index == 90 { 3 } else { 0 },
        snapshots: users * 30,
        payload_bytes: users * 30 * (125 + (wave * 9.0) as u64),
        gap_p50_ms: playing.then_some(33.3 + wave * 0.05),
        gap_p99_ms: playing.then_some(36.0 + 3.0 * wave + users as f64 / 200.0 + spike),
        input_to_view_p50_ms: playing.then_some(51.0 + wave),
        input_to_view_p99_ms: playing.then_some(70.0 + 6.0 * wave + spike),
        divergences: if index > 40 { 2 } else { 0 },
        generator_late_p99_ms: 0.8 + users as f64 / 1000.0 + wave * 0.2,
        generator_stood_ms: 0.0,
        generator_cpu: users as f64 / 1700.0 + wave * 0.02,
        server: Some(ServerSecond {
            cpu: users as f64 / 2000.0 + wave * 0.03,
            tick_mean_ms: 0.2 + users as f64 / 4000.0,
            tick_p99_ms: 0.5 + users as f64 / 900.0 + spike / 10.0,
            late_ticks: u64::from(index == 77),
            memory_bytes: 40_000_000 + users * 12_000,
            players: users,
            matches: users.div_ceil(16),
        }),
    }
}

fn step(users: u64, gaps_within: f64) -> CapacityStep {
    CapacityStep {
        users,
        gaps_within,
        fresh_share: gaps_within,
        gap_p99_ms: 34.0 + (1.0 - gaps_within) * 1400.0,
        divergences: 0,
        saturated: false,
        held: gaps_within >= 0.99,
    }
}

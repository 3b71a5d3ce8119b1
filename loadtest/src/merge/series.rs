//! Several processes' seconds as one line of time, by the clock on the wall.
//!
//! Users, snapshots, bytes and divergences add up; a quantile is the worst process'; the server's figures are those of
//! whoever read them. A process that left out a second, because it was busy, still held its users in it.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::{Report, Second, ServerSecond};

/// A process' seconds by the second since 1970 that they are nearest to.
type Clocked = BTreeMap<u64, Second>;

/// The seconds of all `reports`, counted from the first one's beginning.
pub(super) fn merge(reports: &[Report]) -> Vec<Second> {
    let began = reports.iter().map(|report| report.run.began).min().unwrap_or_default();
    let processes: Vec<Clocked> = reports.iter().map(clocked).collect();
    let moments: BTreeSet<u64> = processes.iter().flat_map(BTreeMap::keys).copied().collect();
    let sum = |moment: u64| {
        let all = processes.iter().filter_map(|process| at(process, moment));
        let second = all.reduce(|one, other| both(&one, &other, u64::saturating_add)).unwrap_or_default();
        Second { at: moment.saturating_sub(began) as f64, ..second }
    };
    moments.into_iter().map(sum).collect()
}

fn clocked(report: &Report) -> Clocked {
    let mut seconds = Clocked::new();
    for second in report.series.iter().filter(|second| second.at.is_finite()) {
        let moment = report.run.began.saturating_add(second.at.round() as u64);
        // A late one and the next may be nearest to the same second: their users are the same people.
        seconds.entry(moment).and_modify(|known| *known = both(known, second, u64::max)).or_insert_with(|| second.clone());
    }
    seconds
}

/// What a process says of `moment`: what it measured, or who was there if it measured nothing in that second.
fn at(process: &Clocked, moment: u64) -> Option<Second> {
    if let Some(second) = process.get(&moment) {
        return Some(second.clone());
    }
    let (_, before) = process.range(..moment).next_back()?;
    let goes_on = process.range(moment..).next().is_some();
    Some(Second { users: if goes_on { before.users } else { 0 }, divergences: before.divergences, ..Second::default() })
}

/// Two seconds as one; `people` adds what is a state and not an amount.
fn both(one: &Second, other: &Second, people: fn(u64, u64) -> u64) -> Second {
    Second {
        at: one.at,
        users: people(one.users, other.users),
        player_seconds: one.player_seconds + other.player_seconds,
        absent_seconds: one.absent_seconds + other.absent_seconds,
        watched_seconds: one.watched_seconds + other.watched_seconds,
        stale_seconds: one.stale_seconds + other.stale_seconds,
        stale_by_generator_seconds: one.stale_by_generator_seconds + other.stale_by_generator_seconds,
        closes: one.closes + other.closes,
        snapshots: one.snapshots + other.snapshots,
        payload_bytes: one.payload_bytes + other.payload_bytes,
        gap_p50_ms: worse(one.gap_p50_ms, other.gap_p50_ms),
        gap_p99_ms: worse(one.gap_p99_ms, other.gap_p99_ms),
        input_to_view_p50_ms: worse(one.input_to_view_p50_ms, other.input_to_view_p50_ms),
        input_to_view_p99_ms: worse(one.input_to_view_p99_ms, other.input_to_view_p99_ms),
        divergences: people(one.divergences, other.divergences),
        generator_late_p99_ms: one.generator_late_p99_ms.max(other.generator_late_p99_ms),
        generator_cpu: one.generator_cpu + other.generator_cpu,
        generator_stood_ms: one.generator_stood_ms.max(other.generator_stood_ms),
        server: match (one.server, other.server) {
            (Some(one), Some(other)) => Some(greater(one, other)),
            (one, other) => one.or(other),
        },
    }
}

fn worse(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}

/// What is said of a server's second that was read twice: the greater of both readings.
fn greater(one: ServerSecond, other: ServerSecond) -> ServerSecond {
    ServerSecond {
        cpu: one.cpu.max(other.cpu),
        tick_mean_ms: one.tick_mean_ms.max(other.tick_mean_ms),
        tick_p99_ms: one.tick_p99_ms.max(other.tick_p99_ms),
        late_ticks: one.late_ticks.max(other.late_ticks),
        memory_bytes: one.memory_bytes.max(other.memory_bytes),
        players: one.players.max(other.players),
        matches: one.matches.max(other.matches),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(began: u64, seconds: &[(f64, u64, Option<f64>)]) -> Report {
        let mut report = Report::default();
        report.run.began = began;
        let second = |&(at, users, gap_p99_ms): &(f64, u64, Option<f64>)| Second {
            at,
            users,
            gap_p99_ms,
            snapshots: users,
            divergences: 1,
            ..Second::default()
        };
        report.series = seconds.iter().map(second).collect();
        report
    }

    #[test]
    fn seconds_meet_by_the_clock() {
        let early = process(100, &[(0.0, 5, Some(30.0)), (1.1, 6, Some(31.0)), (2.0, 7, None)]);
        let mut late = process(101, &[(0.2, 50, Some(40.0)), (1.0, 60, Some(20.0)), (2.0, 70, Some(20.0))]);
        late.series[1].server = Some(ServerSecond { cpu: 1.5, ..ServerSecond::default() });
        let merged = merge(&[early, late]);
        let seen: Vec<_> = merged.iter().map(|second| (second.at as u64, second.users, second.gap_p99_ms, second.divergences)).collect();
        assert_eq!(seen, [(0, 5, Some(30.0), 1), (1, 56, Some(40.0), 2), (2, 67, Some(20.0), 2), (3, 70, Some(20.0), 2)]);
        assert!(merged[2].server.is_some_and(|server| server.cpu > 1.4) && merged[1].server.is_none());
    }

    #[test]
    fn a_busy_process_neither_doubles_nor_loses_its_users() {
        let busy = process(100, &[(1.0, 10, None), (3.6, 10, None), (4.0, 10, None), (f64::NAN, 9, None)]);
        let steady = process(100, &[(1.0, 1, None), (2.0, 1, None), (3.0, 1, None), (4.0, 1, None)]);
        let merged = merge(&[busy, steady]);
        assert_eq!(merged.iter().map(|second| second.users).collect::<Vec<_>>(), [11, 11, 11, 11]);
        assert_eq!(merged.iter().map(|second| second.snapshots).collect::<Vec<_>>(), [11, 1, 1, 21]);
    }
}

//! The figures of a report by name, as a thresholds file knows them.
//!
//! Invariant: a figure that was not measured has no value. Zero divergences among views that nobody compared is not zero.

use serde_json::Value;
use tickwire_testkit::measure::{Counts, Measure, Quantiles};

use crate::report::{Report, Unit};

/// A figure of a report.
pub(super) struct Figure {
    pub(super) unit: Unit,
    /// Or why there is none.
    pub(super) value: Result<f64, &'static str>,
}

/// The figure called `name` in `report`; `None` if there is no such figure in any report.
pub(super) fn look_up(name: &str, report: &Report) -> Option<Figure> {
    if let Some((_, unit, value)) = COMPUTED.iter().find(|(known, ..)| *known == name) {
        return Some(Figure { unit: *unit, value: value(report) });
    }
    if let Some(reason) = name.strip_prefix("closes.") {
        let count = report.counts.closes.get(reason).copied().unwrap_or_default();
        return Some(Figure { unit: Unit::Plain, value: Ok(count as f64) });
    }
    if let Some(count) = counts(&report.counts).into_iter().find_map(|(known, count)| (known == name).then_some(count)) {
        return Some(Figure { unit: Unit::Plain, value: Ok(count) });
    }
    let (measure, quantile) = name.split_once('.')?;
    let measure = Measure::ALL.into_iter().find(|known| known.name() == measure)?;
    let (_, read) = QUANTILES.iter().find(|(known, _)| *known == quantile)?;
    Some(Figure { unit: Unit::Milliseconds, value: report.quantiles(measure).map(|quantiles| read(&quantiles)).ok_or("none was measured") })
}

/// The known name most like `name`.
pub(super) fn nearest(name: &str) -> Option<String> {
    let measures = Measure::ALL.iter().flat_map(|measure| QUANTILES.map(|(quantile, _)| format!("{}.{quantile}", measure.name())));
    let counts = counts(&Counts::default()).into_iter().map(|(known, _)| known);
    let all = COMPUTED.iter().map(|(known, ..)| (*known).to_owned()).chain(counts).chain(measures);
    all.max_by(|one, other| strsim::jaro_winkler(one, name).total_cmp(&strsim::jaro_winkler(other, name)))
}

/// Whether a generator that falls behind makes the figure worse, so that a broken bound may be its
/// doing.
pub(super) fn is_timing(name: &str) -> bool {
    const TIMINGS: [&str; 6] = ["attendance", "fresh_share", "fresh_share_worst_10s", "game_speed", "inputs_late_share", "long_gaps"];
    let of_measure = name.split_once('.').is_some_and(|(measure, _)| Measure::ALL.iter().any(|known| known.name() == measure));
    of_measure || TIMINGS.contains(&name) || name.starts_with("generator.")
}

/// Every count by the name it has in the report.
fn counts(counts: &Counts) -> Vec<(String, f64)> {
    match serde_json::to_value(counts) {
        Ok(Value::Object(all)) => all.into_iter().filter_map(|(name, count)| Some((name, count.as_f64()?))).collect(),
        _ => Vec::new(),
    }
}

fn share(part: u64, whole: u64, nothing: &'static str) -> Result<f64, &'static str> {
    if whole == 0 { Err(nothing) } else { Ok(part as f64 / whole as f64) }
}

fn per_player_second(report: &Report, amount: u64) -> Result<f64, &'static str> {
    let seconds = report.counts.player_seconds();
    if seconds > 0.0 { Ok(amount as f64 / seconds) } else { Err("nobody played") }
}

type Quantile = fn(&Quantiles) -> f64;
type Compute = fn(&Report) -> Result<f64, &'static str>;

const QUANTILES: [(&str, Quantile); 6] = [
    ("mean_ms", |quantiles| quantiles.mean),
    ("p50_ms", |quantiles| quantiles.p50),
    ("p90_ms", |quantiles| quantiles.p90),
    ("p99_ms", |quantiles| quantiles.p99),
    ("p99.9_ms", |quantiles| quantiles.p999),
    ("max_ms", |quantiles| quantiles.max),
];

const COMPUTED: [(&str, Unit, Compute); 26] = [
    ("gap.within_1.5_ticks", Unit::Share, |report| report.gaps_within().ok_or("no gap was measured")),
    ("divergences", Unit::Plain, |report| {
        if report.is_checked() { Ok(report.counts.divergences as f64) } else { Err("no view was compared with the server's hashes") }
    }),
    ("checked_share", Unit::Share, |report| share(report.counts.checked, report.counts.snapshots, "no snapshot came")),
    ("inputs_late_share", Unit::Share, |report| share(report.counts.inputs_late, report.counts.inputs, "no input was sent")),
    ("inputs_lost_share", Unit::Share, |report| share(report.counts.inputs_lost, report.counts.inputs, "no input was sent")),
    ("unexplained_closes", Unit::Plain, |report| Ok(report.counts.unexplained_closes() as f64)),
    ("leaked_seats", Unit::Plain, |report| report.leaked_seats.map(|seats| seats as f64).ok_or("the server's seats were not looked at")),
    ("stalls", Unit::Plain, |report| Ok(report.stall_count.max(report.stalls.len() as u64) as f64)),
    ("errors", Unit::Plain, |report| Ok(report.errors.values().sum::<u64>() as f64)),
    ("fresh_share", Unit::Share, |report| report.counts.fresh_share().ok_or("nobody played")),
    ("fresh_share_worst_10s", Unit::Share, |report| report.worst_ten_seconds().map(|(share, _)| share).ok_or("nobody played")),
    ("game_speed", Unit::Share, |report| report.game_speed().ok_or("nobody saw two snapshots")),
    ("attendance", Unit::Share, |report| report.counts.attendance().ok_or("nobody should have played")),
    ("users", Unit::Plain, |report| Ok(report.run.users as f64)),
    ("users_started", Unit::Plain, |report| Ok(report.run.users_started as f64)),
    ("users_played", Unit::Plain, |report| Ok(report.run.users_played as f64)),
    ("users_at_once", Unit::Plain, |report| Ok(report.run.users_at_once as f64)),
    ("users_never_played", Unit::Plain, |report| Ok(report.run.users_started.saturating_sub(report.run.users_played) as f64)),
    ("capacity_users", Unit::Plain, |report| {
        report.capacity.as_ref().map(|capacity| capacity.users as f64).ok_or("the capacity was not searched for")
    }),
    ("snapshots_per_player_second", Unit::Plain, |report| per_player_second(report, report.counts.snapshots)),
    ("payload_bytes_per_player_second", Unit::Plain, |report| per_player_second(report, report.counts.payload_bytes)),
    ("wire_bytes_per_player_second", Unit::Plain, |report| per_player_second(report, report.counts.wire_bytes())),
    ("server.tick_p99_ms", Unit::Milliseconds, |report| {
        let ticks = report.series.iter().filter_map(|second| second.server).map(|server| server.tick_p99_ms);
        ticks.reduce(f64::max).ok_or("the server's metrics were not read")
    }),
    ("server.late_ticks", Unit::Plain, |report| report.late_ticks().map(|ticks| ticks as f64).ok_or("the server's metrics were not read")),
    ("generator.cpu_share", Unit::Share, |report| Ok(report.generator.cpu_share)),
    ("generator.lateness_p99_ms", Unit::Milliseconds, |report| Ok(report.generator.lateness_ms.p99)),
];

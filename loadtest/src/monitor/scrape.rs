//! The server's own figures, read from its metrics: CPU, ticks, seats.

use std::collections::BTreeMap;

use tickwire_testkit::api::{Api, ApiError};
use tickwire_testkit::target::{Endpoint, any_like};
use tokio::time::Instant;

use crate::report::ServerSecond;

/// Seats that people hold, by whether they are connected.
const PLAYERS: &str = "tickwire_players{";

/// Reads one server's metrics.
#[derive(Debug)]
pub struct Scraper {
    api: Api,
    last: Option<(Instant, Samples)>,
}

/// Values by name with labels, as the text has them.
type Samples = BTreeMap<String, f64>;

impl Scraper {
    /// Of the server whose metrics are at `ops`.
    pub fn new(ops: Endpoint) -> Self {
        let source = any_like(ops.address);
        Self { api: Api::to(ops, source), last: None }
    }

    /// Seats held now.
    pub async fn players(&self) -> Result<u64, ApiError> {
        let samples = parse(&self.api.get_text("/metrics").await?);
        let mut seats =
            samples.range(PLAYERS.to_owned()..).take_while(|(name, _)| name.starts_with(PLAYERS)).map(|(_, seats)| *seats).peekable();
        seats.peek().is_some().then(|| seats.sum::<f64>() as u64).ok_or_else(|| ApiError::Unexpected("no tickwire_players".to_owned()))
    }

    /// What happened since this was last asked; `None` the first time.
    pub async fn second(&mut self) -> Result<Option<ServerSecond>, ApiError> {
        let samples = parse(&self.api.get_text("/metrics").await?);
        let now = Instant::now();
        let second = self.last.as_ref().map(|(then, before)| difference(before, &samples, now.duration_since(*then).as_secs_f64()));
        self.last = Some((now, samples));
        Ok(second)
    }
}

fn parse(text: &str) -> Samples {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit_once(' ')).filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
}

fn difference(before: &Samples, after: &Samples, seconds: f64) -> ServerSecond {
    let value = |name: &str| after.get(name).copied().unwrap_or_default();
    let grown = |name: &str| (value(name) - before.get(name).copied().unwrap_or_default()).max(0.0);
    let ticks = grown("tickwire_tick_duration_seconds_count");
    let prefixed = |prefix: &str| after.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, value)| value).sum::<f64>();
    ServerSecond {
        cpu: grown("process_cpu_seconds_total") / seconds.max(1e-3),
        tick_mean_ms: if ticks > 0.0 { grown("tickwire_tick_duration_seconds_sum") / ticks * 1000.0 } else { 0.0 },
        tick_p99_ms: bucket_quantile(before, after, "tickwire_tick_duration_seconds_bucket{le=\"", 0.99) * 1000.0,
        late_ticks: grown("tickwire_late_ticks_total") as u64,
        memory_bytes: value("process_resident_memory_bytes") as u64,
        players: prefixed(PLAYERS) as u64,
        matches: prefixed("tickwire_matches{") as u64,
    }
}

/// The upper bound of the bucket that `quantile` of what was added between two scrapes falls in, seconds.
fn bucket_quantile(before: &Samples, after: &Samples, prefix: &str, quantile: f64) -> f64 {
    let mut buckets: Vec<(f64, f64)> = after
        .range(prefix.to_owned()..)
        .take_while(|(name, _)| name.starts_with(prefix))
        .filter_map(|(name, count)| {
            let bound: f64 = name.strip_prefix(prefix)?.split('"').next()?.parse().ok()?;
            Some((bound, count - before.get(name).copied().unwrap_or_default()))
        })
        .collect();
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total = buckets.last().map_or(0.0, |bucket| bucket.1);
    let reached = buckets.iter().find(|(_, below)| total > 0.0 && *below >= quantile * total).map_or(0.0, |bucket| bucket.0);
    // Beyond the last bound nothing is known but that bound.
    if reached.is_finite() { reached } else { buckets.iter().rev().map(|bucket| bucket.0).find(|bound| bound.is_finite()).unwrap_or(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "# HELP x y\ntickwire_players{state=\"connected\"} 2\ntickwire_players{state=\"away\"} 1\nprocess_cpu_seconds_total 10.5\ntickwire_tick_duration_seconds_sum 1.0\n\
        tickwire_tick_duration_seconds_count 100\ntickwire_tick_duration_seconds_bucket{le=\"0.001\"} 100\n\
        tickwire_tick_duration_seconds_bucket{le=\"0.01\"} 100\ntickwire_tick_duration_seconds_bucket{le=\"+Inf\"} 100\n\
        tickwire_matches{phase=\"live\"} 2\ntickwire_matches{phase=\"waiting\"} 1\n";

    #[test]
    fn a_second_is_the_difference_of_two_scrapes() {
        let after = BEFORE
            .replace("10.5", "11.5")
            .replace("sum 1.0", "sum 1.2")
            .replace("count 100", "count 200")
            .replace("0.001\"} 100", "0.001\"} 150")
            .replace("0.01\"} 100", "0.01\"} 200")
            .replace("Inf\"} 100", "Inf\"} 200");
        let second = difference(&parse(BEFORE), &parse(&after), 2.0);
        let expected =
            ServerSecond { cpu: 0.5, tick_mean_ms: 2.0, tick_p99_ms: 10.0, late_ticks: 0, memory_bytes: 0, players: 3, matches: 3 };
        assert!((second.tick_mean_ms - expected.tick_mean_ms).abs() < 1e-9);
        assert_eq!(ServerSecond { tick_mean_ms: 2.0, ..second }, expected);
    }

    #[test]
    fn nothing_new_is_no_time() {
        let same = parse(BEFORE);
        assert!(difference(&same, &same, 1.0).tick_p99_ms.abs() < 1e-9);
    }
}

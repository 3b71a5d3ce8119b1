//! The reports of several processes that loaded one server together, as one.
//!
//! What adds up is added: counts, histograms (exactly), users, bytes. Quantiles of single seconds
//! and of the generators' lateness cannot be added, so the worst process speaks for all. The bounds
//! are judged by what all of them measured. Invariant: the order of the reports does not matter.

mod series;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;
use tickwire_testkit::measure::{Counts, Histogram, Quantiles};

use crate::report::{FINDINGS_MAX, FORMAT, GeneratorFacts, MeasureReport, Report, Return, RunFacts, Stall, Verdict};
use crate::thresholds::Thresholds;

/// Why reports do not belong together.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MergeError {
    /// Nothing to merge.
    #[error("there is no report to merge")]
    Nothing,
    /// Different servers, games or tick rates.
    #[error("the reports are of different {what} ({one} and {other}): only runs against the same server can be merged")]
    Different {
        /// What differs.
        what: &'static str,
        /// One report's.
        one: String,
        /// Another's.
        other: String,
    },
    /// A search for the capacity counts its own users only.
    #[error("one of the reports is of a search for the capacity, which knows only its own users and cannot be merged")]
    Search,
    /// Values that cannot be read.
    #[error("the histogram of {measure:?} cannot be read: {why}")]
    Histogram {
        /// Of which measure.
        measure: String,
        /// Why not.
        why: String,
    },
}

/// Merges the reports of processes that ran at the same time against the same server.
pub fn merge(mut reports: Vec<Report>) -> Result<Report, MergeError> {
    if reports.len() == 1
        && let Some(only) = reports.pop()
    {
        return Ok(only);
    }
    // One order, whichever the caller chose.
    reports.sort_by_cached_key(|report| (report.run.began, report.run.seed, serde_json::to_string(report).unwrap_or_default()));
    let first = reports.first().ok_or(MergeError::Nothing)?;
    for other in &reports {
        belong_together(&first.run, &other.run)?;
    }
    if reports.iter().any(|report| report.capacity.is_some()) {
        return Err(MergeError::Search);
    }
    let mut counts = Counts::default();
    let mut errors: BTreeMap<String, u64> = BTreeMap::new();
    for report in &reports {
        counts += &report.counts;
        for (error, count) in &report.errors {
            *errors.entry(error.clone()).or_default() += count;
        }
    }
    let stalls = merge_stalls(&reports);
    let bounds = Thresholds::of_reports(&reports);
    let lost_stalls = |report: &Report| report.stall_count.saturating_sub(report.stalls.len() as u64);
    let mut merged = Report {
        format: FORMAT,
        run: merge_run(&reports),
        verdict: merge_verdicts(&reports),
        bounds: Vec::new(),
        generator: merge_generators(&reports),
        counts,
        measures: merge_measures(&reports)?,
        series: series::merge(&reports),
        divergences: reports.iter().flat_map(|report| report.divergences.iter().cloned()).take(FINDINGS_MAX).collect(),
        returns: merge_returns(&reports),
        stall_count: stalls.len() as u64 + reports.iter().map(lost_stalls).sum::<u64>(),
        stalls: stalls.into_iter().take(FINDINGS_MAX).collect(),
        errors: most_frequent(errors),
        leaked_seats: merge_leaks(&reports),
        capacity: None,
    };
    // Each process' most may have come at another time.
    merged.run.users_at_once = merged.series.iter().map(|second| second.users).max().unwrap_or(merged.run.users_at_once);
    bounds.judge(&mut merged);
    Ok(merged)
}

fn belong_together(one: &RunFacts, other: &RunFacts) -> Result<(), MergeError> {
    let facts = |run: &RunFacts| [run.server.clone(), run.game.clone(), format!("{} Hz", run.tick_rate)];
    for (what, (one, other)) in ["servers", "games", "tick rates"].into_iter().zip(facts(one).into_iter().zip(facts(other))) {
        if one != other {
            return Err(MergeError::Different { what, one, other });
        }
    }
    Ok(())
}

fn merge_run(reports: &[Report]) -> RunFacts {
    let runs = || reports.iter().map(|report| &report.run);
    let first = runs().next().cloned().unwrap_or_default();
    let began = runs().map(|run| run.began).min().unwrap_or_default();
    let lasted = |run: &RunFacts| run.began.saturating_sub(began) as f64 + run.seconds;
    RunFacts {
        command: distinct(runs().map(|run| &run.command), "\n"),
        mode: distinct(runs().map(|run| &run.mode), ", "),
        began,
        seconds: runs().map(lasted).fold(0.0, f64::max),
        users: runs().map(|run| run.users).sum(),
        users_started: runs().map(|run| run.users_started).sum(),
        users_played: runs().map(|run| run.users_played).sum(),
        users_at_once: runs().map(|run| run.users_at_once).sum(),
        mix: distinct(runs().map(|run| &run.mix), "; "),
        network: distinct(runs().map(|run| &run.network), "; "),
        version: distinct(runs().map(|run| &run.version), ", "),
        processes: runs().map(|run| run.processes.max(1)).sum(),
        ..first
    }
}

/// The different ones of `texts`, in order.
fn distinct<'a>(texts: impl Iterator<Item = &'a String>, separator: &str) -> String {
    let all: BTreeSet<&str> = texts.map(String::as_str).filter(|text| !text.is_empty()).collect();
    all.into_iter().collect::<Vec<_>>().join(separator)
}

/// What failed a process and is no bound: the bounds are judged again, by what all of them
/// measured.
fn merge_verdicts(reports: &[Report]) -> Verdict {
    let others = |report: &Report| {
        let is_bound = |failure: &String| report.bounds.iter().any(|bound| bound.sentence == *failure);
        report.verdict.failures.iter().filter(|failure| !is_bound(failure)).cloned().collect::<Vec<_>>()
    };
    let failures: BTreeSet<String> = reports.iter().flat_map(others).collect();
    let warnings: BTreeSet<String> = reports.iter().flat_map(|report| report.verdict.warnings.iter().cloned()).collect();
    Verdict { failures: failures.into_iter().collect(), warnings: warnings.into_iter().collect(), ..Verdict::default() }
}

/// Processes of one machine share its cores; of several machines, the busiest one speaks for all.
fn merge_generators(reports: &[Report]) -> GeneratorFacts {
    let all = || reports.iter().map(|report| &report.generator);
    let mut machines: BTreeMap<&str, (f64, u32)> = BTreeMap::new();
    for facts in all() {
        let machine = machines.entry(&facts.machine).or_default();
        *machine = (machine.0 + facts.cpu_share, machine.1.max(facts.cores));
    }
    let reasons: BTreeSet<&String> = all().flat_map(|facts| &facts.reasons).collect();
    GeneratorFacts {
        machine: distinct(all().map(|facts| &facts.machine), "; "),
        saturated: all().any(|facts| facts.saturated),
        reasons: reasons.into_iter().cloned().collect(),
        lateness_ms: worst(all().map(|facts| &facts.lateness_ms)),
        cpu_share: machines.values().map(|&(share, _)| share).fold(0.0, f64::max).min(1.0),
        cores: machines.values().map(|&(_, cores)| cores).sum(),
        memory_bytes: all().map(|facts| facts.memory_bytes).sum(),
        descriptors_max: all().map(|facts| facts.descriptors_max).min().unwrap_or_default(),
    }
}

fn worst<'a>(all: impl Iterator<Item = &'a Quantiles>) -> Quantiles {
    all.fold(Quantiles::default(), |worst, one| Quantiles {
        count: worst.count + one.count,
        mean: worst.mean.max(one.mean),
        p50: worst.p50.max(one.p50),
        p90: worst.p90.max(one.p90),
        p99: worst.p99.max(one.p99),
        p999: worst.p999.max(one.p999),
        max: worst.max.max(one.max),
    })
}

fn merge_measures(reports: &[Report]) -> Result<BTreeMap<String, MeasureReport>, MergeError> {
    let mut histograms: BTreeMap<&str, Histogram> = BTreeMap::new();
    for (measure, report) in reports.iter().flat_map(|report| &report.measures) {
        let decoded = report.decoded().map_err(|why| MergeError::Histogram { measure: measure.clone(), why })?;
        histograms.entry(measure).or_default().add(&decoded);
    }
    Ok(histograms.into_iter().map(|(measure, histogram)| (measure.to_owned(), MeasureReport::from(&histogram))).collect())
}

/// A stall that players of several processes saw is one.
fn merge_stalls(reports: &[Report]) -> Vec<Stall> {
    let mut stalls: BTreeMap<(&str, u32), Stall> = BTreeMap::new();
    for stall in reports.iter().flat_map(|report| &report.stalls) {
        stalls
            .entry((&stall.match_id, stall.tick))
            .and_modify(|known| {
                known.players = known.players.saturating_add(stall.players);
                known.gap_ms = known.gap_ms.max(stall.gap_ms);
                known.generator_was_late |= stall.generator_was_late;
            })
            .or_insert_with(|| stall.clone());
    }
    stalls.into_values().collect()
}

/// Those that found something wrong go first.
fn merge_returns(reports: &[Report]) -> Vec<Return> {
    let mut all: Vec<Return> = reports.iter().flat_map(|report| report.returns.iter().cloned()).collect();
    all.sort_by_key(|found| found.wrong.is_none());
    all.truncate(FINDINGS_MAX);
    all
}

fn most_frequent(errors: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut all: Vec<(String, u64)> = errors.into_iter().collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    all.into_iter().take(FINDINGS_MAX).collect()
}

/// What the process that ended last saw: before that, the others' players still held theirs.
fn merge_leaks(reports: &[Report]) -> Option<u64> {
    let end = |report: &Report| report.run.began as f64 + report.run.seconds;
    let looked = reports.iter().filter_map(|report| Some((end(report), report.leaked_seats?)));
    looked.max_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1))).map(|(_, leaked)| leaked)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tickwire_testkit::measure::Measure;

    use super::*;
    use crate::report::sample;

    /// All of a report, fractions to nine digits: sums of fractions may differ in their last bit.
    fn text(report: &Report) -> String {
        format!("{report:.9?}")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn quantiles_are_those_of_all_values(one in 0..300_u64, other in 0..300_u64, seed: u64) {
            let merged = merge(vec![sample::part(seed, one, 100, 2), sample::part(!seed, other, 100, 2)]).expect("merged");
            let mut all = sample::tally(seed, one);
            all.add(&sample::tally(!seed, other));
            for measure in Measure::ALL {
                let report = &merged.measures[measure.name()];
                prop_assert_eq!(report.quantiles, all.histogram(measure).quantiles());
                prop_assert_eq!(report.decoded().expect("a histogram").curve(), all.histogram(measure).curve());
            }
        }

        #[test]
        fn order_does_not_matter(began in prop::array::uniform3(100..110_u64), seconds in prop::array::uniform3(0..8_u32), seed: u64) {
            let part = |index: usize| sample::part(seed.wrapping_add(index as u64), 20, began[index], seconds[index]);
            let merged = text(&merge(vec![part(0), part(1), part(2)]).expect("merged"));
            prop_assert!(merged == text(&merge(vec![part(2), part(0), part(1)]).expect("merged")));
            let pair = merge(vec![part(2), part(1)]).expect("merged");
            let in_steps = merge(vec![pair, part(0)]).expect("merged");
            prop_assert_eq!(in_steps.counts, merge(vec![part(0), part(1), part(2)]).expect("merged").counts);
        }
    }

    #[test]
    fn what_adds_up_is_added_and_the_worst_speaks_for_the_rest() {
        let (mut one, mut other) = (sample::part(1, 50, 100, 10), sample::part(2, 50, 104, 10));
        one.leaked_seats = Some(700);
        one.verdict = Verdict { passed: true, ..Verdict::default() };
        other.generator.saturated = true;
        other.stalls[0].players = 3;
        other.stalls[0].gap_ms = 300.0;
        let merged = merge(vec![one.clone(), other.clone()]).expect("merged");
        assert_eq!((merged.run.users, merged.run.processes, merged.run.began), (3000, 2, 100));
        assert!((merged.run.seconds - 14.0).abs() < 1e-9 && (merged.generator.cpu_share - 0.92).abs() < 1e-9);
        assert_eq!(merged.generator.cores, 2, "one machine");
        assert_eq!(merged.counts.snapshots, 2 * one.counts.snapshots);
        assert_eq!(merged.leaked_seats, Some(0), "the last to end sees the truth");
        assert!(!merged.verdict.passed && merged.generator.saturated);
        assert_eq!((merged.stalls.len(), merged.stalls[0].players, merged.stall_count), (1, 19, 1), "one stall, seen twice");
        assert_eq!(merged.divergences.len(), 4);
        assert_eq!(merged.errors["503 Service Unavailable"], 24);
    }

    #[test]
    fn findings_stay_bounded_and_counted() {
        let stalled = |began: u64| {
            let mut report = sample::part(began, 1, began, 1);
            let stall = report.stalls[0].clone();
            report.stalls = (0..80).map(|tick| Stall { tick, match_id: format!("m-{began}"), ..stall.clone() }).collect();
            report.stall_count = 90;
            report
        };
        let merged = merge(vec![stalled(1), stalled(2)]).expect("merged");
        assert_eq!((merged.stalls.len(), merged.stall_count), (FINDINGS_MAX, 180));
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let with = |change: fn(&mut Report)| {
            let mut other = sample::part(2, 1, 100, 1);
            change(&mut other);
            merge(vec![sample::part(1, 1, 100, 1), other]).expect_err("refused").to_string()
        };
        assert_eq!(
            with(|other| other.run.tick_rate = 20),
            "the reports are of different tick rates (30 Hz and 20 Hz): only runs against the same server can be merged"
        );
        assert!(with(|other| other.run.server = "10.0.0.9:8080".into()).contains("different servers (127.0.0.1:8080 and 10.0.0.9:8080)"));
        assert!(with(|other| other.run.game = "tag".into()).contains("different games (arena and tag)"));
        assert!(with(|other| other.capacity = Some(crate::report::Capacity::default())).contains("search for the capacity"));
        assert!(with(|other| other.measures.get_mut("gap").expect("gaps").histogram.clear()).contains("histogram of \"gap\""));
        assert_eq!(merge(Vec::new()).expect_err("nothing"), MergeError::Nothing);
        assert_eq!(text(&merge(vec![sample::full()]).expect("one")), text(&sample::full()));
    }
}

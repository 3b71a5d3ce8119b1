//! What a run must reach: bounds on a report's figures, from a small TOML file or the default service level.
//!
//! Invariant: a figure that a file bounds and the run did not measure breaks its bound; a check that could not be made is no pass.

mod cause;
mod figure;
mod file;
mod threshold;

use std::path::Path;

use crate::report::{Bound, Operator, Report, Unit, Verdict};
use threshold::Threshold;

pub use file::ThresholdError;

/// Bounds on a report's figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds(Vec<Threshold>);

impl Thresholds {
    /// Reads a file of lines such as `"gap.p99_ms" = "< 50"`; `loadtest/thresholds.toml` is one and explains them.
    pub fn read(path: &Path) -> Result<Self, ThresholdError> {
        file::read(path).map(Self)
    }

    /// The default service level, which the manual on load testing explains. Gaps as players feel
    /// them are part of it only if their network is ideal: any other makes gaps of its own.
    pub fn default_level(network_is_ideal: bool) -> Self {
        let bound = |name: &str, operator, limit, unit| Threshold { name: name.to_owned(), operator, limit, unit, only_if_measured: false };
        let none = |name: &str| bound(name, Operator::Equal, 0.0, Unit::Plain);
        let at_least = |name: &str, share| bound(name, Operator::AtLeast, share, Unit::Share);
        let mut level = vec![
            none("divergences"),
            none("drains_announced"),
            none("unexplained_closes"),
            none("users_never_played"),
            none("resume_failures"),
            none("returns_wrong"),
            at_least("attendance", 0.99),
            at_least("fresh_share", 0.99),
            at_least("fresh_share_worst_10s", 0.9),
            at_least("game_speed", 0.98),
            at_least("gap.within_1.5_ticks", 0.99),
            none("inputs_lost"),
            Threshold { only_if_measured: true, ..none("leaked_seats") },
        ];
        level.retain(|threshold| network_is_ideal || threshold.name != "gap.within_1.5_ticks");
        Self(level)
    }

    /// The bounds that the `reports` of several processes were judged by, each once.
    pub fn of_reports(reports: &[Report]) -> Self {
        let mut all: Vec<Threshold> = Vec::new();
        for threshold in reports.iter().flat_map(|report| &report.bounds).map(Threshold::from) {
            match all.iter_mut().find(|known| known.is_same(&threshold)) {
                Some(known) => known.only_if_measured |= threshold.only_if_measured,
                None => all.push(threshold),
            }
        }
        Self(all)
    }

    /// Each bound, and what `report` says of it.
    pub fn check(&self, report: &Report) -> Vec<Bound> {
        self.0.iter().map(|threshold| threshold.check(report)).collect()
    }

    /// Judges `report` by all bounds. It passes if they hold and nothing else has failed it.
    pub fn judge(&self, report: &mut Report) {
        report.bounds = self.check(report);
        let broken: Vec<&Bound> = report.bounds.iter().filter(|bound| !bound.held).collect();
        let may_be_the_generators = |bound: &&Bound| cause::may_be_the_generators(report, bound);
        let other = report.verdict.failures.clone();
        let passed = other.is_empty() && broken.is_empty();
        let inconclusive = !passed && other.is_empty() && report.generator.saturated && broken.iter().all(may_be_the_generators);
        let cause = if passed { String::new() } else { other.first().cloned().unwrap_or_else(|| cause::of(report, &broken)) };
        let failures = other.into_iter().chain(broken.iter().map(|bound| bound.sentence.clone())).collect();
        let warnings = std::mem::take(&mut report.verdict.warnings);
        report.verdict = Verdict { passed, inconclusive, cause, failures, warnings };
    }
}

#[cfg(test)]
mod tests {
    use tickwire_testkit::measure::{Counts, Measure};

    use super::*;
    use crate::report::sample;

    fn sentences(thresholds: &Thresholds, report: &Report) -> Vec<String> {
        thresholds.check(report).into_iter().filter(|bound| !bound.held).map(|bound| bound.sentence).collect()
    }

    fn parsed(text: &str) -> Thresholds {
        Thresholds(file::parse(text).expect("legal"))
    }

    fn failures(text: &str, report: &Report) -> Vec<String> {
        sentences(&parsed(text), report)
    }

    fn default_failures(report: &Report) -> Vec<String> {
        sentences(&Thresholds::default_level(true), report)
    }

    fn mistake(text: &str) -> String {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("t.toml");
        std::fs::write(&path, text).expect("written");
        let error = Thresholds::read(&path).expect_err(text).to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
        error.rsplit_once("t.toml").map(|(_, rest)| rest.to_owned()).expect("names the file")
    }

    #[test]
    fn a_broken_bound_is_a_sentence_with_value_and_bound() {
        let mut report = sample::full();
        report.measures.get_mut("gap").expect("gaps").quantiles.p99 = 61.2;
        assert_eq!(failures("\"gap.p99_ms\" = \"< 50\"", &report), ["gap.p99_ms was 61.2 ms; it must be < 50 ms"]);
        assert_eq!(failures("gap.p99_ms = \"< 62 ms\"\n[join]\nmax_ms = \"> 0\"", &report), Vec::<String>::new());
        assert_eq!(failures("divergences = \"= 0\"\nusers = \">= 1500\"", &report), ["divergences was 2; it must be = 0"]);
        report.counts.long_gaps = 201;
        let gaps = failures("\"gap.within_1.5_ticks\" = \">= 99 %\"", &report);
        assert_eq!(gaps, ["gap.within_1.5_ticks was 98.995 %; it must be >= 99 %"]);
        assert_eq!(failures("closes.server_error = \"<= 2\"", &report), ["closes.server_error was 3; it must be <= 2"]);
    }

    #[test]
    fn what_was_not_measured_is_no_pass() {
        let nothing = sample::empty();
        assert_eq!(failures("join.p99_ms = \"< 2000\"", &nothing), ["join.p99_ms must be < 2000 ms, but none was measured"]);
        let told = default_failures(&nothing);
        for why in ["compared with the server's hashes", "nobody should have played", "nobody saw two snapshots", "no gap was measured"] {
            assert!(told.iter().any(|sentence| sentence.ends_with(why)), "{why}: {told:?}");
        }
    }

    #[test]
    fn the_default_level_tells_each_fault() {
        let mut report = sample::full();
        report.run.users_played = report.run.users_started;
        report.counts = Counts { snapshots: 20_000, checked: 20_000, divergences: 0, closes: [].into(), ..report.counts };
        assert_eq!(default_failures(&report), Vec::<String>::new());
        report.leaked_seats = None;
        assert_eq!(default_failures(&report), Vec::<String>::new());
        report.leaked_seats = Some(1);
        report.counts.divergences = 1;
        report.counts.inputs_lost = 1;
        report.counts.long_gaps = 400;
        report.counts.count_close("lost");
        assert_eq!(default_failures(&report).len(), 5);
        assert_eq!(sentences(&Thresholds::default_level(false), &report).len(), 4, "a network makes gaps of its own");
    }

    #[test]
    fn each_bound_is_shown_with_what_was_measured() {
        let mut report = sample::full();
        parsed("divergences = \"= 0\"\nusers = \">= 1\"\ncapacity_users = \"> 5\"").judge(&mut report);
        let shown: Vec<_> = report.bounds.iter().map(|bound| (bound.figure.as_str(), bound.was(), bound.must_be(), bound.held)).collect();
        assert_eq!(shown[0], ("capacity_users", "1300".to_owned(), "> 5".to_owned(), true));
        assert_eq!(shown[1], ("divergences", "2".to_owned(), "= 0".to_owned(), false));
        assert_eq!(report.verdict.failures.len(), 2, "and what failed it before");
    }

    #[test]
    fn bounds_of_several_processes_are_judged_once_each() {
        let mut reports = [sample::full(), sample::full()];
        reports[1].leaked_seats = None;
        reports.iter_mut().for_each(|report| Thresholds::default_level(true).judge(report));
        let of_all = Thresholds::of_reports(&reports);
        assert_eq!(of_all.0.len(), Thresholds::default_level(true).0.len());
        assert!(of_all.0.iter().all(|threshold| threshold.only_if_measured == (threshold.name == "leaked_seats")));
    }

    #[test]
    fn a_verdict_adds_to_what_failed_already() {
        let mut report = sample::full();
        report.verdict.failures.clear();
        parsed("users = \">= 1\"").judge(&mut report);
        assert!(report.verdict.passed);
        report.verdict.failures.push("the server went away".into());
        parsed("users = \"< 1\"").judge(&mut report);
        assert_eq!((report.verdict.passed, report.verdict.failures.len()), (false, 2));
    }

    #[test]
    fn every_measure_and_count_has_a_name() {
        let report = sample::full();
        for measure in Measure::ALL {
            for quantile in ["mean", "p50", "p90", "p99", "p99.9", "max"] {
                let text = format!("\"{}.{quantile}_ms\" = \"> 0\"", measure.name());
                assert_eq!(failures(&text, &report), Vec::<String>::new());
            }
        }
        for count in ["joins", "inputs_shown", "received_bytes", "wire_bytes_per_player_second", "server.tick_p99_ms", "stalls"] {
            assert_eq!(failures(&format!("{count} = \"> 0\""), &report), Vec::<String>::new(), "{count}");
        }
    }

    #[test]
    fn a_mistake_names_its_line() {
        assert_eq!(
            mistake("users = \"> 1\"\n\ngap.p98_ms = \"< 5\""),
            ":3: there is no figure called \"gap.p98_ms\"; did you mean \"gap.p99_ms\"?"
        );
        assert_eq!(mistake("divergence = \"= 0\""), ":1: there is no figure called \"divergence\"; did you mean \"divergences\"?");
        assert_eq!(mistake("\nusers = \"~ 1\""), ":2: users: \"~ 1\" must begin with one of < <= > >= =");
        assert_eq!(mistake("users = \"1\""), ":1: users: \"1\" must begin with one of < <= > >= =");
        assert_eq!(mistake("users = \"> many\""), ":1: users: \"many\" in \"> many\" is not a number");
        assert_eq!(mistake("users = \"> inf\""), ":1: users: \"inf\" in \"> inf\" is not a number");
        assert_eq!(mistake("users = \"> 5 %\""), ":1: users: \"> 5 %\" is in percent, and the figure is not a share");
        assert_eq!(mistake("users = \"> 5 ms\""), ":1: users: \"> 5 ms\" is in milliseconds, and the figure is not a time");
        assert_eq!(mistake("users = 5"), ":1: users: write the bound as text, for example \"users\" = \"< 50\"");
        assert!(mistake("users = \"> 5\"\nusers").starts_with(":2: "));
        assert!(mistake("# nothing").starts_with(":1: there is no threshold in this file"));
        assert!(
            Thresholds::read(Path::new("/nowhere/t.toml")).expect_err("no file").to_string().starts_with("cannot read /nowhere/t.toml: ")
        );
    }

    #[test]
    fn the_example_is_legal_and_holds_the_default_level() {
        let example = parsed(include_str!("../thresholds.toml"));
        for one in Thresholds::default_level(true).0 {
            assert!(example.0.contains(&Threshold { only_if_measured: false, ..one.clone() }), "{one:?}");
        }
    }
}

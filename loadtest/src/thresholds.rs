//! What a run must reach: bounds on a report's figures, from a small TOML file or the default service level.
//!
//! Invariant: a figure that a file bounds and the run did not measure breaks its bound; a check that could not be made is no pass.

mod figure;

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;
use toml::de::{DeTable, DeValue};

use crate::report::Report;
use figure::Unit;

/// Bounds on a report's figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds(Vec<Threshold>);

/// Why a thresholds file cannot be used. Each is one line that names the file, and the line in it.
#[derive(Debug, Error)]
pub enum ThresholdError {
    /// The file system refused.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not what a thresholds file says.
    #[error("{path}:{line}: {why}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
}

#[derive(Clone, Debug, PartialEq)]
struct Threshold {
    name: String,
    operator: Operator,
    bound: f64,
    unit: Unit,
    /// A run that had no way to measure it passes.
    only_if_measured: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
}

impl Thresholds {
    /// Reads a file of lines such as `"gap.p99_ms" = "< 50"`; `loadtest/thresholds.toml` is one and explains them.
    pub fn read(path: &Path) -> Result<Self, ThresholdError> {
        let text = std::fs::read_to_string(path).map_err(|source| ThresholdError::Io { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|(offset, why)| {
            let line = 1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count();
            ThresholdError::Malformed { path: path.to_owned(), line, why }
        })
    }

    /// The default service level: 99 % of the gaps under 1.5 ticks, no divergence, no lost input, no unexplained close, and no
    /// leaked seat as far as that was looked at.
    pub fn default_level() -> Self {
        let bound = |name: &str, operator, bound, unit, only_if_measured| Threshold {
            name: name.to_owned(),
            operator,
            bound,
            unit,
            only_if_measured,
        };
        Self(vec![
            bound("gap.within_1.5_ticks", Operator::AtLeast, 0.99, Unit::Share, false),
            bound("divergences", Operator::Equal, 0.0, Unit::Plain, false),
            bound("inputs_lost", Operator::Equal, 0.0, Unit::Plain, false),
            bound("unexplained_closes", Operator::Equal, 0.0, Unit::Plain, false),
            bound("leaked_seats", Operator::Equal, 0.0, Unit::Plain, true),
        ])
    }

    /// A sentence for each bound that `report` breaks.
    pub fn check(&self, report: &Report) -> Vec<String> {
        self.0.iter().filter_map(|threshold| threshold.check(report)).collect()
    }

    /// Fails `report` for each bound it breaks; it passes if nothing else has failed it.
    pub fn judge(&self, report: &mut Report) {
        let broken = self.check(report);
        report.verdict.failures.extend(broken);
        report.verdict.passed = report.verdict.failures.is_empty();
    }

    /// The thresholds in `text`, or the offset and reason of the first mistake.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let table = DeTable::parse(text)
            .map_err(|error| (error.span().map_or(0, |span| span.start), error.message().lines().collect::<Vec<_>>().join(" ")))?;
        let mut thresholds = Vec::new();
        collect(table.get_ref(), "", &mut thresholds)?;
        if thresholds.is_empty() {
            return Err((0, "there is no threshold in this file; a line is, for example, \"gap.p99_ms\" = \"< 50\"".to_owned()));
        }
        Ok(Self(thresholds))
    }
}

/// Adds the thresholds of `table`. A name's dots may be quoted, bare or a table's: they mean the same.
fn collect(table: &DeTable, prefix: &str, into: &mut Vec<Threshold>) -> Result<(), (usize, String)> {
    for (key, value) in table {
        let name = format!("{prefix}{}", key.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) => collect(inner, &format!("{name}."), into)?,
            DeValue::String(bound) => into.push(Threshold::parse(&name, bound).map_err(|why| (key.span().start, why))?),
            _ => return Err((key.span().start, format!("{name}: write the bound as text, for example {name:?} = \"< 50\""))),
        }
    }
    Ok(())
}

impl Threshold {
    fn parse(name: &str, bound: &str) -> Result<Self, String> {
        let Some(figure) = figure::look_up(name, &Report::default()) else {
            let hint = figure::nearest(name).map(|known| format!("; did you mean {known:?}?")).unwrap_or_default();
            return Err(format!("there is no figure called {name:?}{hint}"));
        };
        let signs = bound.trim().find(|c: char| !"<>=!~".contains(c)).unwrap_or(bound.trim().len());
        let (sign, number) = bound.trim().split_at(signs);
        let operator = Operator::ALL.into_iter().find(|operator| operator.sign() == sign);
        let operator = operator.ok_or_else(|| format!("{name}: {bound:?} must begin with one of < <= > >= ="))?;
        let (number, divisor) = match (number.strip_suffix('%'), number.strip_suffix("ms"), figure.unit) {
            (Some(percent), _, Unit::Share) => (percent, 100.0),
            (_, Some(milliseconds), Unit::Milliseconds) => (milliseconds, 1.0),
            (Some(_), _, _) => return Err(format!("{name}: {bound:?} is in percent, and the figure is not a share")),
            (_, Some(_), _) => return Err(format!("{name}: {bound:?} is in milliseconds, and the figure is not a time")),
            _ => (number, 1.0),
        };
        let parsed: Option<f64> = number.trim().parse().ok().filter(|number: &f64| number.is_finite());
        let value = parsed.ok_or_else(|| format!("{name}: {:?} in {bound:?} is not a number", number.trim()))?;
        Ok(Self { name: name.to_owned(), operator, bound: value / divisor, unit: figure.unit, only_if_measured: false })
    }

    fn check(&self, report: &Report) -> Option<String> {
        match figure::look_up(&self.name, report)?.value {
            Ok(value) if self.operator.holds(value, self.bound) => None,
            Ok(value) => Some(format!("{} was {}; it must be {self}", self.name, self.unit.shown(value, self.bound))),
            Err(_) if self.only_if_measured => None,
            Err(why) => Some(format!("{} must be {self}, but {why}", self.name)),
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operator.sign(), self.unit.shown(self.bound, self.bound))
    }
}

impl Operator {
    const ALL: [Self; 5] = [Self::Less, Self::AtMost, Self::More, Self::AtLeast, Self::Equal];

    const fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::Equal => "=",
        }
    }

    /// Values are sums and quotients: what differs in the last bits only is equal.
    fn holds(self, value: f64, bound: f64) -> bool {
        let is_equal = (value - bound).abs() <= 1e-9 * bound.abs().max(1.0);
        match self {
            Self::Less => value < bound && !is_equal,
            Self::AtMost => value <= bound || is_equal,
            Self::More => value > bound && !is_equal,
            Self::AtLeast => value >= bound || is_equal,
            Self::Equal => is_equal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Counts, Measure};
    use crate::report::sample;

    fn failures(text: &str, report: &Report) -> Vec<String> {
        Thresholds::parse(text).expect("legal").check(report)
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
        let told = Thresholds::default_level().check(&nothing);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].ends_with("no gap was measured") && told[1].ends_with("compared with the server's hashes"), "{told:?}");
    }

    #[test]
    fn the_default_level_tells_each_fault() {
        let mut report = sample::full();
        report.counts = Counts { snapshots: 20_000, checked: 20_000, ..Counts::default() };
        assert_eq!(Thresholds::default_level().check(&report), Vec::<String>::new());
        report.leaked_seats = None;
        assert_eq!(Thresholds::default_level().check(&report), Vec::<String>::new());
        report.leaked_seats = Some(1);
        report.counts.divergences = 1;
        report.counts.inputs_lost = 1;
        report.counts.long_gaps = 400;
        report.counts.count_close("lost");
        assert_eq!(Thresholds::default_level().check(&report).len(), 5);
    }

    #[test]
    fn a_verdict_adds_to_what_failed_already() {
        let mut report = sample::full();
        report.verdict.failures.clear();
        Thresholds::parse("users = \">= 1\"").expect("legal").judge(&mut report);
        assert!(report.verdict.passed);
        report.verdict.failures.push("the server went away".into());
        Thresholds::parse("users = \"< 1\"").expect("legal").judge(&mut report);
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
        let example = Thresholds::parse(include_str!("../thresholds.toml")).expect("legal");
        for one in Thresholds::default_level().0 {
            assert!(example.0.contains(&Threshold { only_if_measured: false, ..one.clone() }), "{one:?}");
        }
    }
}

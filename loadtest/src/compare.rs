//! A run beside an earlier one of the same game and mode: each figure then and now, and what else
//! differed between the two.
//!
//! Invariant: only what was measured in the same way is compared. Reports of other formats, games,
//! modes or tick rates are refused.

use std::path::Path;

use thiserror::Error;
use tickwire_testkit::measure::{Measure, Quantiles};

use crate::report::json::{self, FileError};
use crate::report::{Report, Second, ServerSecond, Unit};
use crate::words;

/// An earlier run.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What was found then.
    pub then: Report,
    /// Where that was read from.
    pub path: String,
}

/// Why two runs cannot be compared.
#[derive(Debug, Error)]
pub enum CompareError {
    /// The earlier report cannot be read.
    #[error("--against: {0}")]
    File(#[from] FileError),
    /// It is of something else.
    #[error("--against: {path} is of {what} {then}, this run of {now}: only runs of the same game, mode and tick rate can be compared")]
    Different {
        /// The earlier report.
        path: String,
        /// What differs.
        what: &'static str,
        /// There.
        then: String,
        /// Here.
        now: String,
    },
    /// One is a search, and the other is none.
    #[error("--against: {path} {}: a search for the capacity can only be compared with another one", if *.then { "is one" } else { "is none" })]
    Search {
        /// The earlier report.
        path: String,
        /// Whether the earlier one was a search.
        then: bool,
    },
}

/// What a run must have in common with an earlier one.
#[derive(Clone, Copy, Debug)]
pub struct Kind<'a> {
    /// Its game.
    pub game: &'a str,
    /// The mode played.
    pub mode: &'a str,
    /// Ticks per second.
    pub tick_rate: u8,
    /// Whether it looks for the capacity.
    pub is_search: bool,
}

/// One figure of two runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What people read.
    pub title: String,
    /// In what it is measured.
    pub unit: Unit,
    /// Before.
    pub then: f64,
    /// In this run.
    pub now: f64,
    /// What a change of it means.
    pub better: Better,
}

/// What is better of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less of it.
    Less,
    /// More of it.
    More,
    /// Neither by itself: who sends nothing sends little.
    Neither,
}

/// How a figure changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// By no more than runs differ anyway.
    Same,
    /// For the better.
    Better,
    /// For the worse.
    Worse,
    /// It grew, which is neither.
    More,
    /// It shrank, which is neither.
    Less,
}

impl Comparison {
    /// Reads an earlier report, if it is of the same kind as the run to come.
    pub fn read(path: &Path, kind: &Kind) -> Result<Self, CompareError> {
        let then = json::read(path)?;
        let path = path.display().to_string();
        let hertz = |rate: u8| format!("{rate} Hz");
        let pairs = [
            ("game", then.run.game.clone(), kind.game.to_owned()),
            ("mode", then.run.mode.clone(), kind.mode.to_owned()),
            ("tick rate", hertz(then.run.tick_rate), hertz(kind.tick_rate)),
        ];
        if let Some((what, then, now)) = pairs.into_iter().find(|(_, then, now)| then != now) {
            return Err(CompareError::Different { path, what, then, now });
        }
        if then.capacity.is_some() != kind.is_search {
            return Err(CompareError::Search { path, then: then.capacity.is_some() });
        }
        Ok(Self { then, path })
    }

    /// Every figure that both runs measured.
    pub fn rows(&self, now: &Report) -> Vec<Row> {
        let both = FIGURES.iter().filter_map(|(title, unit, better, read)| {
            Some(Row { title: (*title).to_owned(), unit: *unit, then: read(&self.then)?, now: read(now)?, better: *better })
        });
        both.filter(|row| row.then.is_finite() && row.now.is_finite()).collect()
    }

    /// What else differed between the runs, so that a reader knows what the figures may come from.
    pub fn differences(&self, now: &Report) -> Vec<String> {
        let facts = |report: &Report| {
            let run = &report.run;
            [
                ("users", run.users.to_string()),
                ("scenarios", run.mix.clone()),
                ("network", run.network.clone()),
                ("generator", report.generator.machine.clone()),
                ("processes", run.processes.to_string()),
                ("version", run.version.clone()),
                ("verdict", if report.verdict.passed { "passed" } else { "failed" }.to_owned()),
            ]
        };
        let pairs = facts(&self.then).into_iter().zip(facts(now)).filter(|((_, then), (_, now))| then != now);
        let mut told: Vec<String> =
            pairs.map(|((what, then), (_, now))| format!("{what}: {} then, {} now", words::plain(&then), words::plain(&now))).collect();
        for (report, when) in [(&self.then, "then"), (now, "now")] {
            if report.generator.saturated {
                told.push(format!("the generator could not keep up {when}"));
            }
        }
        told
    }

    /// When it began, or where it was read from.
    pub fn name(&self) -> String {
        words::moment(self.then.run.began).unwrap_or_else(|| self.path.clone())
    }
}

impl Row {
    /// Now for each of then; `None` where that says nothing.
    pub fn ratio(&self) -> Option<f64> {
        (self.unit != Unit::Share && self.then > 0.0).then(|| self.now / self.then)
    }

    /// How much it changed: a ratio, or points of a share.
    pub fn difference(&self) -> String {
        if self.unit == Unit::Share {
            let points = (self.now - self.then) * 100.0;
            return format!("{}{} points", if points < 0.0 { '−' } else { '+' }, words::number(points.abs()));
        }
        self.ratio().map_or_else(|| "-".to_owned(), |ratio| format!("× {ratio:.2}"))
    }

    /// Whether that is more than two runs of the same server differ.
    pub fn change(&self) -> Change {
        let grew = match self.ratio() {
            _ if self.unit == Unit::Share => (self.now - self.then) / POINTS_MANY,
            Some(ratio) => (ratio - 1.0) / RATIO_MUCH,
            None => self.now - self.then,
        };
        match (self.better, grew > 0.0) {
            _ if grew.abs() <= 1.0 => Change::Same,
            (Better::Neither, true) => Change::More,
            (Better::Neither, false) => Change::Less,
            (Better::Less, true) | (Better::More, false) => Change::Worse,
            (Better::Less, false) | (Better::More, true) => Change::Better,
        }
    }

    /// A value of it as people read it.
    pub fn shown(&self, value: f64) -> String {
        match self.unit {
            Unit::Share => words::percent(value),
            Unit::Milliseconds => format!("{} ms", words::number(value)),
            Unit::Plain => words::number(value),
        }
    }
}

impl Change {
    /// In a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Same => "about the same",
            Self::Better => "better",
            Self::Worse => "worse",
            Self::More => "more",
            Self::Less => "less",
        }
    }
}

/// A tenth more or less is what runs differ by.
const RATIO_MUCH: f64 = 0.1;
/// So much of a share is.
const POINTS_MANY: f64 = 0.001;

type Read = fn(&Report) -> Option<f64>;

/// Title, unit, what is better, and where it is.
const FIGURES: [(&str, Unit, Better, Read); 18] = [
    ("capacity, users", Unit::Plain, Better::More, |report| report.capacity.as_ref().map(|found| found.users as f64)),
    ("time with a fresh snapshot", Unit::Share, Better::More, |report| report.counts.fresh_share()),
    ("the worst ten seconds of it", Unit::Share, Better::More, |report| report.worst_ten_seconds().map(|(share, _)| share)),
    ("gaps under 1.5 ticks", Unit::Share, Better::More, Report::gaps_within),
    ("time in the seat", Unit::Share, Better::More, |report| report.counts.attendance()),
    ("gap between snapshots, p99", Unit::Milliseconds, Better::Less, |report| of(report, Measure::Gap, |gap| gap.p99)),
    ("input to view, p50", Unit::Milliseconds, Better::Less, |report| of(report, Measure::InputToView, |view| view.p50)),
    ("input to view, p99", Unit::Milliseconds, Better::Less, |report| of(report, Measure::InputToView, |view| view.p99)),
    ("snapshot lateness, p99", Unit::Milliseconds, Better::Less, |report| of(report, Measure::Lateness, |late| late.p99)),
    ("click to first snapshot, p99", Unit::Milliseconds, Better::Less, |report| of(report, Measure::Join, |join| join.p99)),
    ("return to a seat, p99", Unit::Milliseconds, Better::Less, |report| of(report, Measure::Resume, |resume| resume.p99)),
    ("inputs that came late", Unit::Share, Better::Less, |report| {
        let counts = &report.counts;
        (counts.inputs > 0).then(|| counts.inputs_late as f64 / counts.inputs as f64)
    }),
    ("payload to each player, B/s", Unit::Plain, Better::Neither, |report| words::per_player_second(report, report.counts.payload_bytes)),
    ("on the wire to each player, B/s", Unit::Plain, Better::Neither, |report| {
        words::per_player_second(report, report.counts.wire_bytes())
    }),
    ("server's CPU, cores", Unit::Plain, Better::Neither, |report| of_server(report, |server| server.cpu)),
    ("server's CPU for each player, ms/s", Unit::Plain, Better::Less, |report| {
        let each = |second: &Second| second.server.map(|server| server.cpu * 1000.0 / second.users.max(1) as f64);
        mean(when_full(report).filter_map(each))
    }),
    ("server's tick, mean", Unit::Milliseconds, Better::Less, |report| of_server(report, |server| server.tick_mean_ms)),
    ("server's memory, MB", Unit::Plain, Better::Less, |report| of_server(report, |server| server.memory_bytes as f64 / 1e6)),
];

fn of(report: &Report, measure: Measure, read: fn(&Quantiles) -> f64) -> Option<f64> {
    report.quantiles(measure).map(|quantiles| read(&quantiles))
}

fn of_server(report: &Report, read: fn(&ServerSecond) -> f64) -> Option<f64> {
    mean(when_full(report).filter_map(|second| second.server).map(|server| read(&server)))
}

/// The seconds in which nearly all were there.
fn when_full(report: &Report) -> impl Iterator<Item = &Second> {
    let most = report.series.iter().map(|second| second.users).max().unwrap_or_default();
    report.series.iter().filter(move |second| second.users > 0 && second.users * 10 >= most * 9)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    const KIND: Kind = Kind { game: "arena", mode: "ffa", tick_rate: 30, is_search: false };

    fn read(report: &Report, kind: &Kind) -> Result<Comparison, String> {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("then.json");
        json::write(report, &path).expect("written");
        Comparison::read(&path, kind).map_err(|error| error.to_string())
    }

    fn plain() -> Report {
        Report { capacity: None, ..sample::full() }
    }

    #[test]
    fn figures_stand_side_by_side_with_their_ratio() {
        let mut then = plain();
        let gap = &mut then.measures.get_mut("gap").expect("gaps").quantiles;
        gap.p99 = 40.0;
        then.run.users = 1000;
        then.counts.stale_micros = 0;
        let mut now = plain();
        now.measures.get_mut("gap").expect("gaps").quantiles.p99 = 60.0;
        now.counts.stale_micros = now.counts.watched_micros / 100;
        let comparison = Comparison { then, path: "then.json".into() };
        let rows = comparison.rows(&now);
        let row = |title: &str| rows.iter().find(|row| row.title == title).expect(title);
        let gap = row("gap between snapshots, p99");
        assert_eq!((gap.difference().as_str(), gap.change(), gap.shown(gap.now).as_str()), ("× 1.50", Change::Worse, "60.0 ms"));
        let fresh = row("time with a fresh snapshot");
        assert_eq!((fresh.difference().as_str(), fresh.change()), ("−1.00 points", Change::Worse));
        assert_eq!(row("input to view, p50").change(), Change::Same);
        assert_eq!(comparison.differences(&now), ["users: 1000 then, 1500 now"]);
        assert!(rows.iter().all(|row| row.title != "capacity, users"), "neither was a search");
    }

    #[test]
    fn what_cannot_be_compared_is_refused_with_a_sentence() {
        assert!(read(&plain(), &KIND).is_ok());
        let refused = |report: &Report, kind: &Kind| read(report, kind).map(|_| ()).expect_err("refused");
        let told = refused(&plain(), &Kind { game: "tag", ..KIND });
        assert!(told.contains("is of game arena, this run of tag"), "{told}");
        let told = refused(&plain(), &Kind { tick_rate: 60, ..KIND });
        assert!(told.contains("is of tick rate 30 Hz, this run of 60 Hz"), "{told}");
        let told = refused(&sample::full(), &KIND);
        assert!(told.contains("is one: a search for the capacity"), "{told}");
        let told = refused(&plain(), &Kind { is_search: true, ..KIND });
        assert!(told.contains("is none: a search for the capacity"), "{told}");
        let told = refused(&Report { format: 1, ..plain() }, &KIND);
        assert!(told.contains("has report format 1") && told.contains("run the test again"), "{told}");
    }
}

//! What was measured beside what was asked for, and beside an earlier run.

use std::fmt::Write;

use tickwire_testkit::measure::Measure;

use super::paint::Paint;
use crate::compare::{Change, Comparison};
use crate::report::Report;
use crate::words;

/// The bounds on a measure, at the end of its line.
pub(super) fn beside(report: &Report, measure: Measure, paint: Paint) -> String {
    let bounds = ["mean", "p50", "p90", "p99", "p99.9", "max"].into_iter().filter_map(|quantile| {
        let bound = words::bound_on(report, measure, quantile)?;
        let text = format!("  {quantile} {}", bound.must_be());
        Some(if bound.held { paint.good(&text) } else { paint.bad(&format!("{text} BROKEN")) })
    });
    bounds.collect()
}

/// Each bound beside what was measured.
pub(super) fn bounds(report: &Report, paint: Paint) -> String {
    let mut table = String::new();
    for bound in &report.bounds {
        if table.is_empty() {
            let head = format!("\n{:<28}{:>16}  {:<14}", "bounds", "measured", "must be");
            let _ = writeln!(table, "{}", paint.strong(head.trim_end()));
        }
        let outcome = if bound.held { paint.good("held") } else { paint.bad("BROKEN") };
        let _ = writeln!(table, "{:<28}{:>16}  {:<14}{outcome}", words::plain(&bound.figure), bound.was(), bound.must_be());
    }
    table
}

/// Each figure of an earlier run and of this one.
pub(super) fn compared(report: &Report, against: &Comparison, paint: Paint) -> String {
    let head = format!("\n{:<36}{:>14}{:>14}{:>16}", format!("against {}", against.name()), "then", "now", "now / then");
    let mut table = paint.strong(&head) + "\n";
    for row in against.rows(report) {
        let word = match row.change() {
            Change::Same => String::new(),
            Change::Better => paint.good(Change::Better.word()),
            Change::Worse => paint.bad(Change::Worse.word()),
            other => other.word().to_owned(),
        };
        let line = format!("{:<36}{:>14}{:>14}{:>16}  {word}", row.title, row.shown(row.then), row.shown(row.now), row.difference());
        let _ = writeln!(table, "{}", line.trim_end());
    }
    for difference in against.differences(report) {
        let _ = writeln!(table, "  {difference}");
    }
    table
}

//! A search for the capacity: what broke, plateau by plateau.

use maud::{Markup, html};
use tickwire_testkit::plot::{Axes, Series, Style};

use super::{PLAIN, figure, section};
use crate::capacity::{FRESH, GAPS_WITHIN};
use crate::report::{CapacityStep, Report};
use crate::words;

/// A search's plateaus, with the knee marked.
pub(in crate::show::html) fn capacity(report: &Report) -> Markup {
    let Some(found) = &report.capacity else { return html! {} };
    let mut steps: Vec<_> = found.steps.iter().collect();
    steps.sort_by_key(|step| step.users);
    let knee = |points: &[(f64, f64)]| {
        let top = points.iter().map(|(_, y)| *y).fold(0.0, f64::max);
        Series {
            label: format!("held up to {}", words::count(found.users)),
            points: vec![(found.users as f64, 0.0), (found.users as f64, top)],
            style: Style::Measured,
        }
    };
    let chart = |title: &str, unit: &str, read: &dyn Fn(&CapacityStep) -> f64, level: Option<(&str, f64)>| {
        let points: Vec<(f64, f64)> = steps.iter().map(|step| (step.users as f64, read(step))).collect();
        let level = level.map(|(label, level)| {
            let points = points.iter().map(|(x, _)| (*x, level)).collect();
            Series { label: label.to_owned(), points, style: Style::Limit }
        });
        let knee = knee(&points);
        let measured = Series { label: "measured".into(), points, style: Style::Measured };
        let series: Vec<Series> = [measured, knee].into_iter().chain(level).collect();
        figure(title, unit, Axes { x_label: "users", ..PLAIN }, &series)
    };
    let shown: Vec<Markup> = [
        chart(
            "Gaps of 1.5 ticks and longer",
            "%",
            &|step| (1.0 - step.gaps_within) * 100.0,
            Some(("allowed", (1.0 - GAPS_WITHIN) * 100.0)),
        ),
        chart("Time without a fresh snapshot", "%", &|step| (1.0 - step.fresh_share) * 100.0, Some(("allowed", (1.0 - FRESH) * 100.0))),
        chart("Gap between snapshots, p99", "ms", &|step| step.gap_p99_ms, Some(("1.5 ticks", report.long_gap_ms()))),
    ]
    .into_iter()
    .flatten()
    .collect();
    section("Capacity", &(words::capacity(report, found).join("; ") + "."), &shown)
}

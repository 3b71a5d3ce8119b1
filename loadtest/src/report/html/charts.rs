//! The page's plots: second by second, and how the times are distributed.
//!
//! A plot is left out if nothing of it was measured. Its title and legend are the page's, so they wrap and can be read out.

use maud::{Markup, PreEscaped, html};

use crate::measure::Measure;
use crate::plot::{Axes, Series, bare_line_chart, number};
use crate::report::{CapacityStep, Report, Second, ServerSecond, words};

/// Plots over the time of the run.
pub(super) fn over_time(report: &Report) -> Markup {
    let long_gap = report.long_gap_ms();
    let server = |read: fn(&ServerSecond) -> f64| move |second: &Second| second.server.as_ref().map(read);
    let level = |second: &Second| second.gap_p99_ms.map(|_| long_gap);
    let line = |label: &str, read: &dyn Fn(&Second) -> Option<f64>| over(report, label, read);
    let charts = [
        ("Users", "with a seat", vec![line("users", &|second| Some(second.users as f64))]),
        (
            "Gap between snapshots",
            "ms",
            vec![line("p50", &|second| second.gap_p50_ms), line("p99", &|second| second.gap_p99_ms), line("1.5 ticks", &level)],
        ),
        (
            "Input to view",
            "ms",
            vec![line("p50", &|second| second.input_to_view_p50_ms), line("p99", &|second| second.input_to_view_p99_ms)],
        ),
        ("Snapshots to each player", "per second", vec![line("snapshots", &|second| each(second, second.snapshots))]),
        ("Payload to each player", "B/s", vec![line("payload", &|second| each(second, second.payload_bytes))]),
        ("CPU", "cores", vec![line("server", &server(|server| server.cpu)), line("generator", &|second| Some(second.generator_cpu))]),
        (
            "The server's ticks",
            "ms",
            vec![line("mean", &server(|server| server.tick_mean_ms)), line("p99", &server(|server| server.tick_p99_ms))],
        ),
        ("The generator's own lateness", "ms, p99", vec![line("p99", &|second| Some(second.generator_late_p99_ms))]),
    ];
    let x_range = report.series.last().map(|last| (0.0, last.at));
    let shown: Vec<Markup> = charts
        .into_iter()
        .filter_map(|(title, unit, series)| figure(title, unit, Axes { x_label: "seconds", x_range, ..PLAIN }, &series))
        .collect();
    section("Over time", "Second by second. p99: of a hundred values in that second, 99 are at most this.", &shown)
}

/// How long things took, from the quickest to the slowest.
pub(super) fn distributions(report: &Report) -> Markup {
    let axes = Axes { x_label: "share of all values that took no longer", x_words: nines_in_words, ..PLAIN };
    let of = |measure| {
        let series =
            [Series { label: String::new(), points: by_nines(&report.histogram(measure).curve(), report.quantiles(measure)?.count) }];
        figure(title(measure), "ms", axes, &series)
    };
    let shown: Vec<Markup> = [Measure::Gap, Measure::InputToView].into_iter().filter_map(of).collect();
    section("Distributions", "Each step to the right is ten times rarer. A wall on the right is what a few players felt.", &shown)
}

/// A search's plateaus, with the knee marked.
pub(super) fn capacity(report: &Report) -> Markup {
    let Some(found) = &report.capacity else { return html! {} };
    let mut steps: Vec<_> = found.steps.iter().collect();
    steps.sort_by_key(|step| step.users);
    let knee = |points: &[(f64, f64)]| {
        let top = points.iter().map(|(_, y)| *y).fold(0.0, f64::max);
        Series {
            label: format!("held up to {}", words::count(found.users)),
            points: vec![(found.users as f64, 0.0), (found.users as f64, top)],
        }
    };
    let chart = |title: &str, unit: &str, read: &dyn Fn(&CapacityStep) -> f64, level: Option<f64>| {
        let points: Vec<(f64, f64)> = steps.iter().map(|step| (step.users as f64, read(step))).collect();
        let level = level.map(|level| Series { label: "1.5 ticks".into(), points: points.iter().map(|(x, _)| (*x, level)).collect() });
        let knee = knee(&points);
        let series: Vec<Series> = [Series { label: "measured".into(), points }, knee].into_iter().chain(level).collect();
        figure(title, unit, Axes { x_label: "users", ..PLAIN }, &series)
    };
    let shown: Vec<Markup> = [
        chart("Gaps of 1.5 ticks and longer", "%", &|step| (1.0 - step.gaps_within) * 100.0, None),
        chart("Gap between snapshots, p99", "ms", &|step| step.gap_p99_ms, Some(report.long_gap_ms())),
    ]
    .into_iter()
    .flatten()
    .collect();
    section("Capacity", &(words::capacity(report, found).join("; ") + "."), &shown)
}

fn section(heading: &str, note: &str, figures: &[Markup]) -> Markup {
    html! {
        @if !figures.is_empty() {
            section {
                h2 { (heading) }
                p.note { (note) }
                div.charts { @for figure in figures { (figure) } }
            }
        }
    }
}

/// The title says the unit.
const PLAIN: Axes = Axes { x_label: "", y_label: "", x_words: number, x_range: None };

/// A chart with its title and legend; `None` if none of `series` has a point. Title and labels are our own words.
fn figure(title: &str, unit: &str, axes: Axes, series: &[Series]) -> Option<Markup> {
    let drawn: Vec<Series> = series.iter().filter(|one| !one.points.is_empty()).cloned().collect();
    (!drawn.is_empty()).then(|| {
        html! {
            figure.card {
                figcaption {
                    span { b { (title) } span.unit { (unit) } }
                    @if drawn.len() > 1 {
                        span.legend {
                            @for (index, one) in drawn.iter().enumerate() {
                                span { i style=(format!("background:var(--chart-{})", index + 1)) {} (one.label) }
                            }
                        }
                    }
                }
                (PreEscaped(bare_line_chart(title, axes, &drawn)))
            }
        }
    })
}

fn over(report: &Report, label: &str, read: impl Fn(&Second) -> Option<f64>) -> Series {
    let points: Vec<(f64, f64)> = report.series.iter().filter_map(|second| Some((second.at, read(second)?))).collect();
    Series { label: label.to_owned(), points: thinned(&points) }
}

/// `amount` for each of the second's players.
fn each(second: &Second, amount: u64) -> Option<f64> {
    (second.users > 0).then(|| amount as f64 / second.users as f64)
}

/// No more points than a screen has room for: of neighbours the highest, so that no spike is lost.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let together = points.len().div_ceil(POINTS_MAX).max(1);
    points.chunks(together).filter_map(|chunk| chunk.iter().copied().max_by(|one, other| one.1.total_cmp(&other.1))).collect()
}

const POINTS_MAX: usize = 1000;

/// A curve of (milliseconds, share) over the number of nines of the share: 1 is 90 %, 2 is 99 %. It ends where one value is left.
fn by_nines(curve: &[(f64, f64)], count: u64) -> Vec<(f64, f64)> {
    let last = (count.max(1) as f64).log10();
    let start = curve.first().map(|&(ms, _)| (0.0, ms));
    start.into_iter().chain(curve.iter().map(|&(ms, share)| ((-(1.0 - share).max(0.0).log10()).min(last), ms))).collect()
}

fn nines_in_words(nines: f64) -> String {
    let whole = nines.round();
    if (nines - whole).abs() > 1e-6 || !(0.0..12.0).contains(&whole) {
        return String::new();
    }
    let digits = (whole as usize).saturating_sub(2);
    format!("{:.digits$} %", 100.0 - 100.0 / 10_f64.powf(whole))
}

fn title(measure: Measure) -> &'static str {
    match measure {
        Measure::Gap => "Gap between snapshots",
        Measure::InputToView => "Input to view",
        other => other.title(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nines_are_shares() {
        assert_eq!([0.0, 1.0, 2.0, 3.0, 5.0, 0.5].map(nines_in_words), ["0 %", "90 %", "99 %", "99.9 %", "99.999 %", ""]);
        let curve = by_nines(&[(10.0, 0.5), (20.0, 0.9), (90.0, 1.0)], 100);
        let expected = [(0.0, 10.0), (2_f64.log10(), 10.0), (1.0, 20.0), (2.0, 90.0)];
        assert!(
            curve.iter().zip(expected).all(|(one, other)| (one.0 - other.0).abs() < 1e-4 && (one.1 - other.1).abs() < 1e-9),
            "{curve:?}"
        );
        assert_eq!(by_nines(&[], 0), []);
    }

    #[test]
    fn thinning_keeps_spikes() {
        let mut points: Vec<(f64, f64)> = (0..5000).map(|at| (f64::from(at), 1.0)).collect();
        points[3333].1 = 99.0;
        let thin = thinned(&points);
        assert!(thin.len() <= POINTS_MAX && thin.contains(&(3333.0, 99.0)));
        assert_eq!(thinned(&points[..3]), points[..3]);
    }
}

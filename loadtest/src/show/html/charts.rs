//! The page's plots: second by second, and how the times are distributed.
//!
//! A plot is left out if nothing of it was measured. Its title and legend are the page's, so they wrap and can be read out.

mod capacity;

use maud::{Markup, PreEscaped, html};
use tickwire_testkit::measure::Measure;
use tickwire_testkit::plot::{Axes, Series, Style, bare_line_chart, number};

use crate::compare::Comparison;
use crate::report::{Report, Second, ServerSecond};

pub(super) use capacity::capacity;

type Read<'a> = &'a dyn Fn(&Second) -> Option<f64>;

/// Plots over the time of the run, with an earlier one's behind them.
pub(super) fn over_time(report: &Report, against: Option<&Comparison>) -> Markup {
    let server = |read: fn(&ServerSecond) -> f64| move |second: &Second| second.server.as_ref().map(read);
    let lines = |all: &[(&str, Read)]| -> Vec<Series> {
        let of = |report: &Report, style, then: &str| -> Vec<Series> {
            all.iter().map(|(label, read)| over(report, &format!("{label}{then}"), style, read)).collect()
        };
        let then = against.map(|against| of(&against.then, Style::Then, ", then")).unwrap_or_default();
        // Behind, so that this run's lines are not hidden.
        then.into_iter().chain(of(report, Style::Measured, "")).collect()
    };
    let limits = |names: &[(&str, &str)]| -> Vec<Series> {
        names.iter().filter_map(|(figure, label)| Some(level(report, label, limit(report, figure)?))).collect()
    };
    let chart = |title: &str, unit: &str, all: &[(&str, Read)], limits: Vec<Series>| {
        let series = lines(all).into_iter().chain(limits).collect::<Vec<_>>();
        figure(title, unit, Axes { x_label: "seconds", x_range: x_range(report, against), ..PLAIN }, &series)
    };
    let stale = |second: &Second| share(second.stale_of_server(), second.watched_seconds);
    let stale_limits = [("fresh_share", "bound, all of the run"), ("fresh_share_worst_10s", "bound, ten seconds")];
    let stale_limits =
        stale_limits.iter().filter_map(|(figure, label)| Some(level(report, label, (1.0 - limit(report, figure)?) * 100.0))).collect();
    let gap_limits = [limits(&[("gap.p99_ms", "bound, p99")]), vec![level(report, "1.5 ticks", report.long_gap_ms())]].concat();
    let shown: Vec<Markup> = [
        chart(
            "Players",
            "with a seat",
            &[("players", &|second| Some(second.users as f64))],
            vec![level(report, "asked for", report.run.users as f64)],
        ),
        chart("Time without a fresh snapshot", "% of the players' time", &[("stale", &stale)], stale_limits),
        chart("Gap between snapshots", "ms", &[("p50", &|second| second.gap_p50_ms), ("p99", &|second| second.gap_p99_ms)], gap_limits),
        chart(
            "Input to view",
            "ms",
            &[("p50", &|second| second.input_to_view_p50_ms), ("p99", &|second| second.input_to_view_p99_ms)],
            limits(&[("input_to_view.p99_ms", "bound, p99")]),
        ),
        chart(
            "Snapshots to each player",
            "per second",
            &[("snapshots", &|second| each(second, second.snapshots))],
            vec![level(report, "tick rate", f64::from(report.run.tick_rate))],
        ),
        chart(
            "Payload to each player",
            "B/s",
            &[("payload", &|second| each(second, second.payload_bytes))],
            limits(&[("payload_bytes_per_player_second", "bound")]),
        ),
        chart("CPU", "cores", &[("server", &server(|server| server.cpu)), ("generator", &|second| Some(second.generator_cpu))], Vec::new()),
        chart(
            "The server's ticks",
            "ms",
            &[("mean", &server(|server| server.tick_mean_ms)), ("p99", &server(|server| server.tick_p99_ms))],
            limits(&[("server.tick_p99_ms", "bound, p99")]),
        ),
        chart(
            "The generator's own lateness",
            "ms, p99",
            &[("p99", &|second| Some(second.generator_late_p99_ms))],
            vec![level(report, "a quarter of a tick", report.long_gap_ms() / 6.0)],
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    let then = if against.is_some() { " The faded lines are the earlier run's." } else { "" };
    let note =
        format!("Second by second. p99: of a hundred values in that second, 99 are at most this. Dashed: what it must keep to.{then}");
    section("Over time", &note, if report.series.is_empty() { &[] } else { &shown })
}

/// How long things took, from the quickest to the slowest.
pub(super) fn distributions(report: &Report, against: Option<&Comparison>) -> Markup {
    let axes = Axes { x_label: "share of all values that took no longer", x_words: nines_in_words, ..PLAIN };
    let curve = |report: &Report, measure, label: &str, style| -> Option<Series> {
        let points = by_nines(&report.histogram(measure).curve(), report.quantiles(measure)?.count);
        Some(Series { label: label.to_owned(), points, style })
    };
    let of = |measure| {
        let now = curve(report, measure, "this run", Style::Measured)?;
        let then = against.and_then(|against| curve(&against.then, measure, "then", Style::Then));
        let last = now.points.last().map_or(0.0, |(nines, _)| *nines);
        let limits = limits_of(report, measure, last);
        let series: Vec<Series> = then.into_iter().chain([now]).chain(limits).collect();
        figure(title(measure), "ms", axes, &series)
    };
    let shown: Vec<Markup> = [Measure::Gap, Measure::InputToView].into_iter().filter_map(of).collect();
    section("Distributions", "Each step to the right is ten times rarer. A wall on the right is what a few players felt.", &shown)
}

/// The bounds on the quantiles of `measure`: a line that ends at the share that it is about.
fn limits_of(report: &Report, measure: Measure, last: f64) -> Vec<Series> {
    let quantiles = [("p50_ms", 0.5), ("p90_ms", 0.9), ("p99_ms", 0.99), ("p99.9_ms", 0.999)];
    let bounds = quantiles.into_iter().filter_map(|(name, share)| {
        let limit = limit(report, &format!("{}.{name}", measure.name()))?;
        let nines = -f64::log10(1.0 - share);
        Some((format!("bound, {}", name.trim_end_matches("_ms")), nines, limit))
    });
    let within = limit(report, "gap.within_1.5_ticks").filter(|_| measure == Measure::Gap);
    let within = within.map(|share| ("1.5 ticks".to_owned(), -(1.0 - share).max(1e-6).log10(), report.long_gap_ms()));
    let line =
        |(label, nines, ms): (String, f64, f64)| Series { label, points: vec![(0.0, ms), (nines.min(last), ms)], style: Style::Limit };
    bounds.chain(within).map(line).collect()
}

/// The limit of the bound on `figure`, if there is one.
fn limit(report: &Report, figure: &str) -> Option<f64> {
    report.bounds.iter().find(|bound| bound.figure == figure).map(|bound| bound.limit)
}

/// A bound that holds all the time.
fn level(report: &Report, label: &str, value: f64) -> Series {
    let last = report.series.last().map_or(0.0, |second| second.at);
    let first = report.series.first().map_or(0.0, |second| second.at.min(last));
    Series { label: label.to_owned(), points: vec![(first, value), (last, value)], style: Style::Limit }
}

fn x_range(report: &Report, against: Option<&Comparison>) -> Option<(f64, f64)> {
    let last = |report: &Report| report.series.last().map(|second| second.at);
    let then = against.and_then(|against| last(&against.then)).unwrap_or(0.0);
    last(report).map(|last| (0.0, last.max(then)))
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

/// A chart with its title and legend; `None` if nothing of this run is in it. Title and labels are
/// our own words.
fn figure(title: &str, unit: &str, axes: Axes, series: &[Series]) -> Option<Markup> {
    let drawn: Vec<Series> = series.iter().filter(|one| !one.points.is_empty()).cloned().collect();
    let is_measured = drawn.iter().any(|one| one.style == Style::Measured);
    is_measured.then(|| {
        html! {
            figure.card {
                figcaption {
                    span { b { (title) } span.unit { (unit) } }
                    @if drawn.len() > 1 {
                        span.legend {
                            @for (key, label) in legend(&drawn) { span { (key) (label) } }
                        }
                    }
                }
                (PreEscaped(bare_line_chart(title, axes, &drawn)))
            }
        }
    })
}

/// A key and a label for each line, this run's first.
fn legend(series: &[Series]) -> Vec<(Markup, &str)> {
    let of = |style: Style| series.iter().filter(move |one| one.style == style).enumerate();
    let key = |style: Style, index: usize| match style {
        Style::Measured => html! { i style=(format!("background:var(--chart-{})", index + 1)) {} },
        Style::Then => html! { i.then style=(format!("background:var(--chart-{})", index + 1)) {} },
        Style::Limit => html! { i.limit {} },
    };
    let keys = |style| of(style).map(move |(index, one)| (key(style, index), one.label.as_str()));
    [Style::Measured, Style::Then, Style::Limit].into_iter().flat_map(keys).collect()
}

fn over(report: &Report, label: &str, style: Style, read: impl Fn(&Second) -> Option<f64>) -> Series {
    let points: Vec<(f64, f64)> = report.series.iter().filter_map(|second| Some((second.at, read(second)?))).collect();
    Series { label: label.to_owned(), points: thinned(&points), style }
}

/// `amount` for each of the second's players, by the time that they were there: a second in which
/// most have left is no other.
fn each(second: &Second, amount: u64) -> Option<f64> {
    (second.player_seconds > 0.0).then(|| amount as f64 / second.player_seconds)
}

/// `part` of `whole` in percent.
fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole * 100.0)
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
    fn what_each_player_got_does_not_rise_as_players_leave() {
        let second = |users, player_seconds, payload_bytes| Second { users, player_seconds, payload_bytes, ..Second::default() };
        // A thousand players, and the second in which nearly all of them left after a tenth of it.
        assert_eq!(each(&second(1000, 1000.0, 4_000_000), 4_000_000), Some(4000.0));
        assert_eq!(each(&second(3, 100.0, 400_000), 400_000), Some(4000.0));
        assert_eq!(each(&second(0, 0.0, 0), 0), None);
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

//! A run as one page that opens anywhere: no script, no font, no picture from elsewhere, readable on light and dark, on a phone
//! and on a wall.
//!
//! Invariant: what came from outside (names, errors, the command) is escaped by the template. Only charts and the style sheet,
//! which hold none of it, are not; and the page's own policy forbids it to load or run anything.

mod against;
mod bounds;
mod charts;
mod tables;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use tickwire_testkit::measure::Measure;

use crate::compare::Comparison;
use crate::report::{Bound, Report};
use crate::words;

/// The whole page, with an earlier run beside this one if there is one to compare it with.
pub fn page(report: &Report, against: Option<&Comparison>) -> String {
    let run = &report.run;
    let title = joined([run.game.clone(), run.mode.clone(), words::counted(run.users, "user")]);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (words::verdict(report)) ": " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p.eyebrow { "Tickwire load test" }
                    h1 { (title) }
                    p.note { (subtitle(report)) }
                    (banners(report))
                }
                main {
                    (tiles(report))
                    (bounds::section(report))
                    (against::section(report, against))
                    (charts::over_time(report, against))
                    (charts::distributions(report, against))
                    (charts::capacity(report))
                    (tables::all(report))
                }
                footer { p { "Every value is in " code { "report.json" } ", with histograms that HdrHistogram's tools read." } }
            }
        }
    };
    page.into_string()
}

fn joined(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn subtitle(report: &Report) -> String {
    let run = &report.run;
    let processes = if run.processes > 1 { format!("{} processes", run.processes) } else { String::new() };
    let began = words::moment(run.began).unwrap_or_default();
    joined([run.server.clone(), format!("{} Hz", run.tick_rate), format!("{} s", words::number(run.seconds)), began, processes])
}

fn banners(report: &Report) -> Markup {
    let verdict = &report.verdict;
    html! {
        @let kind = if verdict.passed { "banner good" } else if verdict.inconclusive { "banner warn" } else { "banner bad" };
        section class=(kind) {
            strong.verdict { (words::verdict(report)) }
            @if !verdict.cause.is_empty() { p.cause { (verdict.cause) } }
            @let others = words::other_failures(verdict);
            @if !others.is_empty() { ul { @for failure in others { li { (failure) } } } }
        }
        @if let Some(sentences) = words::saturation(report) {
            section.banner.warn { strong { "GENERATOR SATURATED" } ul { @for sentence in sentences { li { (sentence) } } } }
        }
        @if !verdict.warnings.is_empty() {
            section.banner.warn {
                strong { "Know before you believe the rest" }
                ul { @for warning in &verdict.warnings { li { (warning) } } }
            }
        }
    }
}

/// A figure that somebody across the room can read.
struct Tile {
    label: &'static str,
    value: String,
    unit: &'static str,
    detail: String,
    /// The figure that it shows, if that is what a bound may be on.
    figure: &'static str,
}

fn tiles(report: &Report) -> Markup {
    let all = [Some(users_tile(report)), fresh_tile(report), gap_tile(report), view_tile(report), Some(divergence_tile(report))];
    let more = [input_tile(report), wire_tile(report), Some(snapshot_tile(report)), join_tile(report)];
    html! {
        section.tiles aria-label="Key figures" {
            @for tile in all.into_iter().chain(more).flatten() {
                @let bound = report.bounds.iter().find(|bound| bound.figure == tile.figure);
                div.card.tile {
                    div.label { (tile.label) }
                    div.value.bad[bound.is_some_and(|bound| !bound.held)] {
                        (tile.value) @if !tile.unit.is_empty() { span.unit { (tile.unit) } }
                    }
                    @if let Some(bound) = bound { (beside(bound)) }
                    div.detail { (tile.detail) }
                }
            }
        }
    }
}

/// The bound on a tile's figure.
fn beside(bound: &Bound) -> Markup {
    html! { div.bound.bad[!bound.held] { "must be " (bound.must_be()) @if !bound.held { ": broken" } } }
}

/// How many players: what a search found, else how many there were.
fn users_tile(report: &Report) -> Tile {
    let Some(capacity) = &report.capacity else {
        let (run, hours) = (&report.run, report.counts.player_seconds() / 3600.0);
        let played = if run.users_played == run.users {
            format!("all of them played, {hours:.1} player-hours")
        } else {
            format!("{} of {} played, {hours:.1} player-hours", words::count(run.users_played), words::count(run.users))
        };
        return Tile { label: "Users at once", value: words::count(run.users_at_once), unit: "", detail: played, figure: "users_at_once" };
    };
    let is_known = capacity.is_server_limit && capacity.broke_at.is_some() && !report.generator.saturated;
    Tile {
        label: if is_known { "Capacity" } else { "Capacity, at least" },
        value: words::count(capacity.users),
        unit: "users",
        detail: capacity.broke_at.map_or_else(|| "it never broke".to_owned(), |users| format!("broke at {}", words::count(users))),
        figure: "capacity_users",
    }
}

fn fresh_tile(report: &Report) -> Option<Tile> {
    let share = report.counts.fresh_share()?;
    let worst = report.worst_ten_seconds().map_or_else(String::new, |(share, at)| {
        format!("; {} in the worst ten seconds, from {} s on", words::percent(share), words::count(at.round() as u64))
    });
    Some(Tile {
        label: "Time with a fresh snapshot",
        value: words::percent(share).trim_end_matches(" %").to_owned(),
        unit: "%",
        detail: format!("at most {} ms old{worst}", words::number(report.fresh_ms())),
        figure: "fresh_share",
    })
}

fn gap_tile(report: &Report) -> Option<Tile> {
    let gap = report.quantiles(Measure::Gap)?;
    let share = report.gaps_within()?;
    Some(Tile {
        label: "Gaps under 1.5 ticks",
        value: words::percent(share).trim_end_matches(" %").to_owned(),
        unit: "%",
        detail: format!("p99 {} ms, longest {} ms", words::number(gap.p99), words::number(gap.max)),
        figure: "gap.within_1.5_ticks",
    })
}

fn view_tile(report: &Report) -> Option<Tile> {
    let view = report.quantiles(Measure::InputToView)?;
    Some(Tile {
        label: "Input to view, p99",
        value: words::number(view.p99),
        unit: "ms",
        detail: format!("half within {} ms", words::number(view.p50)),
        figure: "input_to_view.p99_ms",
    })
}

fn divergence_tile(report: &Report) -> Tile {
    let counts = &report.counts;
    let compared = words::percent_of(counts.checked + counts.divergences, counts.snapshots);
    let (value, detail) = if report.is_checked() {
        (words::count(counts.divergences), format!("{compared} of snapshots compared"))
    } else {
        ("?".to_owned(), "the server sent no hashes".to_owned())
    };
    Tile { label: "Divergences", value, unit: "", detail, figure: "divergences" }
}

fn input_tile(report: &Report) -> Option<Tile> {
    let counts = &report.counts;
    (counts.inputs > 0).then(|| Tile {
        label: "Inputs lost",
        value: words::count(counts.inputs_lost),
        unit: "",
        detail: format!("of {}; {} came late", words::count(counts.inputs), words::percent_of(counts.inputs_late, counts.inputs)),
        figure: "inputs_lost",
    })
}

fn wire_tile(report: &Report) -> Option<Tile> {
    let wire = words::per_player_second(report, report.counts.wire_bytes())?;
    let goodput = words::per_player_second(report, report.counts.payload_bytes)?;
    Some(Tile {
        label: "To each player, on the wire",
        value: words::number(wire.round()),
        unit: "B/s",
        detail: format!("estimated; payload {} B/s", words::number(goodput.round())),
        figure: "wire_bytes_per_player_second",
    })
}

fn snapshot_tile(report: &Report) -> Tile {
    Tile {
        label: "Snapshots",
        value: words::number(words::snapshot_rate(report)),
        unit: "/s",
        detail: format!("{} in all", words::count(report.counts.snapshots)),
        figure: "snapshots",
    }
}

fn join_tile(report: &Report) -> Option<Tile> {
    let join = report.quantiles(Measure::Join)?;
    Some(Tile {
        label: "Click to first snapshot, p99",
        value: words::number(join.p99),
        unit: "ms",
        detail: words::counted(report.counts.joins, "join"),
        figure: "join.p99_ms",
    })
}

const STYLE: &str = include_str!("html/style.css");

#[cfg(test)]
mod tests;

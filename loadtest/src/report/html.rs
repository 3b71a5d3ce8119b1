//! A run as one page that opens anywhere: no script, no font, no picture from elsewhere, readable on light and dark, on a phone
//! and on a wall.
//!
//! Invariant: what came from outside (names, errors, the command) is escaped by the template. Only charts and the style sheet,
//! which hold none of it, are not; and the page's own policy forbids it to load or run anything.

mod charts;
mod tables;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Report, words};
use crate::measure::Measure;

/// The whole page.
pub fn page(report: &Report) -> String {
    let run = &report.run;
    let title = joined([run.game.clone(), run.mode.clone(), words::counted(run.users, "user")]);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (if report.verdict.passed { "PASSED" } else { "FAILED" }) ": " (title) }
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
                    (charts::over_time(report))
                    (charts::distributions(report))
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
        @if verdict.passed {
            section.banner.good { strong { "PASSED" } }
        } @else {
            section.banner.bad {
                strong { "FAILED" }
                ul { @for failure in &verdict.failures { li { (failure) } } }
            }
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
    is_bad: bool,
}

fn tiles(report: &Report) -> Markup {
    let all = [Some(users_tile(report)), gap_tile(report), view_tile(report), Some(divergence_tile(report)), input_tile(report)];
    let more = [wire_tile(report), Some(snapshot_tile(report)), join_tile(report)];
    html! {
        section.tiles aria-label="Key figures" {
            @for tile in all.into_iter().chain(more).flatten() {
                div.card.tile {
                    div.label { (tile.label) }
                    div.value.bad[tile.is_bad] { (tile.value) @if !tile.unit.is_empty() { span.unit { (tile.unit) } } }
                    div.detail { (tile.detail) }
                }
            }
        }
    }
}

/// How many players: what a search found, else how many there were.
fn users_tile(report: &Report) -> Tile {
    let Some(capacity) = &report.capacity else {
        let detail = format!("{:.1} player-hours", report.counts.player_seconds() / 3600.0);
        return Tile { label: "Users at once", value: words::count(report.run.users), unit: "", detail, is_bad: false };
    };
    let is_known = capacity.is_server_limit && capacity.broke_at.is_some() && !report.generator.saturated;
    Tile {
        label: if is_known { "Capacity" } else { "Capacity, at least" },
        value: words::count(capacity.users),
        unit: "users",
        detail: capacity.broke_at.map_or_else(|| "it never broke".to_owned(), |users| format!("broke at {}", words::count(users))),
        is_bad: false,
    }
}

fn gap_tile(report: &Report) -> Option<Tile> {
    let gap = report.quantiles(Measure::Gap)?;
    let share = report.gaps_within()?;
    Some(Tile {
        label: "Gaps under 1.5 ticks",
        value: words::percent(share).trim_end_matches(" %").to_owned(),
        unit: "%",
        detail: format!("p99 {} ms, longest {} ms", words::number(gap.p99), words::number(gap.max)),
        is_bad: share < 0.99,
    })
}

fn view_tile(report: &Report) -> Option<Tile> {
    let view = report.quantiles(Measure::InputToView)?;
    Some(Tile {
        label: "Input to view, p99",
        value: words::number(view.p99),
        unit: "ms",
        detail: format!("half within {} ms", words::number(view.p50)),
        is_bad: false,
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
    Tile { label: "Divergences", value, unit: "", detail, is_bad: counts.divergences > 0 }
}

fn input_tile(report: &Report) -> Option<Tile> {
    let counts = &report.counts;
    (counts.inputs > 0).then(|| Tile {
        label: "Inputs lost",
        value: words::count(counts.inputs_lost),
        unit: "",
        detail: format!("of {}; {} came late", words::count(counts.inputs), words::percent_of(counts.inputs_late, counts.inputs)),
        is_bad: counts.inputs_lost > 0,
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
        is_bad: false,
    })
}

fn snapshot_tile(report: &Report) -> Tile {
    Tile {
        label: "Snapshots",
        value: words::number(words::snapshot_rate(report)),
        unit: "/s",
        detail: format!("{} in all", words::count(report.counts.snapshots)),
        is_bad: false,
    }
}

fn join_tile(report: &Report) -> Option<Tile> {
    let join = report.quantiles(Measure::Join)?;
    Some(Tile {
        label: "Click to first snapshot, p99",
        value: words::number(join.p99),
        unit: "ms",
        detail: words::counted(report.counts.joins, "join"),
        is_bad: false,
    })
}

const STYLE: &str = include_str!("html/style.css");

#[cfg(test)]
mod tests {
    use quick_xml::Reader;
    use quick_xml::events::{BytesStart, Event};

    use super::*;
    use crate::report::sample;

    /// Elements that HTML never closes.
    const VOID: [&str; 4] = ["meta", "br", "hr", "img"];

    fn name(tag: &[u8]) -> String {
        String::from_utf8_lossy(tag).into_owned()
    }

    fn assert_asks_for_nothing(element: &BytesStart) {
        let tag = name(element.name().as_ref());
        assert!(!["script", "link", "img", "iframe", "object", "a", "use", "image"].contains(&tag.as_str()), "<{tag}>");
        for attribute in element.attributes() {
            let attribute = attribute.expect("a legal attribute");
            let (key, value) = (name(attribute.key.as_ref()), name(&attribute.value));
            assert!(!["src", "href", "xlink:href", "srcset"].contains(&key.as_str()) && !key.starts_with("on"), "{key}={value}");
            assert!(key == "xmlns" || !value.contains("://") && !value.contains("url("), "{key}={value}");
        }
    }

    /// Every element is closed by its own name, and none asks for anything from elsewhere.
    fn assert_whole_and_offline(page: &str) {
        let mut reader = Reader::from_str(page);
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        let mut open: Vec<String> = Vec::new();
        loop {
            match reader.read_event().expect("well-formed") {
                Event::Start(element) => {
                    assert_asks_for_nothing(&element);
                    let tag = name(element.name().as_ref());
                    if !VOID.contains(&tag.as_str()) {
                        open.push(tag);
                    }
                }
                Event::End(element) => assert_eq!(open.pop(), Some(name(element.name().as_ref()))),
                Event::Empty(element) => assert_asks_for_nothing(&element),
                Event::Text(text) => assert!(!name(&text).contains("@import") && !name(&text).contains("url("), "{text:?}"),
                Event::Eof => break,
                _ => {}
            }
        }
        assert!(open.is_empty(), "{open:?} stay open");
    }

    #[test]
    fn a_full_page_has_everything_and_needs_nothing() {
        let page = page(&sample::full());
        assert_whole_and_offline(&page);
        assert_eq!(page.matches("<svg").count(), 12);
        for words in ["FAILED", "divergences was 2", "1,500 users", "Gaps under 1.5 ticks", "Capacity", "m-17", "m-3", "Position"] {
            assert!(page.contains(words), "{words} is missing");
        }
    }

    #[test]
    fn an_empty_page_is_a_page() {
        let page = page(&sample::empty());
        assert_whole_and_offline(&page);
        assert!(!page.contains("<svg") && !page.contains("NaN") && page.contains("<h1>0 users</h1>"), "{page}");
    }

    #[test]
    fn hostile_text_stays_text() {
        let hostile = "</style><script>alert('\"&</script><img src=x onerror=alert(1)>".to_owned();
        let mut report = sample::full();
        for text in [
            &mut report.run.command,
            &mut report.run.server,
            &mut report.run.game,
            &mut report.run.mode,
            &mut report.run.mix,
            &mut report.run.network,
            &mut report.run.version,
            &mut report.generator.machine,
            &mut report.divergences[0].component,
            &mut report.stalls[0].match_id,
        ] {
            text.clone_from(&hostile);
        }
        report.divergences[1].match_id.clone_from(&hostile);
        report.generator.saturated = true;
        report.generator.reasons = vec![hostile.clone()];
        report.verdict.failures = vec![hostile.clone()];
        report.verdict.warnings = vec![hostile.clone()];
        report.errors = [(hostile.clone(), 1)].into();
        report.counts.closes = [(hostile.clone(), 1)].into();
        report.capacity.as_mut().expect("a search").reason.clone_from(&hostile);
        let page = page(&report);
        assert_whole_and_offline(&page);
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script") && !page.contains("<img"));
    }
}

//! A run as one page that loads nothing: how many bots had a connection at each moment, when the
//! server was killed, and how long each kill was felt.

use std::fmt::Write;

use maud::{DOCTYPE, PreEscaped, html};

use crate::history::{Event, What};
use crate::report::{Quantiles, Report};

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 160.0;
/// Most points that are drawn.
const POINTS_MAX: usize = 20_000;

/// The whole page.
pub(crate) fn page(report: &Report, events: &[Event]) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Tickwire chaos: " (if report.passed { "passed" } else { "failed" }) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Faults under load" }
                pre { (report.summary()) }
                h2 { "Bots with a connection, of " (report.bots) }
                p { "Each line down is a fault; " (format!("{:.0} s", report.seconds)) " from left to right." }
                (PreEscaped(timeline(report, events)))
                div.scale { @for quarter in 0..=4 { span { (format!("{:.1} s", report.seconds * f64::from(quarter) / 4.0)) } } }
                h2 { "Each kill" }
                table {
                    thead { tr { @for head in ["kill", "at, s", "connections", "held", "still p50, ms", "still max, ms", "broken", "back", "p50, ms", "p99, ms", "max, ms"] { th { (head) } } } }
                    tbody { @for (nth, kill) in report.findings.kills.iter().enumerate() {
                        @let (times, waits) = (Quantiles::of(&kill.times), Quantiles::of(&kill.waits));
                        tr {
                            td { (nth + 1) }
                            td { (format!("{:.1}", kill.at as f64 / 1e6)) }
                            td { (kill.seated) }
                            td { (kill.held) }
                            @for time in [waits.p50, waits.max] { td { (format!("{time:.0}")) } }
                            td { (kill.lost) }
                            td.bad[kill.returned < kill.lost] { (kill.returned) }
                            @for time in [times.p50, times.p99, times.max] { td { (format!("{time:.0}")) } }
                        }
                    } }
                }
            }
        }
    };
    page.into_string()
}

/// Numbers only: nothing that came from outside.
fn timeline(report: &Report, events: &[Event]) -> String {
    let (last, most) = (events.last().map_or(1, |event| event.at.max(1)) as f64, f64::from(report.bots.max(1)));
    let x = |at: u64| at as f64 / last * WIDTH;
    let y = |bots: i64| HEIGHT - bots as f64 / most * (HEIGHT - 10.0);
    let (mut bots, mut line, mut kills) = (0, format!("M0 {HEIGHT:.1}"), String::new());
    let changes = events.iter().filter(|event| change(&event.what) != 0).count();
    let every = changes.div_ceil(POINTS_MAX).max(1);
    for (nth, event) in events.iter().filter(|event| change(&event.what) != 0).enumerate() {
        bots += change(&event.what);
        if nth.is_multiple_of(every) {
            let _ = write!(line, "H{:.1}V{:.1}", x(event.at), y(bots));
        }
    }
    let _ = write!(line, "H{WIDTH:.1}");
    for kill in &report.findings.kills {
        let _ = write!(kills, "M{0:.1} 0V{HEIGHT:.1}", x(kill.at));
    }
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Bots with a connection over time\">\
         <path class=\"kill\" d=\"{kills}\"/><path class=\"bots\" d=\"{line}\"/></svg>"
    )
}

/// What an event does to the number of connections.
const fn change(what: &What) -> i64 {
    match what {
        What::Seated { .. } | What::Returned { .. } => 1,
        What::Lost { .. } | What::Closed { .. } | What::Diverged { .. } => -1,
        _ => 0,
    }
}

const STYLE: &str = "\
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}body{max-width:64rem;margin:2rem auto;padding:0 1rem}\
svg{width:100%;border:1px solid #8884}path{fill:none;vector-effect:non-scaling-stroke}.bots{stroke:#2a7de1;stroke-width:1.5}.kill{stroke:#d33;stroke-width:1.5;stroke-dasharray:4 3}\
.scale{display:flex;justify-content:space-between;font-size:.8em;opacity:.7}\
pre{white-space:pre-wrap}table{border-collapse:collapse}td,th{padding:.1rem .7rem;text-align:right}.bad{color:#d33;font-weight:bold}";

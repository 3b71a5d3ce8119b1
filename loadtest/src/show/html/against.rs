//! This run beside an earlier one: a row a figure, with a bar for then and one for now.

use maud::{Markup, html};

use crate::compare::{Change, Comparison, Row};
use crate::report::{Report, Unit};

/// Every figure that both runs measured.
pub(super) fn section(report: &Report, against: Option<&Comparison>) -> Markup {
    let Some(against) = against else { return html! {} };
    let differences = against.differences(report);
    html! {
        section {
            h2 { "Then and now" }
            p.note {
                "Against the run of " (against.name()) " (" (against.path) "). A tenth more or less is what two runs of the same server differ by."
            }
            @if !differences.is_empty() {
                div.banner.warn { strong { "The runs differ in more than the server" } ul { @for one in &differences { li { (one) } } } }
            }
            div.card.scroll {
                table.bounds {
                    thead { tr { th { "figure" } th { "then" } th { "now" } th { "now / then" } th {} th {} } }
                    tbody { @for row in against.rows(report) { (line(&row)) } }
                }
            }
        }
    }
}

fn line(row: &Row) -> Markup {
    let [then, now] = lengths(row);
    html! {
        tr {
            td { (row.title) }
            td { (row.shown(row.then)) }
            td { (row.shown(row.now)) }
            td { (row.difference()) }
            td.meter {
                div.track.two {
                    div.fill.then style=(format!("width:{then:.1}%")) {}
                    div class=(if row.change() == Change::Worse { "fill over" } else { "fill" }) style=(format!("width:{now:.1}%")) {}
                }
            }
            @let class = match row.change() {
                Change::Better => "good",
                Change::Worse => "bad",
                Change::Same | Change::More | Change::Less => "note",
            };
            td class=(class) { (row.change().word()) }
        }
    }
}

/// The two bars, in percent of the track.
fn lengths(row: &Row) -> [f64; 2] {
    let most = if row.unit == Unit::Share { 1.0 } else { row.then.max(row.now) };
    [row.then, row.now].map(|value| if most > 0.0 { (value / most * 100.0).clamp(0.0, 100.0) } else { 0.0 })
}

//! A report as people read it: aligned on a terminal, or as Markdown and charts in the documentation.

pub(crate) mod docs;

use std::fmt::Write as _;

use crate::arm::Arm;
use crate::report::{ArmReport, Figures, Report};

/// Rows of words, the first of them the heads.
type Rows = Vec<Vec<String>>;

/// Everything, for a terminal.
pub(crate) fn table(report: &Report) -> String {
    let mut text = aligned(&figures(report));
    let capacities = capacities(report);
    if capacities.len() > 1 {
        let _ = write!(text, "\n{}", aligned(&capacities));
    }
    if !report.workload.is_empty() {
        let _ = write!(text, "\n{}", aligned(&workload(report)));
    }
    if !report.ratios.is_empty() {
        let _ = write!(text, "\n{}", aligned(&ratios(report)));
    }
    for note in &report.notes {
        let _ = write!(text, "\nnote: {note}");
    }
    text
}

/// Reports in the order of tables.
fn in_order(report: &Report) -> impl Iterator<Item = (Arm, &ArmReport)> {
    Arm::ALL.iter().filter_map(|arm| report.arms.get(arm.name()).map(|found| (*arm, found)))
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

/// A line per arm and player count.
fn figures(report: &Report) -> Rows {
    let mut rows = vec![words(&[
        "players",
        "arm",
        "CPU µs/update",
        "(min to max)",
        "user",
        "system",
        "above floor",
        "payload B",
        "B/player",
        "wire B",
        "KiB/player",
        "gap p99 ms",
        "Hz",
    ])];
    let mut counts: Vec<usize> = report.arms.values().flat_map(|arm| arm.players.keys().copied()).collect();
    counts.sort_unstable();
    counts.dedup();
    for players in counts {
        for (arm, found) in in_order(report) {
            if let Some(figures) = found.players.get(&players) {
                rows.push(line(players, arm, figures));
            }
        }
    }
    rows
}

fn line(players: usize, arm: Arm, figures: &Figures) -> Vec<String> {
    let spread = figures.spread.get("cpu_us_per_update").map(|[least, most]| format!("{least:.1} to {most:.1}"));
    let mark = if figures.generator.was_bottleneck { " (!)" } else { "" };
    vec![
        players.to_string(),
        format!("{}{mark}", arm.name()),
        format!("{:.1}", figures.cpu_us_per_update),
        spread.unwrap_or_default(),
        format!("{:.1}", figures.user_us_per_update),
        format!("{:.1}", figures.system_us_per_update),
        figures.cpu_us_above_floor.map_or_else(String::new, |above| format!("{above:.1}")),
        format!("{:.1}", figures.payload_bytes_per_update),
        format!("{:.1}", figures.payload_bytes_per_player_update),
        format!("{:.1}", figures.wire_bytes_per_update),
        format!("{:.1}", figures.rss_bytes_per_player / 1024.0),
        format!("{:.1}", figures.gap_ms_p99),
        format!("{:.1}", figures.delivered_hz),
    ]
}

fn capacities(report: &Report) -> Rows {
    let held = in_order(report).filter_map(|(arm, found)| found.capacity_players.map(|players| (arm, players)));
    let mut rows = vec![words(&["arm", "players held"])];
    rows.extend(held.map(|(arm, players)| vec![arm.name().to_owned(), players.to_string()]));
    rows
}

fn workload(report: &Report) -> Rows {
    let mut rows = vec![words(&["arm", "movers in an update", "turners", "shots in flight"])];
    let known = Arm::ALL.iter().filter_map(|arm| report.workload.get(arm.name()).map(|means| (arm, means)));
    rows.extend(known.map(|(arm, means)| {
        let figures = [means.movers, means.turners, means.shots].map(|mean| format!("{mean:.1}"));
        [vec![arm.name().to_owned()], figures.to_vec()].concat()
    }));
    rows
}

fn ratios(report: &Report) -> Rows {
    let mut rows = vec![words(&["ratio", ""])];
    rows.extend(report.ratios.iter().map(|(name, ratio)| vec![name.clone(), format!("{ratio:.2}")]));
    rows
}

/// Columns side by side, numbers to the right.
fn aligned(rows: &Rows) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|word| word.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(word, width)| {
            if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') { format!("{word:>width$}") } else { format!("{word:<width$}") }
        });
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = vec![words(&["arm", "players"]), words(&["ws", "960"]), words(&["tickwire", "2,000"])];
        assert_eq!(aligned(&rows), "arm       players\nws            960\ntickwire    2,000\n");
    }
}

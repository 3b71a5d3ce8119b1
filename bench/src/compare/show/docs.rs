//! The benchmark's part of `docs/BENCHMARKS.md` and its charts, from a stored run: no figure there is typed by hand.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use tickwire_bench::marks::Marks;
use tickwire_testkit::plot::{Bar, bar_chart};

use super::{Rows, capacities, figures, in_order, ratios, workload};
use crate::report::{Figures, Report, TCP_IP_HEADER_BYTES};

const MARKS: Marks =
    Marks { begin: "<!-- arena-16: what follows is written by `cargo xtask bench`, up to the end mark -->", end: "<!-- arena-16: end -->" };

/// Whether there is a page with marks in `docs`.
pub(crate) fn check(docs: &Path) -> Result<()> {
    MARKS.read_with(&docs.join("BENCHMARKS.md"), "").map(drop)
}

/// Replaces the marked part of BENCHMARKS.md in `docs`, and the charts it shows.
pub(crate) fn write(report: &Report, docs: &Path) -> Result<()> {
    let path = docs.join("BENCHMARKS.md");
    let page = MARKS.read_with(&path, &markdown(report))?;
    let images = docs.join("images");
    fs::create_dir_all(&images).with_context(|| format!("cannot create {}", images.display()))?;
    for (name, chart) in charts(report) {
        fs::write(images.join(name), chart).with_context(|| format!("cannot write {name}"))?;
    }
    fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))
}

fn markdown(report: &Report) -> String {
    let machine = &report.machine;
    let settings = &report.settings;
    let gibibytes = machine.memory_bytes as f64 / f64::from(1 << 30);
    let mut text = format!(
        "`{}` at commit `{}`: {} cores of {}, {gibibytes:.0} GiB, Linux {}, {}, Node {}. Medians of {} repeats of {} s each.\n\n",
        settings.command,
        report.commit,
        machine.cores,
        machine.cpu,
        machine.kernel,
        machine.rustc,
        machine.node,
        settings.repeats,
        settings.window_seconds
    );
    let largest = largest_players(report);
    // Writing to memory does not fail, here and below.
    let _ = writeln!(text, "![Server CPU for an update delivered and an input received, {largest} players](images/bench-cpu.svg)\n");
    text += &table(&figures(report));
    let _ = writeln!(
        text,
        "\nWire bytes are WebSocket frames; TCP and IP add {TCP_IP_HEADER_BYTES:.0} bytes to each. (!) marks lines that are not the \
         server's alone: the load generator could not keep up, or other programs used the machine.\n"
    );
    let _ = writeln!(text, "![Payload of an update](images/bench-bytes.svg)\n");
    if report.arms.values().any(|arm| arm.capacity_players.is_some()) {
        let _ = writeln!(text, "![Most players held at 30 Hz](images/bench-capacity.svg)\n");
        text += &table(&capacities(report));
        let _ = writeln!(
            text,
            "\nThe most players with 99 % of gaps under 1.5 ticks, and 90 % of the updates at all, while the generator shares the machine; \
             found to {:.1} %.",
            settings.capacity_step * 100.0
        );
    }
    text += "\nWhat an update carried, in the mean:\n\n";
    text += &table(&workload(report));
    text += "\nRatios:\n\n";
    text += &table(&ratios(report));
    for note in &report.notes {
        let _ = writeln!(text, "\nNote: {note}.");
    }
    text
}

fn table(rows: &Rows) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let Some((heads, rest)) = rows.split_first() else { return String::new() };
    let rule = vec!["---".to_owned(); heads.len()];
    [line(heads), line(&rule)].into_iter().chain(rest.iter().map(|row| line(row))).collect()
}

fn charts(report: &Report) -> Vec<(&'static str, String)> {
    let players = largest_players(report);
    let bars = |figure: fn(&Figures) -> f64, name: &str| -> Vec<Bar> {
        let found = in_order(report).filter_map(|(arm, found)| found.players.get(&players).map(|figures| (arm, figures)));
        let bar = found.map(|(arm, figures)| Bar {
            label: arm.name().to_owned(),
            value: figure(figures),
            spread: figures.spread.get(name).map(|[least, most]| (*least, *most)),
        });
        bar.collect()
    };
    let held = in_order(report).filter_map(|(arm, found)| found.capacity_players.map(|players| (arm, players)));
    let capacity: Vec<Bar> = held.map(|(arm, players)| Bar { label: arm.name().to_owned(), value: players as f64, spread: None }).collect();
    let cpu = bars(|figures| figures.cpu_us_per_update, "cpu_us_per_update");
    let bytes = bars(|figures| figures.payload_bytes_per_update, "payload_bytes_per_update");
    let mut charts = vec![
        ("bench-cpu.svg", bar_chart(&format!("Server CPU per update delivered and input received, {players} players"), "µs", &cpu)),
        ("bench-bytes.svg", bar_chart("Payload of an update: 16 movers and about 16 shots", "bytes", &bytes)),
    ];
    if !capacity.is_empty() {
        charts.push(("bench-capacity.svg", bar_chart("Most players held at 30 Hz, the generator on the same cores", "players", &capacity)));
    }
    charts
}

fn largest_players(report: &Report) -> usize {
    report.arms.values().filter_map(|arm| arm.players.keys().next_back()).max().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ArmReport, Machine, Settings};

    fn report() -> Report {
        let figures = Figures { cpu_us_per_update: 12.3, ..Figures::default() };
        Report {
            arms: [("tickwire".to_owned(), ArmReport { players: [(960, figures)].into(), capacity_players: Some(2960) })].into(),
            ratios: [("tickwire_cpu_over_floor_960".to_owned(), 1.25)].into(),
            commit: "0123456789ab".into(),
            machine: Machine::default(),
            workload: [].into(),
            settings: Settings { command: "cargo xtask bench".into(), repeats: 5, window_seconds: 10.0, capacity_step: 0.025 },
            notes: vec!["something happened".into()],
        }
    }

    #[test]
    fn a_report_becomes_a_page_and_charts() {
        let docs = tempfile::tempdir().expect("a temporary folder");
        fs::write(docs.path().join("BENCHMARKS.md"), format!("{}\n{}\n", MARKS.begin, MARKS.end)).expect("a page");
        write(&report(), docs.path()).expect("written");
        let page = fs::read_to_string(docs.path().join("BENCHMARKS.md")).expect("the page");
        for words in
            ["| 960 | tickwire | 12.3 |", "| tickwire | 2960 |", "| tickwire_cpu_over_floor_960 | 1.25 |", "Note: something happened."]
        {
            assert!(page.contains(words), "{words} is missing from {page}");
        }
        for name in ["bench-cpu.svg", "bench-bytes.svg", "bench-capacity.svg"] {
            assert!(docs.path().join("images").join(name).is_file(), "{name}");
        }
    }
}

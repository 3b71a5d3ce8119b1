//! What was found: a line for whoever waits, JSON, and the table of SECURITY.md.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use tickwire_bench::checkout;
use tickwire_bench::marks::Marks;

use crate::trial::Finding;

const MARKS: Marks = Marks {
    begin: "<!-- abuse: what follows is written by `cargo xtask abuse --docs`, up to the end mark -->",
    end: "<!-- abuse: end -->",
};
/// Endings that the table names.
const ENDINGS_SHOWN: usize = 4;
/// Honest gaps may be so much longer under attack, at the 99th percentile.
const SLOWDOWN_GOAL: f64 = 1.10;

/// A whole run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Of the source.
    commit: String,
    players: usize,
    seconds: f64,
    tls: bool,
    /// CPU cores of the machine.
    cores: usize,
    /// One for each trial.
    pub(crate) findings: Vec<Finding>,
    /// Trials that could not be made.
    pub(crate) failures: Vec<String>,
}

impl Report {
    /// Nothing found yet.
    pub(crate) fn new(players: usize, seconds: f64, tls: bool) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { commit: checkout::commit(), players, seconds, tls, cores, findings: Vec::new(), failures: Vec::new() }
    }

    /// Whether nothing happened that must never happen.
    pub(crate) fn is_clean(&self) -> bool {
        self.failures.is_empty() && self.findings.iter().all(|finding| finding.breaches.is_empty() && finding.back_after_s.is_some())
    }

    /// The last lines.
    pub(crate) fn summary(&self) -> String {
        let within = self.findings.iter().filter(|finding| finding.slowdown() <= SLOWDOWN_GOAL).count();
        let mut text = format!(
            "{} trials: honest gaps within 10 % in {within}, memory and descriptors back in {}, without a breach {}.\n",
            self.findings.len(),
            self.findings.iter().filter(|finding| finding.back_after_s.is_some()).count(),
            self.findings.iter().filter(|finding| finding.breaches.is_empty()).count(),
        );
        for finding in &self.findings {
            for breach in &finding.breaches {
                let _ = writeln!(text, "breach: {}: {breach}", finding.attack);
            }
        }
        for failure in &self.failures {
            let _ = writeln!(text, "failed: {failure}");
        }
        text
    }

    /// Puts the table between the marks of the page at `path`.
    pub(crate) fn write_into(&self, path: &Path) -> Result<()> {
        MARKS.write(path, &self.markdown())
    }

    fn markdown(&self) -> String {
        let mut text = format!(
            "Commit `{}`, {} cores, {} honest players, {} s of peace and {} s of attack each, {}.\n\n",
            self.commit,
            self.cores,
            self.players,
            self.seconds,
            self.seconds,
            if self.tls { "over TLS" } else { "without TLS" }
        );
        text += "| attack | sent | what came of it | honest gap p99, quiet and during | newcomers in | MiB before, during, after | descriptors | back after |\n";
        text += "|---|---|---|---|---|---|---|---|\n";
        for finding in &self.findings {
            let endings: Vec<_> = finding.endings.iter().take(ENDINGS_SHOWN).map(|(how, count)| format!("{how} {count}")).collect();
            let what = if finding.attack.contains('+') { finding.attack.replace('+', ", ") } else { finding.what.clone() };
            let [in_, out] = finding.newcomers;
            let _ = writeln!(
                text,
                "| {what} | {} | {} | {:.1} and {:.1} ms | {in_} of {} | {} | {} | {} |",
                finding.sent,
                endings.join(", "),
                finding.quiet_gap_p99_ms,
                finding.gap_p99_ms,
                in_ + out,
                finding.held.map(|held| format!("{:.0}", held.resident_bytes as f64 / f64::from(1 << 20))).join(", "),
                finding.held.map(|held| held.descriptors.to_string()).join(", "),
                finding.back_after_s.map_or("never".to_owned(), |seconds| format!("{seconds:.1} s")),
            );
        }
        text
    }
}

/// What is shown of a trial once it is over.
pub(crate) fn line(finding: &Finding) -> String {
    let [in_, out] = finding.newcomers;
    format!(
        "gap p99 {:5.1} -> {:5.1} ms (own lag {:.1}), CPU {:.2} -> {:.2}, updates {:3.0} %, newcomers {in_}/{}, {:.0} -> {:.0} MiB, {} sent{}{}",
        finding.quiet_gap_p99_ms,
        finding.gap_p99_ms,
        finding.own_lag_p99_ms,
        finding.cpu_cores[0],
        finding.cpu_cores[1],
        finding.updates_ratio * 100.0,
        in_ + out,
        finding.held[0].resident_bytes as f64 / f64::from(1 << 20),
        finding.held[1].resident_bytes as f64 / f64::from(1 << 20),
        finding.sent,
        if finding.back_after_s.is_some() { "" } else { ", NOT BACK" },
        if finding.breaches.is_empty() { String::new() } else { format!(", BREACH: {}", finding.breaches.join("; ")) },
    )
}

//! What was found: a line for whoever waits, JSON, and the table of SECURITY.md.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::trial::Finding;

const BEGIN: &str = "<!-- abuse: what follows is written by `cargo xtask abuse --docs`, up to the end mark -->";
const END: &str = "<!-- abuse: end -->";
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
        let head = std::process::Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
        let commit = head.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { commit, players, seconds, tls, cores, findings: Vec::new(), failures: Vec::new() }
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
        let page = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let page = replaced(&page, &self.markdown()).with_context(|| format!("{} has no marks for this table", path.display()))?;
        fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))
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

/// `page` with `part` between the marks; `None` without marks.
fn replaced(page: &str, part: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", part.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let page = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        assert_eq!(replaced(&page, "new\n"), Some(format!("before\n{BEGIN}\n\nnew\n\n{END}\nafter\n")));
        assert_eq!(replaced("no marks", "new"), None);
    }
}

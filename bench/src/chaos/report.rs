//! What a run found: JSON, and the last lines on the terminal.

use serde::Serialize;

use crate::check::Findings;

/// A whole run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Of the source.
    pub(crate) commit: String,
    /// CPU cores of the machine.
    pub(crate) cores: usize,
    /// Of all random choices.
    pub(crate) seed: u64,
    /// What was done.
    pub(crate) fault: &'static str,
    /// Servers.
    pub(crate) nodes: u32,
    /// Frames waited for the store.
    pub(crate) consistent: bool,
    /// What was left out or broken on purpose.
    pub(crate) control: Option<&'static str>,
    /// Bots asked for.
    pub(crate) bots: u32,
    /// Kills asked for.
    pub(crate) kills: u32,
    /// How long it took.
    pub(crate) seconds: f64,
    /// Whether nothing was lost.
    pub(crate) passed: bool,
    /// Milliseconds from a kill to a bot's first snapshot after it, of those whose connection broke.
    pub(crate) back_ms: Quantiles,
    /// Milliseconds that nothing came, of those whose connection held.
    pub(crate) stood_still_ms: Quantiles,
    /// What the checker says.
    pub(crate) findings: Findings,
}

/// Of times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Quantiles {
    /// How many.
    pub(crate) count: usize,
    /// Half are at most this.
    pub(crate) p50: f64,
    /// 99 of 100 are.
    pub(crate) p99: f64,
    /// All are.
    pub(crate) max: f64,
}

impl Quantiles {
    /// Of microseconds, in milliseconds.
    pub(crate) fn of(micros: &[u64]) -> Self {
        let mut sorted = micros.to_vec();
        sorted.sort_unstable();
        let at = |share: f64| {
            let rank = (share * sorted.len() as f64).ceil() as usize;
            sorted.get(rank.saturating_sub(1)).map_or(0.0, |micros| *micros as f64 / 1000.0)
        };
        Self { count: sorted.len(), p50: at(0.5), p99: at(0.99), max: at(1.0) }
    }

    /// In words.
    pub(crate) fn text(&self) -> String {
        format!("{:.0} ms (p50), {:.0} ms (p99), {:.0} ms at most", self.p50, self.p99, self.max)
    }
}

impl Report {
    fn of_nodes(&self) -> String {
        let waits = if self.consistent { ", consistent," } else { "" };
        if self.nodes > 1 { format!(" on {} nodes{waits}", self.nodes) } else { String::new() }
    }

    /// What anybody wants to know, the verdict last.
    pub(crate) fn summary(&self) -> String {
        let found = &self.findings;
        let mut lines = vec![format!(
            "{} times `{}`{} under {} bots in {} matches, {:.0} s, seed {}",
            found.kills.len(),
            self.fault,
            self.of_nodes(),
            found.bots,
            found.matches,
            self.seconds,
            self.seed
        )];
        let held: usize = found.kills.iter().map(|kill| kill.held).sum();
        if held > 0 {
            lines.push(format!("connections held {held} times, without anything for {}", self.stood_still_ms.text()));
        }
        if self.back_ms.count > 0 {
            lines.push(format!("connections broke, and {} bots were back after {}", self.back_ms.count, self.back_ms.text()));
        }
        if held + self.back_ms.count == 0 {
            lines.push("nobody came back".to_owned());
        }
        lines.push(format!(
            "{} matches lost, {} acknowledged ticks lost, {} divergences, {} seats lost; {} ticks seen alike by several",
            found.matches_lost, found.ticks_lost, found.divergences, found.seats_lost, found.ticks_compared
        ));
        if found.rollbacks > 0 {
            lines.push(format!("{} returns to an earlier tick, by {} at most", found.rollbacks, found.rollback_ticks));
        }
        lines.extend(found.wrong.iter().map(|told| format!("  {told}")));
        let verdict = if self.passed { "PASSED: nothing was lost" } else { "FAILED" };
        lines.push(match self.control {
            Some(control) if self.passed => format!("{verdict}, though this was the control `{control}`: the checker is blind"),
            Some(control) => format!("{verdict}, as the control `{control}` must"),
            None => verdict.to_owned(),
        });
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let micros: Vec<u64> = (1..=200).rev().map(|ms| ms * 1000).collect();
        assert_eq!(Quantiles::of(&micros), Quantiles { count: 200, p50: 100.0, p99: 198.0, max: 200.0 });
        assert_eq!(Quantiles::of(&[]).count, 0);
    }
}

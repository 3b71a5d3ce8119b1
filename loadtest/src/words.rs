//! Figures as people read them, on a terminal and on the report's page alike.

use tickwire_testkit::measure::Measure;

use crate::report::{Bound, Capacity, Report, Verdict};

/// With as many digits as its size deserves, thousands apart.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    match value.abs() {
        size if size >= 99.95 => grouped(value.round().abs() as u64, value < 0.0),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size > 0.0 => format!("{value:.2}"),
        _ => "0".to_owned(),
    }
}

/// A count, thousands apart.
pub(crate) fn count(value: u64) -> String {
    grouped(value, false)
}

fn grouped(value: u64, is_negative: bool) -> String {
    let digits = value.to_string();
    let mut text = String::from(if is_negative { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 seat`, `2 seats`.
pub(crate) fn counted(value: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(value), if value == 1 { "" } else { "s" })
}

/// `once`, `2 times`.
pub(crate) fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{} times", self::count(count)) }
}

/// A share, 0 to 1. What is not all is never shown as 100 %, and what is not nothing never as 0 %.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        _ if !percent.is_finite() => "-".to_owned(),
        0.0 => "0 %".to_owned(),
        p if p >= 100.0 => format!("{p:.0} %"),
        p if p > 99.99 => "99.99+ %".to_owned(),
        p if p < 0.01 => "<0.01 %".to_owned(),
        p if p > 99.0 => format!("{:.2} %", (p * 100.0).floor() / 100.0),
        p if p < 1.0 => format!("{p:.2} %"),
        p => format!("{p:.1} %"),
    }
}

/// `part` of `whole`.
pub(crate) fn percent_of(part: u64, whole: u64) -> String {
    if whole == 0 { "-".to_owned() } else { percent(part as f64 / whole as f64) }
}

/// Bytes in the unit that fits.
pub(crate) fn bytes(value: f64) -> String {
    match value {
        size if size >= 1e9 => format!("{:.2} GB", size / 1e9),
        size if size >= 1e6 => format!("{:.1} MB", size / 1e6),
        size if size >= 1e4 => format!("{:.1} kB", size / 1e3),
        size => format!("{} B", number(size.round())),
    }
}

/// A moment, seconds since 1970; `None` if it was never set or is none.
pub(crate) fn moment(seconds: u64) -> Option<String> {
    let moment =
        i64::try_from(seconds).ok().filter(|&seconds| seconds > 0).and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    moment.map(|moment| moment.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// Text from outside in one line, without what could move a terminal's cursor.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `amount` per player and second; `None` if nobody played.
pub(crate) fn per_player_second(report: &Report, amount: u64) -> Option<f64> {
    let seconds = report.counts.player_seconds();
    (seconds > 0.0).then(|| amount as f64 / seconds)
}

/// Snapshots per second over the whole run.
pub(crate) fn snapshot_rate(report: &Report) -> f64 {
    if report.run.seconds > 0.0 { report.counts.snapshots as f64 / report.run.seconds } else { 0.0 }
}

/// The bound on a quantile of `measure`, such as `p99`, if there is one.
pub(crate) fn bound_on<'a>(report: &'a Report, measure: Measure, quantile: &str) -> Option<&'a Bound> {
    let figure = format!("{}.{quantile}_ms", measure.name());
    report.bounds.iter().find(|bound| bound.figure == figure)
}

/// The verdict in a word or two.
pub(crate) fn verdict(report: &Report) -> &'static str {
    match &report.verdict {
        verdict if verdict.passed => "PASSED",
        verdict if verdict.inconclusive => "NOT CONCLUSIVE",
        _ => "FAILED",
    }
}

/// The reasons for a failure that its cause does not say already.
pub(crate) fn other_failures(verdict: &Verdict) -> Vec<&str> {
    verdict.failures.iter().map(String::as_str).filter(|failure| *failure != verdict.cause).collect()
}

/// What a search found: a sentence a line. A saturated generator's limit is never called the server's.
pub(crate) fn capacity(report: &Report, capacity: &Capacity) -> Vec<String> {
    let users = counted(capacity.users, "user");
    let Some(broke_at) = capacity.broke_at else {
        return vec![format!("At least {users}: the service level held at every step")];
    };
    let is_known = capacity.is_server_limit && !report.generator.saturated;
    let mut lines = vec![
        format!("{}{users}: the service level held with these", if is_known { "" } else { "At least " }),
        format!("with {} it did not: {}", count(broke_at), plain(&capacity.reason)),
    ];
    if !is_known {
        lines.push("this is not known to be the server's limit".to_owned());
    }
    lines
}

/// What a reader must know of a generator that fell behind: why it is thought so, and what that means.
pub(crate) fn saturation(report: &Report) -> Option<[String; 2]> {
    let reasons = report.generator.reasons.iter().map(|reason| plain(reason)).collect::<Vec<_>>().join("; ");
    let why = if reasons.is_empty() { "it fell behind".to_owned() } else { reasons };
    report
        .generator
        .saturated
        .then(|| [why, "the delays in this report may be its doing, and say nothing about the server's limit".to_owned()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        let numbers = [0.0, 0.256, 9.999, 12.34, 512.7, 1_234_567.8, -1234.0, f64::NAN].map(number);
        assert_eq!(numbers, ["0", "0.26", "10.0", "12.3", "513", "1,234,568", "-1,234", "-"]);
        let shares = [0.0, 0.000_01, 0.0123, 0.5, 0.98999, 0.994_999, 0.999_99, 1.0, f64::NAN].map(percent);
        assert_eq!(shares, ["0 %", "<0.01 %", "1.2 %", "50.0 %", "99.0 %", "99.49 %", "99.99+ %", "100 %", "-"]);
        assert_eq!([900.0, 12_345.0, 5_600_000.0, 2e9].map(bytes), ["900 B", "12.3 kB", "5.6 MB", "2.00 GB"]);
        assert_eq!(moment(1_790_000_000).as_deref(), Some("2026-09-21 14:13:20 UTC"));
        assert_eq!((moment(u64::MAX), moment(0), plain("a\x1b[2J\nb").as_str()), (None, None, "a [2J b"));
        assert_eq!([counted(1, "seat"), counted(1000, "seat"), percent_of(1, 0)], ["1 seat", "1,000 seats", "-"]);
    }
}

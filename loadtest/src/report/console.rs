//! A run on the terminal: one line while it lasts, and what was found when it is over.
//!
//! Invariant: text from outside (names, errors) is printed without control characters.

use std::fmt::Write;
use std::io::IsTerminal;

use super::{Capacity, Report, Second, words};
use crate::measure::Measure;

/// Whether standard output wants colours: it is a terminal, and nobody set `NO_COLOR`.
pub fn colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The live line of a run: its last second, how many users there shall be, and how long it still lasts if that is known.
pub fn progress_line(second: &Second, users_wanted: u64, seconds_left: Option<u64>) -> String {
    let ms = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{} ms", words::number(value)));
    let mut line = format!(
        "{}/{} users  {} snapshots/s  gap p99 {}  input to view p99 {}  {}",
        words::count(second.users),
        words::count(users_wanted),
        words::count(second.snapshots),
        ms(second.gap_p99_ms),
        ms(second.input_to_view_p99_ms),
        words::counted(second.divergences, "divergence"),
    );
    if let Some(server) = &second.server {
        let _ = write!(line, "  server {:.2} cores, tick p99 {}", server.cpu, ms(Some(server.tick_p99_ms)));
    }
    if let Some(left) = seconds_left {
        let _ = write!(line, "  {left} s left");
    }
    line
}

/// What the run found: its figures, its findings and its verdict, which is the last line or lines.
pub fn summary(report: &Report, colour: bool) -> String {
    let paint = Paint(colour);
    let mut out = headline(report, paint);
    out.push_str(&measures(report, paint));
    for (label, lines) in [
        ("Played", played(report)),
        ("Snapshots", snapshots(report)),
        ("Bytes", traffic(report)),
        ("Inputs", inputs(report)),
        ("Closes", closes(report)),
        ("Errors", errors(report)),
        ("Divergences", divergences(report)),
        ("Stalls", stalls(report)),
        ("Seats", seats(report)),
        ("Server", server(report)),
        ("Generator", generator(report)),
        ("Capacity", report.capacity.as_ref().map(|found| capacity(report, found)).unwrap_or_default()),
    ] {
        for (index, line) in lines.iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            let _ = writeln!(out, "{}  {line}", paint.strong(&format!("{label:<11}")));
        }
    }
    out.push_str(&verdict(report, paint));
    out
}

/// Escape codes, or none.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    fn good(self, text: &str) -> String {
        self.with("1;32", text)
    }

    fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    fn doubtful(self, text: &str) -> String {
        self.with("1;33", text)
    }
}

fn headline(report: &Report, paint: Paint) -> String {
    let run = &report.run;
    let what =
        format!("{} ({}) at {} Hz on {}", words::plain(&run.game), words::plain(&run.mode), run.tick_rate, words::plain(&run.server));
    let users = words::counted(run.users, "user");
    let processes = if run.processes > 1 { format!(" of {} processes", run.processes) } else { String::new() };
    format!("{}\n\n", paint.strong(&format!("{what}: {users}{processes}, {} s", words::number(run.seconds))))
}

fn measures(report: &Report, paint: Paint) -> String {
    let mut table = String::new();
    let row = |title: &str, cells: [String; 6]| {
        let [p50, p90, p99, p999, max, count] = cells;
        format!("{title:<24}{p50:>9}{p90:>9}{p99:>9}{p999:>9}{max:>9}{count:>12}")
    };
    for measure in Measure::ALL {
        let Some(quantiles) = report.quantiles(measure) else { continue };
        if table.is_empty() {
            let heads = ["p50", "p90", "p99", "p99.9", "max", "count"].map(str::to_owned);
            let _ = writeln!(table, "{}", paint.strong(&row("milliseconds", heads)));
        }
        let times = [quantiles.p50, quantiles.p90, quantiles.p99, quantiles.p999, quantiles.max].map(words::number);
        let [p50, p90, p99, p999, max] = times;
        let _ = writeln!(table, "{}", row(measure.title(), [p50, p90, p99, p999, max, words::count(quantiles.count)]));
    }
    if table.is_empty() { "nothing was timed\n\n".to_owned() } else { table + "\n" }
}

fn played(report: &Report) -> Vec<String> {
    let counts = &report.counts;
    let failed = |failures: u64| if failures > 0 { format!(" ({} failed)", words::count(failures)) } else { String::new() };
    let mut line = format!("{}{}", words::counted(counts.joins, "join"), failed(counts.join_failures));
    if counts.resumes + counts.resume_failures > 0 {
        let _ = write!(line, ", {}{}", words::counted(counts.resumes, "return"), failed(counts.resume_failures));
    }
    vec![format!("{line}, {:.1} player-hours", counts.player_seconds() / 3600.0)]
}

fn snapshots(report: &Report) -> Vec<String> {
    let counts = &report.counts;
    let rate = words::number(words::snapshot_rate(report));
    let missed = if counts.missed_snapshots > 0 { format!(", {} missed", words::count(counts.missed_snapshots)) } else { String::new() };
    let checked = if report.is_checked() {
        format!("{} compared with the server's hashes", words::percent_of(counts.checked + counts.divergences, counts.snapshots))
    } else {
        "none compared with the server's hashes".to_owned()
    };
    let mut lines = vec![format!("{} ({rate}/s){missed}; {checked}", words::count(counts.snapshots))];
    if let Some(share) = report.gaps_within() {
        lines.push(format!("{} of the gaps under 1.5 ticks ({} ms)", words::percent(share), words::number(report.long_gap_ms())));
    }
    lines
}

fn traffic(report: &Report) -> Vec<String> {
    let each = |amount| words::per_player_second(report, amount).map(|bytes| words::number(bytes.round()));
    let (Some(goodput), Some(wire)) = (each(report.counts.payload_bytes), each(report.counts.wire_bytes())) else { return Vec::new() };
    vec![format!("{goodput} a second to each player as payload, about {wire} on the wire with framing and TCP/IP headers")]
}

fn inputs(report: &Report) -> Vec<String> {
    let counts = &report.counts;
    if counts.inputs == 0 {
        return vec!["none sent".to_owned()];
    }
    let share = |part: u64| format!("{} ({})", words::count(part), words::percent_of(part, counts.inputs));
    let lost = if counts.inputs_lost == 0 { "none lost".to_owned() } else { format!("{} LOST", share(counts.inputs_lost)) };
    vec![
        format!("{} sent: {} shown, {} late, {lost}", words::count(counts.inputs), share(counts.inputs_shown), share(counts.inputs_late)),
        format!("{} could not be told", share(counts.inputs_unclear)),
    ]
}

fn closes(report: &Report) -> Vec<String> {
    let all: Vec<String> =
        report.counts.closes.iter().map(|(reason, count)| format!("{} {}", words::count(*count), words::plain(reason))).collect();
    let unexplained = match report.counts.unexplained_closes() {
        0 => String::new(),
        some => format!(" ({} UNEXPLAINED)", words::count(some)),
    };
    if all.is_empty() { Vec::new() } else { vec![all.join(", ") + &unexplained] }
}

fn errors(report: &Report) -> Vec<String> {
    first(
        report.errors.iter().map(|(error, count)| format!("{} x {}", words::count(*count), words::plain(error))),
        report.errors.len() as u64,
    )
}

fn divergences(report: &Report) -> Vec<String> {
    let shown = report.divergences.iter().map(|found| {
        format!("match {} tick {}: {} (user {})", words::plain(&found.match_id), found.tick, words::plain(&found.component), found.user)
    });
    match (report.counts.divergences, report.is_checked()) {
        (0, true) => vec!["none".to_owned()],
        (0, false) => vec!["not looked for: the server sent no hashes".to_owned()],
        (total, _) => headed(format!("{} VIEWS DIFFERED from the server's", words::count(total)), first(shown, total)),
    }
}

fn stalls(report: &Report) -> Vec<String> {
    let total = report.stall_count.max(report.stalls.len() as u64);
    let shown = report.stalls.iter().map(|stall| {
        let doubt = if stall.generator_was_late { ", while the generator itself was late" } else { "" };
        let (length, players) = (words::number(stall.gap_ms), words::counted(u64::from(stall.players), "player"));
        format!("match {} tick {}: {length} ms, {players}{doubt}", words::plain(&stall.match_id), stall.tick)
    });
    if total == 0 { vec!["none".to_owned()] } else { headed(format!("{} of a match", words::counted(total, "stall")), first(shown, total)) }
}

fn seats(report: &Report) -> Vec<String> {
    match report.leaked_seats {
        None => Vec::new(),
        Some(0) => vec!["none leaked".to_owned()],
        Some(leaked) => vec![format!("{} LEAKED: still held after everybody had left", words::count(leaked))],
    }
}

fn server(report: &Report) -> Vec<String> {
    match report.late_ticks() {
        None => Vec::new(),
        Some(0) => vec!["no tick missed".to_owned()],
        Some(late) => vec![format!("{} MISSED: they started more than an interval late", words::counted(late, "tick"))],
    }
}

fn generator(report: &Report) -> Vec<String> {
    let facts = &report.generator;
    let line = format!(
        "{} of {}, {} ms late at p99 ({} ms at most), {} of memory",
        words::percent(facts.cpu_share),
        words::counted(u64::from(facts.cores), "core"),
        words::number(facts.lateness_ms.p99),
        words::number(facts.lateness_ms.max),
        words::bytes(facts.memory_bytes as f64),
    );
    let saturated = words::saturation(report).map(|[why, so]| [format!("GENERATOR SATURATED: {why}"), so]);
    std::iter::once(line).chain(saturated.into_iter().flatten()).collect()
}

fn capacity(report: &Report, found: &Capacity) -> Vec<String> {
    let step = |step: &super::CapacityStep| {
        let outcome = match (step.held, step.saturated) {
            (_, true) => "generator saturated",
            (true, false) => "held",
            (false, false) => "broke",
        };
        format!(
            "{:>9} users  {:>9} under 1.5 ticks  gap p99 {:>7} ms  {:>3} diverged  {outcome}",
            words::count(step.users),
            words::percent(step.gaps_within),
            words::number(step.gap_p99_ms),
            words::count(step.divergences),
        )
    };
    words::capacity(report, found).into_iter().chain(found.steps.iter().map(step)).collect()
}

fn verdict(report: &Report, paint: Paint) -> String {
    let mut out = String::from("\n");
    for warning in &report.verdict.warnings {
        let _ = writeln!(out, "{} {}", paint.doubtful("WARNING:"), words::plain(warning));
    }
    if report.verdict.passed {
        let _ = writeln!(out, "{}", paint.good("PASSED"));
    } else {
        let _ = writeln!(out, "{}", paint.bad("FAILED"));
        for failure in &report.verdict.failures {
            let _ = writeln!(out, "  {}", words::plain(failure));
        }
    }
    out
}

fn headed(head: String, rest: Vec<String>) -> Vec<String> {
    std::iter::once(head).chain(rest).collect()
}

/// As many findings as a screen has room for, and how many more there are.
fn first(findings: impl Iterator<Item = String>, total: u64) -> Vec<String> {
    let mut shown: Vec<String> = findings.take(FINDINGS_SHOWN).collect();
    let more = total.saturating_sub(shown.len() as u64);
    if more > 0 {
        shown.push(format!("... and {} more", words::count(more)));
    }
    shown
}

const FINDINGS_SHOWN: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Verdict, sample};

    #[test]
    fn a_summary_says_all_and_ends_with_the_verdict() {
        let text = summary(&sample::full(), false);
        for words in [
            "arena (ffa) at 30 Hz on 127.0.0.1:8080: 1,500 users, 120 s",
            "input to view",
            "4,200,000 (35,000/s), 310 missed; 100 % compared",
            "3,845 a second to each player as payload, about 5,457 on the wire",
            "3,000,000 (73.2 %) shown, 1,200 (0.03 %) late, none lost",
            "1,617 scenario, 3 server_error (3 UNEXPLAINED)",
            "12 x 503 Service Unavailable",
            "1 tick MISSED",
            "match m-17 tick 1201: Position (user 40)",
            "match m-3 tick 900: 212 ms, 16 players",
            "46.0 % of 2 cores",
            "  1,300 users: the service level held with these\n",
            "  with 1,500 it did not: 97.20 %",
            "WARNING: the server shares this machine",
        ] {
            assert!(text.contains(words), "{words:?} is missing from\n{text}");
        }
        assert!(text.ends_with("FAILED\n  divergences was 2; it must be = 0\n"), "{text}");
        assert!(!text.contains('\x1b') && !text.contains("SATURATED"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 130), "{text}");
        assert!(summary(&sample::full(), true).contains("\x1b[1;31mFAILED\x1b[0m"));
    }

    #[test]
    fn a_saturated_generator_is_never_the_servers_limit() {
        let mut report = sample::full();
        report.generator.saturated = true;
        report.generator.reasons = vec!["its timers ran 30 ms late".into()];
        let text = summary(&report, false);
        assert!(text.contains("GENERATOR SATURATED: its timers ran 30 ms late\n"), "{text}");
        assert!(text.contains("At least 1,300 users") && text.contains("not known to be the server's limit"), "{text}");
    }

    #[test]
    fn nothing_measured_and_hostile_text_are_shown_plainly() {
        let mut report = sample::empty();
        report.verdict = Verdict { passed: false, failures: vec!["server\x1b[2J unreachable\n".into()], warnings: Vec::new() };
        let text = summary(&report, false);
        assert!(text.contains("nothing was timed") && text.contains("not looked for") && text.contains("none sent"), "{text}");
        assert!(text.ends_with("FAILED\n  server [2J unreachable \n"), "{text}");
        report.verdict = Verdict { passed: true, ..Verdict::default() };
        assert!(summary(&report, false).ends_with("\nPASSED\n"));
    }

    #[test]
    fn the_live_line_says_what_is_known() {
        let report = sample::full();
        let line = progress_line(&report.series[77], 1500, Some(43));
        assert!(line.starts_with("1,500/1,500 users  45,000 snapshots/s  gap p99 211 ms  input to view p99 "), "{line}");
        assert!(line.contains("2 divergences  server 0.7") && line.ends_with("  43 s left") && !line.contains('\n'), "{line}");
        let bare = progress_line(&Second::default(), 10, None);
        assert_eq!(bare, "0/10 users  0 snapshots/s  gap p99 -  input to view p99 -  0 divergences");
    }
}

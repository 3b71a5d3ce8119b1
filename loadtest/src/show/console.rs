//! A run on the terminal: one line while it lasts, and what was found when it is over.
//!
//! Invariant: text from outside (names, errors) is printed without control characters.

mod compared;
mod paint;

use std::fmt::Write;
use std::io::IsTerminal;

use tickwire_testkit::measure::Measure;

use crate::compare::Comparison;
use crate::report::{Capacity, CapacityStep, Report, Second};
use crate::words;
use compared::{beside, bounds, compared};
use paint::Paint;

/// Whether standard output wants colours: it is a terminal, and nobody set `NO_COLOR`.
pub fn colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The live line of a run: its last second, and how many users there shall be.
pub fn progress_line(second: &Second, users_wanted: u64) -> String {
    let ms = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{} ms", words::number(value)));
    let is_watched = second.watched_seconds > 0.0;
    let fresh = is_watched.then(|| (1.0 - second.stale_seconds / second.watched_seconds).max(0.0));
    let mut line = format!(
        "{}/{} users  fresh {}  gap p99 {}  input to view p99 {}  {}",
        words::count(second.users),
        words::count(users_wanted),
        fresh.map_or_else(|| "-".to_owned(), words::percent),
        ms(second.gap_p99_ms),
        ms(second.input_to_view_p99_ms),
        words::counted(second.divergences, "divergence"),
    );
    if second.closes > 0 {
        let _ = write!(line, "  {} CLOSED", words::count(second.closes));
    }
    if let Some(server) = &second.server {
        let _ = write!(line, "  server {:.2} cores, tick p99 {}", server.cpu, ms(Some(server.tick_p99_ms)));
    }
    line
}

/// What the run found: its figures, beside an earlier run's if there is one, its findings and its
/// verdict, which is the last line or lines.
pub fn summary(report: &Report, against: Option<&Comparison>, colour: bool) -> String {
    let paint = Paint(colour);
    let mut out = headline(report, paint);
    out.push_str(&measures(report, paint));
    for (label, lines) in [
        ("Played", played(report)),
        ("Fresh", fresh(report)),
        ("Snapshots", snapshots(report)),
        ("Bytes", traffic(report)),
        ("Inputs", inputs(report)),
        ("Closes", closes(report)),
        ("Returned", returned(report)),
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
    out.push_str(&bounds(report, paint));
    out.push_str(&against.map(|against| compared(report, against, paint)).unwrap_or_default());
    out.push_str(&verdict(report, paint));
    out
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
        let cells = row(measure.title(), [p50, p90, p99, p999, max, words::count(quantiles.count)]);
        let _ = writeln!(table, "{cells}{}", beside(report, measure, paint));
    }
    if table.is_empty() { "nothing was timed\n\n".to_owned() } else { table + "\n" }
}

fn fresh(report: &Report) -> Vec<String> {
    let Some(share) = report.counts.fresh_share() else { return Vec::new() };
    let mut lines =
        vec![format!("{} of the players' time with a snapshot at most {} ms old", words::percent(share), words::number(report.fresh_ms()))];
    if let Some((worst, at)) = report.worst_ten_seconds().filter(|(worst, _)| *worst < 1.0) {
        lines.push(format!("{} in the worst ten seconds, from {} s on", words::percent(worst), words::count(at.round() as u64)));
    }
    if let Some(speed) = report.game_speed() {
        lines.push(format!("{} of the game's speed, as players saw it", words::percent(speed)));
    }
    lines
}

fn played(report: &Report) -> Vec<String> {
    let (counts, run) = (&report.counts, &report.run);
    let failed = |failures: u64| if failures > 0 { format!(" ({} failed)", words::count(failures)) } else { String::new() };
    let mut line = format!("{}{}", words::counted(counts.joins, "join"), failed(counts.join_failures));
    if counts.resumes + counts.resume_failures > 0 {
        let _ = write!(line, ", {}{}", words::counted(counts.resumes, "return"), failed(counts.resume_failures));
    }
    let users = if run.users_played == run.users {
        format!("all of {}", words::counted(run.users, "user"))
    } else {
        format!("only {} of {}", words::count(run.users_played), words::counted(run.users, "user"))
    };
    let seated = counts
        .attendance()
        .map_or_else(String::new, |share| format!(", seated for {} of the time that they should have been", words::percent(share)));
    vec![
        format!("{users}, at most {} at once{seated}", words::count(run.users_at_once)),
        format!("{line}, {:.1} player-hours", counts.player_seconds() / 3600.0),
    ]
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

fn returned(report: &Report) -> Vec<String> {
    let (counts, lost) = (&report.counts, report.counts.lost());
    if lost == 0 && counts.returns == 0 {
        return Vec::new();
    }
    let times = report.quantiles(Measure::Returned).map_or_else(String::new, |times| {
        let [p50, p99, max] = [times.p50, times.p99, times.max].map(words::number);
        format!(" in {p50} ms (p50), {p99} ms (p99), {max} ms at most")
    });
    let wrong =
        if counts.returns_wrong > 0 { format!(", {} TO SOMETHING ELSE", words::count(counts.returns_wrong)) } else { String::new() };
    let head = format!("{} of {} whose connection broke{times}{wrong}", words::count(counts.returns), words::count(lost));
    let shown = report.returns.iter().map(|found| {
        let wrong = found.wrong.map_or_else(String::new, |wrong| format!(": {}", wrong.text().to_uppercase()));
        let (before, after, ms) = (found.tick_before, found.tick_after, words::number(found.ms));
        format!("user {} of match {}: tick {before} before, {after} after {ms} ms{wrong}", found.user, words::plain(&found.match_id))
    });
    headed(head, first(shown, counts.returns))
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
    let step = |step: &CapacityStep| {
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
    let (verdict, word) = (&report.verdict, words::verdict(report));
    let painted = match (verdict.passed, verdict.inconclusive) {
        (true, _) => paint.good(word),
        (false, true) => paint.doubtful(word),
        (false, false) => paint.bad(word),
    };
    if verdict.cause.is_empty() {
        let _ = writeln!(out, "{painted}");
    } else {
        let doubt = if verdict.inconclusive { "the generator could not keep up, so this may be its doing: " } else { "" };
        let _ = writeln!(out, "{painted}: {doubt}{}", words::plain(&verdict.cause));
    }
    for failure in words::other_failures(verdict) {
        let _ = writeln!(out, "  {}", words::plain(failure));
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
mod tests;

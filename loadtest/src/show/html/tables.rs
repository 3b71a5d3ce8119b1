//! The page's tables: times, counts, findings, what was run, and what each number means.

use maud::{Markup, html};
use tickwire_testkit::comeback::Wrong;
use tickwire_testkit::measure::{Measure, SEGMENT_HEADER_BYTES};

use crate::report::Report;
use crate::words;

/// All of them.
pub(super) fn all(report: &Report) -> Markup {
    html! {
        (measures(report))
        (counts(report))
        (findings(report))
        (steps(report))
        (run(report))
        (glossary(report))
    }
}

fn measures(report: &Report) -> Markup {
    let all: Vec<_> = Measure::ALL.into_iter().filter_map(|measure| Some((measure, report.quantiles(measure)?))).collect();
    html! {
        h2 { "Times" }
        @if all.is_empty() {
            p.note { "Nothing was timed." }
        } @else {
            div.card.scroll {
                table {
                    thead { tr { th { "milliseconds" } @for head in HEADS { th { (head) } } } }
                    tbody {
                        @for (measure, times) in all {
                            tr {
                                td { (measure.title()) }
                                @let columns = [times.mean, times.p50, times.p90, times.p99, times.p999, times.max];
                                @for (time, head) in columns.into_iter().zip(HEADS) {
                                    @let bound = words::bound_on(report, measure, head);
                                    td.bad[bound.is_some_and(|bound| !bound.held)] {
                                        (words::number(time))
                                        @if let Some(bound) = bound { span.unit { (bound.must_be()) } }
                                    }
                                }
                                td { (words::count(times.count)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

const HEADS: [&str; 7] = ["mean", "p50", "p90", "p99", "p99.9", "max", "values"];

type Row<'a> = (&'a str, String);

fn counts(report: &Report) -> Markup {
    let counts = &report.counts;
    let each = |amount| {
        words::per_player_second(report, amount).map_or_else(|| "-".to_owned(), |each| format!("{} B/s", words::number(each.round())))
    };
    let of_inputs = |part| format!("{} ({})", words::count(part), words::percent_of(part, counts.inputs));
    let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), words::percent);
    let seconds = |micros: u64| words::number(micros as f64 / 1e6);
    let seats = report.leaked_seats.map_or_else(|| "not looked at".to_owned(), words::count);
    let groups: [(&str, Vec<Row>); 5] = [
        (
            "Players",
            vec![
                ("asked for", words::count(report.run.users)),
                ("that played", words::count(report.run.users_played)),
                ("at once, at most", words::count(report.run.users_at_once)),
                ("time in the seat, of what it should have been", share(counts.attendance())),
                ("joins", words::count(counts.joins)),
                ("joins that failed", words::count(counts.join_failures)),
                ("returns to a seat", words::count(counts.resumes)),
                ("returns that failed", words::count(counts.resume_failures)),
                ("came back after their connection broke", words::count(counts.returns)),
                ("of these, to something else", words::count(counts.returns_wrong)),
                ("closes unexplained", words::count(counts.unexplained_closes())),
                ("seats leaked", seats),
            ],
        ),
        (
            "Snapshots",
            vec![
                ("received", words::count(counts.snapshots)),
                ("equal to the server's", words::count(counts.checked)),
                ("divergences", words::count(counts.divergences)),
                ("missed", words::count(counts.missed_snapshots)),
                ("gaps of 1.5 ticks and longer", words::count(counts.long_gaps)),
            ],
        ),
        (
            "Time",
            vec![
                ("with a fresh snapshot", share(counts.fresh_share())),
                ("in the worst ten seconds", share(report.worst_ten_seconds().map(|(share, _)| share))),
                ("without, player-seconds", seconds(counts.stale_micros)),
                ("of that, perhaps the generator's doing", seconds(counts.stale_by_generator_micros)),
                ("speed of the game", share(report.game_speed())),
            ],
        ),
        (
            "Inputs",
            vec![
                ("sent", words::count(counts.inputs)),
                ("shown", of_inputs(counts.inputs_shown)),
                ("late", of_inputs(counts.inputs_late)),
                ("lost", of_inputs(counts.inputs_lost)),
                ("could not be told", of_inputs(counts.inputs_unclear)),
            ],
        ),
        (
            "Bytes to each player",
            vec![
                ("payload (goodput)", each(counts.payload_bytes)),
                ("with WebSocket framing", each(counts.received_bytes)),
                ("on the wire, estimated", each(counts.wire_bytes())),
                ("from each player", each(counts.sent_bytes)),
                ("payload in all", words::bytes(counts.payload_bytes as f64)),
            ],
        ),
    ];
    html! {
        h2 { "Counts" }
        div.groups {
            @for (heading, rows) in &groups {
                div.card { h3 { (heading) } (list(rows)) }
            }
            (tally("Sessions ended by", &report.counts.closes))
            (tally("Errors", &report.errors))
        }
    }
}

fn list(rows: &[Row]) -> Markup {
    html! { dl { @for (name, value) in rows { dt { (name) } dd { (value) } } } }
}

fn tally(heading: &str, counts: &std::collections::BTreeMap<String, u64>) -> Markup {
    let rows: Vec<Row> = counts.iter().map(|(name, count)| (name.as_str(), words::count(*count))).collect();
    html! { @if !rows.is_empty() { div.card { h3 { (heading) } (list(&rows)) } } }
}

fn findings(report: &Report) -> Markup {
    let stalls = report.stall_count.max(report.stalls.len() as u64);
    html! {
        @if !report.divergences.is_empty() || !report.stalls.is_empty() || !report.returns.is_empty() {
            h2 { "Findings" }
            div.stack {
                @if !report.divergences.is_empty() {
                    p { "Views that differed from the server's, " (shown(report.divergences.len(), report.counts.divergences)) ":" }
                    div.card.scroll { table.words {
                        thead { tr { th { "match" } th { "tick" } th { "component" } th { "user" } } }
                        tbody { @for found in &report.divergences {
                            tr { td { (found.match_id) } td { (found.tick) } td { (found.component) } td { (found.user) } }
                        } }
                    } }
                }
                @if !report.returns.is_empty() {
                    p { "Players that came back after their connection broke, " (shown(report.returns.len(), report.counts.returns)) ":" }
                    div.card.scroll { table.words {
                        thead { tr { th { "user" } th { "match" } th { "tick before" } th { "tick after" } th { "away" } th { "wrong" } } }
                        tbody { @for found in &report.returns {
                            tr {
                                td { (found.user) }
                                td { (found.match_id) }
                                td { (found.tick_before) }
                                td { (found.tick_after) }
                                td { (words::number(found.ms)) " ms" }
                                td { (found.wrong.map_or("no", Wrong::text)) }
                            }
                        } }
                    } }
                }
                @if !report.stalls.is_empty() {
                    p { "Matches that stood still for all their players, " (shown(report.stalls.len(), stalls)) ":" }
                    div.card.scroll { table.words {
                        thead { tr { th { "match" } th { "tick" } th { "longest gap" } th { "players" } th { "generator late too" } } }
                        tbody { @for found in &report.stalls {
                            tr {
                                td { (found.match_id) }
                                td { (found.tick) }
                                td { (words::number(found.gap_ms)) " ms" }
                                td { (found.players) }
                                td { (if found.generator_was_late { "yes: may be its doing" } else { "no" }) }
                            }
                        } }
                    } }
                }
            }
        }
    }
}

fn shown(listed: usize, total: u64) -> String {
    if total > listed as u64 { format!("the first {listed} of {}", words::count(total)) } else { format!("all {listed}") }
}

fn steps(report: &Report) -> Markup {
    let Some(capacity) = report.capacity.as_ref().filter(|capacity| !capacity.steps.is_empty()) else { return html! {} };
    html! {
        h2 { "Steps of the search for the capacity" }
        div.card.scroll { table {
            thead { tr { th { "users" } th { "gaps under 1.5 ticks" } th { "fresh" } th { "gap p99" } th { "divergences" } th { "service level" } } }
            tbody { @for step in &capacity.steps {
                tr {
                    td { (words::count(step.users)) }
                    td { (words::percent(step.gaps_within)) }
                    td { (words::percent(step.fresh_share)) }
                    td { (words::number(step.gap_p99_ms)) " ms" }
                    td { (words::count(step.divergences)) }
                    @match (step.saturated, step.held) {
                        (true, _) => td.warn { "generator saturated" },
                        (false, true) => td.good { "held" },
                        (false, false) => td.bad { "broke" },
                    }
                }
            } }
        } }
    }
}

fn run(report: &Report) -> Markup {
    let (run, generator) = (&report.run, &report.generator);
    let late = &generator.lateness_ms;
    let facts: Vec<Row> = [
        ("Server", run.server.clone()),
        ("Scenarios", run.mix.clone()),
        ("Network", run.network.clone()),
        ("Seed", run.seed.to_string()),
        ("Began", words::moment(run.began).unwrap_or_default()),
        ("Version", run.version.clone()),
        ("Generator", generator.machine.clone()),
        (
            "Its CPU",
            format!("{} of {} while all played", words::percent(generator.cpu_share), words::counted(u64::from(generator.cores), "core")),
        ),
        ("Its lateness", format!("p99 {} ms, {} ms at most", words::number(late.p99), words::number(late.max))),
        ("Its memory", words::bytes(generator.memory_bytes as f64)),
        ("Descriptors", format!("{} allowed", words::count(generator.descriptors_max))),
        ("Processes", run.processes.to_string()),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .collect();
    html! {
        h2 { "The run" }
        div.card.facts.stack {
            @if !run.command.is_empty() { p { code { (run.command) } } }
            (list(&facts))
        }
    }
}

fn glossary(report: &Report) -> Markup {
    let merged = "Several processes made this run. Counts and distributions are of all of them, exactly; of a single second, and of the \
                  generators' lateness, the worst process speaks for all.";
    let rows = [
        (
            "p50, p99, p99.9",
            "Half, 99 of 100, 999 of 1000 values are at most this. At 30 Hz, one gap in a hundred is one in three seconds.",
        ),
        (
            "fresh snapshot",
            "The newest snapshot is at most three ticks old. The share is of the time that players looked on, added up over all of them: \
             a server that stands still makes one late gap among thousands, and its players see nothing for as long as it stands.",
        ),
        ("time in the seat", "Of the time that players should have held a seat, from two seconds after they were sent to the end."),
        ("speed of the game", "Ticks that players saw, of those that passed: below 100 % the game is in slow motion."),
        ("gap", "From one snapshot to the next, at the player. It should be one tick; from 1.5 ticks on a player sees motion hitch."),
        ("jitter", "How far a gap is from the ticks it spans."),
        ("snapshot lateness", "How much later a snapshot came than the steadiest arrival of its stream."),
        ("age of the newest state", "How old what the player sees is at the moment it acts."),
        ("input to view", "From the moment an input was meant to be sent to the first snapshot that shows it."),
        ("click to first snapshot", "Guest session, match, socket and Hello, as a person waits for them."),
        ("return to a seat", "From the moment a lost connection is opened again to the first snapshot."),
        ("back after a loss", "From the moment a connection broke without a word to the first snapshot after its player came back."),
        ("divergence", "A view that was not equal to the server's: a defect. Views are compared by the hashes the server sends."),
        ("input late, lost", "Late: the server says it came after its tick. Lost: it came in time and did nothing: a defect."),
        ("stall", "All players of a match waited too long for a snapshot at the same moment."),
        ("payload, on the wire", "What the game sent; and that with WebSocket framing and TCP/IP headers, estimated, a segment a message."),
        ("generator saturated", "The load generator itself fell behind: what was measured then is no limit of the server's."),
    ];
    html! {
        h2 { "What the numbers mean" }
        div.card.glossary.stack {
            p.note {
                "Times count from the moment something was meant to happen, not from when a busy generator got to it. "
                "A segment's headers are taken as " (SEGMENT_HEADER_BYTES) " bytes. "
                @if report.run.processes > 1 { (merged) }
            }
            dl { @for (term, meaning) in rows { dt { (term) } dd { (meaning) } } }
        }
    }
}

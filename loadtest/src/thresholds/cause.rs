//! What most likely made a run fail, in one sentence. A fault breaks many bounds at once; the one
//! that says most comes first.

use tickwire_testkit::measure::Measure;

use super::figure;
use crate::report::{Bound, Report};
use crate::words;

/// The sentence for the `broken` bounds of `report`.
pub(super) fn of(report: &Report, broken: &[&Bound]) -> String {
    // What a generator that could not keep up cannot have done comes before what it can.
    let sure: Vec<&Bound> = broken.iter().copied().filter(|bound| !may_be_the_generators(report, bound)).collect();
    let broken = if report.generator.saturated && !sure.is_empty() { &sure } else { broken };
    let measured = |figure: &str| broken.iter().any(|bound| bound.figure == figure && bound.value.is_some());
    let told = EXPLAINED.iter().filter(|(figure, _)| measured(figure)).find_map(|(_, explain)| explain(report));
    // Zero among views that nobody compared says less than anything that was measured.
    let rest = || broken.iter().find(|bound| bound.value.is_some()).or(broken.first()).map(|bound| bound.sentence.clone());
    told.or_else(|| unchecked(broken)).or_else(rest).unwrap_or_default()
}

/// Whether a generator that could not keep up may have broken `bound` by itself.
pub(super) fn may_be_the_generators(report: &Report, bound: &Bound) -> bool {
    if bound.value.is_none() || !figure::is_timing(&bound.figure) {
        return false;
    }
    // A generator that was late by tenths of a second does not make a wait of seconds.
    let waits = bound.figure.starts_with("fresh_share");
    !waits || longest_wait_ms(report) <= 3.0 * report.generator.lateness_ms.max
}

type Explain = fn(&Report) -> Option<String>;

/// What says most comes first.
const EXPLAINED: [(&str, Explain); 13] = [
    ("divergences", |report| Some(divergence(report))),
    ("returns_wrong", |report| Some(returned_wrong(report))),
    ("drains_announced", |report| Some(drain(report))),
    ("unexplained_closes", closes),
    ("users_never_played", |report| Some(never_played(report))),
    ("resume_failures", |report| {
        let times = words::times(report.counts.resume_failures);
        Some(format!("players could not return to their seats ({times}){}", most_often(report, "resume: ")))
    }),
    ("attendance", |report| {
        let share = words::percent(report.counts.attendance()?);
        Some(format!("players held a seat for only {share} of the time that they should have{}", most_often(report, "")))
    }),
    ("fresh_share", stood_still),
    ("fresh_share_worst_10s", stood_still),
    ("game_speed", |report| {
        let (speed, rate) = (report.game_speed()?, f64::from(report.run.tick_rate));
        let slow = if speed < 1.0 { "slow" } else { "fast" };
        Some(format!("the game went too {slow}: players saw {} ticks a second, not {}", words::number(speed * rate), report.run.tick_rate))
    }),
    ("inputs_lost", |report| {
        let lost = words::counted(report.counts.inputs_lost, "input");
        Some(format!("{lost} reached the server in time and did nothing"))
    }),
    ("leaked_seats", |report| {
        let seats = words::counted(report.leaked_seats?, "seat");
        Some(format!("the server still held {seats} after everybody had left"))
    }),
    ("gap.within_1.5_ticks", |report| {
        let (share, limit) = (words::percent(report.gaps_within()?), words::number(report.long_gap_ms()));
        Some(format!("snapshots came too far apart: only {share} of the gaps were under 1.5 ticks ({limit} ms)"))
    }),
];

fn divergence(report: &Report) -> String {
    let first = report.divergences.first().map_or_else(String::new, |first| {
        format!(", the first in `{}` of match {} at tick {}", first.component, first.match_id, first.tick)
    });
    format!("{} differed from the server's{first}", words::counted(report.counts.divergences, "view"))
}

fn returned_wrong(report: &Report) -> String {
    let count = words::counted(report.counts.returns_wrong, "player");
    let first = report.returns.iter().find_map(|found| Some((found, found.wrong?))).map_or_else(String::new, |(found, wrong)| {
        let (before, after) = (found.tick_before, found.tick_after);
        format!("; user {} of match {} had seen tick {before} and came back to tick {after}: {}", found.user, found.match_id, wrong.text())
    });
    format!("after their connection broke, {count} came back to something else than what they had left{first}")
}

fn drain(report: &Report) -> String {
    let ended = report.counts.closes.get("draining").copied().unwrap_or_default();
    let ended = if ended > 0 { format!(", and ended {}", words::counted(ended, "session")) } else { String::new() };
    format!("the server drained while it was played on: it said that it restarts{ended}{}", since_first_close(report))
}

fn closes(report: &Report) -> Option<String> {
    let (reason, most) = report.counts.unasked_closes().max_by_key(|(_, count)| *count)?;
    let when = since_first_close(report);
    let others = report.counts.unexplained_closes() - most;
    let others = if others > 0 { format!(" ({} more for other reasons)", words::count(others)) } else { String::new() };
    let sessions = words::counted(most, "session");
    Some(match reason {
        "draining" => format!("the server drained while it was played on: it ended {sessions}{when}{others}"),
        "connection_lost" if nobody_came_back(report) => {
            format!("the server went away: {} broke{when}, and nobody got in again{others}", words::counted(most, "connection"))
        }
        "connection_lost" => format!("{} broke that no player had closed{when}{others}", words::counted(most, "connection")),
        reason => format!("the server ended {sessions} that no player had ended, as `{reason}`{when}{others}"),
    })
}

fn never_played(report: &Report) -> String {
    let run = &report.run;
    let never = run.users_started.saturating_sub(run.users_played);
    let of = words::counted(run.users_started, "player");
    let advice = if report.errors.keys().any(|error| error.starts_with("join: ") && error.contains("429")) {
        "; the server limits what one address may do: let fewer players share one (--users-per-address), or raise its rates"
    } else {
        ""
    };
    format!("{} of {of} never got in{}{advice}", words::count(never), most_often(report, "join: "))
}

fn stood_still(report: &Report) -> Option<String> {
    let (share, (worst, at)) = (report.counts.fresh_share()?, report.worst_ten_seconds()?);
    let longest =
        report.quantiles(Measure::Gap).map_or_else(String::new, |gap| format!("; the longest wait was {} ms", words::number(gap.max)));
    // Of a match that stood still most players saw it; what a few saw may be their own connection.
    let what = if report.stall_count > 0 { "the server stood still" } else { "players waited too long for something new" };
    Some(format!(
        "{what}: for {} of their time players had nothing newer than {} ms, for {} of the ten seconds from {} s on{longest}",
        words::percent(1.0 - share),
        words::number(report.fresh_ms()),
        words::percent(1.0 - worst),
        words::count(at.round() as u64),
    ))
}

/// Nothing could be compared: what to do about it.
fn unchecked(broken: &[&Bound]) -> Option<String> {
    let only_that = broken.iter().all(|bound| bound.figure == "divergences" && bound.value.is_none());
    (only_that && !broken.is_empty()).then(|| {
        "no view was compared with the server's: start it with --hash-every 30, or bound what you want with --thresholds".to_owned()
    })
}

/// The most frequent error that begins so.
fn most_often(report: &Report, prefix: &str) -> String {
    let of_kind = report.errors.iter().filter(|(error, _)| error.starts_with(prefix));
    of_kind.max_by_key(|(_, count)| **count).map_or_else(String::new, |(error, count)| {
        format!(
            "; most often ({}): {}",
            words::times(*count),
            words::plain(error.strip_prefix(prefix).unwrap_or(error)).trim_end_matches('.')
        )
    })
}

fn since_first_close(report: &Report) -> String {
    let first = report.series.iter().find(|second| second.closes > 0);
    first.map_or_else(String::new, |second| format!(" from {} s into the run on", words::count(second.at.floor() as u64)))
}

/// Whether nobody had a seat any more once sessions began to end, though some should have.
fn nobody_came_back(report: &Report) -> bool {
    let after = || report.series.iter().skip_while(|second| second.closes == 0).skip(1);
    after().all(|second| second.users == 0) && after().any(|second| second.absent_seconds > 0.0)
}

fn longest_wait_ms(report: &Report) -> f64 {
    report.quantiles(Measure::Gap).map_or(f64::INFINITY, |gap| gap.max)
}

#[cfg(test)]
mod tests {
    use tickwire_testkit::measure::{Counts, Histogram};

    use super::*;
    use crate::report::{MeasureReport, Second};
    use crate::thresholds::Thresholds;

    const SECOND: u64 = 1_000_000;

    /// Sixteen seconds of twenty players who got everything that they should.
    fn good() -> Report {
        let mut report = Report::default();
        (report.run.tick_rate, report.run.users, report.run.users_started, report.run.users_played) = (30, 20, 20, 20);
        report.counts = Counts {
            player_micros: 320 * SECOND,
            watched_micros: 320 * SECOND,
            ticks: 9600,
            ticks_micros: 320 * SECOND,
            snapshots: 9600,
            checked: 9600,
            ..Counts::default()
        };
        gaps(&mut report, &[33_333; 100]);
        let second = |at: u32| Second { at: f64::from(at) + 1.0, users: 20, watched_seconds: 20.0, ..Second::default() };
        report.series = (0..16).map(second).collect();
        report
    }

    fn gaps(report: &mut Report, micros: &[u64]) {
        let mut histogram = Histogram::default();
        micros.iter().for_each(|&one| histogram.record(one));
        report.measures.insert("gap".to_owned(), MeasureReport::from(&histogram));
    }

    /// The first line of the verdict.
    fn verdict(mut report: Report) -> String {
        Thresholds::default_level(true).judge(&mut report);
        assert_eq!(report.verdict.passed, report.verdict.cause.is_empty());
        report.verdict.cause
    }

    fn frozen() -> Report {
        let mut report = good();
        report.counts.stale_micros = 58 * SECOND;
        report.stall_count = 2;
        report.series.iter_mut().skip(8).take(3).for_each(|second| second.stale_seconds = 58.0 / 3.0);
        gaps(&mut report, &[&[33_333; 400][..], &[3_000_000]].concat());
        report
    }

    #[test]
    fn who_gets_everything_passes() {
        assert_eq!(verdict(good()), "");
    }

    #[test]
    fn a_server_that_stood_still_for_3_of_16_s() {
        assert_eq!(
            verdict(frozen()),
            "the server stood still: for 18.1 % of their time players had nothing newer than 100 ms, for 29.0 % of the ten seconds from 1 s on; \
             the longest wait was 3,015 ms"
        );
    }

    #[test]
    fn a_few_players_with_a_bad_line_are_not_a_server_that_stood_still() {
        let mut report = frozen();
        report.stall_count = 0;
        assert!(verdict(report).starts_with("players waited too long for something new: for 18.1 %"));
    }

    #[test]
    fn players_who_never_joined() {
        let mut report = good();
        (report.run.users, report.run.users_started) = (300, 300);
        report.run.users_played = 126;
        report.counts.absent_micros = 1000 * SECOND;
        report.errors.insert("join: no seat: 429 Too Many Requests: rate_limited: slower".to_owned(), 700);
        let told = verdict(report);
        assert!(told.starts_with("174 of 300 players never got in; most often (700 times): no seat: 429"), "{told}");
        assert!(told.contains("--users-per-address"), "{told}");
    }

    #[test]
    fn a_drain_a_death_and_a_close_that_nobody_asked_for() {
        let closed = |reason: &str, users: u64| {
            let mut report = good();
            (0..20).for_each(|_| report.counts.count_close(reason));
            report.series[9].closes = 20;
            report.series.iter_mut().skip(10).for_each(|second| (second.users, second.absent_seconds) = (users, 1.0));
            report.counts.absent_micros = 100 * SECOND;
            verdict(report)
        };
        let drained = "the server drained while it was played on: it ended 20 sessions from 10 s into the run on";
        assert_eq!(closed("draining", 0), drained);
        assert_eq!(
            closed("connection_lost", 0),
            "the server went away: 20 connections broke from 10 s into the run on, and nobody got in again"
        );
        assert_eq!(closed("connection_lost", 20), "20 connections broke that no player had closed from 10 s into the run on");
        assert_eq!(
            closed("too_slow", 20),
            "the server ended 20 sessions that no player had ended, as `too_slow` from 10 s into the run on"
        );
        let mut told = good();
        told.counts.drains_announced = 20;
        assert!(verdict(told).starts_with("the server drained while it was played on: it said that it restarts"));
    }

    #[test]
    fn a_game_in_slow_motion_and_one_that_nobody_checked() {
        let mut slow = good();
        slow.counts.ticks = 6400;
        assert_eq!(verdict(slow), "the game went too slow: players saw 20.0 ticks a second, not 30");
        let mut blind = good();
        blind.counts.checked = 0;
        assert!(verdict(blind.clone()).contains("--hash-every 30"));
        blind.counts.inputs_lost = 2;
        assert_eq!(verdict(blind), "2 inputs reached the server in time and did nothing");
    }

    #[test]
    fn a_slow_generator_is_no_verdict_on_the_server_unless_it_cannot_be_its_doing() {
        let judged = |mut report: Report| {
            report.generator.saturated = true;
            Thresholds::default_level(true).judge(&mut report);
            (report.verdict.passed, report.verdict.inconclusive)
        };
        assert_eq!(judged(good()), (true, false));
        let mut gappy = good();
        gappy.counts.long_gaps = 50;
        assert_eq!(judged(gappy), (false, true));
        let mut lossy = good();
        lossy.counts.inputs_lost = 1;
        assert_eq!(judged(lossy), (false, false));
        let mut stalled = frozen();
        stalled.generator.lateness_ms.max = 200.0;
        assert_eq!(judged(stalled.clone()), (false, false), "it was late by 0.2 s, and the wait was of 3 s");
        stalled.generator.lateness_ms.max = 2_900.0;
        assert_eq!(judged(stalled), (false, true));
        let mut both = good();
        (both.generator.saturated, both.counts.long_gaps, both.leaked_seats) = (true, 50, Some(1));
        assert_eq!(verdict(both), "the server still held 1 seat after everybody had left", "which the generator cannot have done");
    }
}

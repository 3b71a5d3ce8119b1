//! The summary says all that was found, and the verdict last.

use super::*;
use crate::report::{Verdict, sample};
use crate::thresholds::Thresholds;

#[test]
fn a_summary_says_all_and_ends_with_the_verdict() {
    let text = summary(&sample::full(), None, false);
    for words in [
        "arena (ffa) at 30 Hz on 127.0.0.1:8080: 1,500 users, 120 s",
        "input to view",
        "4,200,000 (35,000/s), 310 missed; 100 % compared",
        "only 1,498 of 1,500 users, at most 1,497 at once, seated for 99.9",
        "99.9",
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
    assert!(text.ends_with("\nFAILED: 2 views differed from the server's\n  divergences was 2; it must be = 0\n"), "{text}");
    assert!(!text.contains('\x1b') && !text.contains("SATURATED"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 130), "{text}");
    assert!(summary(&sample::full(), None, true).contains("\x1b[1;31mFAILED\x1b[0m"));
}

#[test]
fn a_saturated_generator_is_never_the_servers_limit() {
    let mut report = sample::full();
    report.generator.saturated = true;
    report.generator.reasons = vec!["its timers ran 30 ms late".into()];
    let text = summary(&report, None, false);
    assert!(text.contains("GENERATOR SATURATED: its timers ran 30 ms late\n"), "{text}");
    assert!(text.contains("At least 1,300 users") && text.contains("not known to be the server's limit"), "{text}");
}

#[test]
fn nothing_measured_and_hostile_text_are_shown_plainly() {
    let mut report = sample::empty();
    report.verdict = Verdict { failures: vec!["server\x1b[2J unreachable\n".into()], ..Verdict::default() };
    let text = summary(&report, None, false);
    assert!(text.contains("nothing was timed") && text.contains("not looked for") && text.contains("none sent"), "{text}");
    assert!(text.ends_with("FAILED\n  server [2J unreachable \n"), "{text}");
    report.verdict = Verdict { passed: true, ..Verdict::default() };
    assert!(summary(&report, None, false).ends_with("\nPASSED\n"));
}

#[test]
fn the_live_line_says_what_is_known() {
    let report = sample::full();
    let line = progress_line(&report.series[77], 1500);
    assert!(line.starts_with("1,500/1,500 users  fresh 95.0 %  gap p99 211 ms  input to view p99 "), "{line}");
    assert!(line.contains("2 divergences  server 0.7") && !line.contains('\n'), "{line}");
    let bare = progress_line(&Second::default(), 10);
    assert_eq!(bare, "0/10 users  fresh -  gap p99 -  input to view p99 -  0 divergences");
}

#[test]
fn bounds_are_beside_what_was_measured() {
    let mut report = sample::full();
    Thresholds::default_level(true).judge(&mut report);
    let text = summary(&report, None, false);
    let line = |figure: &str| {
        text.lines().find(|line| line.starts_with(figure)).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("divergences "), "divergences 2 = 0 BROKEN");
    assert_eq!(line("game_speed"), "game_speed 100 % >= 98 % held");
}

#[test]
fn a_verdict_that_nobody_can_give_says_why() {
    let mut report = sample::full();
    let cause = "snapshots came too far apart".to_owned();
    report.verdict = Verdict { inconclusive: true, cause, ..Verdict::default() };
    let text = summary(&report, None, false);
    assert!(
        text.ends_with("NOT CONCLUSIVE: the generator could not keep up, so this may be its doing: snapshots came too far apart\n"),
        "{text}"
    );
}

#[test]
fn an_earlier_run_stands_beside_this_one() {
    let mut then = sample::full();
    then.run.users = 750;
    let comparison = Comparison { then, path: "then.json".into() };
    let text = summary(&sample::full(), Some(&comparison), false);
    assert!(
        text.contains("against 2026-09-21 14:13:20 UTC") && text.contains("× 1.00") && text.contains("users: 750 then, 1500 now"),
        "{text}"
    );
    assert!(text.trim_end().ends_with("it must be = 0"), "the verdict is last: {text}");
}

//! The checker passes a history in which all is well, and finds each fault that is planted in it.

use super::*;

const BOTS: u32 = 4;
const KILLED: u32 = 100;

fn view(bot: u32, tick: u32) -> View {
    View { match_id: format!("m{}", bot % 2), player: bot / 2, tick, hash: Some(u64::from(tick) * 2 + u64::from(bot % 2)) }
}

/// Two matches with two bots each, and one kill.
fn good() -> Vec<What> {
    let mut all = vec![What::Started { pid: KILLED }];
    all.extend((0..BOTS).map(|bot| What::Seated { bot, view: view(bot, 10) }));
    all.extend((0..BOTS).map(|bot| What::Saw { bot, view: view(bot, 40), heard: 0 }));
    all.push(What::Kill { nth: 1, pid: KILLED });
    all.extend((0..BOTS).map(|bot| What::Lost { bot, view: view(bot, 50 + bot / 2) }));
    all.push(What::Started { pid: KILLED + 1 });
    all.extend((0..BOTS).map(|bot| What::Returned { bot, view: view(bot, 60 + bot / 2) }));
    all
}

fn found(history: Vec<What>) -> Findings {
    let events: Vec<Event> = history.into_iter().zip(0..).map(|(what, nth)| Event { at: nth * 1000, what }).collect();
    check(&events)
}

/// What is found in a good history that `damage` was done to.
fn wrong(damage: impl Fn(&mut Vec<What>)) -> Findings {
    let mut history = good();
    damage(&mut history);
    let findings = found(history);
    assert!(!findings.are_clean());
    findings
}

/// Changes what bot 1 came back to.
fn returns_to(history: &mut [What], change: impl Fn(&mut View)) {
    history.iter_mut().for_each(|what| {
        if let What::Returned { bot: 1, view } = what {
            change(view);
        }
    });
}

#[test]
fn a_history_in_which_all_is_well_is_clean() {
    let findings = found(good());
    assert!(findings.are_clean(), "{:?}", findings.wrong);
    assert_eq!((findings.bots, findings.matches, findings.kills.len(), findings.returns.len()), (4, 2, 1, 4));
    assert!(findings.ticks_compared >= 2, "bots of a match saw the same ticks");
    assert_eq!(findings.returns.first(), Some(&6000), "from the kill on");
}

#[test]
fn a_kill_that_was_left_out_proves_nothing() {
    let nothing = |findings: &Findings| findings.wrong.iter().any(|told| told == "nothing was killed: that proves nothing");
    assert!(nothing(&wrong(|history| history.retain(|what| !matches!(what, What::Kill { .. })))));
    // It is written down, but nobody's connection broke.
    assert!(nothing(&wrong(|history| history.retain(|what| !matches!(what, What::Lost { .. } | What::Returned { .. })))));
    // Connections broke, but it is still the same process.
    assert!(nothing(&wrong(|history| history.retain(|what| *what != What::Started { pid: KILLED + 1 }))));
    assert_eq!(found(Vec::new()).wrong.len(), 2);
}

#[test]
fn a_kill_while_the_next_server_comes_up_breaks_no_connection_and_counts() {
    let mut history = good();
    let started = history.iter().position(|what| *what == What::Started { pid: KILLED + 1 }).expect("it is there");
    let rest = history.split_off(started + 1);
    history.extend([What::Kill { nth: 2, pid: KILLED + 1 }, What::Started { pid: KILLED + 2 }]);
    history.extend(rest);
    let findings = found(history.clone());
    assert!(findings.are_clean(), "{:?}", findings.wrong);
    let felt: Vec<_> = findings.kills.iter().map(|kill| (kill.seated, kill.lost, kill.returned)).collect();
    assert_eq!(felt, [(4, 4, 4), (0, 0, 0)], "they were away since the first");
    history.retain(|what| *what != What::Started { pid: KILLED + 2 });
    assert!(!found(history).are_clean(), "nobody was killed the second time");
}

#[test]
fn a_connection_that_a_kill_spared_is_told() {
    let findings = wrong(|history| history.retain(|what| !matches!(what, What::Lost { bot: 1, .. } | What::Returned { bot: 1, .. })));
    assert!(findings.wrong[0].contains("broke 3 of 4 connections and 0 held"), "{:?}", findings.wrong);
}

/// A kill that broke no connection: all bots wait, and go on.
fn kept() -> Vec<What> {
    let mut history = good();
    history.retain(|what| !matches!(what, What::Lost { .. } | What::Returned { .. }));
    history.extend((0..BOTS).flat_map(|bot| {
        let saw = What::Saw { bot, view: view(bot, 60 + bot / 2), heard: 9_000 + AFTERMATH + 1 };
        [What::Waited { bot, gap: 5_000, ended: 14_000 }, saw]
    }));
    history
}

#[test]
fn connections_that_hold_are_as_good_as_those_that_come_back() {
    let findings = found(kept());
    assert!(findings.are_clean(), "{:?}", findings.wrong);
    assert_eq!((findings.kills[0].held, findings.kills[0].lost, findings.waits.as_slice()), (4, 0, &[5_000; 4][..]));
}

#[test]
fn a_connection_of_which_nothing_is_known_since_the_kill_is_told() {
    let mut history = kept();
    for what in &mut history {
        if let What::Saw { bot: 1, heard, .. } = what {
            *heard = 9_000 + AFTERMATH;
        }
    }
    assert!(found(history).wrong[0].contains("broke 0 of 4 connections and 3 held"));
    let mut history = kept();
    history.retain(|what| !matches!(what, What::Started { pid } if *pid != KILLED));
    assert!(found(history).wrong[0].contains("nothing was killed"), "it is still the same process");
}

#[test]
fn a_pause_that_had_ended_before_a_kill_is_none_of_its() {
    let mut history = kept();
    for what in &mut history {
        if let What::Waited { gap, ended, .. } = what {
            (*gap, *ended) = (1_000, 8_000);
        }
    }
    assert!(found(history).waits.is_empty());
}

#[test]
fn a_connection_over_which_a_tick_comes_again_is_found() {
    let mut history = kept();
    history.push(What::Saw { bot: 1, view: view(1, 41), heard: 0 });
    assert_eq!(found(history).ticks_lost, 1);
}

#[test]
fn ticks_that_are_gone_are_found() {
    assert_eq!(wrong(|history| returns_to(history, |view| view.tick = 49)).ticks_lost, 1);
    let again = wrong(|history| returns_to(history, |view| (view.tick, view.hash) = (50, Some(7))));
    assert_eq!(again.ticks_lost, 1, "it is another one now: {:?}", again.wrong);
    // Bot 3 had seen it, too.
    let others = wrong(|history| returns_to(history, |view| (view.tick, view.hash) = (51, Some(7))));
    assert_eq!((others.ticks_lost, others.divergences), (0, 1), "{:?}", others.wrong);
}

#[test]
fn a_return_to_something_else_is_found() {
    assert_eq!(wrong(|history| returns_to(history, |view| view.match_id = "m9".into())).seats_lost, 1);
    assert_eq!(wrong(|history| returns_to(history, |view| view.player = 9)).seats_lost, 1);
}

#[test]
fn who_is_not_back_is_found_and_so_is_a_match_that_is_gone() {
    let one = wrong(|history| history.retain(|what| !matches!(what, What::Returned { bot: 1, .. })));
    assert_eq!((one.seats_lost, one.matches_lost), (1, 0));
    let gone = wrong(|history| {
        for what in history {
            if let What::Returned { bot, .. } = what
                && *bot % 2 == 1
            {
                *what = What::LostSeat { bot: *bot, why: "the match is gone".into() };
            }
        }
    });
    assert_eq!((gone.seats_lost, gone.matches_lost), (2, 1));
    assert!(gone.wrong.iter().any(|told| told.starts_with("match m1 is lost")), "{:?}", gone.wrong);
}

#[test]
fn closes_and_divergences_are_found() {
    let closed = wrong(|history| history.push(What::Closed { bot: 2, reason: "internal_error".into() }));
    assert!(closed.wrong[0].contains("`internal_error`"));
    assert_eq!(wrong(|history| history.push(What::Diverged { bot: 2, tick: 61, component: "score".into() })).divergences, 1);
}

#[test]
fn thousands_of_a_kind_are_counted_and_not_all_told() {
    let findings = wrong(|history| history.extend((0..1000).map(|tick| What::Diverged { bot: 0, tick, component: "score".into() })));
    assert_eq!(findings.divergences, 1000);
    assert_eq!(findings.wrong.len(), KEPT_MAX + 1);
}

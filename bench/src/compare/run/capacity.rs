//! How many players an arm holds: more and more join one server until updates come late, then the truth is narrowed down.

use anyhow::Result;

use super::progress::Progress;
use super::state::Run;
use crate::arm::Arm;
use crate::generator::Watch;
use crate::plan::Search;
use crate::trial::{Sample, Trial};
use crate::workload::{Interrupted, MATCH_SEATS, TICK};

/// Late is a gap longer than this many ticks, for more than one update in a hundred.
const GAP_TICKS_MAX: f64 = 1.5;
/// An arm that leaves updates out instead of being late does not hold its players either.
const RATE_SHARE_MIN: f64 = 0.9;
/// Where to begin with an arm that held nothing so far.
const FIRST_PLAYERS: usize = 160;
/// As many sockets as two processes may have.
const PLAYERS_MAX: usize = 9600;

/// Finds the capacity of `arm`, as far as there is one.
pub(super) fn find(run: &mut Run<'_>, arm: Arm, search: Search) -> Result<()> {
    // What the arm was seen to hold needs no second look.
    let mut holds = held_players(run, arm);
    let mut breaks = None;
    let mut trial = run.start(arm, Watch::Nobody)?;
    let mut players = if holds > 0 { matches_of(holds as f64 * search.growth) } else { FIRST_PLAYERS };
    while breaks.is_none() && players <= PLAYERS_MAX {
        if try_out(run, arm, &mut trial, players, search)? {
            holds = players;
            players = matches_of(players as f64 * search.growth);
        } else {
            breaks = Some(players);
        }
    }
    drop(trial);
    let Some(mut breaks) = breaks else {
        run.notes.push(format!("{} still held {holds} players, as many as were tried", arm.name()));
        run.capacities.insert(arm, holds);
        return Ok(());
    };
    for _ in 0..search.halvings {
        let players = matches_of(f64::midpoint(holds as f64, breaks as f64));
        if players <= holds || players >= breaks {
            break;
        }
        let mut trial = run.start(arm, Watch::Nobody)?;
        if try_out(run, arm, &mut trial, players, search)? {
            holds = players;
        } else {
            breaks = players;
        }
    }
    run.capacities.insert(arm, holds);
    Ok(())
}

/// The most players that the arm held in every repeat; 0 if none.
fn held_players(run: &Run<'_>, arm: Arm) -> usize {
    let Some(repeats) = run.samples.get(&arm) else { return 0 };
    let always_held = |players: usize| repeats.iter().flatten().filter(|sample| sample.players == players).all(is_held);
    run.plan.players.iter().copied().filter(|players| always_held(*players)).max().unwrap_or(0)
}

/// Whether the arm holds so many. A machine has hiccups: an arm breaks only if it is late twice.
fn try_out(run: &mut Run<'_>, arm: Arm, trial: &mut Trial, players: usize, search: Search) -> Result<bool> {
    run.progress.begin(&format!("{}: does it hold {players} players?", arm.name()));
    for _ in 0..2 {
        match trial.grow_to(players).and_then(|()| trial.measure(search.window)) {
            Ok(sample) if is_held(&sample) => {
                run.progress.end(&format!("yes: gap p99 {:.1} ms", sample.gap_ms_p99));
                return Ok(true);
            }
            Ok(sample) => Progress::say(&format!("gap p99 {:.1} ms, {:.1} Hz", sample.gap_ms_p99, sample.delivered_hz)),
            Err(error) if error.root_cause().is::<Interrupted>() => return Err(error),
            // Players who cannot join or are dropped are not held.
            Err(error) => {
                run.progress.end(&format!("no: {}", error.root_cause()));
                return Ok(false);
            }
        }
    }
    run.progress.end("no");
    Ok(false)
}

fn is_held(sample: &Sample) -> bool {
    let tick_ms = TICK.as_secs_f64() * 1000.0;
    sample.gap_ms_p99 < GAP_TICKS_MAX * tick_ms && sample.delivered_hz > RATE_SHARE_MIN * 1000.0 / tick_ms
}

/// Whole matches only.
fn matches_of(players: f64) -> usize {
    (players / MATCH_SEATS as f64).round() as usize * MATCH_SEATS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_come_in_whole_matches() {
        assert_eq!([matches_of(100.0), matches_of(1248.0), matches_of(7.9)], [96, 1248, 0]);
    }
}

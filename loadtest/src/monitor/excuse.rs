//! What of the players' stale time may be the generator's own doing: while it stood still, nobody
//! could see that a snapshot had come.
//!
//! Invariant: a second of the generator excuses a second of each player at most, so a generator
//! that is a little late all the time excuses nothing, and a server that stands still is not
//! excused by a generator that does not.

use crate::report::Second;

/// Says of each second how much of its stale time the generator may have made, in player-seconds.
/// Players tell once a second, so what they tell may belong to the second before or be told in the
/// one after.
pub(super) fn excuse(series: &mut [Second]) {
    // In a second in which players come or go, those who were there for a part of it.
    let players = |second: &Second| second.player_seconds.max(second.users as f64);
    let mut left: Vec<f64> = series.iter().map(|second| second.generator_stood_ms / 1000.0 * players(second)).collect();
    for nth in 0..series.len() {
        let Some(second) = series.get_mut(nth) else { return };
        let mut stale = second.stale_seconds;
        for stood in left.iter_mut().take(nth + 2).skip(nth.saturating_sub(1)) {
            let taken = stood.min(stale).max(0.0);
            *stood -= taken;
            stale -= taken;
        }
        second.stale_by_generator_seconds = second.stale_seconds - stale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds of ten players: how long the generator stood, and how many player-seconds were
    /// stale.
    fn excused(seconds: &[(f64, f64)]) -> Vec<f64> {
        let second = |&(generator_stood_ms, stale_seconds): &(f64, f64)| Second {
            users: 10,
            generator_stood_ms,
            stale_seconds,
            ..Second::default()
        };
        let mut series: Vec<Second> = seconds.iter().map(second).collect();
        excuse(&mut series);
        series.iter().map(|second| second.stale_by_generator_seconds).collect()
    }

    #[test]
    fn a_server_that_stands_still_has_no_excuse() {
        assert_eq!(excused(&[(0.0, 0.0), (0.0, 9.0), (0.0, 10.0)]), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn what_the_generator_made_is_excused_where_it_was_told_and_once() {
        assert_eq!(excused(&[(0.0, 4.0), (500.0, 0.0), (0.0, 4.0)]), [4.0, 0.0, 1.0]);
        assert_eq!(excused(&[(500.0, 0.0), (0.0, 0.0), (0.0, 4.0)]), [0.0, 0.0, 0.0], "too long ago");
    }

    #[test]
    fn a_short_hiccup_does_not_excuse_a_long_freeze() {
        assert_eq!(excused(&[(100.0, 10.0), (0.0, 10.0)]), [1.0, 0.0]);
    }
}

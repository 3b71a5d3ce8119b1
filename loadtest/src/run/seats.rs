//! Whether the server has given every seat back once everyone has left.
//!
//! Invariant: a seat that the server keeps for a player whose connection broke is no leak, and is
//! never called one.

use std::time::Duration;

use tokio::time::Instant;

use crate::monitor::Scraper;

/// After everyone has left, the server frees their seats within this.
const PATIENCE: Duration = Duration::from_secs(5);
/// A grace period of up to this is waited out.
const GRACE_MAX: Duration = Duration::from_mins(1);
/// Of a server that does not say how long its grace period is.
const GRACE_UNKNOWN: Duration = Duration::from_secs(35);
/// After the grace period the server needs a moment.
const SPARE: Duration = Duration::from_secs(5);

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seats {
    /// So many are still held, and nobody is coming back to them.
    Leaked(u64),
    /// So many are held, all of which may be kept for players who were cut off.
    Kept(u64),
    /// The server no longer says.
    Unknown,
}

/// Players who may have a seat kept for them, and for how long that is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// At most so many.
    pub(super) off: u64,
    /// The server's grace period, if it told.
    pub(super) grace: Option<Duration>,
}

impl Cut {
    /// How long to wait for seats, if none leaks.
    fn patience(self) -> Duration {
        let grace = self.grace.unwrap_or(GRACE_UNKNOWN);
        if self.off > 0 && grace <= GRACE_MAX { grace + SPARE } else { PATIENCE }
    }

    /// What it means that `held` seats were held in the end.
    fn judge(self, held: u64) -> Seats {
        let are_kept = self.grace.unwrap_or(GRACE_UNKNOWN) > GRACE_MAX;
        match held {
            0 => Seats::Leaked(0),
            held if are_kept && held <= self.off => Seats::Kept(held),
            held if are_kept => Seats::Leaked(held - self.off),
            held => Seats::Leaked(held),
        }
    }
}

/// Waits until no more than `before` seats are held, or for as long as the server may keep them.
/// Says how many are held each time it looks.
pub(super) async fn wait(scraper: &Scraper, before: u64, cut: Cut, mut say: impl FnMut(u64)) -> Seats {
    let until = Instant::now() + cut.patience();
    loop {
        let Ok(players) = scraper.players().await else { return Seats::Unknown };
        let held = players.saturating_sub(before);
        if held == 0 || Instant::now() >= until {
            return cut.judge(held);
        }
        say(held);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTES: Option<Duration> = Some(Duration::from_mins(5));

    #[test]
    fn a_seat_that_is_kept_for_somebody_is_no_leak() {
        let cut = Cut { off: 3, grace: MINUTES };
        assert_eq!([0, 2, 3, 5].map(|held| cut.judge(held)), [Seats::Leaked(0), Seats::Kept(2), Seats::Kept(3), Seats::Leaked(2)]);
        assert_eq!(Cut { off: 0, grace: MINUTES }.judge(1), Seats::Leaked(1));
    }

    #[test]
    fn a_short_grace_period_is_waited_out_and_a_long_one_is_not() {
        let patience = |off, grace| Cut { off, grace }.patience();
        assert_eq!(patience(0, MINUTES), PATIENCE);
        assert_eq!(patience(1, MINUTES), PATIENCE);
        assert_eq!(patience(1, Some(Duration::from_secs(30))), Duration::from_secs(35));
        assert_eq!(Cut { off: 1, grace: Some(Duration::from_secs(30)) }.judge(1), Seats::Leaked(1), "it was waited out");
    }
}

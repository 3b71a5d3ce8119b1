//! The way back to a seat: after what a scenario does, after a close that lets one return, or after
//! a connection that broke without a word.

use std::time::Duration;

use tickwire_game::Rng;
use tickwire_protocol::WsUrl;
use tickwire_testkit::comeback::{Lost, Seen};
use tokio::time::Instant;

use crate::entrance::{EnterError, WayBack};
use crate::report::Return;

/// A way back, and when to take it.
pub(super) struct Way {
    pub(super) back: WayBack,
    pub(super) at: Instant,
    /// What the player had, if its connection broke.
    lost: Option<Lost>,
}

impl Way {
    /// To take at `at`.
    pub(super) const fn at(back: WayBack, at: Instant) -> Self {
        Self { back, at, lost: None }
    }

    /// Of a player whose connection broke just now, when it had seen `seen`, or whose match has `moved`.
    /// It tries for `patience`.
    pub(super) fn lost(mut back: WayBack, moved: Option<&WsUrl>, seen: Seen, patience: Duration, rng: &mut Rng) -> Self {
        let mut lost = Lost::now(seen, patience);
        let pause = match moved {
            Some(url) if back.route.move_to(url) => Some(Duration::ZERO),
            _ => back.route.pause(rng),
        };
        let at = lost.next_try(pause, rng).unwrap_or(lost.since);
        Self { back, at, lost: Some(lost) }
    }

    /// Whether it is of a player whose connection broke.
    pub(super) const fn is_of_lost(&self) -> bool {
        self.lost.is_some()
    }

    /// What `user`, who is back and sees `seen`, was away from, and for how long.
    pub(super) fn found(&self, user: usize, seen: Option<Seen>) -> Option<(Return, Duration)> {
        let (lost, seen) = (self.lost.as_ref()?, seen?);
        let took = lost.since.elapsed();
        let found = Return {
            user: user as u64,
            match_id: lost.seen.match_id.to_string(),
            tick_before: lost.seen.tick.0,
            tick_after: seen.tick.0,
            ms: took.as_secs_f64() * 1000.0,
            wrong: lost.judge(&seen),
        };
        Some((found, took))
    }

    /// This way, to be taken again after a try that failed; an error if the connection did not just
    /// break, if the time is over, or if trying cannot help.
    pub(super) fn again(mut self: Box<Self>, error: &EnterError, rng: &mut Rng) -> Result<Box<Self>, Box<Self>> {
        let pause = self.back.route.pause(rng);
        match self.lost.as_mut().filter(|_| !error.is_final()).and_then(|lost| lost.next_try(pause, rng)) {
            Some(at) => {
                self.at = at;
                Ok(self)
            }
            None => Err(self),
        }
    }
}

//! The way back to a seat: after what a scenario does, after a close that lets one return, or after
//! a connection that broke without a word.

use goose::goose::{GooseUser, TransactionResult};
use tickwire_game::Game;
use tokio::time::Instant;

use super::field::Field;
use super::{Place, Player, RETRY_FIRST, RETURNS_MAX, tell};
use crate::bot::{Stopped, micros};
use crate::client::ClientError;
use crate::comeback::{Lost, Seen};
use crate::entrance::{EnterError, WayBack};
use crate::measure::{CONNECTION_LOST, Measure};
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
}

/// Whether the connection broke without a word: its server may have died.
pub(super) fn is_lost(stopped: &Stopped) -> bool {
    matches!(stopped, Stopped::Failed(ClientError::Connection(_) | ClientError::Closed | ClientError::Io(_)))
}

impl<G: Game> Player<G> {
    /// Its connection broke when it had seen `seen`: it stands up, and tries to come back.
    pub(super) fn lose(&mut self, field: &Field<G>, back: WayBack, seen: Seen) {
        self.stand_up(field, CONNECTION_LOST);
        let mut lost = Lost::now(seen, field.return_within);
        let at = lost.next_try(&mut self.rng).unwrap_or(lost.since);
        self.place = Place::Away(Box::new(Way { back, at, lost: Some(lost) }));
    }

    /// Takes the way back.
    pub(super) async fn come_back(&mut self, field: &Field<G>, user: &mut GooseUser) -> TransactionResult {
        let Place::Away(way) = std::mem::replace(&mut self.place, Place::Outside(Instant::now())) else { return Ok(()) };
        let click = Instant::now();
        match field.entrance.resume(user, &self.visitor, &self.scenario, &way.back).await {
            Ok((client, way_back)) => {
                let (took, seen) = (click.elapsed(), client.seen());
                self.sit_down(field, client, way_back, Measure::Resume, took);
                if let Some(lost) = &way.lost {
                    self.is_back(field, lost, seen);
                }
                user.record_custom_request_duration("WS", "resume", took, true, None, None).await
            }
            Err(error) => self.did_not_come_back(field, user, *way, click, error).await,
        }
    }

    fn is_back(&mut self, field: &Field<G>, lost: &Lost, seen: Option<Seen>) {
        let (Place::Seated(seat), Some(seen)) = (&mut self.place, seen) else { return };
        let took = lost.since.elapsed();
        seat.bot.notes().record(Measure::Returned, micros(took));
        field.board.returned(Return {
            user: self.visitor.index as u64,
            match_id: lost.seen.match_id.to_string(),
            tick_before: lost.seen.tick.0,
            tick_after: seen.tick.0,
            ms: took.as_secs_f64() * 1000.0,
            wrong: lost.judge(&seen),
        });
    }

    async fn did_not_come_back(
        &mut self,
        field: &Field<G>,
        user: &mut GooseUser,
        mut way: Way,
        click: Instant,
        error: EnterError,
    ) -> TransactionResult {
        let next = way.lost.as_mut().filter(|_| !error.is_final()).and_then(|lost| lost.next_try(&mut self.rng));
        if let Some(at) = next {
            way.at = at;
            self.place = Place::Away(Box::new(way));
            return Ok(());
        }
        field.board.count(|counts| counts.resume_failures += 1);
        self.returns_failed += 1;
        let is_lost = way.lost.is_some() || error.is_final() || self.returns_failed >= RETURNS_MAX;
        if is_lost {
            // The way to another seat was not tried yet.
            self.retry = RETRY_FIRST;
        }
        way.at = self.next_try();
        let what = if way.lost.is_some() { "lost seat" } else { "resume" };
        self.place = if is_lost { Place::Outside(way.at) } else { Place::Away(Box::new(way)) };
        tell(field, user, what, click.elapsed(), &error).await
    }
}

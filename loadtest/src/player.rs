//! A goose user's life: come in, play, and leave, drop out or return as its scenario says, in turns of about a second,
//! because goose looks between turns whether the test is over.
//!
//! Invariant: whatever ends a session is counted, with its reason.

mod attendance;
mod field;
mod seat;
mod way;

use std::sync::Arc;
use std::time::Duration;

use goose::goose::{GooseUser, Transaction, TransactionError, TransactionFunction, TransactionResult};
use tickwire_game::{Game, Rng};
use tickwire_protocol::MatchId;
use tickwire_testkit::bot::{Bot, Driver, Stopped, micros};
use tickwire_testkit::client::ClientError;
use tickwire_testkit::measure::Measure;
use tokio::time::Instant;

pub use attendance::COMING_IN;
pub use field::Field;

use crate::entrance::{EnterError, PlayerClient, Visitor, WayBack};
use crate::report::Divergence;
use crate::scenario::{Scenario, Then};
use attendance::Attendance;
use seat::{Seat, may_resume};
use way::Way;

/// How long a turn lasts.
const TURN: Duration = Duration::from_secs(1);
/// A player that was not let in tries again after so long, and twice as long each time.
const RETRY_FIRST: Duration = Duration::from_millis(250);
/// A player that was not let in tries again after this at most.
const RETRY_MAX: Duration = Duration::from_secs(4);
/// Who cannot reach the seat it lost looks for another one after so many tries.
const RETURNS_MAX: u32 = 6;

/// One user, between its turns.
struct Player<G: Game> {
    visitor: Visitor,
    scenario: Scenario,
    presence: Presence<G>,
    attendance: Attendance,
    has_played: bool,
    retry: Duration,
    /// Tries in a row to return that failed.
    returns_failed: u32,
    rng: Rng,
}

/// Where a user is.
enum Presence<G: Game> {
    /// Without a seat, and when to try for one.
    Outside(Instant),
    Seated(Box<Seat<G>>),
    /// Without a connection.
    Away(Box<Way>),
}

/// The user's state in goose's session data, which wants to be cloned and shared.
type Shared<G> = Arc<tokio::sync::Mutex<Player<G>>>;

/// The transactions of `scenario`: come in, take turns, leave.
pub fn transactions<G: Game>(field: &Arc<Field<G>>, scenario: Scenario) -> [Transaction; 3] {
    let [enter, play, leave] = [Stage::Enter, Stage::Turn, Stage::Leave].map(|stage| {
        let field = Arc::clone(field);
        let function: TransactionFunction = Arc::new(move |user| {
            let field = Arc::clone(&field);
            Box::pin(async move { run(&field, scenario, stage, user).await })
        });
        Transaction::new(function)
    });
    [enter.set_name("enter").set_on_start(), play.set_name("play"), leave.set_name("leave").set_on_stop()]
}

#[derive(Clone, Copy)]
enum Stage {
    Enter,
    Turn,
    Leave,
}

async fn run<G: Game>(field: &Field<G>, scenario: Scenario, stage: Stage, user: &mut GooseUser) -> TransactionResult {
    if user.get_session_data::<Shared<G>>().is_none() {
        user.set_session_data::<Shared<G>>(Arc::new(tokio::sync::Mutex::new(Player::new(field, scenario))));
    }
    let shared = Arc::clone(user.get_session_data_unchecked::<Shared<G>>());
    let mut player = shared.lock().await;
    let done = match stage {
        Stage::Enter => player.come_in(field, user).await,
        Stage::Turn => player.turn(field, user).await,
        Stage::Leave => {
            field.board.one_ends();
            player.go(field, user).await;
            Ok(())
        }
    };
    player.count_absence(field);
    done
}

impl<G: Game> Player<G> {
    fn new(field: &Field<G>, scenario: Scenario) -> Self {
        let index = field.board.sent_one() as usize;
        let rng = Rng::new(field.seed.wrapping_mul(1 << 20).wrapping_add(index as u64));
        let now = Instant::now();
        Self {
            visitor: Visitor::new(index),
            scenario,
            presence: Presence::Outside(now),
            attendance: Attendance::new(now),
            has_played: false,
            retry: RETRY_FIRST,
            returns_failed: 0,
            rng,
        }
    }

    async fn turn(&mut self, field: &Field<G>, user: &mut GooseUser) -> TransactionResult {
        let waits_until = match &self.presence {
            Presence::Outside(until) => *until,
            Presence::Away(way) => way.at,
            Presence::Seated(_) => Instant::now(),
        };
        if Instant::now() < waits_until {
            tokio::time::sleep_until(waits_until.min(Instant::now() + TURN)).await;
            return Ok(());
        }
        match &self.presence {
            Presence::Outside(_) => return self.come_in(field, user).await,
            Presence::Away(..) => return self.come_back(field, user).await,
            Presence::Seated(_) => {}
        }
        self.play(field).await?;
        self.end_stay(field).await;
        Ok(())
    }

    async fn come_in(&mut self, field: &Field<G>, user: &mut GooseUser) -> TransactionResult {
        let click = Instant::now();
        match field.entrance.enter(user, &mut self.visitor, &self.scenario).await {
            Ok((client, way_back)) => {
                let took = click.elapsed();
                self.sit_down(field, client, way_back, Measure::Join, took);
                user.record_custom_request_duration("WS", "join", took, true, None, None).await
            }
            Err(error) => {
                field.board.count(|counts| counts.join_failures += 1);
                self.presence = Presence::Outside(self.next_try());
                tell(field, user, "join", click.elapsed(), &error).await
            }
        }
    }

    async fn come_back(&mut self, field: &Field<G>, user: &mut GooseUser) -> TransactionResult {
        let Presence::Away(mut way) = std::mem::replace(&mut self.presence, Presence::Outside(Instant::now())) else { return Ok(()) };
        let click = Instant::now();
        match field.entrance.resume(user, &self.visitor, &self.scenario, &mut way.back).await {
            Ok((client, way_back)) => {
                let (took, found) = (click.elapsed(), way.found(self.visitor.index, client.seen()));
                self.sit_down(field, client, way_back, Measure::Resume, took);
                if let (Some((found, away)), Presence::Seated(seat)) = (found, &mut self.presence) {
                    seat.bot.notes().record(Measure::Returned, micros(away));
                    field.board.returned(found);
                }
                user.record_custom_request_duration("WS", "resume", took, true, None, None).await
            }
            Err(error) => match way.again(&error, &mut self.rng) {
                Ok(way) => {
                    self.presence = Presence::Away(way);
                    Ok(())
                }
                Err(way) => {
                    field.board.count(|counts| counts.resume_failures += 1);
                    self.returns_failed += 1;
                    let is_lost = way.is_of_lost() || error.is_final() || self.returns_failed >= RETURNS_MAX;
                    if is_lost {
                        // The way to another seat was not tried yet.
                        self.retry = RETRY_FIRST;
                    }
                    let (again, what) = (self.next_try(), if way.is_of_lost() { "lost seat" } else { "resume" });
                    self.presence = if is_lost { Presence::Outside(again) } else { Presence::Away(Box::new(Way::at(way.back, again))) };
                    tell(field, user, what, click.elapsed(), &error).await
                }
            },
        }
    }

    fn sit_down(&mut self, field: &Field<G>, client: PlayerClient<G>, way_back: Option<WayBack>, how: Measure, took: Duration) {
        self.count_absence(field);
        self.attendance.came();
        (self.retry, self.returns_failed) = (RETRY_FIRST, 0);
        if !std::mem::replace(&mut self.has_played, true) {
            field.board.one_plays();
        }
        let match_id = client.welcome().map_or(MatchId::default(), |welcome| welcome.match_id);
        let driver = match &field.recording {
            _ if !self.scenario.plays => Driver::Idle,
            Some(recording) => Driver::Replay { recording: Arc::clone(recording), next: self.rng.below(recording.len() as u32) as usize },
            None => Driver::Brain(G::contender(self.rng.next_u64())),
        };
        let phase = f64::from(self.rng.below(1 << 16)) / f64::from(1 << 16);
        let mut bot = Bot::new(client, driver, phase);
        let notes = bot.notes();
        notes.record(how, micros(took));
        match how {
            Measure::Resume => notes.counts.resumes += 1,
            _ => notes.counts.joins += 1,
        }
        field.board.seated(match_id);
        self.presence = Presence::Seated(Box::new(Seat::new(bot, match_id, way_back)));
    }

    /// When to try again after a try that failed.
    fn next_try(&mut self) -> Instant {
        let wait = self.retry;
        self.retry = (wait * 2).min(RETRY_MAX);
        Instant::now() + wait
    }

    fn count_absence(&mut self, field: &Field<G>) {
        let absent = self.attendance.absent(Instant::now());
        if !absent.is_zero() {
            field.board.count(|counts| counts.absent_micros += micros(absent));
        }
    }

    async fn play(&mut self, field: &Field<G>) -> TransactionResult {
        let Presence::Seated(seat) = &mut self.presence else { return Ok(()) };
        let outcome = seat.bot.play(Instant::now() + TURN).await;
        seat.report(field);
        let Err(stopped) = outcome else { return Ok(()) };
        if let Stopped::Failed(ClientError::Diverged { match_id, tick, table }) = &stopped {
            let (match_id, component) = (match_id.to_string(), (*table).to_owned());
            field.board.diverged(Divergence { match_id, tick: tick.0, component, user: self.visitor.index as u64 });
            // The connection is sound: a player whose view is wrong need not block the seat for the grace period.
            seat.leave(field).await;
        }
        let text = match &stopped {
            Stopped::Closing(reason) => format!("the server ended a session: {}", reason.name()),
            Stopped::Failed(ClientError::Diverged { table, .. }) => format!("a view differed in `{table}`"),
            Stopped::Failed(error) => error.to_string(),
        };
        let way_back = seat.way_back.take().filter(|_| may_resume(&stopped));
        if let (true, Some(way), Some(seen)) = (stopped.is_lost(), &way_back, seat.bot.seen()) {
            let way = Way::lost(way.clone(), seat.bot.moved(), seen, field.return_within, &mut self.rng);
            self.stand_up(field, stopped.name());
            self.presence = Presence::Away(Box::new(way));
            return Ok(());
        }
        self.stand_up(field, stopped.name());
        if let Some(way) = way_back {
            self.presence = Presence::Away(Box::new(Way::at(way, self.next_try())));
        }
        field.board.failed(text.clone());
        Err(Box::new(TransactionError::Custom(text)))
    }

    /// Does what the scenario says after its stay.
    async fn end_stay(&mut self, field: &Field<G>) {
        let Some((stay, then)) = self.scenario.stays else { return };
        let Presence::Seated(seat) = &mut self.presence else { return };
        if seat.since.elapsed() < stay {
            return;
        }
        match then {
            Then::Leave => {
                seat.leave(field).await;
                self.stand_up(field, "scenario");
            }
            Then::Drop(away) => {
                let way_back = seat.way_back.take();
                self.stand_up(field, "scenario");
                if let Some(way) = way_back {
                    let again = Instant::now() + away;
                    self.attendance.went(again);
                    self.presence = Presence::Away(Box::new(Way::at(way, again)));
                }
            }
        }
    }

    /// The test is over: gives the seat back, so that none is left behind.
    async fn go(&mut self, field: &Field<G>, user: &mut GooseUser) {
        if let Presence::Away(..) = self.presence {
            // What it says was counted and written down; there is nobody left to tell.
            let _ = self.come_back(field, user).await;
        }
        if let Presence::Seated(seat) = &mut self.presence {
            seat.leave(field).await;
            self.stand_up(field, "scenario");
        }
    }

    fn stand_up(&mut self, field: &Field<G>, reason: &str) {
        let now = Instant::now();
        if let Presence::Seated(mut seat) = std::mem::replace(&mut self.presence, Presence::Outside(now)) {
            seat.bot.close_books();
            seat.bot.notes().counts.count_close(reason);
            seat.report(field);
            field.board.unseated(seat.match_id);
            self.attendance.went(now);
        }
    }
}

/// Writes down why a player did not get in.
async fn tell<G: Game>(field: &Field<G>, user: &mut GooseUser, what: &str, took: Duration, error: &EnterError) -> TransactionResult {
    let text = error.to_string();
    field.board.failed(format!("{what}: {text}"));
    if let Some(advice) = error.shortage() {
        field.board.failed(advice.to_owned());
    }
    user.record_custom_request_duration("WS", what, took, false, None, Some(&text)).await?;
    Err(Box::new(TransactionError::Custom(text)))
}

//! A goose user's life: come in, play, and leave, drop out or return as its scenario says, in turns of about a second,
//! because goose looks between turns whether the test is over.
//!
//! Invariant: whatever ends a session is counted, with its reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use goose::goose::{GooseUser, Transaction, TransactionError, TransactionFunction, TransactionResult};
use tickwire_game::{GameDef, Rng};
use tickwire_protocol::{ClientMessage, MatchId};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::board::Board;
use crate::bot::{Bot, Driver, Stopped, micros};
use crate::client::{ClientError, Heard};
use crate::entrance::{EnterError, Entrance, PlayerClient, WayBack};
use crate::link::Link;
use crate::measure::Measure;
use crate::recording::Recording;
use crate::report::Divergence;
use crate::scenario::{Scenario, Then};

/// How long a turn lasts.
const TURN: Duration = Duration::from_secs(1);
/// A player that was not let in tries again after so long, and twice as long each time.
const RETRY_FIRST: Duration = Duration::from_millis(250);
/// And after this at most.
const RETRY_MAX: Duration = Duration::from_secs(4);
/// How long a player that leaves waits for the server to close.
const FAREWELL: Duration = Duration::from_secs(8);

/// What all players of a run share.
pub struct Field<G: GameDef> {
    /// The way in.
    pub entrance: Entrance,
    /// Where they bring what they felt.
    pub board: Arc<Board>,
    /// The generator's own timers ran late a moment ago.
    pub generator_is_late: Arc<AtomicBool>,
    /// A person's inputs to play, instead of the bot's.
    pub recording: Option<Arc<Recording<G::Input>>>,
    /// Of the bots' choices.
    pub seed: u64,
    /// Players that were started.
    pub started: AtomicUsize,
    /// Somebody left over a bad network and no answer came in time: the server may keep the seat for its grace period.
    pub left_unanswered: AtomicBool,
}

/// One user, between its turns.
struct Player<G: GameDef> {
    index: usize,
    scenario: Scenario,
    place: Place<G>,
    retry: Duration,
    rng: Rng,
}

/// Where a user is.
enum Place<G: GameDef> {
    Outside,
    Seated(Box<Seat<G>>),
    /// Dropped out on purpose; the way back, and when to take it.
    Away(WayBack, Instant),
}

struct Seat<G: GameDef> {
    bot: Bot<G, Link<TcpStream>>,
    match_id: MatchId,
    way_back: Option<WayBack>,
    since: Instant,
    /// Traffic of the connection that has been counted.
    counted: (u64, u64),
}

/// The user's state in goose's session data, which wants to be cloned and shared.
type Shared<G> = Arc<tokio::sync::Mutex<Player<G>>>;

/// The transactions of `scenario`: come in, take turns, leave.
pub fn transactions<G: GameDef>(field: &Arc<Field<G>>, scenario: Scenario) -> [Transaction; 3] {
    let [enter, play, leave] = [Step::Enter, Step::Turn, Step::Leave].map(|step| {
        let field = Arc::clone(field);
        let function: TransactionFunction = Arc::new(move |user| {
            let field = Arc::clone(&field);
            Box::pin(async move { run(&field, scenario, step, user).await })
        });
        Transaction::new(function)
    });
    [enter.set_name("enter").set_on_start(), play.set_name("play"), leave.set_name("leave").set_on_stop()]
}

#[derive(Clone, Copy)]
enum Step {
    Enter,
    Turn,
    Leave,
}

async fn run<G: GameDef>(field: &Field<G>, scenario: Scenario, step: Step, user: &mut GooseUser) -> TransactionResult {
    if user.get_session_data::<Shared<G>>().is_none() {
        user.set_session_data::<Shared<G>>(Arc::new(tokio::sync::Mutex::new(Player::new(field, scenario))));
    }
    let shared = Arc::clone(user.get_session_data_unchecked::<Shared<G>>());
    let mut player = shared.lock().await;
    match step {
        Step::Enter => player.come_in(field, user).await,
        Step::Turn => player.turn(field, user).await,
        Step::Leave => {
            player.go(field, user).await;
            Ok(())
        }
    }
}

impl<G: GameDef> Player<G> {
    fn new(field: &Field<G>, scenario: Scenario) -> Self {
        let index = field.started.fetch_add(1, Relaxed);
        let rng = Rng::new(field.seed.wrapping_mul(1 << 20).wrapping_add(index as u64));
        Self { index, scenario, place: Place::Outside, retry: RETRY_FIRST, rng }
    }

    async fn turn(&mut self, field: &Field<G>, user: &mut GooseUser) -> TransactionResult {
        match &self.place {
            Place::Outside => return self.come_in(field, user).await,
            Place::Away(_, until) if Instant::now() < *until => {
                tokio::time::sleep_until((*until).min(Instant::now() + TURN)).await;
                return Ok(());
            }
            Place::Away(..) => return self.come_back(field, user).await,
            Place::Seated(_) => {}
        }
        self.play(field).await?;
        self.end_stay(field).await;
        Ok(())
    }

    async fn come_in(&mut self, field: &Field<G>, user: &mut GooseUser) -> TransactionResult {
        let click = Instant::now();
        match field.entrance.enter(user, self.index, self.scenario.door).await {
            Ok((client, way_back)) => {
                let took = click.elapsed();
                self.sit_down(field, client, way_back, Measure::Join, took);
                user.record_custom_request_duration("WS", "join", took, true, None, None).await
            }
            Err(error) => {
                field.board.count(|counts| counts.join_failures += 1);
                self.wait_outside(field, user, "join", click.elapsed(), &error).await
            }
        }
    }

    async fn come_back(&mut self, field: &Field<G>, user: &mut GooseUser) -> TransactionResult {
        let Place::Away(way, _) = std::mem::replace(&mut self.place, Place::Outside) else { return Ok(()) };
        let click = Instant::now();
        match field.entrance.resume(user, self.index, &way).await {
            Ok((client, way_back)) => {
                let took = click.elapsed();
                self.sit_down(field, client, way_back, Measure::Resume, took);
                user.record_custom_request_duration("WS", "resume", took, true, None, None).await
            }
            Err(error) => {
                field.board.count(|counts| counts.resume_failures += 1);
                self.wait_outside(field, user, "resume", click.elapsed(), &error).await
            }
        }
    }

    fn sit_down(&mut self, field: &Field<G>, client: PlayerClient<G>, way_back: Option<WayBack>, how: Measure, took: Duration) {
        self.retry = RETRY_FIRST;
        let match_id = client.welcome().map_or(MatchId::default(), |welcome| welcome.match_id);
        let driver = match &field.recording {
            _ if !self.scenario.plays => Driver::Idle,
            Some(recording) => Driver::Replay { recording: Arc::clone(recording), next: self.rng.below(recording.len() as u32) as usize },
            None => Driver::Brain(G::brain(self.rng.next_u64())),
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
        self.place = Place::Seated(Box::new(Seat { bot, match_id, way_back, since: Instant::now(), counted: (0, 0) }));
    }

    async fn wait_outside(
        &mut self,
        field: &Field<G>,
        user: &mut GooseUser,
        what: &str,
        took: Duration,
        error: &EnterError,
    ) -> TransactionResult {
        let text = error.to_string();
        field.board.failed(format!("{what}: {text}"));
        if let Some(advice) = error.shortage() {
            field.board.failed(advice.to_owned());
        }
        user.record_custom_request_duration("WS", what, took, false, None, Some(&text)).await?;
        tokio::time::sleep(self.retry).await;
        self.retry = (self.retry * 2).min(RETRY_MAX);
        Err(Box::new(TransactionError::Custom(text)))
    }

    async fn play(&mut self, field: &Field<G>) -> TransactionResult {
        let Place::Seated(seat) = &mut self.place else { return Ok(()) };
        let outcome = seat.bot.play(Instant::now() + TURN).await;
        seat.report(field);
        let Err(stopped) = outcome else { return Ok(()) };
        if let Stopped::Failed(ClientError::Diverged { match_id, tick, table }) = &stopped {
            let (match_id, component) = (match_id.to_string(), (*table).to_owned());
            field.board.diverged(Divergence { match_id, tick: tick.0, component, user: self.index as u64 });
            // The connection is sound: a player whose view is wrong need not block the seat for the grace period.
            seat.leave(field).await;
        }
        let text = match &stopped {
            Stopped::Closing(reason) => format!("the server ended a session: {}", reason.name()),
            Stopped::Failed(ClientError::Diverged { table, .. }) => format!("a view differed in `{table}`"),
            Stopped::Failed(error) => error.to_string(),
        };
        self.stand_up(field, stopped.name());
        field.board.failed(text.clone());
        Err(Box::new(TransactionError::Custom(text)))
    }

    /// Does what the scenario says after its stay.
    async fn end_stay(&mut self, field: &Field<G>) {
        let Some((stay, then)) = self.scenario.stays else { return };
        let Place::Seated(seat) = &mut self.place else { return };
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
                self.place = way_back.map_or(Place::Outside, |way| Place::Away(way, Instant::now() + away));
            }
        }
    }

    /// The test is over: gives the seat back, so that none is left behind.
    async fn go(&mut self, field: &Field<G>, user: &mut GooseUser) {
        if let Place::Away(..) = self.place {
            // What it says was counted and written down; there is nobody left to tell.
            let _ = self.come_back(field, user).await;
        }
        if let Place::Seated(seat) = &mut self.place {
            seat.leave(field).await;
            self.stand_up(field, "scenario");
        }
    }

    fn stand_up(&mut self, field: &Field<G>, reason: &str) {
        if let Place::Seated(mut seat) = std::mem::replace(&mut self.place, Place::Outside) {
            seat.bot.close_books();
            seat.bot.notes().counts.count_close(reason);
            seat.report(field);
            field.board.unseated(seat.match_id);
        }
    }
}

impl<G: GameDef> Seat<G> {
    /// Brings what was felt to the board.
    fn report(&mut self, field: &Field<G>) {
        let link = self.bot.client().stream();
        let traffic = (link.bytes_in(), link.bytes_out());
        let counted = std::mem::replace(&mut self.counted, traffic);
        let notes = self.bot.notes();
        notes.counts.received_bytes += traffic.0 - counted.0;
        notes.counts.sent_bytes += traffic.1 - counted.1;
        field.board.add(notes);
        field.board.waited(self.match_id, self.bot.take_stalls(), field.generator_is_late.load(Relaxed));
    }

    /// Says so, and waits for the server to close.
    async fn leave(&mut self, field: &Field<G>) {
        let client = self.bot.client();
        let farewell = async {
            // A spectator has no seat to leave: closing is enough.
            if client.player().is_some() {
                client.send(ClientMessage::Leave).await?;
                while !matches!(client.next().await, Ok(Heard::Closing(_)) | Err(ClientError::Closed | ClientError::Connection(_))) {}
            }
            Ok::<_, ClientError>(())
        };
        let was_answered = tokio::time::timeout(FAREWELL, farewell).await.is_ok();
        // What a bad network swallowed is not the server's fault: it must think the player lost, and keep the seat for a while.
        if !was_answered && !self.bot.client().stream().is_ideal() {
            field.left_unanswered.store(true, Relaxed);
        }
    }
}

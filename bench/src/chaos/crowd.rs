//! The bots: they take a seat, play, come back whenever their connection breaks, and write down
//! what they see.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use arena::Arena;
use tickwire_game::{Bots, Game, Rng};
use tickwire_protocol::messages::Retry;
use tickwire_protocol::{ClientMessage, CloseReason, Credential, WsUrl};
use tickwire_testkit::bot::{Bot, Driver, Stopped};
use tickwire_testkit::client::{Client, ClientError, Heard};
use tickwire_testkit::comeback::{Lost, Seen};
use tickwire_testkit::route::Route;
use tickwire_testkit::{Api, Join};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::check::AFTERMATH;
use crate::history::{Recorder, View, What};

/// How often a bot writes down what it sees.
const TURN: Duration = Duration::from_secs(1);
/// How long any part of coming in may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long one try to come back may take where there are several servers.
const PATIENCE_OTHERS: Duration = Duration::from_secs(1);
/// After so long without a snapshot a bot takes its connection for lost, where there are several servers.
const SILENCE: Duration = Duration::from_secs(2);
/// A bot that found no seat tries again after so long.
const AGAIN: Duration = Duration::from_millis(300);

/// All bots.
pub(crate) struct Crowd {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    size: u32,
}

/// What they share.
struct Shared {
    servers: Vec<SocketAddr>,
    /// Bots that play on each.
    seats: Mutex<BTreeMap<String, u32>>,
    recorder: Arc<Recorder>,
    /// How long one tries to come back.
    patience: Duration,
    seed: u64,
    /// Bots that play.
    playing: AtomicU32,
    /// When each bot had its newest snapshot, as it said last: microseconds since the run began.
    heard: Vec<AtomicU64>,
    is_over: AtomicBool,
}

impl Crowd {
    /// Sends `size` bots to `servers`.
    pub(crate) fn send(servers: Vec<SocketAddr>, size: u32, patience: Duration, seed: u64, recorder: &Arc<Recorder>) -> Self {
        let (playing, is_over) = (AtomicU32::new(0), AtomicBool::new(false));
        let heard = (0..size).map(|_| AtomicU64::new(0)).collect();
        let (seats, recorder) = (Mutex::default(), Arc::clone(recorder));
        let shared = Arc::new(Shared { servers, seats, recorder, patience, seed, playing, heard, is_over });
        let mut tasks = JoinSet::new();
        for number in 0..size {
            let shared = Arc::clone(&shared);
            tasks.spawn(async move { One::new(number, &shared).live().await });
        }
        Self { shared, tasks, size }
    }

    /// Bots that play now.
    pub(crate) fn playing(&self) -> u32 {
        self.shared.playing.load(Relaxed)
    }

    /// Waits until all of them play, and have said that they saw something newer than `since`, at most
    /// for `patience`. Says whether they do.
    pub(crate) async fn all_play_since(&self, since: std::time::Instant, patience: Duration) -> bool {
        let (until, since) = (Instant::now() + patience, self.shared.recorder.micros(since) + AFTERMATH);
        let do_they = || self.playing() == self.size && self.shared.heard.iter().all(|heard| heard.load(Relaxed) > since);
        while !do_they() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        do_they()
    }

    /// Bots that play on each server now.
    pub(crate) fn seats(&self) -> BTreeMap<String, u32> {
        self.shared.seats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until all of them play, at most for `patience`. Says whether they do.
    pub(crate) async fn all_play(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        while self.playing() < self.size && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.playing() == self.size
    }

    /// Lets them leave their seats.
    pub(crate) async fn leave(mut self) {
        self.shared.is_over.store(true, Relaxed);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// One bot.
struct One<'a> {
    number: u32,
    shared: &'a Shared,
    api: Api,
    rng: Rng,
    has_session: bool,
    /// Counts the servers that it asked.
    tries: u32,
}

/// A connection to a seat, and where it leads.
struct Seat {
    bot: Bot<Arena, tickwire_testkit::line::Line>,
    route: Route,
    /// What it came in with.
    opened_with: Credential,
}

impl<'a> One<'a> {
    fn new(number: u32, shared: &'a Shared) -> Self {
        let api = api_of(shared, number, number);
        Self { number, shared, api, tries: number, rng: Rng::new(shared.seed.wrapping_add(u64::from(number) << 32)), has_session: false }
    }

    async fn live(mut self) {
        while !self.is_over() {
            if let Ok(Ok(seat)) = timeout(PATIENCE, self.take_seat()).await {
                self.note_view(&seat, |bot, view| What::Seated { bot, view });
                self.stay(seat).await;
            } else {
                // A server that came up with nothing does not know the guest.
                self.has_session = false;
                self.tries += 1;
                self.api = api_of(self.shared, self.number, self.tries);
                tokio::time::sleep(AGAIN.mul_f64(0.5 + f64::from(self.rng.below(1000)) / 1000.0)).await;
            }
        }
    }

    /// In its seat, until it has lost it or all is over.
    async fn stay(&mut self, mut seat: Seat) {
        loop {
            self.shared.playing.fetch_add(1, Relaxed);
            self.shared.sits(&seat.route, 1);
            let stopped = self.play(&mut seat).await;
            self.shared.sits(&seat.route, -1);
            let seen = seat.bot.seen();
            let Some(stopped) = stopped else { return leave(seat).await };
            self.shared.playing.fetch_sub(1, Relaxed);
            let bot = self.number;
            let (credential, Some(seen)) = (seat.bot.client().resume_credential(), seen) else { return };
            match stopped {
                stopped if stopped.is_lost() => {}
                Stopped::Failed(ClientError::Diverged { tick, table, .. }) => {
                    return self.note(What::Diverged { bot, tick: tick.0, component: table.to_owned() });
                }
                other => return self.note(What::Closed { bot, reason: other.name().to_owned() }),
            }
            self.note(What::Lost { bot, view: View::from(seen) });
            let Some(credential) = credential else { return };
            let moved = seat.bot.moved().cloned();
            match self.come_back([credential, seat.opened_with], seat.route, moved, seen).await {
                Ok(back) => seat = back,
                Err(why) => return self.note(What::LostSeat { bot, why }),
            }
            self.note_view(&seat, |bot, view| What::Returned { bot, view });
        }
    }

    /// Plays until all is over, which is `None`, or something stops it.
    async fn play(&mut self, seat: &mut Seat) -> Option<Stopped> {
        let mut seen = (None, Instant::now());
        while !self.is_over() {
            if let Err(stopped) = seat.bot.play(Instant::now() + TURN).await {
                return Some(stopped);
            }
            // Nobody reads what it felt: this run is about what is true.
            *seat.bot.notes() = tickwire_testkit::measure::Notes::default();
            seat.bot.take_stalls();
            self.note_waited(seat);
            let heard = seat.bot.last_snapshot().map_or(0, |at| self.shared.recorder.micros(at.into_std()));
            self.note_view(seat, |bot, view| What::Saw { bot, view, heard });
            self.shared.heard.get(self.number as usize).into_iter().for_each(|place| place.store(heard, Relaxed));
            let tick = seat.bot.seen().map(|seen| seen.tick);
            if tick != seen.0 {
                seen = (tick, Instant::now());
            } else if seat.route.has_others() && seen.1.elapsed() >= SILENCE {
                // As a page that notices that nothing comes, where another server may have the match.
                return Some(Stopped::Failed(ClientError::Closed));
            }
        }
        None
    }

    /// With the newest of its credentials. That of a server which died, or was none any more, may be known to
    /// nobody: then the one before is as good as it was.
    async fn come_back(
        &mut self,
        [mut credential, before]: [Credential; 2],
        mut route: Route,
        moved: Option<WsUrl>,
        seen: Seen,
    ) -> Result<Seat, String> {
        let mut lost = Lost::now(seen, self.shared.patience);
        let mut moves = moved.is_some_and(|url| route.move_to(&url));
        let mut last = "there was no time to try".to_owned();
        loop {
            let pause = if std::mem::take(&mut moves) { Some(Duration::ZERO) } else { route.pause(&mut self.rng) };
            let Some(next) = lost.next_try(pause, &mut self.rng) else { break };
            tokio::time::sleep_until(next).await;
            // Where another server may answer, one that does not is left soon.
            let patience = if route.has_others() { PATIENCE_OTHERS } else { PATIENCE };
            let why = match timeout(patience, self.open(&mut route, credential)).await {
                Ok(Ok(seat)) => return Ok(seat),
                Ok(Err(error)) => error,
                Err(_) => ClientError::TimedOut,
            };
            last = why.to_string();
            if matches!(why, ClientError::Told(CloseReason::BadResume)) && route.has_others() && credential != before {
                (credential, moves) = (before, true);
                continue;
            }
            if !matches!(why, ClientError::Told(_)) {
                route.failed();
            }
            if matches!(why, ClientError::Told(reason) if reason.retry() != Retry::Resume) {
                break;
            }
        }
        Err(last)
    }

    async fn take_seat(&mut self) -> Result<Seat> {
        if !self.has_session {
            self.api.open_session(&format!("Bot {}", self.number)).await.context("session")?;
            self.has_session = true;
        }
        let Some(mode) = Arena::MODES.first() else { bail!("the game has no mode") };
        let Join { ticket, ws_url, alternates, .. } = self.api.quick_play(mode.id).await.context("seat")?;
        Ok(self.open(&mut Route::new(&ws_url, &alternates), Credential::Ticket(ticket)).await?)
    }

    /// Up to the first snapshot, wherever Migrate says.
    async fn open(&mut self, route: &mut Route, credential: Credential) -> Result<Seat, ClientError> {
        let mut client = self.connect(route, credential).await?;
        loop {
            match client.next().await? {
                Heard::Snapshot(_) => break,
                Heard::Migrate(url) if route.move_to(&url) => client = self.connect(route, credential).await?,
                Heard::Closing(reason) => return Err(ClientError::Told(reason)),
                _ => {}
            }
        }
        route.arrived();
        let brain = Arena::contender(self.rng.next_u64());
        let phase = f64::from(self.rng.below(1000)) / 1000.0;
        Ok(Seat { bot: Bot::new(client, Driver::Brain(brain), phase), route: route.clone(), opened_with: credential })
    }

    async fn connect(&self, route: &Route, credential: Credential) -> Result<Client<Arena>, ClientError> {
        let mut client = Client::connect(&self.api, route.address()).await?;
        client.hello(credential).await?;
        Ok(client)
    }

    fn note_view(&self, seat: &Seat, what: impl FnOnce(u32, View) -> What) {
        if let Some(seen) = seat.bot.seen() {
            self.note(what(self.number, View::from(seen)));
        }
    }

    fn note_waited(&self, seat: &mut Seat) {
        if let Some((gap, ended)) = seat.bot.take_longest_gap() {
            let (gap, ended) = (gap.as_micros() as u64, self.shared.recorder.micros(ended.into_std()));
            self.note(What::Waited { bot: self.number, gap, ended });
        }
    }

    fn note(&self, what: What) {
        self.shared.recorder.note(what);
    }

    fn is_over(&self) -> bool {
        self.shared.is_over.load(Relaxed)
    }
}

/// A bot's way to the API of the server whose turn it is.
fn api_of(shared: &Shared, number: u32, turn: u32) -> Api {
    let server = shared.servers.get(turn as usize % shared.servers.len().max(1));
    Api::new(server.copied().unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))), Api::loopback_source(number as usize))
}

impl Shared {
    fn sits(&self, route: &Route, change: i32) {
        if let Some(authority) = route.authority() {
            let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
            let count = seats.entry(authority.to_owned()).or_default();
            *count = count.saturating_add_signed(change);
        }
    }
}

/// Gives its seat up, as far as the server still listens.
async fn leave(mut seat: Seat) {
    let client = seat.bot.client();
    let farewell = async {
        if client.send(ClientMessage::Leave).await.is_ok() {
            while !matches!(client.next().await, Ok(Heard::Closing(_)) | Err(_)) {}
        }
    };
    // It has said all that it had to.
    let _ = timeout(Duration::from_secs(2), farewell).await;
}

//! Those who mean to play: players whose gaps between snapshots are measured, and newcomers that
//! try to get in all the while.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use arena::Arena;
use arena::input::Input;
use hdrhistogram::Histogram;
use tickwire_protocol::{Credential, Tick, Ticket};
use tickwire_testkit::client::{Client, Heard};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::wire::{Request, Stream, Target, source};

/// Second part of the addresses of players and of newcomers.
const PLAYERS_NET: u8 = 1;
const NEWCOMERS_NET: u8 = 9;
/// Time between two newcomers.
const NEWCOMER_EVERY: Duration = Duration::from_millis(500);
/// How far a newcomer is from the server: it waits so long before each thing it says.
const NEWCOMER_ROUND_TRIP: Duration = Duration::from_millis(100);
/// A newcomer that has not got in after so long has failed.
const NEWCOMER_PATIENCE: Duration = Duration::from_secs(10);
/// How far ahead of the last snapshot inputs are meant for.
const LEAD: u32 = 4;
/// Time between two looks at this program's own lateness.
const OWN_LAG_EVERY: Duration = Duration::from_millis(7);
/// Gaps up to so long are told apart, microseconds.
const GAP_MAX_US: u64 = 60_000_000;

/// What honest people have felt in one stretch of time.
#[derive(Clone, Debug)]
pub(crate) struct Felt {
    /// Time between two snapshots of a player, microseconds.
    pub(crate) gaps: Histogram<u64>,
    /// Players that were closed, or that saw something else than the server did.
    pub(crate) lost: Vec<String>,
    /// How late this program itself was, microseconds: what is felt may be its own fault.
    pub(crate) own_lag: Histogram<u64>,
    /// Newcomers that got in, microseconds each from the first connection to Welcome.
    pub(crate) entered: Histogram<u64>,
    /// Newcomers that did not, and why.
    pub(crate) kept_out: Vec<String>,
}

impl Felt {
    fn nothing() -> Result<Self> {
        let histogram = || Histogram::new_with_bounds(1, GAP_MAX_US, 3).context("the bounds are valid");
        Ok(Self { gaps: histogram()?, lost: Vec::new(), own_lag: histogram()?, entered: histogram()?, kept_out: Vec::new() })
    }
}

/// Everyone who means to play on one server.
pub(crate) struct Crowd {
    felt: Arc<Mutex<Felt>>,
    gone: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

impl Crowd {
    /// Lets `players` join one after the other, then newcomers for as long as this lives.
    pub(crate) async fn gather(server: &Target, players: usize) -> Result<Self> {
        let mut crowd = Self { felt: Arc::new(Mutex::new(Felt::nothing()?)), gone: Arc::default(), tasks: JoinSet::new() };
        for nth in 0..players {
            let client = enter(server, source(PLAYERS_NET, nth), Duration::ZERO).await;
            let client = client.with_context(|| format!("player {nth} could not join a server at peace"))?;
            let (felt, gone) = (Arc::clone(&crowd.felt), Arc::clone(&crowd.gone));
            crowd.tasks.spawn(async move {
                if let Err(error) = play(client, &felt, &gone).await {
                    lock(&felt).lost.push(format!("{error:#}"));
                }
            });
        }
        let felt = Arc::clone(&crowd.felt);
        crowd.tasks.spawn(async move { watch_own_lag(&felt).await });
        let (felt, server) = (Arc::clone(&crowd.felt), server.clone());
        crowd.tasks.spawn(async move { send_newcomers(server, felt).await });
        Ok(crowd)
    }

    /// What was felt since this was last asked.
    pub(crate) fn felt(&self) -> Result<Felt> {
        Ok(std::mem::replace(&mut *lock(&self.felt), Felt::nothing()?))
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.gone.store(true, Relaxed);
    }
}

/// Wakes every few milliseconds, and notes how late.
async fn watch_own_lag(felt: &Mutex<Felt>) {
    loop {
        let due = Instant::now() + OWN_LAG_EVERY;
        tokio::time::sleep_until(due).await;
        lock(felt).own_lag.saturating_record(due.elapsed().as_micros() as u64);
    }
}

fn lock(felt: &Mutex<Felt>) -> std::sync::MutexGuard<'_, Felt> {
    felt.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The whole way in, from `address`. `far` is waited for before each step.
async fn enter(server: &Target, address: IpAddr, far: Duration) -> Result<Client<Arena, Stream>> {
    tokio::time::sleep(far).await;
    let opened = server.ask(address, &Request::post("/api/session", "", r#"{"name":"Honest"}"#)).await.context("session")?;
    let Some(token) = opened.member("token") else { bail!("session: {} {}", opened.status, opened.body) };
    let bearer = format!("Authorization: Bearer {token}\r\n");
    tokio::time::sleep(far).await;
    let seated = server.ask(address, &Request::post("/api/quick-play", &bearer, r#"{"mode":"ffa"}"#)).await.context("seat")?;
    let (Some(ticket), Some(ws_url)) = (seated.member("ticket"), seated.member("ws_url")) else {
        bail!("seat: {} {}", seated.status, seated.body)
    };
    let ticket: Ticket = ticket.parse().ok().context("the ticket is none")?;
    let stream = server.connect(address).await.context("connection")?;
    tokio::time::sleep(far).await;
    let url = format!("ws://{}/{ws_url}", server.authority());
    let mut client = Client::over(stream, url).await.context("handshake")?;
    tokio::time::sleep(far).await;
    client.hello(Credential::Ticket(ticket)).await.context("Hello")?;
    loop {
        match client.next().await.context("Welcome")? {
            Heard::Welcome(_) => return Ok(client),
            Heard::Closing(reason) => bail!("closed: {}", reason.name()),
            _ => {}
        }
    }
}

/// Plays: an input for each snapshot. Every snapshot is checked by the client.
async fn play(mut client: Client<Arena, Stream>, felt: &Mutex<Felt>, gone: &AtomicBool) -> Result<()> {
    let mut last: Option<Instant> = None;
    while !gone.load(Relaxed) {
        match client.next().await? {
            Heard::Snapshot(tick) => {
                let now = Instant::now();
                if let Some(last) = last.replace(now) {
                    lock(felt).gaps.saturating_record(now.duration_since(last).as_micros() as u64);
                }
                client.input(Tick(tick.0 + LEAD), wander(tick)).await?;
            }
            Heard::Closing(reason) => bail!("closed: {}", reason.name()),
            _ => {}
        }
    }
    Ok(())
}

/// An input that changes every second.
fn wander(tick: Tick) -> Input {
    let (x, y) = [(100, 0), (0, 100), (-100, 0), (0, -100)][(tick.0 / 30 % 4) as usize];
    Input { move_x: x, move_y: y, aim: (tick.0 * 500) as u16, buttons: u8::from(tick.0.is_multiple_of(20)) * Input::FIRE }
}

async fn send_newcomers(server: Target, felt: Arc<Mutex<Felt>>) {
    let mut each = tokio::time::interval(NEWCOMER_EVERY);
    let mut inside = JoinSet::new();
    for nth in 0.. {
        each.tick().await;
        let (server, felt) = (server.clone(), Arc::clone(&felt));
        inside.spawn(async move {
            let began = Instant::now();
            let entered = tokio::time::timeout(NEWCOMER_PATIENCE, enter(&server, source(NEWCOMERS_NET, nth), NEWCOMER_ROUND_TRIP));
            match entered.await {
                Ok(Ok(mut client)) => {
                    lock(&felt).entered.saturating_record(began.elapsed().as_micros() as u64);
                    // It has seen enough, and gives its seat up.
                    let _ = client.send(tickwire_protocol::ClientMessage::Leave).await;
                }
                Ok(Err(error)) => lock(&felt).kept_out.push(format!("{error:#}")),
                Err(_) => lock(&felt).kept_out.push(format!("not in after {} s", NEWCOMER_PATIENCE.as_secs())),
            }
        });
        while inside.try_join_next().is_some() {}
    }
}

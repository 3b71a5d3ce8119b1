//! The players, all on one thread: as cheap as it gets, since it shares the machine with the server it measures.
//!
//! Inputs leave on a schedule of absolute times, one per player and tick, players of one match far from one another in it. What is
//! late is late against that schedule, whatever the server did.
//!
//! Invariant: the generator looks at an arm's messages only as far as it must to answer like the arm's own client; those of one
//! player per match may be decoded whole.

mod over_http;
mod player;
mod socket;
pub(crate) mod window;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mio::{Events, Interest, Poll, Token};
use rustls::ClientConfig;
use tickwire_testkit::line::Trust;

use crate::arm::Arm;
use crate::dialect::Dialect;
use crate::seats::{Seat, Seats};
use crate::watch::{Tally, Watcher};
use crate::workload::{Interrupted, MATCH_SEATS, TICK};
use player::Player;
use window::Window;

/// Players that connect at once.
const BATCH: usize = 48;
/// How long the loop runs between two batches.
const BATCH_PAUSE: Duration = Duration::from_millis(20);
/// How long all may take to play once the last has connected.
const JOIN_PATIENCE: Duration = Duration::from_secs(20);
/// The least time between two looks at the schedule: `epoll_wait` counts in milliseconds.
const STEP: Duration = Duration::from_millis(1);
/// Sockets of a player.
const SOCKETS_MAX: usize = 2;
const BUFFER_BYTES: usize = 256 * 1024;

/// Whose updates are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// One player's per match.
    OnePerMatch,
    Nobody,
}

/// Many players of one arm.
pub(crate) struct Generator {
    arm: Arm,
    server: SocketAddr,
    seats: Seats,
    watch: Watch,
    poll: Poll,
    events: Events,
    players: Vec<Player>,
    /// Players in the order of their inputs.
    order: Vec<usize>,
    /// When the schedule of `order` began, and how many inputs of it were sent.
    began: Instant,
    sent: u64,
    matches: usize,
    /// How players shake hands, with the arm that speaks TLS.
    tls: Option<Arc<ClientConfig>>,
    window: Window,
    buffer: Vec<u8>,
    scratch: Vec<u8>,
    interrupted: Arc<AtomicBool>,
}

impl Generator {
    pub(crate) fn new(arm: Arm, server: SocketAddr, watch: Watch, interrupted: Arc<AtomicBool>) -> Result<Self> {
        let trust = arm.is_secure().then(Trust::anyone).transpose()?;
        Ok(Self {
            arm,
            server,
            tls: trust.as_ref().map(|trust| Arc::clone(trust.config())),
            seats: Seats::new(arm, server, trust)?,
            watch,
            poll: Poll::new().context("no epoll")?,
            events: Events::with_capacity(1024),
            players: Vec::new(),
            order: Vec::new(),
            began: Instant::now(),
            sent: 0,
            matches: 0,
            window: Window::open()?,
            buffer: vec![0; BUFFER_BYTES],
            scratch: Vec::new(),
            interrupted,
        })
    }

    /// Lets players join until there are `count`, and waits until all of them play.
    pub(crate) fn grow_to(&mut self, count: usize) -> Result<()> {
        while self.players.len() < count {
            for _ in 0..BATCH.min(count - self.players.len()) {
                let seat = self.seats.take()?;
                self.connect(&seat)?;
            }
            self.run_for(BATCH_PAUSE)?;
        }
        let deadline = Instant::now() + JOIN_PATIENCE;
        while !self.players.iter().all(Player::is_playing) {
            if Instant::now() > deadline {
                let playing = self.players.iter().filter(|player| player.is_playing()).count();
                bail!("only {playing} of {count} players had joined after {} s", JOIN_PATIENCE.as_secs());
            }
            self.run_for(BATCH_PAUSE)?;
        }
        self.reschedule();
        Ok(())
    }

    /// Plays for `duration`, from counters at zero.
    pub(crate) fn measure(&mut self, duration: Duration) -> Result<&Window> {
        self.window = Window::open()?;
        self.run_for(duration)?;
        Ok(&self.window)
    }

    /// Plays on for `duration`.
    pub(crate) fn run_for(&mut self, duration: Duration) -> Result<()> {
        let until = Instant::now() + duration;
        loop {
            let now = Instant::now();
            if now >= until {
                return Ok(());
            }
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(Interrupted.into());
            }
            self.send_due(now)?;
            match self.poll.poll(&mut self.events, Some(STEP.min(until - now))) {
                Err(error) if error.kind() != std::io::ErrorKind::Interrupted => return Err(error.into()),
                _ => {}
            }
            self.serve_events()?;
        }
    }

    /// What the decoded updates showed, all since the beginning.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        self.players.iter().filter_map(Player::watcher).for_each(|watcher| tally.add(watcher.tally));
        tally
    }

    fn connect(&mut self, seat: &Seat) -> Result<()> {
        let index = self.players.len();
        let is_first = seat.match_index >= self.matches;
        self.matches = self.matches.max(seat.match_index + 1);
        let watcher = if is_first && self.watch == Watch::OnePerMatch { Watcher::new(self.arm) } else { None };
        let (dialect, tls) = (Dialect::new(self.arm, seat.ticket), self.tls.as_ref());
        let mut player = Player::open(self.arm, self.server, index, seat, dialect, watcher, tls)?;
        for (which, stream) in player.streams().into_iter().enumerate() {
            self.poll.registry().register(stream, Token(index * SOCKETS_MAX + which), Interest::READABLE | Interest::WRITABLE)?;
        }
        self.players.push(player);
        Ok(())
    }

    /// Begins the schedule anew for all who play. Seats are given match by match: a step of 16 leads from match to match.
    fn reschedule(&mut self) {
        let count = self.players.len();
        self.order = (0..MATCH_SEATS).flat_map(|seat| (seat..count).step_by(MATCH_SEATS)).collect();
        self.began = Instant::now();
        self.sent = 0;
    }

    fn send_due(&mut self, now: Instant) -> Result<()> {
        let count = self.order.len() as u64;
        if count == 0 {
            return Ok(());
        }
        loop {
            let due = self.began + Duration::from_nanos((u128::from(self.sent) * TICK.as_nanos() / u128::from(count)) as u64);
            let Some(late) = now.checked_duration_since(due) else { return Ok(()) };
            self.window.lateness.record(late.as_micros() as u64);
            let index = self.order.get((self.sent % count) as usize).copied();
            self.sent += 1;
            if let Some(player) = index.and_then(|index| self.players.get_mut(index)).filter(|player| player.is_open()) {
                player.play(&mut self.scratch)?;
            }
        }
    }

    fn serve_events(&mut self) -> Result<()> {
        let Self { events, players, buffer, scratch, window, .. } = self;
        for event in events.iter() {
            let Some(player) = players.get_mut(event.token().0 / SOCKETS_MAX) else { continue };
            let which = event.token().0 % SOCKETS_MAX;
            if event.is_writable() {
                player.on_writable(which)?;
            }
            if event.is_readable() {
                player.on_readable(which, buffer, scratch, window)?;
            }
        }
        Ok(())
    }
}

//! One player: a real, checking client that acts on its own schedule and writes down what it feels.
//!
//! Inputs are sent at evenly spaced moments that do not depend on what the server or the generator do; everything timed
//! counts from those moments, so a generator that falls behind makes the figures worse, not better.
//!
//! Invariant: every snapshot is decoded, kept, and compared with the server's hashes whenever they come.

mod freshness;
mod timeline;
mod windows;
mod witness;

use std::pin::Pin;
use std::time::Duration;

use tickwire_game::{Game, Mode};
use tickwire_protocol::messages::Pong;
use tickwire_protocol::{ClientMessage, CloseReason, Event, Tick, WsUrl};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::client::{Client, ClientError, Heard};
use crate::comeback;
use crate::link::Arrivals;
use crate::measure::{CONNECTION_LOST, Measure, Notes};
use crate::recording::Recording;
pub use freshness::FRESH_TICKS;
use freshness::Freshness;
use timeline::Timeline;
use windows::Windows;
use witness::{Origin, Seen, Witness};

/// Time between pings, which also keep an idle session alive.
const PING_EVERY: Duration = Duration::from_secs(1);
/// A gap is a stall if it is at least so long, at least [`STALL_TICKS`], and others of the match see
/// it too.
const STALL: Duration = Duration::from_millis(100);
/// See [`STALL`].
const STALL_TICKS: u32 = 4;

/// So much a bot hears at once before it looks at the clock, whatever else there is to hear: a server
/// that talks without end keeps it from nothing.
const HEARD_AT_ONCE_MAX: u32 = 256;

/// Who decides what a player does.
pub enum Driver<G: Game> {
    /// The game's own bot.
    Brain(G::Brain),
    /// A person's recorded inputs, over and over, from somewhere in the middle.
    Replay {
        /// What the person did.
        recording: std::sync::Arc<Recording<G::Input>>,
        /// The next input.
        next: usize,
    },
    /// Nobody: the player looks on.
    Idle,
}

/// One player.
pub struct Bot<G: Game, S> {
    client: Client<G, S>,
    driver: Driver<G>,
    interval: Duration,
    timeline: Timeline,
    witness: Witness<G>,
    windows: Windows,
    /// When the next input is meant to be sent.
    next_input: Instant,
    /// Inputs before that one that were not sent.
    owed: u32,
    last_input: Option<Tick>,
    next_ping: Instant,
    /// When each ping on its way was sent, oldest first, with the window it ended.
    pings: std::collections::VecDeque<(u32, Instant)>,
    last_snapshot: Option<(Tick, Instant)>,
    freshness: Freshness,
    /// What was felt since it was last told.
    notes: Notes,
    /// Until when their player time is counted.
    counted_until: Instant,
    stalls: Vec<Waited>,
    /// The longest gap since it was last asked for, and when it ended.
    longest: Option<(Duration, Instant)>,
    /// Where the match goes on, once the server has said so.
    moved: Option<WsUrl>,
}

/// A gap that was long enough to be a stall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waited {
    /// The tick that ended it.
    pub tick: Tick,
    /// How long it was.
    pub gap: Duration,
}

/// Why a bot stopped before its time.
#[derive(Debug)]
pub enum Stopped {
    /// The server gave a reason.
    Closing(CloseReason),
    /// Something failed.
    Failed(ClientError),
}

impl From<ClientError> for Stopped {
    fn from(error: ClientError) -> Self {
        Self::Failed(error)
    }
}

impl Stopped {
    /// A stable word for the table of closes.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Closing(reason) => reason.name(),
            Self::Failed(ClientError::Diverged { .. }) => "diverged",
            Self::Failed(ClientError::Malformed(_)) => "malformed_by_server",
            Self::Failed(_) => CONNECTION_LOST,
        }
    }

    /// Whether the match goes on, here or elsewhere: the connection broke without a word, since its
    /// server may have died, or the server makes way for another.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Closing(reason) => matches!(reason, CloseReason::Moved | CloseReason::Restarting),
            Self::Failed(error) => matches!(error, ClientError::Connection(_) | ClientError::Closed | ClientError::Io(_)),
        }
    }
}

impl<G: Game, S: AsyncRead + AsyncWrite + Arrivals + Unpin> Bot<G, S> {
    /// Plays over a client that has heard Welcome. `phase` (0 to 1) is where in an interval its inputs go.
    pub fn new(client: Client<G, S>, driver: Driver<G>, phase: f64) -> Self {
        let now = Instant::now();
        let mode = client.welcome().and_then(|welcome| {
            let mode = G::MODES.get(usize::from(welcome.mode))?;
            Some(Mode { tick_rate: welcome.tick_rate, ..*mode })
        });
        let mode = mode.unwrap_or(G::MODES[0]);
        let interval = Duration::from_secs(1) / u32::from(mode.tick_rate.max(1));
        let seen = client.view().map(|view| view.tick);
        Self {
            client,
            driver,
            interval,
            timeline: Timeline::new(interval),
            witness: Witness::new(mode),
            windows: Windows::default(),
            next_input: now + interval.mul_f64(phase.clamp(0.0, 1.0)),
            owed: 0,
            last_input: None,
            next_ping: now,
            pings: std::collections::VecDeque::new(),
            last_snapshot: None,
            freshness: Freshness::new(interval, seen, now),
            notes: Notes::default(),
            counted_until: now,
            stalls: Vec::new(),
            longest: None,
            moved: None,
        }
    }

    /// The connection.
    pub fn client(&mut self) -> &mut Client<G, S> {
        &mut self.client
    }

    /// Plays until `until`, or until it has a lot to tell.
    pub async fn play(&mut self, until: Instant) -> Result<(), Stopped> {
        let timer = tokio::time::sleep_until(self.wakes_at(until));
        tokio::pin!(timer);
        let mut heard_at_once = 0;
        loop {
            // Whatever the select would say: a timer that is never asked is never due.
            let is_due = heard_at_once >= HEARD_AT_ONCE_MAX && timer.deadline() <= Instant::now();
            tokio::select! {
                biased;
                heard = self.client.next(), if !is_due => {
                    heard_at_once += 1;
                    self.hear(&heard?)?;
                }
                () = due(timer.as_mut(), is_due) => {
                    heard_at_once = 0;
                    let now = Instant::now();
                    if now >= until || self.notes.are_many() {
                        return Ok(());
                    }
                    if now >= self.next_ping {
                        self.ping(now).await?;
                    }
                    if now >= self.next_input {
                        self.act(now).await?;
                    }
                    timer.as_mut().reset(self.wakes_at(until));
                }
            }
        }
    }

    /// What it has seen by now; `None` before its first snapshot.
    pub fn seen(&self) -> Option<comeback::Seen> {
        self.client.seen()
    }

    /// The longest time without a snapshot since this was last asked, and when it ended.
    pub fn take_longest_gap(&mut self) -> Option<(Duration, Instant)> {
        self.longest.take()
    }

    /// When it had its newest snapshot.
    pub fn last_snapshot(&self) -> Option<Instant> {
        self.last_snapshot.map(|(_, at)| at)
    }

    /// Where the server says that the match goes on.
    pub fn moved(&self) -> Option<&WsUrl> {
        self.moved.as_ref()
    }

    fn wakes_at(&self, until: Instant) -> Instant {
        self.next_input.min(self.next_ping).min(until)
    }

    fn hear(&mut self, heard: &Heard) -> Result<(), Stopped> {
        match heard {
            Heard::Snapshot(tick) => self.see(*tick, Instant::now()),
            Heard::Pong(pong) => self.ponged(*pong, Instant::now()),
            Heard::Closing(reason) => return Err(Stopped::Closing(*reason)),
            Heard::Event(Event::Draining { .. }) => self.notes.counts.drains_announced += 1,
            Heard::Migrate(url) => self.moved = Some(url.clone()),
            Heard::Welcome(_) | Heard::Event(_) => {}
        }
        Ok(())
    }

    fn see(&mut self, tick: Tick, now: Instant) {
        let (first, last) = self.client.stream_mut().take_arrivals().unwrap_or((now, now));
        self.freshness.arrived(tick, first, last);
        let notes = &mut self.notes;
        notes.record(Measure::Lateness, micros(self.timeline.arrived(tick, now)));
        if let Some((last_tick, last)) = self.last_snapshot.replace((tick, now)) {
            let (gap, ticks) = (now.duration_since(last), tick.since(last_tick).max(1) as u32);
            notes.counts.missed_snapshots += u64::from(ticks - 1);
            notes.counts.long_gaps += u64::from(gap >= self.interval * 3 / 2);
            notes.record(Measure::Gap, micros(gap));
            notes.record(Measure::Jitter, micros(gap.abs_diff(self.interval * ticks)));
            if self.longest.is_none_or(|(longest, _)| gap > longest) {
                self.longest = Some((gap, now));
            }
            if gap >= STALL.max(self.interval * STALL_TICKS) {
                self.stalls.push(Waited { tick, gap });
            }
        }
        let (Some(view), Some(me)) = (self.client.view(), self.client.player()) else { return };
        self.witness.look(view, me, |seen| match seen {
            Seen::Shown(origin) => {
                notes.counts.inputs_shown += 1;
                for nth in 0..origin.stands_for {
                    let intended = origin.intended + self.interval * nth;
                    notes.record(Measure::InputToView, micros(now.saturating_duration_since(intended)));
                }
            }
            Seen::Missed(origin) => self.windows.missed(origin.window),
            Seen::Unclear => notes.counts.inputs_unclear += 1,
        });
    }

    /// Sends the inputs that are due, as one if the generator is late: the server takes one a tick.
    async fn act(&mut self, now: Instant) -> Result<(), ClientError> {
        let intended = self.next_input - self.interval * self.owed;
        let due = 1 + (now.duration_since(intended).as_nanos() / self.interval.as_nanos().max(1)) as u32;
        self.next_input = intended + self.interval * due;
        self.owed = due;
        if let Some(age) = self.timeline.age(now) {
            self.notes.record(Measure::Age, micros(age));
        }
        let Some(tick) = self.timeline.next_tick(now) else { return Ok(()) };
        // Two inputs that fall on one tick: the second goes to the next one. A third waits, and the one after stands for it.
        let tick = match self.last_input.map(|last| tick.since(last)) {
            Some(..0) => return Ok(()),
            Some(0) => tick.next(),
            _ => tick,
        };
        let Some(input) = self.decide() else { return Ok(()) };
        self.last_input = Some(tick);
        self.owed = 0;
        self.witness.sent(tick, input, Origin { intended, stands_for: due, window: self.windows.current() });
        self.notes.counts.inputs += 1;
        self.client.input(tick, input).await
    }

    fn decide(&mut self) -> Option<G::Input> {
        match &mut self.driver {
            Driver::Brain(brain) => {
                let (view, me) = (self.client.view()?, self.client.player()?);
                Some(G::think(brain, view, me))
            }
            Driver::Replay { recording, next } => {
                let input = recording.input(*next);
                *next += 1;
                Some(input)
            }
            Driver::Idle => None,
        }
    }

    async fn ping(&mut self, now: Instant) -> Result<(), ClientError> {
        let intended = self.next_ping;
        self.next_ping = (intended + PING_EVERY).max(now);
        let window = self.windows.current();
        self.windows.pinged();
        self.pings.push_back((window, intended));
        self.client.send(ClientMessage::Ping { client_time_ms: window }).await
    }

    fn ponged(&mut self, pong: Pong, now: Instant) {
        // Pongs come in order; one may be left out where the connection is congested.
        while let Some((window, sent)) = self.pings.pop_front() {
            if window != pong.client_time_ms {
                continue;
            }
            let round_trip = now.saturating_duration_since(sent).saturating_sub(self.interval * u32::from(pong.held) / 256);
            self.notes.record(Measure::RoundTrip, micros(round_trip));
            self.timeline.ponged(round_trip, pong.margin);
            self.windows.ponged(window, pong.margin);
            break;
        }
        self.judge(false);
    }

    fn judge(&mut self, all: bool) {
        let judged = self.windows.judge(all);
        self.notes.counts.inputs_late += u64::from(judged.late);
        self.notes.counts.inputs_lost += u64::from(judged.lost);
        self.notes.counts.inputs_unclear += u64::from(judged.unclear);
    }

    /// What was felt since this was last taken.
    pub fn notes(&mut self) -> &mut Notes {
        let now = Instant::now();
        let traffic = self.client.take_traffic();
        self.freshness.look(now, self.client.stream().waiting_since());
        let watched = self.freshness.take();
        let counts = &mut self.notes.counts;
        counts.watched_micros += micros(watched.time);
        counts.stale_micros += micros(watched.stale);
        counts.ticks += u64::from(watched.ticks);
        counts.ticks_micros += micros(watched.between);
        counts.player_micros += micros(now.saturating_duration_since(self.counted_until));
        self.counted_until = now;
        counts.snapshots += traffic.snapshots;
        counts.checked += traffic.checked;
        counts.messages += traffic.messages;
        counts.payload_bytes += traffic.payload_bytes;
        &mut self.notes
    }

    /// The player leaves: from now on it waits for no snapshot.
    pub fn stop_looking(&mut self) {
        self.freshness.look(Instant::now(), self.client.stream().waiting_since());
        self.freshness.end();
    }

    /// Judges what is still open, at the end.
    pub fn close_books(&mut self) {
        self.judge(true);
    }

    /// Long gaps since this was last asked.
    pub fn take_stalls(&mut self) -> std::vec::Drain<'_, Waited> {
        self.stalls.drain(..)
    }
}

/// Waits for a timer, or for nothing if it is known to be due: while its task is to yield a timer
/// would not say so.
async fn due(timer: Pin<&mut tokio::time::Sleep>, is_due: bool) {
    if !is_due {
        timer.await;
    }
}

/// Whole microseconds.
pub fn micros(duration: Duration) -> u64 {
    duration.as_micros() as u64
}

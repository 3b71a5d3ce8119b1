//! One match's task: it owns the world, the seats and the sockets, and moves them on tick by tick.
//!
//! A tick: what clients sent is read, seats that expired are freed, bots fill up, the phase moves
//! on, inputs are latched, the world is stepped and captured, the frame is encoded once and sent to
//! everyone. Sockets are read when a tick begins, and only then; commands are carried out between
//! ticks.
//!
//! `door` carries out commands, `hearing` is what clients say, `people` who plays which seat,
//! `rounds` from the first phase to a rematch.
//!
//! Invariants: only this task touches what it owns; a late tick is counted and never caught up in a
//! burst; while nobody is connected there are no ticks, and before anybody has been there is no
//! world.

mod door;
mod hearing;
mod people;
mod rounds;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tickwire_game::{Events, Game, Rng, Told};
use tickwire_protocol::codec::{BoundedBytes, encode_into};
use tickwire_protocol::messages::{Event, ServerMessage};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{CloseReason, Tick};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::audience::{Audience, SentTotals};
use super::bots::Bots;
use super::handle::{Command, MatchInfo};
use super::lifecycle::Lifecycle;
use super::lobby::Room;
use super::pacer::Alarm;
use super::players::Players;
use super::roster::Roster;
use crate::clock::{self, Moment, Started, TickClock};
use crate::config::{MatchConfig, SessionConfig, ms};
use crate::replication::Replication;
use crate::replication::pool::Pool;
use crate::simulation::Simulation;

/// One match.
pub struct MatchTask<G: Game> {
    info: Arc<MatchInfo>,
    commands: mpsc::Receiver<Command>,
    config: MatchConfig,
    grace: Duration,
    /// Ticks without a change of input after which a player is idle; 0 for never.
    idle_after: u32,
    clock: TickClock,
    /// The tick last simulated.
    tick: Tick,
    /// `None` until somebody has connected.
    simulation: Option<Simulation<G>>,
    lifecycle: Lifecycle,
    lobby: Room,
    roster: Roster,
    players: Players<G::Input>,
    bots: Bots<G>,
    audience: Audience,
    replication: Replication,
    /// Seeds of worlds and of bots.
    seeds: Rng,
    /// The tick's events, encoded, for everyone.
    events: Vec<u8>,
    shared_events: Pool,
    /// A game event on its way into `events`.
    event: Vec<u8>,
    /// The tick's events for those who see their place.
    placed: Vec<Told>,
    /// The last results, for those who come while they are shown.
    results: Option<Event>,
    /// Since when nobody holds a seat.
    empty_since: Option<Instant>,
    /// The server ends the match then.
    ends_by: Option<Instant>,
}

impl<G: Game> MatchTask<G> {
    /// A match nobody plays yet.
    pub fn new(
        info: Arc<MatchInfo>,
        commands: mpsc::Receiver<Command>,
        seed: u64,
        session: SessionConfig,
        config: MatchConfig,
        offset: Duration,
    ) -> Self {
        let mode = info.mode;
        Self {
            clock: TickClock::new(mode.tick_rate, Instant::now(), offset),
            tick: Tick(0),
            simulation: None,
            lifecycle: Lifecycle::new(&mode, &config),
            lobby: Room::new(info.settings),
            roster: Roster::new(mode.max_players, mode.stand_in),
            players: Players::default(),
            bots: Bots::new(config.bots_fill.unwrap_or(mode.bots_fill).min(mode.max_players)),
            grace: ms(session.grace_ms),
            idle_after: clock::ticks(session.idle_ms, mode.tick_rate),
            audience: Audience::new(session, mode.tick_rate),
            replication: Replication::new(&G::SCHEMA, G::interest(&mode), config.hash_every),
            seeds: Rng::new(seed),
            events: Vec::new(),
            shared_events: Pool::default(),
            event: Vec::new(),
            placed: Vec::new(),
            results: None,
            empty_since: None,
            ends_by: None,
            config,
            info,
            commands,
        }
    }

    /// Runs until the match ends, a tick whenever `alarm` rings while somebody is connected;
    /// returns why it ends.
    pub async fn run(&mut self, mut alarm: Alarm) -> CloseReason {
        loop {
            let over = if self.is_awake() { self.play(&mut alarm).await } else { self.doze().await };
            if let Some(reason) = over {
                return reason;
            }
        }
    }

    /// Whether somebody is connected. Else nothing happens in the match but that seats expire.
    fn is_awake(&self) -> bool {
        self.roster.counts().connected > 0 || self.audience.spectators() > 0
    }

    /// Ticks until nobody is connected any more, or the match is over.
    async fn play(&mut self, alarm: &mut Alarm) -> Option<CloseReason> {
        self.clock.resume(Instant::now());
        alarm.set(self.clock.deadline());
        while self.is_awake() {
            tokio::select! {
                biased;
                () = &mut *alarm => {
                    if let Some(over) = self.tick() {
                        return Some(over);
                    }
                    alarm.set(self.clock.deadline());
                }
                command = self.commands.recv() => match command {
                    Some(Command::End(reason)) => return Some(reason),
                    Some(command) => self.obey(command),
                    None => return Some(CloseReason::MatchOver),
                },
            }
        }
        None
    }

    /// Waits until somebody connects, or the match is over.
    async fn doze(&mut self) -> Option<CloseReason> {
        // Nobody is there to be told.
        self.events.clear();
        while !self.is_awake() {
            if let Some(over) = self.keep_seats(Instant::now()) {
                return Some(over);
            }
            self.publish_seats();
            let next = self.next_deadline();
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(Command::End(reason)) => return Some(reason),
                    Some(command) => self.obey(command),
                    None => return Some(CloseReason::MatchOver),
                },
                () = tokio::time::sleep_until(next) => {}
            }
        }
        None
    }

    /// Tells everyone why the match ends, and refuses those on their way in.
    pub fn close_all(&mut self, reason: CloseReason) {
        self.audience.close_all(reason);
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            if let Some(socket) = command.into_socket() {
                tokio::task::spawn_local(socket.refuse(CloseReason::MatchGone));
            }
        }
    }

    fn tick(&mut self) -> Option<CloseReason> {
        let moment = Moment::now(self.tick);
        let now = moment.now;
        // Before the deadline moves on: an input that comes now is for this tick, with nothing to
        // spare.
        self.hear_all(&moment);
        let started = self.clock.start(now);
        let tick = self.tick.next();
        if let Some(over) = self.keep_seats(now) {
            return Some(over);
        }
        self.fill_with_bots();
        if let Some(over) = self.move_on(tick) {
            return Some(over);
        }
        self.look_for_idlers(tick);
        self.tell_of_lobby();
        self.simulate(tick);
        self.replicate(tick);
        let sent = self.audience.send_frames(tick, &mut self.replication);
        self.settle_lost();
        if self.replication.has_overflowed() {
            return Some(CloseReason::InternalError);
        }
        self.publish(now, started, sent);
        None
    }

    /// Latches every player's input and steps the world to `tick`.
    fn simulate(&mut self, tick: Tick) {
        if self.lifecycle.phase() != Phase::Finished {
            self.bots.think(&mut self.replication, tick);
        }
        self.tick = tick;
        let Self { simulation: Some(simulation), roster, players, bots, events, event, placed, replication, .. } = self else { return };
        let inputs = roster.joined().map(|(player, is_played_for)| {
            let input = if is_played_for { bots.input(player) } else { players.take(player, tick) };
            (player, input)
        });
        simulation.step(self.lifecycle.clock(tick), inputs);
        let mut count = 0;
        simulation.take_events(|bytes, at| {
            if at.is_some() && replication.is_divided() {
                placed.push(Told { bytes: bytes.to_vec(), at });
            } else if count < Events::PER_TICK_MAX {
                event.clear();
                event.extend_from_slice(bytes);
                let Some(bytes) = BoundedBytes::new(std::mem::take(event)) else { return };
                count += 1;
                let message = ServerMessage::Event(Event::Game(bytes));
                encode_into(&message, events);
                if let ServerMessage::Event(Event::Game(bytes)) = message {
                    *event = bytes.into_inner();
                }
            }
        });
    }

    /// Makes the snapshot of `tick`, with the tick's events.
    fn replicate(&mut self, tick: Tick) {
        let Self { simulation: Some(simulation), replication, shared_events, events, placed, .. } = self else { return };
        let shared = shared_events.concat(&[events]);
        events.clear();
        replication.advance(tick, shared, placed.drain(..), |snapshot| simulation.capture(snapshot));
    }

    /// Tells everyone with the next frame, if there is anyone.
    fn tell(&mut self, event: &Event) {
        if self.is_awake() {
            encode_into(&ServerMessage::Event(event.clone()), &mut self.events);
        }
    }

    fn publish_seats(&self) {
        let (stats, counts) = (&self.info.stats, self.roster.counts());
        stats.held.store(counts.held as u32, Relaxed);
        stats.connected.store(counts.connected as u32, Relaxed);
        stats.reserved.store(counts.reserved as u32, Relaxed);
        stats.bots.store(self.roster.bots() as u32, Relaxed);
        stats.spectators.store(self.audience.spectators() as u32, Relaxed);
    }

    fn publish(&self, began: Instant, Started { late, missed }: Started, sent: SentTotals) {
        let took = began.elapsed();
        let stats = &self.info.stats;
        self.publish_seats();
        stats.set_phase(self.lifecycle.phase());
        stats.tick.store(self.tick.0, Relaxed);
        stats.bytes_sent.fetch_add(sent.bytes, Relaxed);
        stats.frames_sent.fetch_add(sent.frames, Relaxed);
        stats.overruns.fetch_add(u64::from(took > self.clock.interval()), Relaxed);
        stats.late_ticks.fetch_add(u64::from(missed), Relaxed);
        stats.inputs_late.store(self.players.late_count(), Relaxed);
        stats.record_tick(took.as_micros() as u64, late.as_micros() as u64);
    }
}

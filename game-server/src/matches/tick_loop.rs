//! One match's task: it owns the world, the seats and the sockets, and moves them on tick by tick.
//!
//! A tick: what clients sent is read, seats that expired are freed, bots fill up, the phase moves on, inputs are latched, the world is stepped and
//! captured, the frame is encoded once and sent to everyone. Sockets are read when a tick begins, and only then; commands are carried out
//! between ticks.
//!
//! Invariants: only this task touches what it owns; a late tick is counted and never caught up in a burst.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tickwire_game::{Events, Game, Rng, Told};
use tickwire_protocol::codec::{BoundedBytes, BoundedVec, encode, encode_into};
use tickwire_protocol::messages::{ClientMessage, Event, Pong, ServerMessage, Welcome};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{CloseReason, PlayerId, Secret, Tick};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::audience::Audience;
use super::bots::Bots;
use super::handle::{Command, MatchInfo};
use super::lifecycle::{Census, Lifecycle, Verdict};
use super::pacer::Alarm;
use super::players::Players;
use super::roster::{Freed, Roster, Taken};
use crate::clock::{Moment, TickClock};
use crate::config::{MatchConfig, SessionConfig, ms};
use crate::replication::Replication;
use crate::replication::pool::Pool;
use crate::session::{Ended, Socket};
use crate::simulation::Simulation;

/// One match.
pub struct MatchTask<G: Game> {
    info: Arc<MatchInfo>,
    commands: mpsc::Receiver<Command>,
    config: MatchConfig,
    grace: Duration,
    clock: TickClock,
    /// The tick last simulated.
    tick: Tick,
    simulation: Simulation<G>,
    lifecycle: Lifecycle,
    roster: Roster,
    players: Players<G::Input>,
    bots: Bots<G>,
    audience: Audience,
    replication: Replication,
    /// Seeds of further rounds and of bots.
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
        let mut seeds = Rng::new(seed);
        Self {
            clock: TickClock::new(mode.tick_rate, Instant::now(), offset),
            tick: Tick(0),
            simulation: Simulation::new(&mode, seeds.next_u64(), Tick(0), 0),
            lifecycle: Lifecycle::new(&mode, &config),
            roster: Roster::new(mode.max_players, false),
            players: Players::default(),
            bots: Bots::new(config.bots_fill.unwrap_or(mode.bots_fill).min(mode.max_players)),
            grace: ms(session.grace_ms),
            audience: Audience::new(session, mode.tick_rate),
            replication: Replication::new(&G::SCHEMA, G::interest(&mode), config.hash_every),
            seeds,
            events: Vec::new(),
            shared_events: Pool::default(),
            event: Vec::new(),
            placed: Vec::new(),
            results: None,
            config,
            info,
            commands,
        }
    }

    /// Runs until the match ends, a tick whenever `alarm` rings; returns why.
    pub async fn run(&mut self, mut alarm: Alarm) -> CloseReason {
        alarm.set(self.clock.deadline());
        loop {
            tokio::select! {
                biased;
                () = &mut alarm => {
                    if let Some(over) = self.tick() {
                        return over;
                    }
                    alarm.set(self.clock.deadline());
                }
                command = self.commands.recv() => match command {
                    Some(Command::End(reason)) => return reason,
                    Some(command) => self.obey(command),
                    None => return CloseReason::MatchOver,
                },
            }
        }
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
        // Before the deadline moves on: an input that comes now is for this tick, with nothing to spare.
        self.read(&moment);
        let started = self.clock.start(now);
        let tick = self.tick.next();
        self.free_expired(now);
        self.fill_with_bots();
        let census = self.census();
        match self.lifecycle.advance(tick, census) {
            Verdict::Continue => {}
            Verdict::Finish(until) => self.finish(until),
            Verdict::Rematch => self.rematch(tick),
            Verdict::Over => return Some(CloseReason::MatchOver),
        }
        self.simulate(tick);
        let events = self.shared_events.concat(&[&self.events]);
        self.events.clear();
        let placed = self.placed.drain(..);
        self.replication.advance(tick, events, placed, |snapshot| self.simulation.capture(snapshot));
        let sent = self.audience.send_frames(tick, &mut self.replication);
        self.settle_lost();
        if self.replication.has_overflowed() {
            return Some(CloseReason::InternalError);
        }
        self.publish(now, started.late, started.missed, sent.bytes, sent.frames);
        None
    }

    /// Latches every player's input and steps the world to `tick`.
    fn simulate(&mut self, tick: Tick) {
        if self.lifecycle.phase() != Phase::Finished {
            self.bots.think(&mut self.replication, tick);
        }
        let inputs = self.roster.joined().map(|(player, is_played_for)| {
            let input = if is_played_for { self.bots.input(player) } else { self.players.take(player, tick) };
            (player, input)
        });
        self.simulation.step(self.lifecycle.clock(tick), inputs);
        self.tick = tick;
        let Self { events, event, placed, replication, .. } = self;
        let mut count = 0;
        self.simulation.take_events(|bytes, at| {
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

    /// Reads what clients have sent.
    fn read(&mut self, moment: &Moment) {
        let (next, clock) = (self.tick.next(), self.clock);
        let (players, roster) = (&mut self.players, &mut self.roster);
        let mut leavers = Vec::new();
        self.audience.read(moment, |player, bytes, arrived| {
            let message = ClientMessage::<G::Input>::decode(bytes).map_err(|_| CloseReason::Malformed)?;
            match (message, player) {
                (ClientMessage::Input { seq, tick, input }, Some(player)) => {
                    roster.confirm(player);
                    let margin = tick.since(next).saturating_mul(256).saturating_add(clock.until_next(arrived) as i32);
                    players.offer(player, seq, tick, input, next, margin);
                    Ok(None)
                }
                (ClientMessage::Ping { client_time_ms }, _) => {
                    player.into_iter().for_each(|player| roster.confirm(player));
                    let (margin, last_input) = player.map_or_else(Default::default, |player| players.take_feedback(player));
                    let (tick, phase) = (Tick(next.0.wrapping_sub(1)), clock.phase(arrived));
                    let held = clock.until_next(arrived) - clock.until_next(moment.now);
                    let pong = Pong { client_time_ms, tick, phase, held: held as u16, margin, last_input };
                    Ok(Some(encode(&ServerMessage::Pong(pong)).into()))
                }
                (ClientMessage::Leave, Some(player)) => {
                    leavers.push(player);
                    Err(CloseReason::Left)
                }
                (ClientMessage::Rematch, Some(player)) => {
                    roster.vote_rematch(player);
                    Ok(None)
                }
                (ClientMessage::Ready(_) | ClientMessage::Start | ClientMessage::Bots(_), Some(_)) => Ok(None),
                // A second Hello, or a spectator who plays.
                _ => Err(CloseReason::Malformed),
            }
        });
        for player in leavers {
            let freed = self.roster.free(player);
            self.unseat(freed);
        }
        self.settle_lost();
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Reserve { reservation, reply } => {
                let reserved = self.roster.reserve(&reservation, Instant::now());
                let answer = reserved.map(|(reserved, freed)| {
                    self.unseat(freed);
                    reserved
                });
                // Before the answer: whoever has it must find the seat in the figures.
                self.publish_seats();
                // Who asked may have gone: then the reservation expires.
                let _ = reply.send(answer);
            }
            Command::Release { owner } => {
                let freed = self.roster.release(owner);
                self.unseat(freed);
                self.publish_seats();
            }
            Command::Attach { player, ticket, socket } => {
                let slot = self.audience.free_slot();
                match self.roster.attach(player, ticket, slot, Instant::now()) {
                    Some(taken) => self.seat(&taken, slot, *socket),
                    None => refuse(*socket, CloseReason::BadTicket),
                }
            }
            Command::Resume { token, socket } => {
                let slot = self.audience.free_slot();
                match self.roster.resume(token, slot, Instant::now()) {
                    Some(taken) => self.seat(&taken, slot, *socket),
                    None => refuse(*socket, CloseReason::BadResume),
                }
            }
            Command::Spectate { socket } if self.audience.spectators() >= self.config.spectators_max => refuse(*socket, CloseReason::Full),
            Command::Spectate { socket } => {
                let slot = self.audience.free_slot();
                let welcome = self.welcome(None, Secret::default());
                self.audience.admit(slot, *socket, None, &welcome, &mut self.replication, &Moment::now(self.tick));
            }
            // Handled by the loop.
            Command::End(_) | Command::Drain { .. } => {}
        }
    }

    /// Connects a seat to a socket.
    fn seat(&mut self, taken: &Taken, slot: usize, socket: Socket) {
        let player = taken.player;
        if let Some(replaced) = taken.replaced {
            self.audience.close(replaced, CloseReason::Replaced);
        }
        self.players.reset(player);
        if taken.first {
            self.simulation.join(player);
            if let Some(entry) = self.roster.entry(player) {
                self.tell(&Event::Joined(entry));
            }
        }
        let welcome = self.welcome(Some(player), taken.resume);
        self.audience.admit(slot, socket, Some(player), &welcome, &mut self.replication, &Moment::now(self.tick));
    }

    fn welcome(&self, player: Option<PlayerId>, resume: Secret) -> Vec<u8> {
        let welcome = Welcome {
            match_id: self.info.id,
            player,
            mode: self.info.mode_index,
            tick_rate: self.info.mode.tick_rate,
            tick: self.tick,
            resume,
            roster: BoundedVec::truncated(self.roster.entries()),
        };
        let mut bytes = encode(&ServerMessage::Welcome(welcome));
        if let Some(results) = &self.results {
            encode_into(&ServerMessage::Event(results.clone()), &mut bytes);
        }
        bytes
    }

    fn free_expired(&mut self, now: Instant) {
        while let Some(player) = self.roster.next_expired(now) {
            let freed = self.roster.free(player);
            self.unseat(freed);
        }
    }

    /// A seat was freed: the game and the others are told.
    fn unseat(&mut self, freed: Option<Freed>) {
        let Some(Freed { player, joined }) = freed else { return };
        self.players.remove(player);
        self.bots.remove(player);
        self.replication.forget(player);
        if joined {
            self.simulation.leave(player);
            self.tell(&Event::Left(player));
        }
    }

    fn fill_with_bots(&mut self) {
        let wanted = self.bots.wanted(self.roster.counts().held);
        while self.roster.bots() > wanted {
            let freed = self.roster.free_a_bot();
            self.unseat(freed);
        }
        while self.roster.bots() < wanted {
            let Some(player) = self.roster.add_bot(&self.bots.next_name()) else { break };
            self.bots.add(player, self.seeds.next_u64());
            self.simulation.join(player);
            if let Some(entry) = self.roster.entry(player) {
                self.tell(&Event::Joined(entry));
            }
        }
    }

    /// Sessions that ended by themselves keep their seats for the grace period.
    fn settle_lost(&mut self) {
        for lost in self.audience.take_lost() {
            let Some(player) = lost.player else { continue };
            if lost.ended == Ended::Closed(CloseReason::Left) {
                continue;
            }
            tracing::debug!(match_id = %self.info.id, player = player.0, ended = ?lost.ended, "session lost");
            self.roster.disconnect(player, lost.slot, Instant::now() + self.grace);
            self.players.reset(player);
        }
    }

    fn finish(&mut self, until: Tick) {
        let ranking = BoundedVec::truncated(self.simulation.ranking());
        let results = Event::Results { ranking, rematch_by: until };
        self.tell(&results);
        self.results = Some(results);
    }

    /// Another round, in a fresh world, with those who voted.
    fn rematch(&mut self, tick: Tick) {
        self.results = None;
        for player in self.roster.take_abstainers() {
            if let Some(slot) = self.roster.slot_of(player) {
                self.audience.close(slot, CloseReason::MatchOver);
            }
            let freed = self.roster.free(player);
            self.unseat(freed);
        }
        let first_net_id = self.simulation.next_net_id();
        self.simulation = Simulation::new(&self.info.mode, self.seeds.next_u64(), tick, first_net_id);
        for (player, _) in self.roster.joined() {
            self.simulation.join(player);
        }
    }

    /// Tells everyone with the next frame.
    fn tell(&mut self, event: &Event) {
        encode_into(&ServerMessage::Event(event.clone()), &mut self.events);
    }

    fn census(&mut self) -> Census {
        let counts = self.roster.counts();
        let decided = self.lifecycle.phase() == Phase::Live && self.simulation.is_decided();
        Census { held: counts.held, connected: counts.connected, votes: counts.votes, decided }
    }

    fn publish_seats(&self) {
        let stats = &self.info.stats;
        let counts = self.roster.counts();
        stats.held.store(counts.held as u32, Relaxed);
        stats.connected.store(counts.connected as u32, Relaxed);
        stats.reserved.store(counts.reserved as u32, Relaxed);
        stats.bots.store(self.roster.bots() as u32, Relaxed);
        stats.spectators.store(self.audience.spectators() as u32, Relaxed);
    }

    fn publish(&self, began: Instant, late: Duration, missed: bool, bytes: u64, frames: u64) {
        let took = began.elapsed();
        let stats = &self.info.stats;
        self.publish_seats();
        stats.set_phase(self.lifecycle.phase());
        stats.tick.store(self.tick.0, Relaxed);
        stats.bytes_sent.fetch_add(bytes, Relaxed);
        stats.frames_sent.fetch_add(frames, Relaxed);
        stats.overruns.fetch_add(u64::from(took > self.clock.interval()), Relaxed);
        stats.late_ticks.fetch_add(u64::from(missed), Relaxed);
        stats.inputs_late.store(self.players.late_count(), Relaxed);
        stats.record_tick(took.as_micros() as u64, late.as_micros() as u64);
    }
}

fn refuse(socket: Socket, reason: CloseReason) {
    crate::metrics::count_close(reason);
    tokio::task::spawn_local(socket.refuse(reason));
}

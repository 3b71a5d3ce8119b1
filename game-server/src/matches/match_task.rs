//! One match's task: it owns the match's sockets and its [`MatchCore`], and decides when it ticks.
//!
//! A tick: what clients sent is read and becomes a step, the core takes the step, the frame is
//! encoded once and sent to everyone. Sockets are read when a tick begins, and only then; commands
//! are carried out between ticks, each in a step of its own.
//!
//! `door` carries out commands, `hearing` is what clients say, `timing` what they are told about
//! their inputs, `sign_ins` is who must sign in again, `keeping` is what is written down so that
//! the match outlives the process, `revival` brings it back, `moving` hands it to another server.
//!
//! Invariants: only this task touches what it owns; a late tick is counted and never caught up in a
//! burst; while nobody is connected there are no ticks; a step is written before anybody is told
//! what came of it.

mod door;
mod hearing;
mod keeping;
mod moving;
mod revival;
mod sign_ins;
mod timing;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tickwire_game::Game;
use tickwire_handover::Handover;
use tickwire_match::{Advance, Change, Happened, MatchCore, Rules, Setup, Step};
use tickwire_protocol::messages::Retry;
use tickwire_protocol::{CloseReason, PlayerId, WsUrl};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::audience::{Audience, SentTotals};
use super::handle::{COMMANDS_MAX, Command, Halt, MatchInfo, Order, SeatMark};
use super::headroom::{self, Load};
use super::pacer::Alarm;
use super::sign_in::SignIn;
use crate::clock::{self, Moment, Started, TickClock};
use crate::config::{MatchConfig, SessionConfig};
use crate::journal::MatchLog;
use crate::transport::{Ended, Farewell};
pub use revival::{RevivalError, RevivedSeat};
use timing::Timings;

/// One match: its core, its sockets, and when it ticks. A worker runs it as one task.
pub struct MatchTask<G: Game> {
    info: Arc<MatchInfo>,
    orders: mpsc::Receiver<Order>,
    spectators_max: usize,
    clock: TickClock,
    core: MatchCore<G>,
    /// What has happened since the last step: of each session at most what is taken in in a tick.
    step: Step<G::Input>,
    audience: Audience,
    timings: Timings,
    /// Seats of people, for those who watch them from outside.
    marks: BTreeMap<PlayerId, SeatMark>,
    /// Until when people may play, of those for whom there is such a moment.
    sign_ins: BTreeMap<PlayerId, Arc<SignIn>>,
    /// When the core came to the age it has.
    aged: Instant,
    /// Of the worker that runs the match.
    load: Arc<Load>,
    /// It was brought back, and nobody has been connected since.
    is_revived: bool,
    /// Where it is written what happens.
    log: MatchLog,
    /// Ticks from one checkpoint to the next.
    checkpoint_every: u32,
    /// A tick was taken, and its frame waits for the store.
    owed: Option<Started>,
    /// Who comes in when the store has the match as they would see it: at most [`COMMANDS_MAX`].
    held: VecDeque<Command>,
    /// Where the match goes on, if it was moved.
    moved_to: Option<WsUrl>,
}

impl<G: Game> MatchTask<G> {
    /// A match nobody plays yet.
    pub fn new(
        info: Arc<MatchInfo>,
        orders: mpsc::Receiver<Order>,
        seed: u64,
        session: SessionConfig,
        config: &MatchConfig,
        offset: Duration,
    ) -> Self {
        let mode = info.mode;
        let (lobby, bots) = (info.settings.lobby, info.settings.bots);
        let rules = rules(&info, &session, config);
        let setup = Setup { id: info.id, mode, mode_index: info.mode_index, lobby, bots, rules, seed };
        Self::of_core(MatchCore::new(&setup), info, orders, session, config, offset)
    }

    fn of_core(
        core: MatchCore<G>,
        info: Arc<MatchInfo>,
        orders: mpsc::Receiver<Order>,
        session: SessionConfig,
        config: &MatchConfig,
        offset: Duration,
    ) -> Self {
        let (mode, now) = (info.mode, Instant::now());
        Self {
            clock: TickClock::new(mode.tick_rate, now, offset),
            core,
            step: Step::default(),
            audience: Audience::new(session, mode.tick_rate),
            timings: Timings::default(),
            marks: BTreeMap::new(),
            sign_ins: BTreeMap::new(),
            aged: now,
            spectators_max: config.spectators_max,
            load: headroom::nobody(),
            is_revived: false,
            log: MatchLog::default(),
            checkpoint_every: u32::MAX,
            owed: None,
            held: VecDeque::new(),
            moved_to: None,
            info,
            orders,
        }
    }

    /// Counts the time that the match takes as `load` of its worker.
    #[must_use]
    pub fn on(self, load: Arc<Load>) -> Self {
        Self { load, ..self }
    }

    /// Hands its clients' connections over to a supervisor, if there is one, so that they outlive
    /// the process.
    #[must_use]
    pub fn handing_over(mut self, handover: Option<Handover>) -> Self {
        if let Some(handover) = handover {
            self.audience.hand_over_to(handover, G::SCHEMA.hash(), self.info.id);
        }
        self
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
        self.core.counts().connected > 0 || self.audience.spectators() > 0
    }

    /// Ticks until nobody is connected any more, or the match is over.
    async fn play(&mut self, alarm: &mut Alarm) -> Option<CloseReason> {
        let _awake = self.load.wake(self.info.mode_index);
        self.is_revived = false;
        self.clock.resume(Instant::now());
        alarm.set(self.clock.deadline());
        while self.is_awake() {
            tokio::select! {
                biased;
                () = self.log.acked(), if self.owed.is_some() || !self.held.is_empty() => {
                    if let Some(over) = self.settle() {
                        return Some(over);
                    }
                }
                () = &mut *alarm => {
                    if let Some(over) = self.on_time() {
                        return Some(over);
                    }
                    alarm.set(self.clock.deadline());
                }
                order = self.orders.recv() => if let Some(over) = self.follow(order).await {
                    return Some(over);
                },
            }
        }
        None
    }

    /// Waits until somebody connects, or the match is over.
    async fn doze(&mut self) -> Option<CloseReason> {
        self.aged = Instant::now();
        while !self.is_awake() {
            if let Some(over) = self.grow_older() {
                return Some(over);
            }
            self.publish_seats();
            self.keep_all();
            let left = self.core.next_deadline().since(self.core.age());
            let next = self.aged + self.clock.interval() * left.max(1);
            tokio::select! {
                biased;
                order = self.orders.recv() => {
                    // Whoever asks for a seat is told by the time it is now.
                    if let Some(over) = self.grow_older() {
                        if let Some(order) = order {
                            self.turn_away(order);
                        }
                        return Some(over);
                    }
                    if let Some(over) = self.follow(order).await {
                        return Some(over);
                    }
                }
                () = self.log.acked(), if !self.held.is_empty() => {
                    if let Some(over) = self.settle() {
                        return Some(over);
                    }
                }
                () = tokio::time::sleep_until(next) => {}
            }
        }
        None
    }

    /// Time went by without ticks. Says if that ends the match.
    fn grow_older(&mut self) -> Option<CloseReason> {
        let passed = Instant::now().saturating_duration_since(self.aged);
        let intervals = u32::try_from(passed.as_nanos() / self.clock.interval().as_nanos().max(1)).unwrap_or(u32::MAX);
        self.aged += self.clock.interval() * intervals;
        self.step.advance = Advance::Doze(intervals);
        self.take_step()
    }

    /// Does what is asked. Says if that ends the match here.
    async fn follow(&mut self, order: Option<Order>) -> Option<CloseReason> {
        match order {
            Some(Order::Halt(Halt::End(reason))) => Some(reason),
            Some(Order::Halt(Halt::Move(ws_url))) => Some(self.move_to(ws_url)),
            Some(Order::Halt(Halt::Freeze { reply })) => Some(self.stand_still(reply).await),
            Some(Order::Command(command)) if command.shows_match() && self.log.is_awaited() => {
                self.hold(command);
                None
            }
            Some(Order::Command(command)) => {
                self.obey(command);
                None
            }
            None => Some(CloseReason::MatchOver),
        }
    }

    /// Tells everyone why the match ends, and refuses those on their way in.
    pub fn close_all(&mut self, reason: CloseReason) {
        match reason {
            // It goes on in another process.
            CloseReason::Restarting => {
                self.keep_all();
                self.log.rest();
                self.audience.leave_all();
            }
            CloseReason::Moved => self.log.leave(),
            _ => self.log.end(),
        }
        let farewell = self.moved_to.clone().map_or_else(|| reason.into(), Farewell::moved_to);
        self.audience.close_all(&farewell);
        std::mem::take(&mut self.held).into_iter().for_each(|command| self.turn_away_for(command, CloseReason::Restarting));
        self.orders.close();
        while let Ok(order) = self.orders.try_recv() {
            self.turn_away(order);
        }
    }

    /// A tick is due. It is left out while the last one is not in the store yet, or while another
    /// server may run the match.
    fn on_time(&mut self) -> Option<CloseReason> {
        if self.owed.is_none() && self.log.may_tick() {
            return self.tick();
        }
        if self.log.wants_checkpoint() {
            // The store has lost what is waited for: only the whole match brings that back.
            self.checkpoint();
        }
        let Started { missed, .. } = self.clock.start(Instant::now());
        self.info.stats.late_ticks.fetch_add(u64::from(missed) + 1, Relaxed);
        None
    }

    fn tick(&mut self) -> Option<CloseReason> {
        let moment = Moment::now(self.core.tick());
        let now = moment.now;
        // Before the deadline moves on: an input that comes now is for this tick, with nothing to
        // spare.
        self.hear_all(&moment);
        self.close_expired(now);
        self.aged = now;
        let started = self.clock.start(now);
        self.step.advance = Advance::Tick;
        if let Some(over) = self.take_step() {
            return Some(over);
        }
        if self.log.is_awaited() {
            self.owed = Some(started);
            return None;
        }
        self.send(now, started)
    }

    /// What was taken may be in the store by now: then its frame leaves, and whoever waited outside
    /// comes in.
    fn settle(&mut self) -> Option<CloseReason> {
        if self.log.is_awaited() {
            return None;
        }
        if let Some(started) = self.owed.take()
            && let Some(over) = self.send(Instant::now(), started)
        {
            return Some(over);
        }
        while !self.log.is_awaited()
            && let Some(command) = self.held.pop_front()
        {
            self.obey(command);
        }
        None
    }

    /// Whoever came is shown a match that the store has: until then they wait.
    fn hold(&mut self, command: Command) {
        if self.held.len() < COMMANDS_MAX {
            self.held.push_back(command);
        } else {
            self.turn_away_for(command, CloseReason::Busy);
        }
    }

    /// Sends the frame of the tick that was taken.
    fn send(&mut self, now: Instant, started: Started) -> Option<CloseReason> {
        let sent = self.audience.send_frames(self.core.tick(), self.core.replication());
        self.note_lost();
        if !self.step.changes.is_empty() {
            self.take_step();
        }
        if self.core.replication().has_overflowed() {
            return Some(CloseReason::InternalError);
        }
        self.publish(now, started, sent);
        self.keep_newest();
        None
    }

    /// Hands the core what has happened, and does what that asks for. Says if the match is over.
    fn take_step(&mut self) -> Option<CloseReason> {
        self.log.step(&self.step);
        let outcome = self.core.step(&self.step);
        self.step.changes.clear();
        self.step.advance = Advance::Nothing;
        self.act(&outcome.happened);
        outcome.over
    }

    /// Does what the core asks for. Answers to commands are `door`'s.
    fn act(&mut self, happened: &[Happened]) {
        for happened in happened {
            match *happened {
                Happened::Dismissed(session, reason) => self.audience.close(session as usize, reason),
                Happened::Freed(player) => {
                    self.marks.remove(&player);
                    self.sign_ins.remove(&player);
                }
                Happened::Reserved(_) | Happened::NotReserved(_) | Happened::Seated { .. } | Happened::Refused(..) => {}
            }
        }
    }

    /// Sessions that ended by themselves are part of what happens next.
    fn note_lost(&mut self) {
        for lost in self.audience.take_lost() {
            let Some(player) = lost.player else { continue };
            if lost.ended == Ended::Closed(CloseReason::Left) {
                continue;
            }
            tracing::debug!(match_id = %self.info.id, player = player.0, ended = ?lost.ended, "session lost");
            let may_return = !matches!(lost.ended, Ended::Closed(reason) if reason.retry() == Retry::No);
            if let Some(mark) = self.marks.get(&player) {
                mark.leave();
            }
            self.step.changes.push(Change::Disconnect { player, session: lost.slot as u32, may_return });
        }
    }

    fn publish_seats(&self) {
        let (stats, counts) = (&self.info.stats, self.core.counts());
        stats.held.store(counts.held as u32, Relaxed);
        stats.connected.store(counts.connected as u32, Relaxed);
        stats.reserved.store(counts.reserved as u32, Relaxed);
        stats.bots.store(self.core.bots() as u32, Relaxed);
        stats.spectators.store(self.audience.spectators() as u32, Relaxed);
    }

    fn publish(&self, began: Instant, Started { late, missed }: Started, sent: SentTotals) {
        let took = began.elapsed();
        let stats = &self.info.stats;
        self.publish_seats();
        stats.set_phase(self.core.phase());
        stats.tick.store(self.core.tick().0, Relaxed);
        stats.kept_bytes.store(sent.kept_bytes, Relaxed);
        stats.bytes_sent.fetch_add(sent.bytes, Relaxed);
        stats.frames_sent.fetch_add(sent.frames, Relaxed);
        stats.overruns.fetch_add(u64::from(took > self.clock.interval()), Relaxed);
        stats.late_ticks.fetch_add(u64::from(missed), Relaxed);
        stats.inputs_late.store(self.core.late_inputs(), Relaxed);
        stats.record_tick(took.as_micros() as u64, late.as_micros() as u64);
        self.load.ticked(self.info.mode_index, took, self.clock.interval(), missed);
    }
}

/// What the operator set, in ticks of the match.
fn rules(info: &MatchInfo, session: &SessionConfig, config: &MatchConfig) -> Rules {
    let mode = &info.mode;
    let ticks = |ms: u64| clock::ticks(ms, mode.tick_rate);
    let seconds = |seconds: u32| ticks(1_000 * u64::from(seconds));
    Rules {
        countdown: seconds(config.countdown_seconds),
        live: seconds(if config.live_seconds == 0 { mode.live_seconds } else { config.live_seconds }),
        results: seconds(config.results_seconds),
        grace: ticks(session.grace_ms),
        idle_after: ticks(session.idle_ms),
        empty_for: ticks(config.empty_ms),
        bots_fill: config.bots_fill.unwrap_or(mode.bots_fill),
        hash_every: config.hash_every,
    }
}
